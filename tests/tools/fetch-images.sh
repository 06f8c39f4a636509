#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches programs of Debian's that are tested as images of partitions: memtest86+ and iPXE. Nothing is
# installed. Leaves build/cache/images with the files, or a text NAME.unavailable with the reason. Remove
# the folder to retry.
set -eu
cd "$(dirname "$0")/../.."
images=$PWD/build/cache/images
mkdir -p "$images"

# fetch PACKAGE FILE: the file, by its path within the package.
fetch() {
    name=$(basename "$2")
    [ ! -e "$images/$name" ] && [ ! -e "$images/$name.unavailable" ] || return 0
    new=$images/new
    rm -rf "$new"
    mkdir "$new"
    echo "$1: fetching into build/cache (nothing is installed)"
    if said=$(cd "$new" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1" 2>&1) &&
        said=$(dpkg -x "$new/$1"_*.deb "$new/root" && cp "$new/root/$2" "$images/$name" 2>&1); then
        :
    else
        echo "$1: not to be had: $(echo "$said" | grep -m1 -E '^(E|cp):')"
        echo "$said" >"$images/$name.unavailable"
    fi
    rm -rf "$new"
}

fetch memtest86+ boot/memtest86+x64.bin
fetch ipxe boot/ipxe.lkrn
