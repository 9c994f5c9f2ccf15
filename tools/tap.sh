# tap.sh - for shell tests: `. tools/tap.sh`, then one line per case, then tap_end.
#
#   check NAME COMMAND...      passes if the command succeeds
#   refuse NAME COMMAND...     passes if the command fails as a program should: status 1 to 125
#   same NAME EXPECTED ACTUAL  passes if the two texts are equal
#   skip NAME REASON
#
# What a command prints lands in the report only when its case fails. The program under test is "$CENOTE".

tap_cases=0
tap_failed=0
tap_output=$(mktemp)
trap 'rm -f "$tap_output"' EXIT

tap_report() { # STATUS NAME
    tap_cases=$((tap_cases + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_cases - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_cases - $2"
        sed 's/^/# /' "$tap_output"
    fi
}

check() {
    tap_name=$1
    shift
    "$@" >"$tap_output" 2>&1
    tap_report $? "$tap_name"
}

refuse() {
    tap_name=$1
    shift
    "$@" >"$tap_output" 2>&1
    tap_status=$?
    echo "exit status $tap_status" >>"$tap_output"
    [ "$tap_status" -ge 1 ] && [ "$tap_status" -le 125 ]
    tap_report $? "$tap_name"
}

same() {
    printf 'expected: %s\nbut got:  %s\n' "$2" "$3" >"$tap_output"
    [ "$2" = "$3" ]
    tap_report $? "$1"
}

skip() {
    tap_cases=$((tap_cases + 1))
    echo "ok $tap_cases - $1 # SKIP $2"
}

tap_end() {
    echo "1..$tap_cases"
    exit $((tap_failed > 0))
}
