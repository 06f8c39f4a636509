// SPDX-License-Identifier: Apache-2.0
// Compares the configuration with the machine: which partition gets which CPU, and whether there
// are enough CPUs, memory and boot modules. Relies on blob_check() having passed the blob.
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "partitions/blob_problem.h"

// ---- CPUs ------------------------------------------------------------------------------------

static bool is_listed(const struct blob_partition *p)
{
    return p->cpus.count != 0;
}

static uint32_t listed(const struct blob *blob, const struct blob_partition *p, unsigned k)
{
    return blob_cpus(blob, p)[k].number;
}

// How many of the machine's CPUs are in no list. No CPU is in two lists.
static unsigned count_unlisted(const struct blob *blob, unsigned cpu_count)
{
    unsigned unlisted = cpu_count;

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; k < p->cpus.count; k++) {
            if (listed(blob, p, k) < cpu_count)
                unlisted--;
        }
    }
    return unlisted;
}

static void check_listed_cpus(const struct blob *blob, unsigned index, unsigned cpu_count,
                              struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);

    for (unsigned k = 0; k < p->cpus.count; k++) {
        if (listed(blob, p, k) >= cpu_count)
            blob_problem_add(out, blob, BLOB_NO_SUCH_CPU,
                             (struct blob_place){(int)index, BLOB_FIELD_CPUS, (int)k},
                             "CPU %u is not there: this machine's %u CPUs are numbered 0 to %u; "
                             "change its cpus",
                             listed(blob, p, k), cpu_count, cpu_count - 1);
    }
}

static void check_cpus(const struct blob *blob, unsigned cpu_count, struct blob_problems *out)
{
    unsigned left = count_unlisted(blob, cpu_count);

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        if (is_listed(p)) {
            check_listed_cpus(blob, i, cpu_count, out);
        } else if (p->cpu_count > left) {
            blob_problem_add(out, blob, BLOB_TOO_FEW_CPUS,
                             (struct blob_place){(int)i, BLOB_FIELD_CPUS, -1},
                             "it wants %u CPUs, but %u of this machine's %u are left for it; give "
                             "it, or the others, fewer",
                             p->cpu_count, left, cpu_count);
        } else {
            left -= p->cpu_count;
        }
    }
}

static void own(struct blob_cpu_owner *owner, unsigned partition, unsigned vcpu)
{
    owner->partition = (int16_t)partition;
    owner->vcpu = (uint16_t)vcpu;
}

enum status blob_assign_cpus(const struct blob *blob, unsigned cpu_count,
                             struct blob_cpu_owner owner[MAX_CPUS])
{
    unsigned next = 0;

    if (cpu_count > MAX_CPUS)
        cpu_count = MAX_CPUS;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        owner[cpu] = (struct blob_cpu_owner){BLOB_NOBODY, 0};

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; k < p->cpus.count; k++) {
            if (listed(blob, p, k) >= cpu_count)
                return ERR_RANGE;
            if (owner[listed(blob, p, k)].partition != BLOB_NOBODY)
                return ERR_EXISTS;
            own(&owner[listed(blob, p, k)], i, k);
        }
    }
    // `next` only moves up: all CPUs below it are taken.
    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; !is_listed(p) && k < p->cpu_count; k++) {
            while (next < cpu_count && owner[next].partition != BLOB_NOBODY)
                next++;
            if (next == cpu_count)
                return ERR_RANGE;
            own(&owner[next], i, k);
        }
    }
    return STATUS_OK;
}

// ---- memory ----------------------------------------------------------------------------------

static void check_memory(const struct blob *blob, uint64_t usable, struct blob_problems *out)
{
    uint64_t left = usable;

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        uint64_t memory = blob_partition(blob, i)->memory;

        if (memory <= left) {
            left -= memory;
            continue;
        }
        // Rounded so that a shortage never rounds to zero.
        blob_problem_add(
            out, blob, BLOB_TOO_LITTLE_MEMORY, (struct blob_place){(int)i, BLOB_FIELD_MEMORY, -1},
            "it wants %llu MiB of memory, but %llu of this machine's %llu MiB are "
            "left for it; give it, or the others, less",
            (unsigned long long)(align_up(memory, MIB(1)) / MIB(1)),
            (unsigned long long)(left / MIB(1)), (unsigned long long)(usable / MIB(1)));
    }
}

