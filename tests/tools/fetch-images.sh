#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches programs of Debian's that are tested as images of partitions: memtest86+ and iPXE. Nothing is
# installed. Leaves the files in build/cache/images, or build/cache/PACKAGE.unavailable with the reason;
# what is not there is tried again each time.
set -eu
cd "$(dirname "$0")/../.."
cache=$PWD/build/cache
dest=$cache/images.new
trap 'rm -rf "$dest"' EXIT

fetch() { # PACKAGE FILE, by its path within the package
    file=$cache/images/$(basename "$2")
    [ ! -e "$file" ] || return 0
    rm -rf "$dest"
    mkdir -p "$dest" "$cache/images"
    if ! said=$(cd "$dest" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1" 2>&1); then
        reason="apt-get can't fetch $1: $(echo "$said" | grep -m1 -E '^E:')"
    elif ! said=$(dpkg -x "$dest/$1"_*.deb "$dest/root" 2>&1); then
        reason="$1 can't be unpacked: $said"
    elif [ ! -e "$dest/root/$2" ]; then
        reason="this release's package $1 has no $2"
    else
        mv "$dest/root/$2" "$file"
        rm -f "$cache/$1.unavailable"
        echo "$1: unpacked into build/cache (nothing is installed)"
        return 0
    fi
    echo "$1: going on without it: $reason"
    echo "$reason" >"$cache/$1.unavailable"
}

fetch memtest86+ boot/memtest86+x64.bin
fetch ipxe boot/ipxe.lkrn
