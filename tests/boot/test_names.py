# SPDX-License-Identifier: Apache-2.0
"""Files with any names: configurations, the folders that they lie in, and boot modules. And as many
modules as a configuration can name, with paths of any length, by each way to boot."""

import os
import shutil
import struct
import subprocess

import pytest

import bulkhead
from conftest import Console, compile_config, config, needs_ovmf, one_file, ovmf, partition

COUNT = os.path.join(bulkhead.BUILD, "count.elf")

# What shells, make, GRUB's scripts, QEMU's options, xorriso and file systems have a use for.
FOLDER = "a folder, with 'quotes' \"and\" $HOME & (more); a=b #1"
MODULES = ["$HOME", "~", "(hd0)", ";", "#1", "a,b,,c", "a=b", "name=x", "-n", "--", "&|<>", "{}[]*?!", "%s", "`id`",
           "^", "grub", "GRUB", "gr\u00fc\u00df", "+", ".hidden", "x" * 200]


@pytest.fixture
def odd(tmp_path):
    """A configuration in such a folder whose modules have such names; what make makes of it is removed."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    kernel = "$(kernel) ~.elf".replace(" ", ";")
    shutil.copy(COUNT, str(folder / kernel))
    for name in MODULES:
        (folder / name).write_text(f"contents of {name}")
    names = ", ".join(f'{{ name = "{name}"; cmdline = "module-{i}"; }}' for i, name in enumerate(MODULES))
    name = f"odd $name, {os.getpid()} 'x'"
    path = folder / f"{name}.conf"
    path.write_text(config(partition("one", image=kernel, cmdline="n=3", more=f"modules = ( {names} );")),
                    encoding="utf-8")
    yield str(path), os.path.join(bulkhead.BUILD, name)
    for end in ("bin", "iso", "efi", "img"):
        if os.path.exists(f"{os.path.join(bulkhead.BUILD, name)}.{end}"):
            os.remove(f"{os.path.join(bulkhead.BUILD, name)}.{end}")


def make(target, path):
    run = subprocess.run(["make", "-s", "SETUP=0", target, f"CONFIG={path}"], cwd=bulkhead.ROOT,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout.decode()


def check(console):
    """Each module has arrived, with its contents."""
    for i, name in enumerate(MODULES):
        contents = f"contents of {name}".encode()
        console.wait(rf'{len(contents)} bytes, sum {sum(contents)}, ".*module-{i}"', "one")
    console.wait("one: ended by power-off", "bulkhead")


def test_run(odd, tmp_path):
    command = ["make", "-C", bulkhead.ROOT, "-s", "SETUP=0", "run", f"CONFIG={odd[0]}"]
    console = Console(command, str(tmp_path / "run.log"))
    try:
        check(console)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{console.report()}") from error
    finally:
        console.stop()


def test_iso(boot, plain, odd):
    make("iso", odd[0])
    check(boot(plain, modules=[], loader="disk", devices=["-cdrom", f"{odd[1]}.iso", "-boot", "d"]))


@pytest.mark.parametrize("firmware", ["bios", pytest.param("uefi", marks=needs_ovmf)])
def test_image(boot, plain, odd, tmp_path, firmware):
    make("image", odd[0])
    shutil.copy(f"{odd[1]}.img", str(tmp_path / "disk.img"))
    disk = ["-drive", f"format=raw,if=ide,file={tmp_path}/disk.img"]
    check(boot(plain, modules=[], loader="disk", devices=disk + (ovmf(tmp_path) if firmware == "uefi" else [])))


@needs_ovmf
def test_efi(boot, plain, odd, tmp_path):
    make("efi", odd[0])
    folder = tmp_path / "esp" / "EFI" / "BOOT"
    folder.mkdir(parents=True)
    shutil.copy(f"{odd[1]}.efi", str(folder / "BOOTX64.EFI"))
    check(boot(plain, modules=[], loader="efi", esp=str(tmp_path / "esp")))


def test_no_file_of_ours_is_overwritten(tmp_path):
    (tmp_path / "disk.conf").write_text(config(partition("one")))
    run = subprocess.run(["make", "-s", "SETUP=0", "image", f"CONFIG={tmp_path}/disk.conf"], cwd=bulkhead.ROOT,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode != 0
    assert b"build/disk.img is another file; give the configuration another name" in run.stdout


# ---- limits

MOST = 126  # files of modules beside the image, partitions/blob.h
ENTRIES = 1024  # of `modules`
LOADED = 128  # modules, boot/boot_info.h


def many(tmp_path, loaded):
    """A configuration with all the modules that one may have, and as many files as may be loaded."""
    text = config(partition("one", cmdline="n=1", more="modules = ( %s );" % ", ".join(
        f'"module-{i}"' for i in range(MOST))))
    files = [compile_config(tmp_path, text), COUNT]
    for i in range(loaded - len(files)):
        path = tmp_path / f"module-{i}"
        path.write_text(f"contents {i}")
        files.append(str(path))
    return files


@pytest.mark.parametrize("way", ["kernel", "multiboot1", "multiboot2", pytest.param("efi", marks=needs_ovmf),
                                 pytest.param("loose", marks=needs_ovmf)])
def test_most_modules(boot, plain, tmp_path, way):
    files = many(tmp_path, LOADED)
    if way == "loose":
        esp = one_file(tmp_path, [])
        folder = os.path.join(esp, "EFI", "BOOT", "bulkhead")
        os.mkdir(folder)
        for path in files:
            shutil.copy(path, folder)
        console = boot(plain, modules=[], loader="efi", esp=esp)
    else:
        console = boot(plain, modules=files, loader=way)
    for i in (0, MOST - 1):
        contents = f"contents {i}".encode()
        console.wait(f"module {i} at .* {len(contents)} bytes, sum {sum(contents)}", "one")
    console.wait("one: ended by power-off", "bulkhead")


def test_one_module_more(boot, plain, tmp_path):
    console = boot(plain, modules=many(tmp_path, LOADED + 1))
    console.wait("boot information: more than 128 modules; load fewer")
    console.wait("nothing is started")


def many_times(tmp_path, image, cmdlines):
    """A configuration with one small module for each of the command lines, and the files for it."""
    (tmp_path / "small").write_text("x")
    more = "modules = ( %s );" % ", ".join(f'{{ name = "small"; cmdline = "{words}"; }}' for words in cmdlines)
    text = config(partition("one", image=image, cmdline="n=1", more=more))
    return [compile_config(tmp_path, text), os.path.join(bulkhead.BUILD, image), str(tmp_path / "small")]


def test_one_module_many_times(boot, plain, tmp_path):
    """Many entries of few modules."""
    console = boot(plain, modules=many_times(tmp_path, "count.elf", (f"c{i}" for i in range(ENTRIES))))
    console.wait(f'module {ENTRIES - 1} at .*\\bc{ENTRIES - 1}"', "one")
    console.wait("one: ended by power-off", "bulkhead")


def test_most_ports(boot, plain):
    """Each second one, in two partitions."""
    ports = [", ".join(f'"{0x1000 + start + 2 * i}"' for i in range(2048)) for start in (0, 0x1001)]
    console = boot(plain, config(*(partition(name, cmdline="n=1", more=f"ioports = ( {own} );")
                                   for name, own in zip(("one", "two"), ports))))
    for name in ("one", "two"):
        console.wait(f"{name}: ended by power-off", "bulkhead")


def padded(data, size):
    """A blob with so many more NULs behind its strings, which stand first, that it has this size."""
    more = bytes(size - len(data))
    assert len(more) % 8 == 0
    data = bytearray(data)
    struct.pack_into("<I", data, 12, size)
    _, _, _, _, strings_at, strings_size = bulkhead.SECTION.unpack_from(data, bulkhead.HEADER.size)
    struct.pack_into("<I", data, bulkhead.HEADER.size + 28, strings_size + len(more))
    for i in range(1, bulkhead.HEADER.unpack_from(data)[4]):
        at = bulkhead.HEADER.size + i * bulkhead.SECTION.size + 24
        struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + len(more))
    end = strings_at + strings_size
    return bulkhead.seal_blob(data[:end] + more + data[end:])


@pytest.mark.parametrize("more", [0, 8])
def test_largest_configuration(boot, plain, blob_of, tmp_path, more):
    """4 MiB, for which the heap has to be larger; and more than that."""
    blob = tmp_path / "large.bin"
    data = blob_of(config(partition("one", cmdline="n=1")))
    blob.write_bytes(padded(data, (4 << 20) + more))
    console = boot(plain, modules=[str(blob), COUNT])
    if more:
        console.wait('configuration: module "large.bin" has 4194312 bytes, a configuration at most 4194304: build it again')
        console.wait("nothing is started")
    else:
        console.wait("one: ended by power-off", "bulkhead")


@pytest.mark.parametrize("way", ["kernel", "multiboot1", "multiboot2"])
def test_long_paths(boot, plain, tmp_path, way):
    """QEMU passes the whole path, before the module's name and before what follows it."""
    folder = tmp_path / ("a" * 120) / ("b" * 120) / ("c" * 120)
    folder.mkdir(parents=True)
    for name in ("kernel", "data"):
        shutil.copy(COUNT, str(folder / name))
    image = str(folder / "bulkhead32.elf")
    shutil.copy(os.path.join(bulkhead.BUILD, "bulkhead32.elf"), image)
    shutil.copy(os.path.join(bulkhead.BUILD, "bulkhead.elf"), str(folder))
    blob = compile_config(tmp_path, config(partition("one", image="kernel", cmdline="n=1",
                                                     more='modules = ( "other" );')))
    console = boot(plain, modules=[blob, str(folder / "kernel"), f"{folder / 'data'} quiet name=other"], image=image,
                   loader=way, append="x=y console=nowhere")
    console.wait("console=nowhere on the command line is none of")
    console.wait("hello from count", "one")
    console.wait("one: ended by power-off", "bulkhead")
    assert "module 0 at" in console.text("one")
