#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gets one of Debian's stock kernels as a package file, unpacks it in build/cache and copies its bzImage
# to the file given. "cloud" is the small one, which knows few devices, and is kept without modules;
# "generic" is the one that a PC is installed with, kept with its modules. Nothing is installed.
# Usage: fetch-linux.sh cloud|generic FILE
set -eu
flavour=$1
out=$2
cache=$PWD/build/cache
mkdir -p "$cache"
case $flavour in
cloud) meta=linux-image-cloud-amd64 kept=$cache/linux ;;
generic) meta=linux-image-amd64 kept=$cache/linux-generic ;;
*)
    echo "usage: $0 cloud|generic FILE" >&2
    exit 2
    ;;
esac

# The package that the newest stock kernel's package stands for.
fetch() {
    package=$(apt-cache depends $meta 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
    [ -n "$package" ] || {
        echo "apt knows no package $meta" >"$log"
        return 1
    }
    echo "fetching $package (unpacked in build/cache, not installed)"
    (cd "$new" && apt-get -q download "$package" >"$log" 2>&1)
}

lacks() {
    echo "this release's package $package has no $1" >&2
    exit 1
}

# A kernel fetched before is kept: tests should not change under one's feet.
if ! ls "$kept"/boot/vmlinuz-* >/dev/null 2>&1; then
    new=$kept.new
    log=$new/download.log
    rm -rf "$new"
    mkdir -p "$new"
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
    dpkg -x "$new"/*.deb "$new"
    rm "$new"/*.deb
    ls "$new"/boot/vmlinuz-* >/dev/null 2>&1 || lacks boot/vmlinuz-VERSION
    if [ "$flavour" = generic ]; then
        # Debian 13 has the modules below /usr.
        [ -d "$new/lib/modules" ] || mv "$new/usr/lib" "$new/lib" || lacks lib/modules
        # More than half of them drive what no partition of ours has.
        (cd "$new"/lib/modules/*/kernel && rm -rf sound drivers/gpu drivers/media \
            drivers/net/wireless drivers/infiniband drivers/staging drivers/iio)
        # What depends on what is worked out where a kernel is installed, as a rule.
        busybox depmod -b "$new" "$(basename "$new"/lib/modules/*)"
    else
        rm -rf "${new:?}/lib"
    fi
    rm -rf "${new:?}/usr" "$kept"
    mv "$new" "$kept"
fi
cp "$kept"/boot/vmlinuz-* "$out"
