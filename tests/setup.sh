#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sees to it that the Debian packages are there which a make target needs; installs what is missing
# with apt-get, through sudo if need be, and says so. Silent when there is nothing to do.
#
# A release may lack a package, or have other contents under its name. So each package stands here with
# what is used of it. Without a set that a target needs, this ends with a message. Without one that only
# some tests need, it says so and goes on: build/cache/SET.unavailable has the reason, which those tests
# show as they are skipped.
# Usage: tests/setup.sh build|run|bochs|iso|efi|image|test|bench
# shellcheck disable=SC2046,SC2086 # lists of packages are one word for each
set -eu
cd "$(dirname "$0")/.."

# Set, package, and what is used of it: a program, a file (or a pattern), or a module of Python's.
table="
build gcc gcc
build make make
build binutils objcopy
build libc6-dev /usr/include/stdlib.h
build nasm nasm
build acpica-tools iasl
build libconfig-dev /usr/include/libconfig.h
build python3 python3
build console-setup-linux ${FONT:-/usr/share/consolefonts/Lat15-Fixed16.psf.gz}
run qemu-system-x86 qemu-system-x86_64
run seabios /usr/share/seabios/bios-256k.bin
run busybox-static busybox
run cpio cpio
run gzip gzip
run e2fsprogs mke2fs
grub grub-pc-bin /usr/lib/grub/i386-pc/multiboot2.mod
grub grub-common grub-mkrescue
grub xorriso xorriso
grub mtools mformat
gnu-efi gnu-efi /usr/include/efi/efi.h
grub-efi grub-efi-amd64-bin /usr/lib/grub/x86_64-efi/multiboot2.mod
bochs bochs bochs
bochs bochsbios /usr/share/bochs/BIOS-bochs-latest
bochs vgabios /usr/share/vgabios/vgabios-stdvga.bin
bochs bochs-x /usr/lib/*/bochs/plugins/libbx_rfb*
test libcmocka-dev /usr/include/cmocka.h
test python3-pytest python:pytest
test python3-pytest-xdist python:xdist
test python3-pexpect python:pexpect
clang-format clang-format clang-format
test libzydis-dev /usr/include/Zydis/Zydis.h
clang clang clang
clang libclang-rt-dev /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a
clang llvm llvm-profdata
ovmf ovmf /usr/share/OVMF/OVMF_CODE_4M.fd
signing openssl openssl
signing sbsigntool sbsign
dmidecode dmidecode /usr/sbin/dmidecode
terminal python3-pyte python:pyte
"

# The sets that the target needs, and those that only some tests need.
optional=
case ${1:-} in
build) needed="build" ;;
run) needed="build run" ;;
iso) needed="build run grub" ;;
efi) needed="build run gnu-efi" ;;
image) needed="build run grub grub-efi" ;;
bochs) needed="build run grub bochs" ;;
bench) needed="build run grub" optional="bochs" ;;
test) needed="build run grub gnu-efi grub-efi test" optional="bochs clang-format clang ovmf signing dmidecode terminal" ;;
*)
    echo "usage: $0 build|run|bochs|iso|efi|image|test|bench" >&2
    exit 2
    ;;
esac
cache=build/cache
mkdir -p "$cache"
log=$cache/setup.log

packages_of() { # SET...
    echo "$table" | while read -r set package what; do
        case " $* " in *" $set "*) [ -z "$what" ] || echo "$package" ;; esac
    done
}

# Those of the packages that are not installed.
missing_of() { # PACKAGE...
    [ $# != 0 ] || return 0
    installed=$(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null) || true
    for p in "$@"; do
        case " $installed" in *" installed:$p "*) ;; *) echo "$p" ;; esac
    done
}

# Those of the packages that apt has no candidate for.
lacking_of() { # PACKAGE...
    [ $# != 0 ] || return 0
    known=$(LC_ALL=C apt-cache policy "$@" 2>/dev/null |
        awk '/^[^ ]/ { name = $1 } $1 == "Candidate:" && $2 !~ /^[(]/ { printf "%s ", name }')
    for p in "$@"; do
        case " $known" in *" $p: "*) ;; *) echo "$p" ;; esac
    done
}

# Whether what a row of the table names is there.
is_there() { # WHAT
    case $1 in
    "") ;;
    python:*) "${PYTHON:-/usr/bin/python3}" -c "import ${1#python:}" 2>/dev/null ;;
    /*) ls $1 >/dev/null 2>&1 ;; # a pattern
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
    esac
}

# What installed packages of the sets turn out not to have, one line for each.
hollow_of() { # SET...
    echo "$table" | while read -r set package what; do
        case " $* " in *" $set "*) is_there "$what" || echo "$release's package $package has no ${what#python:}" ;; esac
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "setup: neither root nor sudo; as root: apt-get install" $missing >&2
        exit 1
    fi
}

install() { # PACKAGE...
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" \
        >>"$log" 2>&1
}

joined() {
    tr '\n' ' ' | sed 's/ $//'
}

fail() {
    echo "setup: $1" >&2
    exit 1
}

# Notes that a set can't be had, once aloud; or, without a reason, that it can.
note() { # SET REASON
    file=$cache/$1.unavailable
    if [ -z "$2" ]; then
        rm -f "$file"
    else
        echo "setup: going on without $1, which some tests need: $2"
        echo "$2" >"$file"
    fi
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    fail "not a Debian system; needed: $(packages_of $needed $optional | joined) (SETUP=0 skips this)"
fi
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${PRETTY_NAME:-this release}")

missing=$(missing_of $(packages_of $needed $optional) | joined)
if [ -n "$missing" ]; then
    echo "setup: installing $missing"
    : >"$log"
    if ! as_root apt-get -q update >>"$log" 2>&1 && [ -n "$(missing_of $(packages_of $needed))" ]; then
        tail -n 20 "$log" >&2
        fail "apt-get update failed; all it said is in $log"
    fi
    lacking=$(lacking_of $(missing_of $(packages_of $needed)) | joined)
    [ -z "$lacking" ] || fail "$release lacks what 'make $1' needs: $lacking (in apt's sources as configured)"
    # All at once; if that fails, what is needed, and then each of the others for itself.
    wanted=
    for set in $optional; do
        [ -n "$(lacking_of $(missing_of $(packages_of $set)))" ] || wanted="$wanted $set"
    done
    all=$(missing_of $(packages_of $needed $wanted) | joined)
    if [ -n "$all" ] && ! install $all; then
        all=$(missing_of $(packages_of $needed) | joined)
        [ -z "$all" ] || install $all || {
            tail -n 20 "$log" >&2
            fail "apt-get failed; all it said is in $log"
        }
        for set in $wanted; do
            install $(packages_of $set) || true
        done
    fi
fi
hollow=$(hollow_of $needed)
[ -z "$hollow" ] || fail "'make $1' can't go on: $hollow"
for set in $optional; do
    reason=
    absent=$(missing_of $(packages_of $set) | joined)
    if [ -n "$absent" ]; then
        lacking=$(lacking_of $absent | joined)
        reason="apt-get could not install $absent ($log)"
        [ -z "$lacking" ] || reason="$release has no package $lacking"
    else
        reason=$(hollow_of $set | head -n 1)
    fi
    note "$set" "$reason"
done

[ "$1" = test ] || exit 0
tests/tools/qemu-second.sh
tests/tools/grub-legacy.sh
tests/tools/fetch-images.sh
