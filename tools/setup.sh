#!/bin/sh
# setup.sh [--dev] - installs the Debian packages Cenote is built with, if any is missing.
# --dev adds what `make check` and `make fuzz` use.
set -u

packages="build-essential cmake pkg-config libjansson-dev libcmocka-dev libdnnl-dev liblapacke-dev
zlib1g-dev libcairo2-dev libpng-dev libjpeg62-turbo-dev libcurl4-openssl-dev dataset-fashion-mnist fontconfig fonts-dejavu-core"
[ "${1:-}" = "--dev" ] && packages="$packages clang clang-format clang-tidy libclang-rt-14-dev"
packages=$(echo $packages)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: this system has no apt; please install what these Debian packages hold:" >&2
    echo "setup:   $packages" >&2
    command -v cc >/dev/null && command -v cmake >/dev/null && exit 0
    echo "setup: without a C compiler and cmake nothing can be built" >&2
    exit 1
fi

installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' $packages 2>/dev/null |
    awk '$2 == "installed" { sub(/:.*/, "", $1); print $1 }')
missing=
for package in $packages; do
    case "
$installed
" in
    *"
$package
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -z "$missing" ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: please install, as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo="sudo"
fi

apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "setup: apt-get install$missing"
if ! apt install -y --no-install-recommends $missing >"$log" 2>&1; then
    echo "setup: refreshing the list of packages"
    if ! { apt update && apt install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "setup: could not install$missing" >&2
        exit 1
    fi
fi
