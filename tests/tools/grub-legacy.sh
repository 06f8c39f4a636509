#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's GRUB 0.97 for the test that boots by it. Nothing is installed, since its package
# would replace GRUB 2. Leaves build/cache/stage2_eltorito, or build/cache/grub-legacy.unavailable with
# the reason. Run again after removing both to retry.
set -eu
cd "$(dirname "$0")/../.."
cache=$PWD/build/cache
[ ! -e "$cache/stage2_eltorito" ] && [ ! -e "$cache/grub-legacy.unavailable" ] || exit 0
dest=$cache/grub-legacy
rm -rf "$dest"
mkdir -p "$dest"
echo "GRUB legacy: fetching into build/cache (nothing is installed)"
if said=$(cd "$dest" && apt-get -q -o APT::Sandbox::User="$(id -un)" download grub-legacy 2>&1) &&
    dpkg -x "$dest"/grub-legacy_*.deb "$dest/root"; then
    mv "$dest"/root/usr/lib/grub/*-pc/stage2_eltorito "$cache/stage2_eltorito"
else
    echo "GRUB legacy: not to be had: $(echo "$said" | grep -m1 -E '^E:')"
    echo "$said" >"$cache/grub-legacy.unavailable"
fi
rm -rf "$dest"
