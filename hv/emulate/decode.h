// SPDX-License-Identifier: Apache-2.0
// The instruction decoder, for processors that don't report an instruction's length or operands (no
// next-RIP save, no decode assists). It knows two kinds of instructions that can cause a VM exit:
// those that access a device page, with all operands, and those that are intercepted, for which
// only the length matters. It refuses all others. It relies on the bytes alone; registers are
// numbered as in arch/virt/guest_regs.h.
#ifndef HV_EMULATE_DECODE_H
#define HV_EMULATE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "arch/virt/guest_cpu.h"

#define INSN_MAX_LENGTH 15u

enum insn_op {
    INSN_NONE,

    // Arithmetic and logic, in the order of their opcodes and of group 1.
    INSN_ADD,
    INSN_OR,
    INSN_ADC,
    INSN_SBB,
    INSN_AND,
    INSN_SUB,
    INSN_XOR,
    INSN_CMP,
    INSN_TEST,
    INSN_INC,
    INSN_DEC,
    INSN_NOT,
    INSN_NEG,

    INSN_MOV, // also A0 to A3, with an absolute address
    INSN_MOVZX,
    INSN_MOVSX,
    INSN_MOVSXD,
    INSN_MOVBE,
    INSN_MOVNTI,
    INSN_XCHG,
    INSN_XADD,
    INSN_CMPXCHG,
    INSN_POP, // from here to INSN_BTC the address is not only what ModRM says
    INSN_BT,
    INSN_BTS,
    INSN_BTR,
    INSN_BTC,

    // From here to the strings: rare instructions (hv/emulate/rare.c).
    INSN_PUSH,
    INSN_CMOV,      // `imm` is the condition
    INSN_SET,       // the same
    INSN_CMPXCHG8B, // 16B too: mem_size says which
    INSN_RORX,

    // Computed by the processor itself, in the order of hv/emulate/compute.c. With operands of 1,
    // 2, 4 and 8 bytes:
    INSN_MUL,
    INSN_IMUL_RAX, // into rDX and rAX
    INSN_DIV,
    INSN_IDIV,
    INSN_ROL, // rotates and shifts: by `imm`, or by CL if the form has no immediate
    INSN_ROR,
    INSN_RCL,
    INSN_RCR,
    INSN_SHL,
    INSN_SHR,
    INSN_SAR,
    INSN_CRC32,
    // With operands of 2, 4 and 8 bytes:
    INSN_IMUL,
    INSN_IMUL_IMM,
    INSN_SHLD, // by `imm`, or by CL: `count_in_cl`
    INSN_SHRD,
    INSN_BSF,
    INSN_BSR,
    INSN_POPCNT,
    INSN_TZCNT,
    INSN_LZCNT,
    // With operands of 4 and 8 bytes:
    INSN_ADCX,
    INSN_ADOX,
    INSN_ANDN, // from here on `source2` is a register operand too
    INSN_BEXTR,
    INSN_BLSI,
    INSN_BLSMSK,
    INSN_BLSR,
    INSN_BZHI,
    INSN_MULX,
    INSN_PDEP,
    INSN_PEXT,
    INSN_SARX,
    INSN_SHLX,
    INSN_SHRX,

    // Moves into the vector register `reg` (hv/emulate/vector.c). If a move fills only parts of it,
    // the others come from `source2`.
    INSN_VECTOR_LOAD,      // the rest is 0
    INSN_VECTOR_LOW,       // into the low half of 16 bytes
    INSN_VECTOR_HIGH,      // into the high half
    INSN_VECTOR_INSERT,    // into the element `imm`
    INSN_VECTOR_INSERTPS,  // the same, and clears what `imm` says
    INSN_VECTOR_BROADCAST, // into every element
    INSN_VECTOR_EVEN,      // the even elements, each twice; operand_size is an element's
    INSN_VECTOR_ODD,
    INSN_VECTOR_TO_SINGLE, // an integer, converted
    INSN_VECTOR_TO_DOUBLE,
    // Moves from a vector register to memory.
    INSN_VECTOR_STORE,
    INSN_VECTOR_STORE_HIGH,
    INSN_VECTOR_EXTRACT, // the element `imm`

    INSN_MOVS,
    INSN_CMPS,
    INSN_STOS,
    INSN_LODS,
    INSN_SCAS,
    INSN_INS,
    INSN_OUTS,

    INSN_IN,
    INSN_OUT,

