#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's GRUB 0.97 for the test that boots by it. Nothing is installed, since its package
# would replace GRUB 2. Leaves build/cache/stage2_eltorito, or build/cache/grub-legacy.unavailable with
# the reason; then the next run tries again.
set -eu
cd "$(dirname "$0")/../.."
cache=$PWD/build/cache
[ ! -e "$cache/stage2_eltorito" ] || exit 0
dest=$cache/grub-legacy
trap 'rm -rf "$dest"' EXIT

unavailable() {
    echo "GRUB legacy: going on without it: $1"
    echo "$1" >"$cache/grub-legacy.unavailable"
    exit 0
}

rm -rf "$dest"
mkdir -p "$dest"
said=$(cd "$dest" && apt-get -q -o APT::Sandbox::User="$(id -un)" download grub-legacy 2>&1) ||
    unavailable "apt-get can't fetch grub-legacy: $(echo "$said" | grep -m1 -E '^E:')"
deb=$(cd "$dest" && ls grub-legacy_*.deb)
said=$(dpkg -x "$dest/$deb" "$dest/root" 2>&1) || unavailable "$deb can't be unpacked: $said"
stage2=$(find "$dest/root" -type f -name stage2_eltorito | head -n 1)
# Debian 13's package of this name is empty: it only asks for GRUB 2.
[ -n "$stage2" ] || unavailable "this release's package is without GRUB 0.97: $deb has no stage2_eltorito"
mv "$stage2" "$cache/stage2_eltorito"
rm -f "$cache/grub-legacy.unavailable"
echo "GRUB legacy: unpacked $deb into build/cache (nothing is installed)"
