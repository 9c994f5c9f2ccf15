#!/bin/sh
# check_sizes.sh - prints how long functions and files are. Fails for a function over 80 lines that no
# comment /* long: why */ right before it excuses, and for a file over 800. A function is what stands
# between `{` and `}` alone at the left margin, as clang-format leaves it.
cd "$(dirname "$0")/.." || exit 2

lengths=$(mktemp) || exit 2
trap 'rm -f "$lengths"' EXIT

tools/sources.sh | xargs awk '
    function end_of_file() {
        if (file == "") return
        print "file", lines
        if (lines > 800) print "bad", file ": " lines " lines; split it by subject (800 at most)"
    }
    FNR == 1 { end_of_file(); file = FILENAME; start = 0; excused = 0; title = "" }
    { lines = FNR }
    /^\/\* long: / { excused = 2 }
    /^{$/ { start = FNR; name = title }
    /^}$/ && start {
        n = FNR - start - 1
        print "function", n
        if (n > 80 && !excused) print "bad", file ":" start ": " n " lines; 80 at most: " name
        start = 0
    }
    /^}/ { excused = 0 }
    /^[A-Za-z_]/ { title = $0 }
    END { end_of_file() }' >"$lengths"

for kind in function file; do
    awk -v kind=$kind '$1 == kind { print $2 }' "$lengths" | sort -n | awk -v kind=$kind '
        { n[NR] = $1; sum += $1 }
        END { if (NR) printf "%-9s%6d, lines %6d: median %d, 90th percentile %d, longest %d\n", kind "s",
                  NR, sum, n[int((NR + 1) / 2)], n[int((NR * 9 + 9) / 10)], n[NR] }'
done
sed -n 's/^bad //p' "$lengths"
grep -q '^file' "$lengths" && ! grep -q '^bad' "$lengths"
