#!/bin/sh
# run_fuzz.sh BUILD SECONDS - every fuzz target for some seconds, from its seeds in fuzz/corpus/NAME/.
# What it finds grows in BUILD/corpus/NAME, what broke it lies in BUILD/crashes/. The last line is
# `N passed, N failed`, counted in targets.
set -u

build=$1 seconds=$2
passed=0 failed=0
mkdir -p "$build/crashes"
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT

for source in fuzz/fuzz_*.c; do
    [ -f "$source" ] || continue
    name=$(basename "$source" .c)
    mkdir -p "$build/corpus/$name"
    seeds=
    [ -d "fuzz/corpus/$name" ] && seeds="fuzz/corpus/$name"
    if "$build/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" $seeds >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok    $name: $(awk '/^Done/ { print $2, "runs" }' "$log")"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        tail -n 60 "$log" | sed 's/^/    | /'
    fi
done

[ "$((passed + failed))" = 0 ] && echo "there is no fuzz target"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
