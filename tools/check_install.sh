#!/bin/sh
# check_install.sh BUILD - installs into an empty folder, moves it elsewhere, and builds one small program
# against it in three ways: pkg-config, CMake, and CMake with the static library. The last line is
# `N passed, N failed`.
set -u

build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
. tools/tap.sh
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work" "$tap_output"' EXIT

cat >"$work/user.c" <<'C'
#include <cenote/cenote.h>
#include <string.h>

int main(void)
{
    return strcmp(cn_version(), CN_VERSION) != 0;
}
C
cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(cenote 0.1 REQUIRED ${PARTS})
add_executable(user user.c)
target_link_libraries(user PRIVATE ${TARGET})
CMAKE

by_pkg_config() {
    flags=$(PKG_CONFIG_PATH="$(dirname "$pc")" pkg-config --cflags --libs cenote) || return 1
    cc "$work/user.c" -o "$work/user" $flags && LD_LIBRARY_PATH=$(dirname "$pc")/.. "$work/user"
}

by_cmake() { # TARGET [PARTS]
    cmake -S "$work" -B "$work/$1" -DCMAKE_PREFIX_PATH="$work/moved" -DTARGET="cenote::$1" -DPARTS="${2:-}" &&
        cmake --build "$work/$1" && "$work/$1/user"
}

check "install honours DESTDIR" env DESTDIR="$work/stage" cmake --install "$build" --prefix /opt/first
mv "$work/stage/opt/first" "$work/moved"
pc=$(find "$work/moved" -name cenote.pc)
check "pkg-config, after the folder moved" by_pkg_config
check "CMake, shared" by_cmake cenote
check "CMake, static" by_cmake static "COMPONENTS;static"
if [ -x "$work/moved/bin/cenote" ]; then
    check "the installed program finds its library" "$work/moved/bin/cenote" --version
fi
echo "$((tap_cases - tap_failed)) passed, $tap_failed failed"
exit $((tap_failed > 0))
