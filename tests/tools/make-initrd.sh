#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the initramfs of the Linux partitions: busybox, the scripts of tests/guests/linux and the small
# programs beside them. With the folder of a kernel that tests/tools/fetch-linux.sh unpacked, also that
# kernel's drivers for the devices that partitions are tested with.
# Usage: make-initrd.sh FILE CC [KERNEL FOLDER]
set -eu
out=$1
cc=$2
kernel=${3:-}
dir=$PWD/build/$(basename "$out" .gz)
busybox=/bin/busybox
[ -x /usr/bin/busybox ] && busybox=/usr/bin/busybox
if "$busybox" --help 2>&1 | grep -q 'shared object' || ldd "$busybox" >/dev/null 2>&1; then
    echo "$busybox is not static: install busybox-static" >&2
    exit 1
fi

# Each brings along what it needs.
drivers="nvme ahci sd_mod e1000 e1000e virtio_pci virtio_net virtio_blk xhci-pci usb-storage ext4"
# For the power button and what it does to /dev/input.
drivers="$drivers button evdev"
# Asked for by others at run time, where they are not built in.
helpers="crc32c_generic crct10dif_generic"

# Copies the drivers and all that they depend on, and writes what modprobe looks at. A module lies as
# NAME.ko or, in Debian 13, as NAME.ko.xz: the whole initramfs is compressed, so they are not.
add_drivers() {
    release=$(basename "$kernel"/lib/modules/*)
    from=$kernel/lib/modules/$release
    to=$dir/lib/modules/$release
    mkdir -p "$to"
    for driver in $drivers $helpers; do
        if ! row=$(grep -E "/$driver\.ko(\.xz)?:" "$from/modules.dep"); then
            case " $helpers " in *" $driver "*) continue ;; esac
            grep -q "/$driver\.ko$" "$from/modules.builtin" && continue
            echo "$kernel has no driver $driver" >&2
            exit 1
        fi
        for module in $(echo "$row" | tr -d :); do
            copy=$to/${module%.xz}
            mkdir -p "$(dirname "$copy")"
            case $module in
            *.xz) "$busybox" xzcat "$from/$module" >"$copy" ;;
            *) cp "$from/$module" "$copy" ;;
            esac
        done
    done
    # What is built in counts as there.
    cp "$from/modules.builtin" "$to"
    "$busybox" depmod -b "$dir" "$release"
    rm -f "$to/modules.symbols"
}

rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/proc" "$dir/sys" "$dir/dev" "$dir/tmp" "$dir/mnt" "$dir/etc"
cp "$busybox" "$dir/bin/busybox"
ln -s busybox "$dir/bin/sh"
ln -s bin "$dir/sbin" # where the kernel looks for modprobe
cp tests/guests/linux/init tests/guests/linux/devices tests/guests/linux/udhcpc "$dir"
chmod +x "$dir/init" "$dir/udhcpc"
for source in tests/guests/linux/*.c; do
    name=$(basename "$source" .c)
    "$cc" -std=gnu11 -Wall -Wextra -Werror -O2 -static -s -o "$dir/bin/$name" "$source"
done
[ -z "$kernel" ] || add_drivers
# Same input, same file: fixed times and owners.
find "$dir" -exec touch -h -d @0 {} +
(cd "$dir" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible 2>/dev/null) |
    gzip -9n >"$out"
