#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sees to it that the Debian packages are there which a make target needs; installs what is missing
# with apt-get, through sudo if need be, and says so. Silent when there is nothing to do.
# Usage: tests/setup.sh build|run|bochs|iso|efi|image|test|bench
set -eu
cd "$(dirname "$0")/.."

build="gcc make binutils libc6-dev nasm acpica-tools libconfig-dev python3 console-setup-linux"
run="$build qemu-system-x86 seabios busybox-static cpio gzip e2fsprogs"
iso="$run grub-pc-bin grub-common xorriso mtools"
efi="$run gnu-efi"
image="$iso grub-efi-amd64-bin"
bochs="$iso bochs bochsbios vgabios bochs-x"
test="$bochs libcmocka-dev libzydis-dev python3-pytest python3-pytest-xdist python3-pexpect clang-format"
# For the fuzzers and the coverage: clang only recommends its runtime libraries.
test="$test clang libclang-rt-dev llvm"
# UEFI: the loader, firmware for QEMU, a disk image for it, signatures.
test="$test gnu-efi ovmf grub-efi-amd64-bin openssl sbsigntool"

case ${1:-} in
build) packages=$build ;;
run) packages=$run ;;
iso) packages=$iso ;;
efi) packages=$efi ;;
image) packages=$image ;;
bochs | bench) packages=$bochs ;;
test) packages=$test ;;
*)
    echo "usage: $0 build|run|bochs|iso|efi|image|test|bench" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: not a Debian system; needed: $packages (SETUP=0 skips this)" >&2
    exit 1
fi
# shellcheck disable=SC2086 # one word per package
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null |
    sed -n 's/^installed //p') || true
missing=
for p in $packages; do
    echo "$installed" | grep -qx "$p" || missing="$missing $p"
done

if [ -n "$missing" ]; then
    echo "setup: installing$missing"
    sudo=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "setup: neither root nor sudo; as root: apt-get install$missing" >&2
            exit 1
        fi
        sudo=sudo
    fi
    log=build/cache/setup.log
    mkdir -p build/cache
    # shellcheck disable=SC2086
    if ! { $sudo apt-get -q update &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
            $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup: apt-get failed; all it said is in $log" >&2
        exit 1
    fi
fi

[ "$1" = test ] || exit 0
tests/tools/qemu-second.sh
tests/tools/grub-legacy.sh
