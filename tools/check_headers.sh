#!/bin/sh
# check_headers.sh - every public header compiles alone, in C11 and in C++17, without a warning, and
# cenote.h includes them all but the opt-in short names.
cd "$(dirname "$0")/.." || exit 2
failed=0 checked=0
flags="-Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only"

for header in include/cenote/*.h; do
    name=${header#include/}
    line="#include <$name>"
    echo "$line" | ${CC:-cc} -std=c11 $flags -x c - || failed=1
    echo "$line" | ${CXX:-c++} -std=c++17 $flags -x c++ - || failed=1
    checked=$((checked + 1))
    case "$name" in cenote/cenote.h | cenote/short.h) continue ;; esac
    if ! grep -q "^#include [\"<].*${name#cenote/}[\">]" include/cenote/cenote.h; then
        echo "include/cenote/cenote.h: does not include ${name#cenote/}"
        failed=1
    fi
done

[ "$checked" != 0 ] && [ "$failed" = 0 ]
