#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the initramfs of the Linux partitions: busybox, tests/guests/linux/init and the small
# programs beside it. Usage: make-initrd.sh FILE [CC]
set -eu
out=$1
cc=${2:-gcc}
dir=$PWD/build/initrd
busybox=/bin/busybox
[ -x /usr/bin/busybox ] && busybox=/usr/bin/busybox
if "$busybox" --help 2>&1 | grep -q 'shared object' || ldd "$busybox" >/dev/null 2>&1; then
    echo "$busybox is not static: install busybox-static" >&2
    exit 1
fi
rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/proc" "$dir/sys" "$dir/dev" "$dir/tmp"
cp "$busybox" "$dir/bin/busybox"
ln -s busybox "$dir/bin/sh"
cp tests/guests/linux/init "$dir/init"
chmod +x "$dir/init"
for source in tests/guests/linux/*.c; do
    name=$(basename "$source" .c)
    "$cc" -std=gnu11 -Wall -Wextra -Werror -O2 -static -s -o "$dir/bin/$name" "$source"
done
# Same input, same file: fixed times and owners.
find "$dir" -exec touch -h -d @0 {} +
(cd "$dir" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible 2>/dev/null) |
    gzip -9n >"$out"
