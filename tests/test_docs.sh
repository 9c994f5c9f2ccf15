#!/bin/sh
# test_docs.sh - what the pages say is so: the programs, the links, the commands, the reference.
. "$CENOTE_SOURCE/tools/tap.sh"

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch" "$tap_output"' EXIT
cd "$CENOTE_SOURCE" || exit 2
pages=$(find . -name '*.md' -not -path './build*' -not -path './runs/*' -not -path './.*/*' | sort)

# ---- the first program ----------------------------------------------------------------------

c_block() { # PAGE: its first block of C
    awk '/^```c$/ { inside = 1; next } /^```/ && inside { exit } inside' "$1"
}

for page in README.md README.zh.md; do
    c_block $page >"$scratch/first.c"
    check "the program in $page is examples/first.c" diff -u "$scratch/first.c" examples/first.c
done
check "it compiles as C11" ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude \
    -o "$scratch/first.o" -c examples/first.c

# ---- the tutorial -------------------------------------------------------------------------------

# What the block of text after "It prints" has; numbers differ in their last digits from machine to machine.
printed() { # PAGE
    awk '/^It prints$/ { wait = 1 } wait && /^```text$/ { inside = 1; next } /^```/ && inside { exit } inside' "$1"
}

shape_of_text() {
    sed -E 's/-?[0-9]+(\.[0-9]*)?/N/g; s/ +//g; s/takenfor[a-z]*/takenfor/'
}

build=$(dirname "$CENOTE")
instrumented() {
    nm -D "$build/libcenote.so" 2>/dev/null | grep -q -e __asan -e __tsan
}

for page in docs/tutorial/[0-9]*.md; do
    program=$(sed -n 's|^\[examples/\(.*\)\.c\](.*|\1|p' "$page")
    c_block "$page" >"$scratch/page.c"
    check "the program in $page is examples/$program.c" diff -u "$scratch/page.c" "examples/$program.c"
    if [ ! -e "$build/libcenote.so" ] || instrumented; then
        skip "$program prints what $page says" "a shared library that any program can load is needed"
        continue
    fi
    check "$program compiles" ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude \
        -o "$scratch/program" "examples/$program.c" -L"$build" -lcenote -lm -Wl,-rpath,"$build"
    CENOTE_NUM_THREADS=1 "$scratch/program" 2>&1 | shape_of_text >"$scratch/real"
    printed "$page" | shape_of_text >"$scratch/said"
    check "$program prints what $page says" diff -u "$scratch/said" "$scratch/real"
done

# ---- the reference ------------------------------------------------------------------------------

if ! command -v python3 >/dev/null; then
    skip "the reference is what 'make docs' writes" "there is no python3"
else
    check "docs/api is what 'make docs' writes" tools/api_pages.py --check
    if instrumented || [ ! -e "$build/libcenote.so" ]; then
        skip "docs/ops is what 'make docs' writes" "a shared library that any program can load is needed"
    else
        check "docs/ops is what 'make docs' writes, and examples print what it shows" \
            tools/op_pages.py "$build" --check
    fi
fi

# ---- links --------------------------------------------------------------------------------------

# Every link and picture that stays within the tree, as "page target file anchor", and every heading as it
# is an anchor: what is behind the # of a link must be one.
links() {
    awk '
    function clean(path,    parts, n, i, kept, top) {
        n = split(path, parts, "/")
        for (i = 1; i <= n; i++)
            if (parts[i] == "..") top--
            else if (parts[i] != "." && parts[i] != "") kept[++top] = parts[i]
        path = kept[1]
        for (i = 2; i <= top; i++) path = path "/" kept[i]
        return path
    }
    FNR == 1 { folder = FILENAME; if (!sub(/\/[^\/]*$/, "", folder)) folder = "." }
    {
        rest = $0
        while (match(rest, /\]\([^)]*\)/)) {
            target = substr(rest, RSTART + 2, RLENGTH - 3)
            rest = substr(rest, RSTART + RLENGTH)
            if (target ~ /^[a-z]*:/) continue
            file = anchor = target
            sub(/#.*/, "", file)
            if (!sub(/^[^#]*#/, "", anchor)) anchor = "-"
            print FILENAME, target, (file == "" ? clean(FILENAME) : clean(folder "/" file)), anchor
        }
    }' $pages
}

# "file anchor" of every heading.
anchors() {
    awk '/^```/ { code = !code }
        !code && /^#+ / {
            sub(/^#+ /, ""); text = tolower($0); gsub(/ /, "-", text); gsub(/[^a-z0-9_-]/, "", text)
            file = FILENAME; sub(/^\.\//, "", file)
            print file, text
        }' $pages
}

broken_links() {
    cut -d ' ' -f 3 "$scratch/links" | sort -u | while read -r file; do
        [ -e "$file" ] || grep " $file [^ ]*\$" "$scratch/links" | sed 's/ [^ ]* [^ ]*$//; s/ /: there is no /'
    done
    anchors >"$scratch/anchors"
    awk 'NR == FNR { known[$0]; next }
        $4 != "-" && !(($3 " " $4) in known) { print $1 ": " $3 " has no heading for #" $4 }' \
        "$scratch/anchors" "$scratch/links"
}

links >"$scratch/links"
check "there are links" test -s "$scratch/links"
same "every link leads somewhere" "" "$(broken_links)"

# ---- commands -----------------------------------------------------------------------------------

# Every call of the program: lines of shell blocks, and `cenote ...` within the text.
calls() {
    for page in $pages; do
        awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$page" |
            sed -n 's/^[A-Z_a-z0-9= ]*\(build\/\)\{0,1\}cenote  *\([a-z-].*\)/\2/p'
        grep -v '^```' "$page" | grep -o '`\(build/\)\{0,1\}cenote [^`]*`' |
            sed 's/^`[a-z/]* //; s/`$//'
    done | sed 's/ [#|] .*//' | sort -u
}

unknown_calls() {
    while read -r command rest; do
        case $command in --version | --help) continue ;; esac
        if ! "$CENOTE" help "$command" >"$scratch/help" 2>/dev/null; then
            echo "there is no command: cenote $command $rest"
            continue
        fi
        for word in $rest; do
            case $word in
            --*) grep -q "^  ${word%%=*}\( \|\$\)" "$scratch/help" || echo "no option $word: cenote $command $rest" ;;
            esac
        done
    done <"$scratch/calls"
}

calls >"$scratch/calls"
if [ -x "$CENOTE" ]; then
    check "there are calls of the program" test -s "$scratch/calls"
    same "every command and option exists" "" "$(unknown_calls)"
else
    skip "every command and option exists" "the program is not built"
fi

tap_end
