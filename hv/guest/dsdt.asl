// SPDX-License-Identifier: Apache-2.0
// What a guest's ACPI finds beside the fixed tables: the value that powers the partition off, and
// the two devices that an operating system does not look for by itself, or whose interrupt it
// learns only here. iasl compiles it at build time; hv/guest/acpi.c puts it into guest memory.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "BULKHD", "BULKHEAD", 1)
{
    // SLP_TYP for PM1 control; GUEST_ACPI_S5_SLP_TYP in hv/guest/acpi.h.
    Name (\_S5, Package (4) { 5, 5, 0, 0 })

    Scope (\_SB)
    {
        // Without a legacy interrupt controller, Linux asks ACPI which interrupt the UART has.
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 1, 8)
                IRQNoFlags () { 4 }
            })
        }

        // No interrupt: the virtual clock raises none, and who is promised one waits for it.
        Device (RTC0)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 1, 2)
            })
        }
    }
}
