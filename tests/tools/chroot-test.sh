#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs `make run` and `make test` as on a fresh Debian: in a chroot with nothing but debootstrap's minbase,
# git, gcc, make and ca-certificates, from a clean clone of HEAD. Prints what came of each; what they said is
# kept in build/chroot-test/. Needs root, a Debian machine, 8 GiB of disk for each release and an hour.
#
# The packages come from the archive that this machine's apt is configured for. All happens in mount and
# process namespaces of its own, so that nothing stays mounted or running.
# Usage: chroot-test.sh [bookworm|trixie|both] [run|test]
#   CHROOT_DIR=DIR   where the chroots are made (/var/tmp); KEEP=1 leaves them there, and takes one that is there
set -eu
cd "$(dirname "$0")/../.."

usage() {
    echo "usage: $0 [bookworm|trixie|both] [run|test]" >&2
    exit 2
}

fail() {
    echo "chroot-test: $1" >&2
    exit 1
}

[ $# -le 2 ] || usage
case ${1:-both} in
both) suites="bookworm trixie" ;;
bookworm | trixie) suites=$1 ;;
*) usage ;;
esac
case ${2:-both} in
both) commands="run test" ;;
run | test) commands=$2 ;;
*) usage ;;
esac

if [ -z "${CHROOT_TEST_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || fail "only root can make a chroot: sudo $0 $*"
    if ! command -v debootstrap >/dev/null || ! command -v python3 >/dev/null; then
        echo "chroot-test: installing debootstrap python3"
        { apt-get -q update && apt-get -q -y install --no-install-recommends debootstrap python3; } >/dev/null ||
            fail "apt-get could not install debootstrap and python3"
    fi
    CHROOT_TEST_INSIDE=1 exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$@"
fi

root=$PWD
logs=$root/build/chroot-test
base=${CHROOT_DIR:-/var/tmp}/bulkhead-chroot
mkdir -p "$logs" "$base"

# The archive that apt is configured for. Debian's other releases are beside the one that is used here.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }')
[ -n "$mirror" ] || fail "apt has no source of Debian's main archive, or apt-get update has not been run"
proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
[ -z "$proxy" ] || export http_proxy="$proxy"

# Mounts what a system has, below the chroot.
mount_in() { # CHROOT
    mount -t proc proc "$1/proc"
    mount -t sysfs -o ro sysfs "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$1/dev/pts"
    mount --bind "$1/dev/pts/ptmx" "$1/dev/ptmx"
    mount -t tmpfs tmpfs "$1/dev/shm"
}

unmount_in() { # CHROOT
    ! mountpoint -q "$1/dev" || umount -R "$1/dev" || umount -R -l "$1/dev"
    for below in sys proc; do
        ! mountpoint -q "$1/$below" || umount "$1/$below" || umount -l "$1/$below"
    done
}

# Removes a chroot; what is mounted there is not touched whatever happens.
remove() { # CHROOT
    unmount_in "$1"
    rm -rf --one-file-system "$1"
}

# How this machine's apt reaches the archive: proxies, and whether dates count.
apt_settings() {
    apt-config dump | grep -E '^Acquire::(https?::(Proxy|Verify|CaInfo|Timeout)|Check-|Retries)[^ ]* "..*";$' || true
}

bootstrap() { # SUITE CHROOT
    [ ! -e "$2/root" ] || return 0
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ ! -e $keyring ] || set -- "$1" "$2" --keyring=$keyring
    suite=$1 to=$2
    shift 2
    debootstrap "$@" --variant=minbase --include=git,gcc,make,ca-certificates "$suite" "$to" "$mirror" \
        >"$logs/$suite-debootstrap.log" 2>&1 || {
        tail -n 5 "$logs/$suite-debootstrap.log" >&2
        return 1
    }
}

# HEAD, as anyone would clone it. The repository may be another user's.
clone() { # CHROOT
    home=$(mktemp -d)
    printf '[safe]\n\tdirectory = *\n' >"$home/.gitconfig"
    rm -rf "$1/root/bulkhead"
    HOME=$home git clone --quiet --no-local "$root" "$1/root/bulkhead" &&
        HOME=$home git -C "$1/root/bulkhead" checkout --quiet --detach "$(HOME=$home git -C "$root" rev-parse HEAD)"
    rm -rf "$home"
}

inside() { # CHROOT COMMAND...
    chroot=$1
    shift
    chroot "$chroot" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=xterm \
        ${BOOT_TIMEOUT:+BOOT_TIMEOUT="$BOOT_TIMEOUT"} ${FUZZ_SECONDS:+FUZZ_SECONDS="$FUZZ_SECONDS"} \
        sh -c 'cd /root/bulkhead && exec "$@"' sh "$@"
}

note() { # SUITE COMMAND RESULT
    result=$(printf '%-9s make %-5s %s' "$1" "$2" "$3")
    echo "chroot-test: $result"
    results="$results$result
"
    case $3 in passed*) ;; *) failed=1 ;; esac
}

try_run() { # SUITE CHROOT
    log=$logs/$1-run.log
    # drive_run.py is this machine's, because there is no Python in the chroot yet.
    if env -i PATH="$PATH" python3 "$root/tests/tools/drive_run.py" chroot "$2" /usr/bin/env -i \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=xterm \
        sh -c 'cd /root/bulkhead && exec make run' >"$log" 2>&1; then
        note "$1" run "passed: two Linux systems came up, and the machine was left"
    else
        note "$1" run "FAILED: $(grep -a -m 1 '^drive_run: ' "$log" || tail -n 1 "$log") ($log)"
    fi
}

try_test() { # SUITE CHROOT
    log=$logs/$1-test.log
    if inside "$2" make test ${PYTEST_JOBS:+PYTEST_JOBS="$PYTEST_JOBS"} >"$log" 2>&1 </dev/null; then
        note "$1" test "passed: $(tail -n 1 "$log")"
    else
        note "$1" test "FAILED: $(tail -n 1 "$log") ($log)"
        grep -a '^FAILED' "$log" | head -n 20 || true
    fi
    cp "$2"/root/bulkhead/build/*-tests.xml "$logs" 2>/dev/null || true
}

results=
failed=0
chroot=
trap '[ -z "$chroot" ] || unmount_in "$chroot"' EXIT
trap 'exit 1' INT TERM
[ -z "$(git -c safe.directory='*' status --porcelain 2>/dev/null)" ] ||
    echo "chroot-test: HEAD is tried, without what is not committed here"
for suite in $suites; do
    chroot=$base/$suite
    [ -n "${KEEP:-}" ] || remove "$chroot"
    echo "chroot-test: $suite from $mirror in $chroot"
    if ! bootstrap "$suite" "$chroot"; then
        note "$suite" - "FAILED: debootstrap ($logs/$suite-debootstrap.log)"
        continue
    fi
    apt_settings >"$chroot/etc/apt/apt.conf.d/00machine"
    echo force-unsafe-io >"$chroot/etc/dpkg/dpkg.cfg.d/chroot-test" # packages need not survive a power cut
    clone "$chroot"
    mount_in "$chroot"
    for command in $commands; do
        "try_$command" "$suite" "$chroot"
    done
    unmount_in "$chroot"
    [ -n "${KEEP:-}" ] || remove "$chroot"
    chroot=
done
echo "== chroot-test"
printf '%s' "$results"
exit $failed
