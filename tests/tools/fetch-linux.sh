#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gets Debian's stock cloud kernel as a package file, unpacks it in build/cache and copies its
# bzImage to the file given. Nothing is installed.
set -eu
out=$1
cache=$PWD/build/cache
mkdir -p "$cache"

# A kernel fetched before is kept: tests should not change under one's feet.
if ! ls "$cache"/linux/boot/vmlinuz-* >/dev/null 2>&1; then
    rm -rf "$cache/linux.new"
    mkdir -p "$cache/linux.new"
    log=$cache/linux.new/download.log

    # The package that the newest stock kernel's package stands for.
    fetch() {
        package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
            sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
        [ -n "$package" ] || {
            echo "apt knows no package linux-image-cloud-amd64" >"$log"
            return 1
        }
        echo "fetching $package (unpacked in build/cache, not installed)"
        (cd "$cache/linux.new" && apt-get -q download "$package" >"$log" 2>&1)
    }
    # apt's lists may be missing, or older than the archive.
    if ! fetch; then
        sudo=
        [ "$(id -u)" = 0 ] || sudo=sudo
        $sudo apt-get -q update >/dev/null 2>&1 || true
        fetch || {
            cat "$log" >&2
            exit 1
        }
    fi
    dpkg -x "$cache/linux.new"/*.deb "$cache/linux.new"
    # Only the kernel is used; its modules are not.
    rm -rf "$cache/linux.new"/*.deb "$cache/linux.new/lib" "$cache/linux.new/usr"
    rm -rf "$cache/linux"
    mv "$cache/linux.new" "$cache/linux"
fi
cp "$cache"/linux/boot/vmlinuz-* "$out"
