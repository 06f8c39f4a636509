#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the disk of a Linux partition: an ext4 file system with a file and its checksum in the first
# half, nothing in the second, where the partition may write past the file system.
# Usage: make-disk.sh FILE
set -eu
out=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$out.new"' EXIT
mke2fs=$(command -v mke2fs || echo /usr/sbin/mke2fs) # not in every user's PATH

# 1 MiB, no two lines alike.
seq -f 'line %.0f' 1000000 | head -c 1048576 >"$tree/known"
sha256sum "$tree/known" | cut -d' ' -f1 >"$tree/known.sum"
rm -f "$out.new"
truncate -s 128M "$out.new"
# The files belong to root, whoever makes the image.
"$mke2fs" -q -F -t ext4 -E root_owner=0:0 -d "$tree" "$out.new" 64M
mv "$out.new" "$out"
