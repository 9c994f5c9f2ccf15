#!/bin/sh
# run_tests.sh BUILD [NAME...] - runs the test programs of a build and the shell tests, as many at once as there
# are processors. With names (test_rng, simd/test_gemm, test_cli.sh) only these. The last line is
# `N passed, N failed`.
#
# Tests run in the root of the tree. CENOTE_TEST_TIMEOUT: seconds per program, 300 unless set; CENOTE_TEST_JOBS:
# how many at once.
set -u

[ $# -ge 1 ] || { echo "usage: run_tests.sh BUILD [NAME...]" >&2; exit 2; }
build=$(cd "$1" && pwd) || exit 2
shift
cd "$(dirname "$0")/.." || exit 2
jobs=${CENOTE_TEST_JOBS:-$(nproc 2>/dev/null || echo 1)}

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

export CMOCKA_MESSAGE_OUTPUT=TAP CENOTE="$build/cenote" CENOTE_SOURCE="$PWD"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$PWD/tools/lsan.supp:print_suppressions=0}" # fontconfig keeps what it read
# Threads that wait would take the processors from the tests beside them.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

{
    sed 's|^tests/||' "$build/tests.list"
    [ -d app ] && for script in tests/*.sh; do echo "${script#tests/}"; done
} | sed '/^$/d' >"$scratch/all"

: >"$scratch/counts"
if [ $# = 0 ]; then
    cp "$scratch/all" "$scratch/wanted"
else
    for name in "$@"; do
        if grep -qxF "$name" "$scratch/all"; then
            echo "$name"
        else
            echo "FAIL  $name: there is no such test" >&2
            echo "0 1" >>"$scratch/counts"
        fi
    done >"$scratch/wanted"
fi

xargs -P "$jobs" -I{} sh tools/run_test.sh "$build" {} "$scratch/counts" <"$scratch/wanted"

set -- $(awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }' "$scratch/counts")
[ "$(($1 + $2))" = 0 ] && echo "no test ran"
echo "$1 passed, $2 failed"
[ "$2" = 0 ] && [ "$1" != 0 ]
