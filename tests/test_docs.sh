#!/bin/sh
# test_docs.sh - what the pages say is so: the first program, the links, the commands.
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

# ---- links --------------------------------------------------------------------------------------

# "page target" of every link and picture that stays within the tree.
links() {
    for page in $pages; do
        grep -o '](\([^)]*\))' "$page" | sed 's/^](\(.*\))$/\1/' | grep -v '^[a-z]*:' | sed "s|^|$page |"
    done
}

# The anchors of a page, as they are made of its headings.
anchors() {
    sed -n 's/^##* //p' "$1" | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g'
}

broken_links() {
    while read -r page target; do
        path=${target%%#*} anchor=
        case $target in *'#'*) anchor=${target#*#} ;; esac
        file=$page
        [ -n "$path" ] && file=$(dirname "$page")/$path
        if [ ! -e "$file" ]; then
            echo "$page: there is no $target"
        elif [ -n "$anchor" ] && ! anchors "$file" | grep -qx -- "$anchor"; then
            echo "$page: $file has no heading for #$anchor"
        fi
    done <"$scratch/links"
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
