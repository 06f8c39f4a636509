// SPDX-License-Identifier: Apache-2.0
// The PCI bus of a partition that owns devices: an SSDT that is there only with one. Its addresses,
// ports and pins are those of hv/machine/guest_platform.h; the unit test evaluates it and holds them
// together. iasl compiles it at build time; hv/guest/acpi.c puts it into guest memory.
DefinitionBlock ("pci.aml", "SSDT", 2, "BULKHD", "PCI", 1)
{
    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)

            // Bus 0 alone; the configuration ports; what BARs may lie in. Every port of the virtual
            // platform lies below the window of ports.
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0x1000, 0xFFFF, 0, 0xF000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                    ReadWrite, 0, 0xC0000000, 0xDFFFFFFF, 0, 0x20000000)
            })

            // Pin n (from 0) of device d is wired to IOAPIC pin 16 + (d + n) % 4, without a router:
            // for each of the devices 1 to 31 and its four pins { address, pin, 0, IOAPIC pin }.
            Method (_PRT, 0, NotSerialized)
            {
                Local0 = Package (124) {}
                Local1 = 0
                While (Local1 < 124)
                {
                    Local2 = (Local1 >> 2) + 1
                    Local3 = Local1 & 3
                    Local4 = Package (4) { 0, 0, 0, 0 }
                    Local4[0] = (Local2 << 16) | 0xFFFF
                    Local4[1] = Local3
                    Local4[3] = 16 + ((Local2 + Local3) & 3)
                    Local0[Local1] = Local4
                    Local1++
                }
                Return (Local0)
            }

            // Of what a system may ask for (PCI Firmware Specification 3.2, 4.5.1) it gets nothing:
            // no hot plug, no error reporting, no power management events, no link control. MSI and
            // memory-mapped configuration space are not among it.
            Method (_OSC, 4, Serialized)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (Arg0 != ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766"))
                {
                    CDW1 |= 0x04 // unrecognized UUID
                    Return (Arg3)
                }
                If (Arg1 != 1)
                {
                    CDW1 |= 0x08 // unrecognized revision
                    Return (Arg3)
                }
                CreateDWordField (Arg3, 8, CDW3)
                If (CDW3 != 0)
                {
                    CDW1 |= 0x10 // some of what was asked for is not granted
                    CDW3 = 0
                }
                Return (Arg3)
            }
        }

        // Systems believe an MCFG only if something reserves what it names.
        Device (ECAM)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xE0000000, 0x00100000)
            })
        }
    }
}
