#!/bin/sh
# run_tests.sh BUILD [NAME...] - runs the test programs of a build and the shell tests, one by one.
# With names (test_rng, simd/test_gemm, test_cli.sh) only these.
#
# A test program speaks TAP, as cmocka does; a shell test does so by tools/tap.sh. A program that
# crashes, hangs, is missing, or runs fewer cases than it announced has one more failure; one that
# ran no case has failed, too. The last line is `N passed, N failed`.
#
# Tests run in the root of the tree, with TMPDIR their own empty folder. CENOTE_TEST_TIMEOUT: seconds
# per program, 300 unless set.
set -u

[ $# -ge 1 ] || { echo "usage: run_tests.sh BUILD [NAME...]" >&2; exit 2; }
build=$(cd "$1" && pwd) || exit 2
shift
cd "$(dirname "$0")/.." || exit 2
wanted=" $* "
limit=${CENOTE_TEST_TIMEOUT:-300}
passed=0 failed=0

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

export CMOCKA_MESSAGE_OUTPUT=TAP CENOTE="$build/cenote" CENOTE_SOURCE="$PWD"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$PWD/tools/lsan.supp:print_suppressions=0}" # fontconfig keeps what it read

# TAP on stdin; prints `passed failed skipped missing`.
count() {
    awk '/^1\.\.[0-9]+$/ { planned += substr($0, 4) }
         /^(not )?ok [0-9]+.*# SKIP/ { skipped++; next }
         /^ok [0-9]+/ { passed++ }
         /^not ok [0-9]+/ { failed++ }
         END { ran = passed + failed + skipped
               print passed + 0, failed + 0, skipped + 0, (planned > ran ? planned - ran : 0) }' "$1"
}

run() { # NAME COMMAND...
    name=$1
    shift
    case "$wanted" in "  " | *" $name "*) ;; *) return ;; esac
    mkdir -p "$scratch/tmp"
    start=$(date +%s)
    TMPDIR="$scratch/tmp" XDG_CACHE_HOME="$scratch/tmp/cache" \
        timeout -k 10 "$limit" "$@" >"$scratch/out" 2>&1 </dev/null
    rc=$?
    seconds=$(($(date +%s) - start))
    rm -rf "$scratch/tmp"

    set -- $(count "$scratch/out")
    note=
    good=$1 bad=$2
    [ "$3" != 0 ] && note=", $3 skipped"
    if [ "$rc" = 124 ] || [ "$rc" = 137 ]; then
        bad=$((bad + 1)) note="$note, stopped after $limit s"
    elif [ "$4" != 0 ]; then
        bad=$((bad + 1)) note="$note, $4 announced but not run, exit status $rc"
    elif [ "$rc" != 0 ] && [ "$bad" = 0 ]; then
        bad=1 note="$note, exit status $rc"
    elif [ "$(($1 + $2 + $3))" = 0 ]; then
        bad=1 note="$note, no test ran"
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf 'ok    %-32s %4d passed%s, %d s\n' "$name" "$good" "$note" "$seconds"
    else
        printf 'FAIL  %-32s %4d passed, %d failed%s, %d s\n' "$name" "$good" "$bad" "$note" "$seconds"
        sed 's/^/    | /' "$scratch/out"
    fi
}

while read -r program; do
    [ -n "$program" ] && run "${program#tests/}" "$build/$program"
done <"$build/tests.list"

if [ -d app ]; then
    for script in tests/*.sh tests/*/*.sh; do
        [ -f "$script" ] && run "${script#tests/}" sh "$script"
    done
fi

for name in $wanted; do
    grep -qx "tests/$name" "$build/tests.list" || [ -f "tests/$name" ] || {
        echo "FAIL  $name: there is no such test"
        failed=$((failed + 1))
    }
done

[ "$((passed + failed))" = 0 ] && echo "no test ran"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
