#!/bin/sh
# test_book.sh - cenote book: what can be checked without training, and how the command behaves.
. tools/tap.sh

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch" "$tap_output"' EXIT
export XDG_STATE_HOME="$scratch/state"

book() {
    "$CENOTE" book "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
}

# Every row that does not train, on its own line, with its findings if one fails.
"$CENOTE" book check --exact --json >"$scratch/rows" 2>"$scratch/err"
rows=$(sed -n 's/.*"id":"\([^"]*\)","status":"\([A-Z]*\)".*/\1=\2/p' "$scratch/rows")
same "there are rows" yes "$(for r in $rows; do echo yes; break; done)"
for row in $rows; do
    case $row in
        *=SKIP) skip "${row%=*}" "it says why" ;;
        *=PASS) same "${row%=*}" PASS PASS ;;
        *)
            grep "\"id\":\"${row%=*}\"" "$scratch/rows" >"$tap_output"
            tap_report 1 "${row%=*}"
            ;;
    esac
done

lists_all() {
    book list && [ "$(wc -l <"$scratch/out")" -ge "$(grep -c '^EXPERIMENT' book/experiments.def)" ]
}
check "list shows every experiment" lists_all
remembers() {
    book list C06-XCORR && grep -q PASS "$scratch/out"
}
check "list remembers what the last check said" remembers

draws() {
    book run C06-LEARNK --out "$scratch/figures" && grep -q "expected:" "$scratch/out" &&
        { ! grep -q "figure:" "$scratch/out" || grep -q "<svg" "$scratch/figures/C06-LEARNK.svg"; }
}
check "run saves the figure" draws

reports() {
    book report --exact C06 --out "$scratch/page.html" && grep -q 'id="C06-XCORR"' "$scratch/page.html" &&
        ! grep -qE '(src|href)="(http|/)' "$scratch/page.html"
}
check "report is one page that needs nothing else" reports

refuse "no such row" book check C99-NONE
refuse "half a name" book check C06-X
refuse "no such part" book frobnicate
refuse "no such data" book check --data imaginary C06-XCORR
refuse "run wants a row" book run
refuse "a page that cannot be written" book report --exact C06-XCORR --out "$scratch/none/page.html"

tap_end
