#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the fuzzers' first inputs, tests/fuzz/fuzz_NAME.seeds/seed-*: real headers, tables, code and
accesses, each in the form that its fuzzer reads. Run it after a change of such a form; the result is
committed. What a fuzzer has found stands beside them under other names."""

import os
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
CONFIG = os.path.join(ROOT, "build", "bulkhead-config")


def write(fuzzer, name, data):
    folder = os.path.join(HERE, f"{fuzzer}.seeds")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"seed-{name}"), "wb") as file:
        file.write(data)


def section(blob, wanted):
    """Where a section of a blob stands, and where its entry in the table does (partitions/blob.h)."""
    for at in range(24, 24 + 32 * struct.unpack_from("<I", blob, 20)[0], 32):
        kind, offset = struct.unpack_from("<16s8xI", blob, at)
        if kind.rstrip(b"\0") == wanted.encode():
            return offset, at
    raise KeyError(wanted)


def config():
    """Four bytes of setting (what is mended, CPUs - 1, log2 of MiB, modules), then a blob."""
    files = [os.path.join(ROOT, "partitions", f) for f in ("two-linux.conf", "eight.conf")]
    files.append(os.path.join(HERE, "fuzz_config_text.seeds", "all-keys.conf"))
    for file in files:
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run([CONFIG, "build", file, "-o", out.name], check=True)
            blob = out.read()
        name = os.path.splitext(os.path.basename(file))[0]
        write("fuzz_config", name, bytes([0, 15, 14, 0]) + blob)
        write("fuzz_config", f"{name}-mended", bytes([7, 15, 14, 0]) + blob)
        if name == "two-linux": # not quite memory enough for both
            write("fuzz_config", "two-linux-memory", bytes([1, 15, 9, 0]) + blob)
    # The ports of a second partition, made those of the first.
    twice = blob.replace(struct.pack("<HH", 0x600, 0x60F), struct.pack("<HH", 0x500, 0x500))
    write("fuzz_config", "ports-twice", bytes([1, 15, 14, 0]) + twice)
    # The device of the last partition, made one of another's.
    twice = blob.replace(struct.pack("<HBB", 1, 0xAB, 0xFF), struct.pack("<HBB", 0, 0, 0x18))
    write("fuzz_config", "device-twice", bytes([1, 15, 14, 0]) + twice)
    # The framebuffer, which the last partition has, given to the first one too.
    flags = section(blob, "partitions")[0] + 24
    twice = blob[:flags] + struct.pack("<I", 4) + blob[flags + 4 :]
    write("fuzz_config", "framebuffer-twice", bytes([1, 15, 14, 0]) + twice)
    # The first partition's image as its initrd too: with another hash, and with the same.
    twice = blob.replace(b"initrd.gz\0", b"vmlinuz\0\0\0")
    write("fuzz_config", "hashes-differ", bytes([1, 15, 14, 0]) + twice)
    image, initrd = (blob.index(bytes.fromhex(h)) for h in ("51349501", "881f2a07"))
    twice = twice[:initrd] + blob[image : image + 32] + twice[initrd + 32 :]
    write("fuzz_config", "hashes-alike", bytes([1, 15, 14, 0]) + twice)
    # What another Bulkhead writes: a section that is unknown, one of another version, one twice.
    _, entry = section(blob, "devices")
    for name, at, new in (("section-unknown", entry, b"networks"), ("section-version", entry + 16, b"\2"),
                          ("section-twice", entry, b"ioports")):
        other = blob[:at] + new + blob[at + len(new) :]
        write("fuzz_config", name, bytes([1, 15, 14, 0]) + other)
    write("fuzz_config", "few-cpus", bytes([1, 1, 14, 0]) + blob)
    write("fuzz_config", "little-memory", bytes([1, 15, 4, 0]) + blob)
    write("fuzz_config", "module-missing", bytes([1, 15, 14, 0x20]) + blob)
    write("fuzz_config", "module-twice", bytes([1, 15, 14, 2]) + blob)
    write("fuzz_config", "blob-twice", bytes([1, 15, 14, 1]) + blob)
    write("fuzz_config", "truncated", bytes([0, 15, 14, 0]) + blob[:30])


# Kinds of numbers, as guest_machine.c makes them.
SMALL, DEVICE, NEGATIVE, NEAR_PAGE_END, FILLED = 0, 1, 2, 4, 7
REAL16, CODE32, CODE64 = 4, 1, 2
NARROW, PSE, PAE, LEVELS4, LEVELS5, OFF = 0, 1, 2, 4, 5, 7

# Code for all modes, with what its registers are: rAX a number, rCX a count, rDX a port, rBX and rDI
# in the device, rSI in RAM; in the last group rSI in the device and rDI in RAM.
MMIO = {
    "mov-store": "8907", "mov-load": "8b07", "mov-imm": "c70712345678", "mov-byte": "8a27",
    "add": "0107", "or-imm": "830f01", "cmp": "3907", "test-imm": "f60780", "inc": "fe07",
    "neg": "f71f", "movzx": "0fb607", "movsx": "0fbf0f", "movbe": "0f38f007", "movnti": "0fc30f",
    "xchg": "8707", "lock-xadd": "f00fc10f", "lock-cmpxchg": "f00fb10f", "bts-imm": "0fba2f03",
    "btc-reg": "0fbb0f", "stosb": "aa", "rep-stosd": "f3ab", "scasw": "66af", "repne-scasb": "f2ae",
    "movsd": "a5", "rep-movsb": "f3a4", "cmpsb": "a6", "repe-cmpsd": "f3a7", "fs-mov": "648907",
}
# The rare ones, with the operand where rDI points.
RARE = {
    "push": "ff37", "pop": "8f07", "cmovl": "0f4c0f", "setbe": "0f9607", "cmpxchg8b": "0fc70f",
    "mul": "f727", "imul-rax": "f76f00", "div": "f737", "idivb": "f63f", "rol": "d107", "rcr-cl": "d31f",
    "shl-imm": "c12703", "sarb": "d23f", "imul": "0faf0f", "imul-imm": "6b0ff9", "imul-imm4": "690f12345678",
    "shld": "0fa40f05", "shrd-cl": "0fad17", "bsf": "0fbc0f", "bsr": "0fbd0f", "popcnt": "f30fb80f",
    "tzcnt": "f30fbc0f", "lzcnt": "f30fbd0f", "crc32b": "f20f38f00f", "crc32": "f20f38f10f",
    "adcx": "660f38f60f", "adox": "f30f38f60f", "andn": "c4e268f20f", "blsi": "c4e268f31f",
    "bzhi": "c4e268f50f", "pext": "c4e26af50f", "pdep": "c4e26bf50f", "mulx": "c4e26bf60f",
    "bextr": "c4e268f70f", "shlx": "c4e269f70f", "sarx": "c4e26af70f", "rorx": "c4e37bf00f0b",
    "movups": "0f100f", "movups-to": "0f110f", "movd": "660f6e0f", "movq-to": "660fd60f", "movss": "f30f100f",
    "movsd-to": "f20f110f", "movhps": "0f160f", "movlpd-to": "660f130f", "cvtsi2sd": "f20f2a0f",
    "cvtsi2ss": "f30f2a0f", "pinsrw": "660fc40f03", "pextrd": "660f3a160f02", "insertps": "660f3a210f3a",
    "vmovups": "c5fc100f", "vmovd": "c5f96e0f", "vmovhps": "c5f0160f", "vbroadcastss": "c4e27d180f",
    "vmovddup": "c5ff120f", "vinsertf128": "c4e375180f01", "vextractf128": "c4e37d190f01",
}
FROM_DEVICE = {"lodsd": "ad", "rep-lodsb": "f3ac", "rep-movsd": "f3a5", "repe-cmpsb": "f3a6"}
PORTS = {"insb": "6c", "rep-insd": "f36d", "outsb": "6e", "rep-outsw": "66f36f", "fs-outsb": "646e"}
CODE64_ONLY = {"movsxd": "486317", "rip": "8b05f0000000", "sib": "428b449b10", "movsq": "f348a5"}


def emulate_input(code, mode=CODE64, paging=LEVELS4, from_device=False, rcx=5, rflags=0, cpl=0):
    device, ram = (DEVICE, 0x110), (SMALL, 0x9ff0)
    regs = [(FILLED, 0x8123), (SMALL, rcx), (SMALL, 0x2f8), device, (SMALL, 0x7000), ram,
            device if from_device else ram, ram if from_device else device]
    regs += [(SMALL, n) for n in range(8)]
    data = struct.pack("<BHBBBHH", 1, 0x110, mode, paging, cpl, rflags, 0)
    data += b"".join(struct.pack("<BH", *r) for r in regs)
    for segment in range(6):
        data += struct.pack("<BBH", 0, 0, 0xC9B if segment == 1 else 0xC93)
    return data + bytes.fromhex(code).ljust(15, b"\x90")


def emulate():
    for name, code in {**MMIO, **RARE, **CODE64_ONLY}.items():
        write("fuzz_emulate", name, emulate_input(code))
    for name, code in FROM_DEVICE.items():
        write("fuzz_emulate", f"{name}-from", emulate_input(code, from_device=True))
    for name, code in PORTS.items():
        write("fuzz_emulate", name, emulate_input(code, from_device=True))
    df, user = 1 << 10, 3
    write("fuzz_emulate", "pae", emulate_input("8907", CODE32, PAE | 0x40))
    write("fuzz_emulate", "narrow", emulate_input("8907", CODE32, NARROW | 8, cpl=user))
    write("fuzz_emulate", "pse", emulate_input("f3a4", CODE32, PSE | 8))
    write("fuzz_emulate", "no-paging", emulate_input("67f3a4", CODE32, OFF))
    write("fuzz_emulate", "real", emulate_input("678907", REAL16, OFF))
    write("fuzz_emulate", "real-outs", emulate_input("67f36f", REAL16, OFF))
    write("fuzz_emulate", "levels5", emulate_input("f3aa", CODE64, LEVELS5 | 0x78, rflags=df))
    write("fuzz_emulate", "long-ins", emulate_input("f36c", from_device=True, rcx=1000))
    write("fuzz_emulate", "fetched", emulate_input("8907", CODE64 | 8))


def native_input(code, rdi, rsi, rcx=5, rflags=0, aim=None, stack=(SMALL, 0)):
    regs = [(FILLED, 0x8123), (SMALL, rcx), (SMALL, 3), (SMALL, 0), stack, (SMALL, 9), rsi, rdi]
    regs += [(4, 0x8000 + n) for n in range(8)]
    data = struct.pack("<BHHB", aim is not None, aim or 0, rflags, 0x55)
    return data + b"".join(struct.pack("<BH", *r) for r in regs) + bytes.fromhex(code).ljust(15, b"\x90")


def native():
    area, df = 1, 1 << 10
    device, ram = (area, 0x3100), (area, 0x1F00)
    for name, code in RARE.items():
        stack = ram if name in ("push", "pop") else (SMALL, 0)
        wide = code if code[:2] in ("c4", "c5") else code[:2] + "48" + code[2:] if code[:2] in ("66", "f2", "f3") else "48" + code
        for kind, bytes_ in (("", code), ("-wide", wide)):
            write("fuzz_emulate_native", name + kind, native_input(bytes_, device, ram, aim=0x120, stack=stack))
    for name, code in {**MMIO, **CODE64_ONLY}.items():
        if not name.startswith(("rep", "fs", "scas", "stos", "lods", "cmps", "movsd", "movsq")):
            write("fuzz_emulate_native", name, native_input(code, device, ram, aim=0x123))
    strings = {**MMIO, **FROM_DEVICE, "movsq": "f348a5", "movsw-32": "6766a5", "rep-movsb-32": "67f3a4"}
    for name, code in strings.items():
        if name.startswith(("rep", "scas", "stos", "lods", "cmps", "movs")) and name != "movsx":
            write("fuzz_emulate_native", name, native_input(code, device, ram))
            write("fuzz_emulate_native", f"{name}-from", native_input(code, ram, device, rflags=df))
    write("fuzz_emulate_native", "fault", native_input("f3aa", (area, 0x3FF8), ram, rcx=20))
    write("fuzz_emulate_native", "fault-read", native_input("f3a4", device, (area, 0x4FF8), rcx=20))
    write("fuzz_emulate_native", "fault-write", native_input("a4", (area, 0x4123), device))
    write("fuzz_emulate_native", "fault-down", native_input("f3a5", (area, 0x1008), device, rflags=df))


def decode():
    for name, code in {**MMIO, **RARE, **FROM_DEVICE, **PORTS, **CODE64_ONLY}.items():
        write("fuzz_decode", name, bytes.fromhex(code))
    others = {
        "cpuid": "0fa2", "wrmsr": "0f30", "mov-to-cr": "410f22c0", "mov-from-dr": "0f21f8",
        "out-imm": "e6f4", "in-dx": "66ed", "lgdt": "0f0115", "invlpg": "0f0138", "xsetbv": "0f01d1",
        "vmrun": "0f01d8", "sldt": "660f00c0", "wbnoinvd": "f30f09", "pause": "f390", "iretq": "48cf",
        "moffs": "67a112345678", "prefixes": "2e2e2e2e2e2e2e2e2e2e2e2e2e8907", "rex-lost": "48668907",
    }
    for name, code in others.items():
        write("fuzz_decode", name, bytes.fromhex(code))


BASE_ACPI = 0xE0000


def checksummed(data, at):
    return data[:at] + bytes([-sum(data[:at] + b"\0" + data[at + 1 :]) & 255]) + data[at + 1 :]


def table(signature, body, revision=1):
    header = struct.pack("<4sIBB6s8sIII", signature, 36 + len(body), revision, 0, b"OEM", b"TABLE",
                         1, 0, 1)
    return checksummed(header + body, 9)


def acpi_bodies():
    madt = struct.pack("<II", 0xFEE00000, 1)
    for cpu in range(3):
        madt += struct.pack("<BBBBI", 0, 8, cpu, cpu * 2, 1)
    madt += struct.pack("<BBHIII", 9, 16, 0, 0x123, 1, 3)
    madt += struct.pack("<BBBBII", 1, 12, 0, 0, 0xFEC00000, 0)
    madt += struct.pack("<BBBBIH", 2, 10, 0, 0, 2, 0) + struct.pack("<BBBBIH", 2, 10, 0, 9, 9, 15)
    madt += struct.pack("<BBHQ", 5, 12, 0, 0xFEE00000)
    fadt = bytearray(232)  # after the header
    struct.pack_into("<H", fadt, 10, 9)
    struct.pack_into("<IIII", fadt, 20, 0x600, 0, 0x604, 0)
    struct.pack_into("<II", fadt, 36, 0, 0x608)
    fadt[52:56] = bytes([4, 2, 0, 4])
    struct.pack_into("<I", fadt, 76, 0x500)
    struct.pack_into("<BBBBQB", fadt, 80, 1, 8, 0, 1, 0xCF9, 6)
    struct.pack_into("<BBBBQ", fadt, 172, 1, 32, 0, 3, 0x608)
    mcfg = bytes(8) + struct.pack("<QHBBI", 0xB0000000, 0, 0, 255, 0)
    gas = struct.pack("<BBBBQ", 0, 32, 0, 3, 0xFEDC9000)
    spcr = struct.pack("<BBH", 0x12, 0, 0) + gas + struct.pack("<BBI", 2, 4, 20)
    spcr += struct.pack("<BBBBBBHHBBBIBI", 7, 0, 1, 0, 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0, 24000000)
    dbg2 = struct.pack("<II", 44, 1) + struct.pack("<BHBHHHHHHHHH", 0, 38, 1, 0, 0, 0, 0, 0x8000, 0x12, 0, 22, 34)
    dbg2 += gas + struct.pack("<I", 0x1000)
    return madt, bytes(fadt), mcfg, spcr, dbg2


def acpi_memory():
    """RSDP, then the tables, then RSDT and XSDT."""
    memory, places = b"", []
    for signature, body in zip((b"APIC", b"FACP", b"MCFG", b"SPCR", b"DBG2"), acpi_bodies()):
        places.append(BASE_ACPI + 36 + len(memory))
        memory += table(signature, body, 3)
    rsdt = BASE_ACPI + 36 + len(memory)
    memory += table(b"RSDT", struct.pack("<5I", *places))
    xsdt = BASE_ACPI + 36 + len(memory)
    memory += table(b"XSDT", struct.pack("<5Q", *places))
    rsdp = struct.pack("<8sB6sBIIQB3s", b"RSD PTR ", 0, b"OEM", 2, rsdt, 36, xsdt, 0, b"")
    rsdp = checksummed(rsdp[:20], 8) + rsdp[20:]
    return checksummed(rsdp, 32) + memory


def acpi():
    build, xsdt, mend, search, ebda = 1, 2, 4, 8, 16
    memory = acpi_memory()
    for choice in (0, mend, search, search | ebda, mend | search):
        write("fuzz_acpi", f"memory-{choice}", bytes([choice]) + memory)
    madt, fadt, mcfg, spcr, dbg2 = acpi_bodies()

    def cut(*bodies):
        """Half, quarter, eighth, sixteenth and the rest of a whole."""
        whole = 16 * max(-(-len(body) * share // 16) for body, share in zip(bodies, (2, 4, 8, 16, 16)))
        return b"".join(body.ljust(whole // share, b"\0") for body, share in zip(bodies, (2, 4, 8, 16, 16)))

    for choice in (build, build | xsdt):
        write("fuzz_acpi", f"built-{choice}", bytes([choice]) + cut(madt, fadt, mcfg, spcr, dbg2))
    many = struct.pack("<II", 0xFEE00000, 1)
    many += b"".join(struct.pack("<BBBBI", 0, 8, cpu, cpu, 1) for cpu in range(70))
    many += b"".join(struct.pack("<BBBBII", 1, 12, n, 0, 0xFEC00000 + 0x1000 * n, 24 * n) for n in range(20))
    many += b"".join(struct.pack("<BBBBIH", 2, 10, 0, n % 16, n, 0) for n in range(40))
    buses = bytes(8) + b"".join(struct.pack("<QHBBI", n << 28, n, 0, 255, 0) for n in range(1, 20))
    write("fuzz_acpi", "many", bytes([build]) + cut(many, fadt, buses, spcr, dbg2))
    write("fuzz_acpi", "damaged", b"\0" + memory[:40] + b"?" + memory[41:])


def dmar():
    """How many bridges there are, then the table."""

    def scope(kind, number, bus, *path):
        return struct.pack("<BBHBB", kind, 6 + len(path), 0, number, bus) + bytes(path)

    def entry(kind, body):
        return struct.pack("<HH", kind, 4 + len(body)) + body

    def unit(base, flags, scopes=b"", segment=0):
        return entry(0, struct.pack("<BBHQ", flags, 0, segment, base) + scopes)

    def reserved(base, limit, scopes):
        return entry(1, struct.pack("<HHQQ", 0, 0, base, limit) + scopes)

    def write_table(name, entries, bridges=3):
        body = struct.pack("<BB10s", 38, 1, b"") + entries
        write("fuzz_dmar", name, bytes([bridges]) + table(b"DMAR", body))

    ioapic, hpet = scope(3, 8, 0xFF, 0, 0), scope(4, 0, 0, 31, 7)
    behind = scope(1, 0, 0, 1, 0, 1, 0, 5, 2)
    write_table("one", unit(0xFED90000, 1, ioapic))
    write_table("graphics", unit(0xFED90000, 0, scope(1, 0, 0, 2, 0)) + unit(0xFED91000, 1, ioapic + hpet)
                + reserved(0x7F000000, 0x7F7FFFFF, scope(1, 0, 0, 2, 0)))
    write_table("bridges", unit(0xFED90000, 0, behind + scope(2, 0, 0, 1, 0)) + entry(2, bytes(4))
                + unit(0xFED91000, 1) + reserved(0, 0, behind) + entry(3, bytes(16)))
    write_table("absent", unit(0xFED90000, 0, behind) + entry(4, bytes(12)), 0)
    write_table("segments", unit(0xFED90000, 1, ioapic, 1) + unit(0xFED91000, 1, ioapic))
    write_table("many", b"".join(unit(0xFED00000 + (n << 12), 0) for n in range(9)))
    write_table("scopes", unit(0xFED90000, 0, behind * 129))
    write_table("ranges", unit(0xFED90000, 1) + reserved(1, 2, behind) * 17)


def ivrs():
    """A byte (1: mend the last block's length), then blocks: IVHD of three types, IVMD of three."""

    def unit(kind, entries, device=8, segment=0, base=0xFED80000):
        body = struct.pack("<HHQHHI", device, 0x40, base, segment, 0, 0)
        body += b"" if kind == 0x10 else bytes(16)
        return struct.pack("<BBH", kind, 1, 4 + len(body + entries)) + body + entries

    def short(kind, device=0):
        return struct.pack("<BHB", kind, device, 0)

    def long(kind, device, source=0, handle=0, variety=0):
        return struct.pack("<BHBBHB", kind, device, 0, handle, source, variety)

    def memory(kind, flags, first=0, last=0):
        return struct.pack("<BBHHHQQQ", kind, flags, 32, first, last, 0, 0x7F000000, 0x1000)

    ranges = short(3, 0x100) + short(4, 0x1FF) + long(0x43, 0x200, 0xA5) + short(4, 0x2FF)
    ranges += long(0x47, 0x300) + short(0) + short(4, 0x3FF)
    selects = short(2, 0) + short(2, 8) + long(0x42, 0x20, 0xA6) + long(0x46, 0x28)
    special = long(0x48, 0, 0xA0, 0, 1) + long(0x48, 0, 0xA1, 0, 2)
    named = struct.pack("<BHB8s8sBB4s", 0xF0, 0x98, 0, b"AMDI0020", b"", 2, 4, b"_SB0")
    reserved = memory(0x20, 1) + memory(0x21, 8, 0x10) + memory(0x22, 7, 0x18, 0x1F)
    for name, blocks in (("all", unit(0x10, short(1) + special)),
                         ("types", unit(0x10, selects) + unit(0x11, ranges) + unit(0x40, named)),
                         ("two", unit(0x11, selects) + unit(0x11, ranges, 0x4008, 0, 0xFEE80000)),
                         ("segment", unit(0x11, selects, 8, 1) + unit(0x10, special)),
                         ("memory", unit(0x40, selects + special) + reserved)):
        write("fuzz_ivrs", name, b"\0" + blocks)
        write("fuzz_ivrs", f"{name}-mended", b"\1" + blocks)


def multiboot():
    base = 0x1000
    text = base + 68
    words = b"build/bulkhead32.elf\0" + b"vmlinuz name=kernel\0" + b"initrd.gz\0"
    mods = text + len(words)
    maps = mods + 32
    entries = b"".join(
        struct.pack("<IQQI", 20, *e)
        for e in ((0, 0x9FC00, 1), (0xF0000, 0x10000, 2), (0x100000, 0x7FEE0000, 1))
    )
    info = struct.pack("<17I", 0x4D, 639, 0x1FFB80, 0, text, 2, mods, 0, 0, 0, 0, len(entries), maps,
                       0, 0, 0, 0)
    modules = struct.pack("<8I", 0x300000, 0x300123, text + 21, 0, 0x400000, 0x400200, text + 41, 0)
    long = (b"a" * 300).join((b"/boot/", b"\0"))
    where = struct.pack("<I", maps + len(entries))
    write("fuzz_multiboot", "one-long",
          b"\1" + info[:16] + where + info[20:] + words + modules + entries + long)
    write("fuzz_multiboot", "one", b"\1" + info + words + modules + entries)
    basic = struct.pack("<I", 1) + info[4:]
    write("fuzz_multiboot", "one-basic", b"\1" + basic)

    screen = struct.pack("<QIIIBB", 0xFD000000, 4096, 1024, 768, 32, 1)
    colours = bytes((16, 8, 8, 8, 0, 8))
    shown = struct.pack("<I", 0x1001) + info[4:] + bytes(20)
    write("fuzz_multiboot", "one-screen", b"\1" + shown + screen + bytes(2) + colours)

    def tag(kind, body):
        data = struct.pack("<II", kind, 8 + len(body)) + body
        return data + bytes(-len(data) % 8)

    areas = struct.pack("<II", 24, 0)
    for area in ((0, 0x9FC00, 1, 0), (0x100000, 0x7FEE0000, 1, 0), (0x7FFE0000, 0x20000, 3, 0)):
        areas += struct.pack("<QQII", *area)
    rsdp = acpi_memory()[:36]
    tags = tag(1, b"console=com1\0") + tag(2, b"GRUB 2.06\0")
    tags += tag(3, struct.pack("<II", 0x300000, 0x300123) + b"vmlinuz root=/dev/x\0")
    tags += tag(4, struct.pack("<II", 639, 0x1FFB80)) + tag(6, areas)
    tags += tag(14, rsdp[:20]) + tag(15, rsdp)
    end = tag(0, b"")
    write("fuzz_multiboot", "two", b"\0" + struct.pack("<II", 8 + len(tags + end), 0) + tags + end)
    for name, words in (("pci", b"console=pci:00:1f.7,9600"), ("port", b"x console=0x2e8,57600"),
                        ("acpi", b"console=acpi"), ("none", b"console=none")):
        tags = tag(1, words + b"\0") + tag(6, areas)
        write("fuzz_multiboot", f"two-{name}",
              b"\0" + struct.pack("<II", 8 + len(tags + end), 0) + tags + end)
    tags = tag(4, struct.pack("<II", 639, 0x1FFB80))
    tags += tag(8, screen + bytes(2) + colours)
    write("fuzz_multiboot", "two-basic",
          b"\0" + struct.pack("<II", 8 + len(tags + end), 0) + tags + end)


def uefi():
    """A kind, then: a PE image as firmware has loaded it; the hypervisor's ELF file; the size of a
    descriptor and a memory map."""
    contents = [(b".text", b"code"), (b".bhimage", b"hypervisor"), (b".bhcmd", b"console=com2"), (b".bhconf", b"blob"),
                (b".bhmod", b"kernel".ljust(4096, b"\0") + b"initrd"), (b".bhnames", b"6 vmlinuz\n6 initrd.gz\n")]
    at, table, body = 0x180, b"", b""
    for name, data in contents:
        room = -(-len(data) // 0x20) * 0x20
        table += struct.pack("<8sIII20x", name, len(data), at + len(body), room)
        body += data.ljust(room, b"\0")
    pe = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I4sHH12xHH", 0x40, b"PE", 0x8664, len(contents), 0, 0)
    image = (pe + table).ljust(at, b"\0") + body
    write("fuzz_uefi", "image", b"\0" + image)
    write("fuzz_uefi", "image-alone", b"\0" + image.replace(b".bhnames", b".another").replace(b".bhmod", b".other"))

    link = 0x200000
    elf = struct.pack("<7s9xHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, link, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    code = b"64Bulkhd" + struct.pack("<IIQ", link + 0x10, 0, 0)
    for at, size, more in ((link, len(code), 0), (link + 0x1000, 8, 0x1000)):
        elf += struct.pack("<IIQQQQQQ", 1, 5, 64 + 2 * 56, at, at, size, size + more, 0x1000)
    write("fuzz_uefi", "hypervisor", b"\1" + elf + code)

    write_back, boot_data, runtime, conventional, acpi_tables = 8, 4, 6, 7, 9
    areas = [(conventional, 0, 0xA0), (boot_data, 0x100000, 0x700), (conventional, 0x800000, 0x8000),
             (runtime, 0x8800000, 0x100), (acpi_tables, 0x8900000, 0x20), (conventional, 1 << 32, 0x80000)]
    entries = [struct.pack("<IIQQQQQ", kind, 0, at, 0, pages, write_back, 0) for kind, at, pages in areas]
    write("fuzz_uefi", "map", b"\2\x30" + b"".join(entries))
    write("fuzz_uefi", "map-unsorted", b"\2\x30" + b"".join(reversed(entries)))


def icr():
    """Host and guest mode, then steps: CPU and kind, register, eight bytes of value."""
    mmio_write, msr_read, msr_write, base = 1, 2, 3, 4

    def step(kind, register, value, cpu=0):
        return struct.pack("<BBQ", cpu + 5 * kind, register, value)

    svr, lvt_timer, timer, divide = 0x0F, 0x32, 0x38, 0x3E
    low, high = 0x30, 0x31
    ipis = step(mmio_write, svr, 0x1FF) + step(mmio_write, high, 1 << 24)
    for value in (0x40, 0x4040, 0x400, 0x4500, 0x4608, 0x40040, 0x80040, 0xC0040, 0x840, 0x140, 0x240):
        ipis += step(mmio_write, low, value)
    for register, value in ((lvt_timer, 0x20030), (divide, 3), (timer, 1000), (0x0D, 1 << 24),
                            (0x0E, 0xFFFFFFFF), (0x35, 0x700), (0x36, 0x400), (0x28, 0), (0x0B, 0)):
        ipis += step(mmio_write, register, value, 1) + step(0, register, 0, 1)
    msrs = step(base, 1, 0xC00)
    for value in (0x100000040, 0xFFFFFFFF00000040, 0x2000004500, 0x40040, 0x80400):
        msrs += step(msr_write, low, value)
    for register, value in ((0x3F, 0x41), (svr, 0x1FF), (0x0D, 1), (0x08, 0x20), (lvt_timer, 0x40020)):
        msrs += step(msr_write, register, value) + step(msr_read, register, 0)
    modes = step(base, 1, 0x800) + step(base, 1, 0xC00) + step(base, 1, 0x800) + step(base, 0, 0)
    for setting in range(4):
        write("fuzz_icr", f"{setting}", bytes([setting]) + ipis + msrs + modes)


def vdev():
    """Accesses: what (with the size in the top bits), then its arguments."""
    byte, word, long = 0x40, 0x80, 0xC0
    ranges = ("8259", "pit", "60", "61", "64", "rtc", "80", "92", "8259b", "uart", "elcr", "pcia",
              "reset", "pcib", "pcid", "pm")

    def port(name, offset=0):
        return ranges.index(name) + len(ranges) * offset

    def out(name, offset, value, size=byte):
        data = bytes([value]) if size == byte else struct.pack(">I", value)
        return bytes([3 | size, port(name, offset)]) + data

    def get(name, offset=0, size=byte):
        return bytes([0 | size, port(name, offset)])

    def wait(ticks):
        return bytes([13, ticks])

    pit = b""
    for mode in range(6):
        pit += out("pit", 3, 0xB0 | mode << 1) + out("pit", 2, 0x10) + out("pit", 2, 0)
        pit += out("61", 0, 1) + wait(9) + get("61") + out("pit", 3, 0xE8) + get("pit", 2) + wait(30)
        pit += get("61") + out("pit", 3, 0x80) + get("pit", 2) + get("pit", 2)
    rtc = b""
    for register in (0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 0x32, 0x40):
        rtc += out("rtc", 0, register) + get("rtc", 1) + out("rtc", 1, 0x12) + get("rtc", 1)
    rtc += bytes([14, 200]) + struct.pack(">I", 999999) + out("rtc", 0, 0) + get("rtc", 1)
    uart = out("uart", 3, 0x83) + out("uart", 0, 1) + out("uart", 1, 0) + out("uart", 3, 3)
    uart += out("uart", 2, 7) + out("uart", 1, 0x0F) + out("uart", 4, 0x1B) + out("uart", 0, 65)
    uart += b"".join(bytes([8, c]) for c in b"hello, world, again") + bytes([9, 9 | 16])
    uart += b"".join(get("uart", r) for r in (0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 2, 5))
    rest = out("pcia", 0, 0x80000000, long) + get("pcid", 0, long) + get("pcid", 1, word)
    rest += out("pm", 0, 0x21, word) + out("pm", 4, 0x3401, word) + get("pm", 4, word)
    rest += out("reset", 0, 6) + out("92", 0, 1) + out("64", 0, 0xFE) + get("64") + get("92")
    pins = b""
    for pin, entry in ((2, 0x30), (9, 0xA031), (4, 0x10032), (5, 0x433), (6, 0x4FF)):
        for half, value in ((1, 0x01000000), (0, entry)):
            pins += bytes([10, 0x10 + 2 * pin + half]) + bytes([10 | 16 | byte]) + struct.pack(">I", value)
        pins += bytes([12 | 16, pin]) + bytes([12, pin]) + bytes([10 | long, 0x31])
    for name, steps in (("pit", pit), ("rtc", rtc), ("uart", uart), ("rest", rest), ("pins", pins)):
        write("fuzz_vdev", name, steps)


def vpci():
    """Broken bytes of the devices (none), who has INTx, then accesses (0: write, 2: read, 7: MSI-X)."""
    sizes = {1: 0, 2: 0x40, 4: 0x80, 8: 0xC0}

    def put(function, offset, size, value):
        return bytes([sizes[size], function, offset]) + struct.pack(">I", value)

    def get(function, offset, size):
        return bytes([2 | sizes[size], function, offset])

    def table(offset, size, value):
        return bytes([0x17 | sizes[size], offset // 4, offset & 3]) + struct.pack(">Q", value)

    start = bytes([0, 1])
    probe = b""
    for function in range(3):
        for bar in range(0x10, 0x28, 4):
            probe += get(function, bar, 4) + put(function, bar, 4, 0xFFFFFFFF) + get(function, bar, 4)
            probe += put(function, bar, 4, 0xD0000000 + function * 0x1000000 + bar * 0x10000)
        probe += put(function, 4, 2, 7) + bytes([11, function])
    ports = b"".join(bytes([3, 0, reg, 0x86, reg & 3, 0x85, 4]) + struct.pack(">I", 0xFFFFFFFF)
                     for reg in range(0, 256, 4))
    vectors = put(0, 4, 2, 6) + put(0, 0xA2, 2, 0xC000)
    for vector in range(5):
        vectors += table(16 * vector, 8, 0xFEE01000) + table(16 * vector + 8, 8, 0x41 + vector)
    vectors += put(0, 0xA2, 2, 0x8000) + table(12, 4, 1) + table(76, 8, 1) + bytes([7, 0, 0])
    vectors += put(0, 0xD4, 4, 0xFEE02000) + put(0, 0xDC, 2, 0x51) + put(0, 0xD2, 2, 1)
    vectors += put(2, 0x44, 4, 0xFEE02000) + put(2, 0x42, 2, 0x71) + put(2, 0x4C, 4, 5)
    power = put(0, 4, 2, 0x547) + put(0, 0xCC, 2, 3) + put(0, 0xCC, 2, 0) + put(0, 4, 2, 0x547)
    power += put(0, 0xE8, 2, 0xFFFF) + put(0, 0xE8, 4, 0x000F7FFF) + bytes([12, 0, 0xF9])
    power += put(0, 4, 4, 0xFFFFFFFF) + bytes([10])
    for name, steps in (("probe", probe), ("ports", ports), ("vectors", vectors), ("power", power)):
        write("fuzz_vpci", name, start + steps)
    broken = [(0, 0x34, 0xFC), (0, 0xC9, 0xC8), (1, 0x41, 0x42), (1, 0x63, 5), (2, 0x43, 1)]
    write("fuzz_vpci", "broken", bytes([len(broken)]) + bytes(sum(broken, ())) + b"\7" + probe)


def load():
    """What the image is (0x80: with initrd, 0x40: with a module, 0x30: memory), its size, patches."""
    for name, kind in (("linux", 1), ("flat", 2), ("elf32", 3), ("elf64", 4)):
        for more, flag in (("", 0), ("-initrd", 0xA0), ("-module", 0x70), ("-small", 0x10)):
            write("fuzz_load", name + more, bytes([kind | flag]) + struct.pack("<H", 0x4000))
    for name, kind in (("linux", 11), ("flat", 12), ("elf32", 8), ("elf64", 9)):
        write("fuzz_load", name + "-pci", bytes([kind]) + struct.pack("<H", 0x4000))
    write("fuzz_load", "linux-32bit", b"\1" + struct.pack("<HHI", 0x4000, 0x234, 0x007F0000))
    write("fuzz_load", "linux-old", b"\1" + struct.pack("<HHI", 0x4000, 0x206, 0x0206))
    write("fuzz_load", "elf64-far", b"\4" + struct.pack("<HHI", 0x4000, 64 + 24, 0x7FFFFF00))
    write("fuzz_load", "short", b"\3" + struct.pack("<H", 100))


def pci_function(address, flags, registers):
    """One function as fuzz_pci.c reads it; registers: offset -> bytes."""
    pairs = [(o + i, b) for o, data in registers.items() for i, b in enumerate(data) if b]
    out = struct.pack("<HBB", address, flags, len(pairs))
    return out + b"".join(struct.pack("<HB", o, b) for o, b in pairs)


def pci():
    """A network card, bridges of each kind, a USB controller; as they are and with loose bits."""
    express = lambda kind, flr: bytes([0x10, 0, 2 | kind << 4, 0, 0, 0, 0, flr])
    acs = b"\x0d\0\1\0\x1f\0"
    card = {0: b"\x34\x12\x56\x78", 6: b"\x10", 9: b"\0\0\2", 0x10: b"\0\0\0\xfe",
            0x14: b"\x0c\0\0\xe0\5", 0x1c: b"\1\xc0", 0x34: b"\x40", 0x40: b"\1\x50",
            0x50: b"\5\x70\x80", 0x70: b"\x11\x80\7", 0x80: express(0, 0x10), 0x81: b"\xc0",
            0xc0: b"\x13\0\6\3", 0x100: acs}
    port = {0: b"\x34\x12\1", 6: b"\x10", 9: b"\0\4\6", 0xe: b"\1", 0x34: b"\x40",
            0x40: express(4, 0), 0x100: acs}
    bridge = {0: b"\x34\x12\2", 9: b"\0\4\6", 0xe: b"\1"}
    usb = lambda kind: {0: b"\x34\x12\3\0\6", 8: bytes([1, kind, 3, 0xC, 0, 0, 0x80]),
                        0x10: b"\0\0\0\xfd", 0x60: b"\1\0\1"}
    behind = lambda f, first, last: f | {0x19: bytes([first, last])}
    machine = [(0x08, behind(port, 1, 1)), (0x10, behind(bridge, 2, 3)), (0x100, card),
               (0x101, card), (0x208, card), (0x218, behind(bridge, 3, 3)), (0x300, card),
               (0x28, usb(0x20)), (0x30, usb(0x30)), (0x38, usb(0x10))]
    for flags in range(8):
        write("fuzz_pci", f"machine-{flags}",
              b"".join(pci_function(a, flags, r) for a, r in machine))
    circle = card | {0x81: b"\x50"}
    write("fuzz_pci", "circle", pci_function(0x18, 0, circle) + pci_function(0x20, 5, circle))


if __name__ == "__main__":
    config()
    emulate()
    native()
    decode()
    acpi()
    dmar()
    ivrs()
    multiboot()
    uefi()
    icr()
    vdev()
    vpci()
    load()
    pci()
