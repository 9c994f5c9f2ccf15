#!/bin/sh
# check.sh BUILD - all rules of the tree that a script can see. Each script prints what is wrong and
# nothing else, except check_sizes.sh, which always prints its table. The last line is
# `N passed, N failed`, counted in checks.
set -u

build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0

step() { # NAME COMMAND...
    name=$1
    shift
    if "$@" </dev/null; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
    fi
}

layout() {
    tools/sources.sh | xargs clang-format --dry-run -Werror
}

# One process per file: clang-tidy 14 mixes up va_lists when it reads several. Only files this build
# compiles can be analysed; assertions count as knowledge. The definition of cn_fail() must not see
# the macro of that name. The analyser looks at a third of the states that it would by itself before it gives a
# function up: only few functions have more, and those took most of its time.
analysis() {
    files=$(sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$build/compile_commands.json" | sort -u |
        grep -E "^$PWD/(src|models|book|app)/")
    [ -n "$files" ] || { echo "no file to analyse in $build/compile_commands.json"; return 1; }
    echo "$files" | xargs -P "$(nproc)" -n 1 sh -c '
        knowledge="--extra-arg=-UNDEBUG --extra-arg=-include --extra-arg=$1/tools/analysis.h"
        case "$3" in */src/core/error.c) knowledge= ;; esac
        states="--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=75000"
        clang-tidy --quiet --warnings-as-errors="*" -p "$2" $knowledge $states "$3" 2>/dev/null' - "$PWD" "$build"
}

step "arrows between folders" tools/check_includes.sh
step "public headers alone, in C11 and C++17" tools/check_headers.sh
step "names of symbols and macros" tools/check_symbols.sh "$build"
step "sizes of functions and files" tools/check_sizes.sh
step "text" tools/check_text.sh
if command -v clang-format >/dev/null; then
    step "layout (clang-format)" layout
else
    echo "skip  layout: clang-format is not installed (tools/setup.sh --dev)"
fi
if command -v clang-tidy >/dev/null; then
    step "analysis (clang-tidy)" analysis
else
    echo "skip  analysis: clang-tidy is not installed (tools/setup.sh --dev)"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
