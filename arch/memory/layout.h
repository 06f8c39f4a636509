// SPDX-License-Identifier: Apache-2.0
// The layout of the hypervisor's own address space. C reads it directly, assembly through
// boot/asm_offsets.c. All of it lies in the top 2 GiB, so that a 32-bit displacement reaches
// everything.
#ifndef ARCH_MEMORY_LAYOUT_H
#define ARCH_MEMORY_LAYOUT_H

// Shared by all CPUs: one page directory pointer entry (1 GiB).
// Plus the image's link address, wherever the image was loaded.
#define HV_IMAGE_BASE 0xffffffff80000000ull
#define HV_IMAGE_LINK 0x200000              // linker.ld; the image is moved by multiples of 2 MiB
#define HV_HEAP_BASE  0xffffffff90000000ull // the heap block, linear
#define HV_MMIO_BASE  0xffffffffa0000000ull // device registers that the hypervisor drives
#define HV_MMIO_LIMIT 0xffffffffb0000000ull

// Private to each CPU, at the same address on every CPU: another 1 GiB.
#define PERCPU_BASE       0xffffffffc0000000ull
#define PERCPU_STACK      (PERCPU_BASE + 0x1000) // the page below stays unmapped
#define PERCPU_STACK_SIZE 0x4000
#define PERCPU_STACK_TOP  (PERCPU_STACK + PERCPU_STACK_SIZE)
#define PERCPU_CPU        (PERCPU_BASE + 0x6000) // struct cpu
#define PERCPU_CPU_SIZE   0x1000
#define PERCPU_VM         (PERCPU_BASE + 0x8000)   // VMCB or VMCS
#define PERCPU_WINDOW     (PERCPU_BASE + 0x10000)  // 4 KiB slots, see arch/memory/window.h
#define PERCPU_WINDOW_BIG (PERCPU_BASE + 0x200000) // one 2 MiB slot

#endif
