#!/bin/sh
# check_symbols.sh BUILD - every global symbol of the library, exported or not, starts with cn_, the shared
# library exports nothing else, and macros of public headers start with CN_ or CENOTE_ (functions
# that take named options: cn_).
cd "$(dirname "$0")/.." || exit 2
build=$1
failed=0

strangers() { # FILE WHAT; symbols on stdin
    awk -v file="$1" -v what="$2" '
        NF == 3 && $2 ~ /^[A-TV-Z]$/ {
            n++
            sub(/@.*/, "", $3)
            if ($3 !~ /^(cn_|CENOTE_[0-9.]+$|_fini$|_init$|__odr_asan)/) { print file ": " what " " $3; bad = 1 }
        }
        END { if (!n) print file ": no symbols were found"; exit bad || !n }'
}

nm "$build/libcenote.a" 2>/dev/null | strangers libcenote.a "symbol without cn_:" || failed=1
nm -D --defined-only "$build/libcenote.so" | strangers libcenote.so "exports" || failed=1

awk '/^[ \t]*#[ \t]*define[ \t]/ {
         n++
         name = $0
         sub(/^[ \t]*#[ \t]*define[ \t]+/, "", name)
         sub(/[^A-Za-z0-9_].*/, "", name)
         if (name !~ /^(CN_|CENOTE_|cn_)/ && FILENAME !~ /\/short\.h$/) {
             printf "%s:%d: macro without a prefix: %s\n", FILENAME, FNR, name
             bad = 1
         }
     }
     END { exit bad || !n }' include/cenote/*.h || failed=1

exit $failed
