# The front door. CMake does the work; see CONTRIBUTING.md for its options.

BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 60
CMAKE_FLAGS ?=

MAKEFLAGS += --no-print-directory
CONFIGURE = cmake -S . $(CMAKE_FLAGS)
COMPILE = cmake --build $(1) -j $(JOBS)
NO_OPENMP = -DWITH_OPENMP=OFF -DWITH_ONEDNN=OFF -DWITH_LAPACK=OFF

.PHONY: all configure demo test check bench examples docs fuzz asan tsan install format clean help

all: configure
	@$(call COMPILE,$(BUILD))

configure:
	@mkdir -p $(BUILD)
	@$(CONFIGURE) -B $(BUILD) >$(BUILD)/configure.log 2>&1 || { cat $(BUILD)/configure.log; exit 1; }
	@sed -n '/^-- cenote /,/^-- Conf/s/^-- //p' $(BUILD)/configure.log | grep -v '^Conf'

# Trains LeNet on Fashion-MNIST and draws what it learnt.
demo:
	@tools/setup.sh
	@$(MAKE) all
	@$(BUILD)/cenote train lenet --data fashion-mnist --epochs 10 --seed 3 --out runs/demo
	@$(BUILD)/cenote predict runs/demo
	@echo "The pictures are in $(CURDIR)/runs/demo:"
	@find runs/demo -name '*.png' -o -name '*.svg' | sort

# The last line is `N passed, N failed`.
test:
	@tools/setup.sh
	@$(MAKE) all
	@$(call COMPILE,$(BUILD)) --target tests
	@tools/run_tests.sh $(BUILD)

check: all
	@tools/check.sh $(BUILD)

bench: all
	@$(call COMPILE,$(BUILD)) --target bench
	@for program in $$(find $(BUILD)/bench -type f -perm -u+x | sort); do echo "== $$program"; $$program || exit 1; done
	@python3 bench/compare.py $(BUILD)

examples: all
	@$(call COMPILE,$(BUILD)) --target examples

# The pages that are made of the table of ops and of the headers: docs/ops/, docs/api/.
docs: all
	@tools/op_pages.py $(BUILD)
	@tools/api_pages.py

# Each target runs for FUZZ_SECONDS; what crashed stays in build-fuzz/crashes/.
fuzz:
	@$(CONFIGURE) -B build-fuzz -DCMAKE_C_COMPILER=clang -DBUILD_FUZZ=ON -DBUILD_TESTS=OFF \
	    -DSANITIZE=address,undefined $(NO_OPENMP) >/dev/null
	@$(call COMPILE,build-fuzz) --target fuzz
	@tools/run_fuzz.sh build-fuzz $(FUZZ_SECONDS)

asan:
	@$(CONFIGURE) -B build-asan -DSANITIZE=address,undefined -DHOSTILE=ON >/dev/null
	@$(call COMPILE,build-asan) --target all tests
	@tools/run_tests.sh build-asan

# What runs on several threads: the loader's, and OpenMP's pool. LLVM's OpenMP has a tool, Archer, that
# tells the sanitizer how the pool's threads wait for each other; without it every wait looks like a race.
THREADED = test_loader test_layout test_networks test_parity
ARCHER = $(lastword $(sort $(wildcard /usr/lib/llvm-*/lib/libarcher.so)))
tsan:
	@[ -n "$(ARCHER)" ] || { echo "tsan: please install libomp-dev" >&2; exit 1; }
	@$(CONFIGURE) -B build-tsan -DCMAKE_C_COMPILER=clang -DSANITIZE=thread -DWITH_ONEDNN=OFF -DWITH_LAPACK=OFF >/dev/null
	@$(call COMPILE,build-tsan) --target $(addprefix tests_,$(THREADED))
	@OMP_TOOL_LIBRARIES=$(ARCHER) CENOTE_NUM_THREADS=3 OMP_NUM_THREADS=3 \
	    TSAN_OPTIONS=ignore_noninstrumented_modules=1 tools/run_tests.sh build-tsan $(THREADED)

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

format:
	@tools/sources.sh | xargs clang-format -i

clean:
	@rm -rf build build-asan build-tsan build-fuzz build-ci-*

help:
	@echo "make [all]        the library and the program, in $(BUILD)/"
	@echo "make demo         train LeNet on Fashion-MNIST and draw what it learnt"
	@echo "make test         build and run all tests"
	@echo "make check        layout, analysis and rules of the tree"
	@echo "make bench        benchmarks        make examples   the programs of examples/"
	@echo "make docs         writes docs/ops/ and docs/api/ anew (python3)"
	@echo "make asan, tsan   the tests under sanitizers"
	@echo "make fuzz         every file reader against libFuzzer (FUZZ_SECONDS=$(FUZZ_SECONDS) each)"
	@echo "make install      to PREFIX=$(PREFIX); DESTDIR is honoured"
	@echo "make format       clang-format on every source"
	@echo "make clean        removes the build folders"
