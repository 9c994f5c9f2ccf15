#!/bin/sh
# test_d2l_api.sh - docs/d2l-api.md: every place it names is there, and no helper stands in it twice.
. "$CENOTE_SOURCE/tools/tap.sh"

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch" "$tap_output"' EXIT
cd "$CENOTE_SOURCE" || exit 2
page=docs/d2l-api.md

# [path](../path) `name`  ->  path name
sed -nE 's/\[[^]]*\]\(\.\.\/[^)]*\) `[^`]*`/\n&\n/gp' $page |
    sed -nE 's/^\[([^]]*)\]\(\.\.\/([^)]*)\) `([^`]*)`$/\1 \2 \3/p' >"$scratch/places"
check "the page names places" test "$(wc -l <"$scratch/places")" -gt 40

while read -r shown path name; do
    check "$path has $name" grep -qw -- "$name" "$path"
    [ "$shown" = "$path" ] || check "the link says where it leads: $shown" false
done <"$scratch/places"

# The first column of the tables, and the list of what is missing.
awk -F'|' '/^\| `/ { print $2 } /^## Not here yet/ { rest = 1 } rest' $page |
    grep -oE '`[A-Za-z_0-9]+`' | sort >"$scratch/names"
check "helpers of the book" test "$(wc -l <"$scratch/names")" -gt 130
uniq -d "$scratch/names" >"$scratch/twice"
check "none stands there twice" test ! -s "$scratch/twice"

tap_end
