#!/bin/sh
# sources.sh [FOLDER...] - our C files in these folders, or in all.
cd "$(dirname "$0")/.." || exit 2
[ $# = 0 ] && set -- include src models book app bench examples tests fuzz
for folder in "$@"; do
    [ -d "$folder" ] && find "$folder" -name '*.[ch]' -o -name '*.inc'
done | LC_ALL=C sort