    // Intercepted instructions, for which only the length matters.
    INSN_MOV_FROM_CR, // 0F 20: rm = general register, reg = control register
    INSN_MOV_TO_CR,   // 0F 22: the same
    INSN_MOV_FROM_DR,
    INSN_MOV_TO_DR,
    INSN_CPUID,
    INSN_RDMSR,
    INSN_WRMSR,
    INSN_RDPMC,
    INSN_RDTSC,
    INSN_RDTSCP,
    INSN_RDPRU,
    INSN_HLT,
    INSN_PAUSE,
    INSN_MONITOR,
    INSN_MONITORX,
    INSN_MWAIT,
    INSN_MWAITX,
    INSN_XSETBV,
    INSN_INVD,
    INSN_WBINVD,
    INSN_WBNOINVD,
    INSN_INVLPG,
    INSN_INVLPGA,
    INSN_INVPCID,
    INSN_CLTS,
    INSN_LMSW,
    INSN_SMSW,
    INSN_LGDT,
    INSN_LIDT,
    INSN_SGDT,
    INSN_SIDT,
    INSN_LLDT,
    INSN_SLDT,
    INSN_LTR,
    INSN_STR,
    INSN_IRET,
    INSN_RSM,
    INSN_VMCALL,
    INSN_VMMCALL,
    INSN_VMRUN,
    INSN_VMLOAD,
    INSN_VMSAVE,
    INSN_STGI,
    INSN_CLGI,
    INSN_SKINIT,
};

// Which operands there are, and which of them is the destination.
enum insn_form {
    FORM_NONE,    // nothing explicit
    FORM_RM_REG,  // r/m is the destination, `reg` the source
    FORM_REG_RM,  // `reg` is the destination, r/m the source
    FORM_RM_IMM,  // r/m is the destination, `imm` the source
    FORM_RM,      // r/m is the only operand
    FORM_STRING,  // rSI in `segment`, rDI in ES, rAX, rCX, DX, as the instruction implies
    FORM_PORT,    // IN, OUT: `imm` is the port, rAX the data
    FORM_PORT_DX, // IN, OUT: DX is the port, rAX the data
};

enum insn_rep {
    REP_NONE,
    REP_F2, // REPNE
    REP_F3, // REP, REPE
};

#define INSN_NO_REG 0xff

struct insn {
    uint8_t length;       // bytes, 1 to 15
    uint8_t op;           // enum insn_op
    uint8_t form;         // enum insn_form
    uint8_t operand_size; // bytes of the register operand: 1, 2, 4, 8
    uint8_t mem_size; // bytes read or written in memory or at the port: 1, 2, 4, 8; 16 and 32 for
                      // vectors; 16 for CMPXCHG16B. Undefined if only the length matters
    uint8_t address_size; // bytes: 2, 4, 8
    uint8_t rep;          // enum insn_rep, as written; it matters for strings only
    bool lock;

    uint8_t reg;       // the register operand, 0 to 15
    bool reg_high;     // it is AH, CH, DH or BH, with reg 0 to 3
    bool mem;          // r/m is in memory; else it is the register `rm`
    uint8_t rm;        // r/m as register, 0 to 15 (!mem)
    bool rm_high;      // as reg_high
    bool rip_relative; // the address is that of the next instruction + disp
    uint8_t segment;   // enum insn_segment in effect; in 64-bit mode only FS and GS have a base
    uint8_t base;      // register number, or INSN_NO_REG
    uint8_t index;     // register number, or INSN_NO_REG
    uint8_t scale;     // shift of the index: 0 to 3

    // Of rare instructions only:
    uint8_t source2;  // the register that VEX names, 0 to 15
    uint8_t vector;   // bytes of the vector registers: 16 or 32 with VEX, 0 without it
    uint8_t row;      // its index in decode_rare
    bool count_in_cl; // SHLD, SHRD

    int64_t disp; // sign-extended; A0 to A3: the absolute address, zero-extended
    int64_t imm;  // sign-extended; a port number zero-extended
};

// Decodes the instruction that starts at `bytes`, of which `available` can be read; more than 15
// are never read. Unless STATUS_OK is returned, *out is only partly written.
//   ERR_TRUNCATED   all `available` bytes belong to the instruction, and it has more
//   ERR_UNSUPPORTED an instruction that isn't one of enum insn_op
//   ERR_INVALID     the processor would raise #UD, or #GP for more than 15 bytes
// If the r/m operand of a form is a register, the instruction is decoded too, with `mem` false.
enum status decode(const uint8_t *bytes, size_t available, enum decode_mode mode, struct insn *out);

#endif