// ---- modules ---------------------------------------------------------------------------------

// Lists the modules from the boot loader for a message, as many as fit: "a, b, c".
static void list_modules(const struct machine_limits *machine, char *text, size_t size)
{
    size_t used = 0;

    if (machine->module_count == 0)
        format(text, size, "none");
    for (unsigned i = 0; i < machine->module_count; i++) {
        const char *separator = i == 0 ? "" : ", ";
        size_t needed = strlen(separator) + strlen(machine->module_names[i]);

        if (used + needed + sizeof(", ...") > size) {
            format(text + used, size - used, "%s...", separator);
            return;
        }
        used += format(text + used, size - used, "%s%s", separator, machine->module_names[i]);
    }
}

static void check_module(const struct blob *blob, const struct machine_limits *machine,
                         struct blob_place place, blob_text offset, struct blob_problems *out)
{
    const char *name = blob_string(blob, offset);
    unsigned found = 0;

    for (unsigned i = 0; i < machine->module_count; i++) {
        if (strcmp(name, machine->module_names[i]) == 0)
            found++;
    }
    if (found == 0) {
        char loaded[100];

        list_modules(machine, loaded, sizeof(loaded));
        blob_problem_add(out, blob, BLOB_NO_MODULE, place,
                         "there is no module \"%.48s\" (loaded: %s); have the boot loader load it "
                         "or correct its name",
                         name, loaded);
    } else if (found > 1) {
        blob_problem_add(out, blob, BLOB_AMBIGUOUS_MODULE, place,
                         "the boot loader loaded %u modules \"%.48s\"; tell them apart by name= in "
                         "their command lines",
                         found, name);
    }
}

static void check_modules(const struct blob *blob, const struct machine_limits *machine,
                          struct blob_problems *out)
{
    for (int i = 0; i < (int)blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, (unsigned)i);

        check_module(blob, machine, (struct blob_place){i, BLOB_FIELD_IMAGE, -1}, p->image, out);
        if (p->initrd != 0)
            check_module(blob, machine, (struct blob_place){i, BLOB_FIELD_INITRD, -1}, p->initrd,
                         out);
        for (unsigned m = 0; m < p->modules.count; m++)
            check_module(blob, machine, (struct blob_place){i, BLOB_FIELD_MODULES, (int)m},
                         blob_modules(blob, p)[m].name, out);
    }
}

// ---- I/O ports -------------------------------------------------------------------------------

static void check_ioports(const struct blob *blob, const struct machine_limits *machine,
                          struct blob_problems *out)
{
    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; k < p->ioports.count; k++) {
            struct blob_ioports ports = blob_ioports(blob, p)[k];
            const struct blob_kept_ports *kept =
                blob_find_kept_ports(machine->kept_ports, machine->kept_port_count, ports);

            if (kept != NULL)
                blob_problem_add(out, blob, BLOB_KEPT_PORTS,
                                 (struct blob_place){(int)i, BLOB_FIELD_IOPORTS, (int)k},
                                 "of I/O ports 0x%x-0x%x the hypervisor keeps 0x%x-0x%x on this "
                                 "machine: %s; leave those out",
                                 ports.first, ports.last, kept->first, kept->last, kept->reason);
        }
    }
}

enum status blob_check_machine(const struct blob *blob, const struct machine_limits *machine,
                               struct blob_problems *out)
{
    out->count = 0;
    check_cpus(blob, machine->cpu_count, out);
    check_memory(blob, machine->usable_memory, out);
    check_modules(blob, machine, out);
    check_ioports(blob, machine, out);
    return blob_problems_status(out);
}
