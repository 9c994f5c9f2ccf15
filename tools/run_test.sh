#!/bin/sh
# run_test.sh BUILD NAME COUNTS - runs one test program or shell test of a build for run_tests.sh, prints its
# line of the report, and adds `passed failed` to the file COUNTS.
#
# A test program speaks TAP, as cmocka does; a shell test does so by tools/tap.sh. A program that
# crashes, hangs, is missing, or runs fewer cases than it announced has one more failure; one that
# ran no case has failed, too. Each has an empty folder of its own as TMPDIR.
set -u

build=$1 name=$2 counts=$3
limit=${CENOTE_TEST_TIMEOUT:-300}
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# TAP in a file; prints `passed failed skipped missing`.
count() {
    awk '/^1\.\.[0-9]+$/ { planned += substr($0, 4) }
         /^(not )?ok [0-9]+.*# SKIP/ { skipped++; next }
         /^ok [0-9]+/ { passed++ }
         /^not ok [0-9]+/ { failed++ }
         END { ran = passed + failed + skipped
               print passed + 0, failed + 0, skipped + 0, (planned > ran ? planned - ran : 0) }' "$1"
}

mkdir "$scratch/tmp"
start=$(date +%s)
case $name in
*.sh) set -- sh "tests/$name" ;;
*) set -- "$build/tests/$name" ;;
esac
TMPDIR="$scratch/tmp" XDG_CACHE_HOME="$scratch/tmp/cache" \
    timeout -k 10 "$limit" "$@" >"$scratch/out" 2>&1 </dev/null
rc=$?
seconds=$(($(date +%s) - start))

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
echo "$good $bad" >>"$counts"
{
    if [ "$bad" = 0 ]; then
        printf 'ok    %-32s %4d passed%s, %d s\n' "$name" "$good" "$note" "$seconds"
    else
        printf 'FAIL  %-32s %4d passed, %d failed%s, %d s\n' "$name" "$good" "$bad" "$note" "$seconds"
        sed 's/^/    | /' "$scratch/out"
    fi
} >"$scratch/report"
cat "$scratch/report" # in one piece: others may be writing, too
