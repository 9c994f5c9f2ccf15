#!/bin/sh
# check_text.sh - no unfinished work, no folders of one machine, no tabs or trailing blanks, no line over
# 120 columns in C (clang-format keeps code to 100), and every file ends with a newline.
cd "$(dirname "$0")/.." || exit 2
failed=0

files() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -co --exclude-standard
    else
        find . -type f -not -path './build*' -not -path './runs/*' | sed 's|^\./||'
    fi | grep -v -e '^LICENSE$' -e '^fuzz/corpus/' -e '^tests/golden/' | while read -r file; do
        [ -f "$file" ] && echo "$file"
    done
}

forbid() { # WHY PATTERN [FILES...]
    why=$1 pattern=$2
    shift 2
    if grep -nIE "$pattern" "$@" /dev/null; then
        echo "check_text: $why"
        failed=1
    fi
}

list=$(files)
[ -n "$list" ] || { echo "check_text: no file was read"; exit 1; }
code=$(echo "$list" | grep -E '\.[ch]$')
tabless=$(echo "$list" | grep -v -e '^Makefile$')
tab=$(printf '\t')

# Written with a bracket, so that this file passes its own test.
forbid "unfinished work" '\b(TOD[O]|FIXM[E]|XX[X])\b' $list
forbid "a folder of one machine" '(^|[^[:alnum:]_.~-])/(home|root|work|Users)/' $list
forbid "a tab" "$tab" $tabless
forbid "a trailing blank" "[ $tab]\$" $list
[ -n "$code" ] && forbid "more than 120 columns" '^.{121}' $code

for file in $list; do
    if grep -qI . "$file" && [ -n "$(tail -c 1 "$file")" ]; then
        echo "$file: the last line has no end"
        failed=1
    fi
done

exit $failed
