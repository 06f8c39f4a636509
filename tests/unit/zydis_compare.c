// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/zydis_compare.h"

#include <stdlib.h>

#include <Zydis/Zydis.h>

#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"
#include "docs/tables/insn_names.h"

struct reference {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

_Static_assert(ZYDIS_MNEMONIC_MAX_VALUE < ZYDIS_COMPARE_MNEMONICS, "a bound for the tests");

static bool zydis_decode(enum decode_mode mode, const uint8_t *bytes, size_t size,
                         struct reference *out)
{
    ZydisMachineMode machine = mode == DECODE_64   ? ZYDIS_MACHINE_MODE_LONG_64
                               : mode == DECODE_32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                                   : ZYDIS_MACHINE_MODE_LEGACY_16;
    ZydisDecoder decoder;

    ZydisStackWidth width = mode == DECODE_64   ? ZYDIS_STACK_WIDTH_64
                            : mode == DECODE_32 ? ZYDIS_STACK_WIDTH_32
                                                : ZYDIS_STACK_WIDTH_16;

    if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, machine, width)))
        abort();
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &out->insn, out->operands));
}

// Zydis's mnemonic for each operation, and what is to be compared beyond the length.
struct known {
    ZydisMnemonic mnemonic;
    enum insn_op op;
    enum { LENGTH, OPERANDS, STRING, RARE } compare;
};

static const struct known known[] = {
    {ZYDIS_MNEMONIC_ADD, INSN_ADD, OPERANDS},
    {ZYDIS_MNEMONIC_OR, INSN_OR, OPERANDS},
    {ZYDIS_MNEMONIC_ADC, INSN_ADC, OPERANDS},
    {ZYDIS_MNEMONIC_SBB, INSN_SBB, OPERANDS},
    {ZYDIS_MNEMONIC_AND, INSN_AND, OPERANDS},
    {ZYDIS_MNEMONIC_SUB, INSN_SUB, OPERANDS},
    {ZYDIS_MNEMONIC_XOR, INSN_XOR, OPERANDS},
    {ZYDIS_MNEMONIC_CMP, INSN_CMP, OPERANDS},
    {ZYDIS_MNEMONIC_TEST, INSN_TEST, OPERANDS},
    {ZYDIS_MNEMONIC_INC, INSN_INC, OPERANDS},
    {ZYDIS_MNEMONIC_DEC, INSN_DEC, OPERANDS},
    {ZYDIS_MNEMONIC_NOT, INSN_NOT, OPERANDS},
    {ZYDIS_MNEMONIC_NEG, INSN_NEG, OPERANDS},
    {ZYDIS_MNEMONIC_MOV, INSN_MOV, OPERANDS},
    {ZYDIS_MNEMONIC_MOVZX, INSN_MOVZX, OPERANDS},
    {ZYDIS_MNEMONIC_MOVSX, INSN_MOVSX, OPERANDS},
    {ZYDIS_MNEMONIC_MOVSXD, INSN_MOVSXD, OPERANDS},
    {ZYDIS_MNEMONIC_MOVBE, INSN_MOVBE, OPERANDS},
    {ZYDIS_MNEMONIC_MOVNTI, INSN_MOVNTI, OPERANDS},
    {ZYDIS_MNEMONIC_XCHG, INSN_XCHG, OPERANDS},
    {ZYDIS_MNEMONIC_XADD, INSN_XADD, OPERANDS},
    {ZYDIS_MNEMONIC_CMPXCHG, INSN_CMPXCHG, OPERANDS},
    {ZYDIS_MNEMONIC_BT, INSN_BT, OPERANDS},
    {ZYDIS_MNEMONIC_BTS, INSN_BTS, OPERANDS},
    {ZYDIS_MNEMONIC_BTR, INSN_BTR, OPERANDS},
    {ZYDIS_MNEMONIC_BTC, INSN_BTC, OPERANDS},
    {ZYDIS_MNEMONIC_PUSH, INSN_PUSH, RARE},
    {ZYDIS_MNEMONIC_POP, INSN_POP, RARE},
    {ZYDIS_MNEMONIC_CMPXCHG8B, INSN_CMPXCHG8B, RARE},
    {ZYDIS_MNEMONIC_CMPXCHG16B, INSN_CMPXCHG8B, RARE},
    {ZYDIS_MNEMONIC_MUL, INSN_MUL, RARE},
    {ZYDIS_MNEMONIC_DIV, INSN_DIV, RARE},
    {ZYDIS_MNEMONIC_IDIV, INSN_IDIV, RARE},
    {ZYDIS_MNEMONIC_ROL, INSN_ROL, RARE},
    {ZYDIS_MNEMONIC_ROR, INSN_ROR, RARE},
    {ZYDIS_MNEMONIC_RCL, INSN_RCL, RARE},
    {ZYDIS_MNEMONIC_RCR, INSN_RCR, RARE},
    {ZYDIS_MNEMONIC_SHL, INSN_SHL, RARE},
    {ZYDIS_MNEMONIC_SHR, INSN_SHR, RARE},
    {ZYDIS_MNEMONIC_SAR, INSN_SAR, RARE},
    {ZYDIS_MNEMONIC_CRC32, INSN_CRC32, RARE},
    {ZYDIS_MNEMONIC_SHLD, INSN_SHLD, RARE},
    {ZYDIS_MNEMONIC_SHRD, INSN_SHRD, RARE},
    {ZYDIS_MNEMONIC_BSF, INSN_BSF, RARE},
    {ZYDIS_MNEMONIC_BSR, INSN_BSR, RARE},
    {ZYDIS_MNEMONIC_POPCNT, INSN_POPCNT, RARE},
    {ZYDIS_MNEMONIC_TZCNT, INSN_TZCNT, RARE},
    {ZYDIS_MNEMONIC_LZCNT, INSN_LZCNT, RARE},
    {ZYDIS_MNEMONIC_ADCX, INSN_ADCX, RARE},
    {ZYDIS_MNEMONIC_ADOX, INSN_ADOX, RARE},
    {ZYDIS_MNEMONIC_ANDN, INSN_ANDN, RARE},
    {ZYDIS_MNEMONIC_BEXTR, INSN_BEXTR, RARE},
    {ZYDIS_MNEMONIC_BLSI, INSN_BLSI, RARE},
    {ZYDIS_MNEMONIC_BLSMSK, INSN_BLSMSK, RARE},
    {ZYDIS_MNEMONIC_BLSR, INSN_BLSR, RARE},
    {ZYDIS_MNEMONIC_BZHI, INSN_BZHI, RARE},
    {ZYDIS_MNEMONIC_MULX, INSN_MULX, RARE},
    {ZYDIS_MNEMONIC_PDEP, INSN_PDEP, RARE},
    {ZYDIS_MNEMONIC_PEXT, INSN_PEXT, RARE},
    {ZYDIS_MNEMONIC_SARX, INSN_SARX, RARE},
    {ZYDIS_MNEMONIC_SHLX, INSN_SHLX, RARE},
    {ZYDIS_MNEMONIC_SHRX, INSN_SHRX, RARE},
    {ZYDIS_MNEMONIC_RORX, INSN_RORX, RARE},
    {ZYDIS_MNEMONIC_IMUL, INSN_IMUL, RARE},
    {ZYDIS_MNEMONIC_MOVDIRI, INSN_MOVNTI, RARE},
    {ZYDIS_MNEMONIC_CMOVB, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETB, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVBE, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETBE, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVL, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETL, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVLE, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETLE, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNB, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNB, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNBE, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNBE, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNL, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNL, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNLE, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNLE, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNO, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNO, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNP, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNP, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNS, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNS, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVNZ, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETNZ, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVO, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETO, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVP, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETP, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVS, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETS, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_CMOVZ, INSN_CMOV, RARE},
    {ZYDIS_MNEMONIC_SETZ, INSN_SET, RARE},
    {ZYDIS_MNEMONIC_MOVUPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVUPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVUPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVUPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVAPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVAPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVAPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVAPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVDQA, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVDQA, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVDQU, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVDQU, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_LDDQU, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VLDDQU, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVNTDQA, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVNTDQA, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVSS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVSS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVQ, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVQ, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVSD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVNTPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVNTPS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVNTPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVNTPD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVNTDQ, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_VMOVNTDQ, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVSLDUP, INSN_VECTOR_EVEN, RARE},
    {ZYDIS_MNEMONIC_VMOVSLDUP, INSN_VECTOR_EVEN, RARE},
    {ZYDIS_MNEMONIC_MOVSHDUP, INSN_VECTOR_ODD, RARE},
    {ZYDIS_MNEMONIC_VMOVSHDUP, INSN_VECTOR_ODD, RARE},
    {ZYDIS_MNEMONIC_MOVDDUP, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VMOVDDUP, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_CVTSI2SS, INSN_VECTOR_TO_SINGLE, RARE},
    {ZYDIS_MNEMONIC_VCVTSI2SS, INSN_VECTOR_TO_SINGLE, RARE},
    {ZYDIS_MNEMONIC_CVTSI2SD, INSN_VECTOR_TO_DOUBLE, RARE},
    {ZYDIS_MNEMONIC_VCVTSI2SD, INSN_VECTOR_TO_DOUBLE, RARE},
    {ZYDIS_MNEMONIC_MOVLPS, INSN_VECTOR_LOW, RARE},
    {ZYDIS_MNEMONIC_VMOVLPS, INSN_VECTOR_LOW, RARE},
    {ZYDIS_MNEMONIC_MOVLPD, INSN_VECTOR_LOW, RARE},
    {ZYDIS_MNEMONIC_VMOVLPD, INSN_VECTOR_LOW, RARE},
    {ZYDIS_MNEMONIC_MOVHPS, INSN_VECTOR_HIGH, RARE},
    {ZYDIS_MNEMONIC_VMOVHPS, INSN_VECTOR_HIGH, RARE},
    {ZYDIS_MNEMONIC_MOVHPD, INSN_VECTOR_HIGH, RARE},
    {ZYDIS_MNEMONIC_VMOVHPD, INSN_VECTOR_HIGH, RARE},
    {ZYDIS_MNEMONIC_PINSRB, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VPINSRB, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_PINSRW, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VPINSRW, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_PINSRD, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VPINSRD, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_PINSRQ, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VPINSRQ, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_INSERTPS, INSN_VECTOR_INSERTPS, RARE},
    {ZYDIS_MNEMONIC_VINSERTPS, INSN_VECTOR_INSERTPS, RARE},
    {ZYDIS_MNEMONIC_PEXTRB, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VPEXTRB, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_PEXTRW, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VPEXTRW, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_PEXTRD, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VPEXTRD, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_PEXTRQ, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VPEXTRQ, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_EXTRACTPS, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VEXTRACTPS, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VBROADCASTSS, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VBROADCASTSD, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VBROADCASTF128, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VBROADCASTI128, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VPBROADCASTB, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VPBROADCASTW, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VPBROADCASTD, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VPBROADCASTQ, INSN_VECTOR_BROADCAST, RARE},
    {ZYDIS_MNEMONIC_VINSERTF128, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VINSERTI128, INSN_VECTOR_INSERT, RARE},
    {ZYDIS_MNEMONIC_VEXTRACTF128, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_VEXTRACTI128, INSN_VECTOR_EXTRACT, RARE},
    {ZYDIS_MNEMONIC_MOVNTSS, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVNTSD, INSN_VECTOR_LOAD, RARE},
    {ZYDIS_MNEMONIC_MOVSB, INSN_MOVS, STRING},
    {ZYDIS_MNEMONIC_MOVSW, INSN_MOVS, STRING},
    {ZYDIS_MNEMONIC_MOVSD, INSN_MOVS, STRING},
    {ZYDIS_MNEMONIC_MOVSQ, INSN_MOVS, STRING},
    {ZYDIS_MNEMONIC_CMPSB, INSN_CMPS, STRING},
    {ZYDIS_MNEMONIC_CMPSW, INSN_CMPS, STRING},
    {ZYDIS_MNEMONIC_CMPSD, INSN_CMPS, STRING},
    {ZYDIS_MNEMONIC_CMPSQ, INSN_CMPS, STRING},
    {ZYDIS_MNEMONIC_STOSB, INSN_STOS, STRING},
    {ZYDIS_MNEMONIC_STOSW, INSN_STOS, STRING},
    {ZYDIS_MNEMONIC_STOSD, INSN_STOS, STRING},
    {ZYDIS_MNEMONIC_STOSQ, INSN_STOS, STRING},
    {ZYDIS_MNEMONIC_LODSB, INSN_LODS, STRING},
    {ZYDIS_MNEMONIC_LODSW, INSN_LODS, STRING},
    {ZYDIS_MNEMONIC_LODSD, INSN_LODS, STRING},
    {ZYDIS_MNEMONIC_LODSQ, INSN_LODS, STRING},
    {ZYDIS_MNEMONIC_SCASB, INSN_SCAS, STRING},
    {ZYDIS_MNEMONIC_SCASW, INSN_SCAS, STRING},
    {ZYDIS_MNEMONIC_SCASD, INSN_SCAS, STRING},
    {ZYDIS_MNEMONIC_SCASQ, INSN_SCAS, STRING},
    {ZYDIS_MNEMONIC_INSB, INSN_INS, STRING},
    {ZYDIS_MNEMONIC_INSW, INSN_INS, STRING},
    {ZYDIS_MNEMONIC_INSD, INSN_INS, STRING},
    {ZYDIS_MNEMONIC_OUTSB, INSN_OUTS, STRING},
    {ZYDIS_MNEMONIC_OUTSW, INSN_OUTS, STRING},
    {ZYDIS_MNEMONIC_OUTSD, INSN_OUTS, STRING},
    {ZYDIS_MNEMONIC_IN, INSN_IN, LENGTH},
    {ZYDIS_MNEMONIC_OUT, INSN_OUT, LENGTH},
    {ZYDIS_MNEMONIC_CPUID, INSN_CPUID, LENGTH},
    {ZYDIS_MNEMONIC_RDMSR, INSN_RDMSR, LENGTH},
    {ZYDIS_MNEMONIC_WRMSR, INSN_WRMSR, LENGTH},
    {ZYDIS_MNEMONIC_RDPMC, INSN_RDPMC, LENGTH},
    {ZYDIS_MNEMONIC_RDTSC, INSN_RDTSC, LENGTH},
    {ZYDIS_MNEMONIC_RDTSCP, INSN_RDTSCP, LENGTH},
    {ZYDIS_MNEMONIC_RDPRU, INSN_RDPRU, LENGTH},
    {ZYDIS_MNEMONIC_HLT, INSN_HLT, LENGTH},
    {ZYDIS_MNEMONIC_PAUSE, INSN_PAUSE, LENGTH},
    {ZYDIS_MNEMONIC_MONITOR, INSN_MONITOR, LENGTH},
    {ZYDIS_MNEMONIC_MONITORX, INSN_MONITORX, LENGTH},
    {ZYDIS_MNEMONIC_MWAIT, INSN_MWAIT, LENGTH},
    {ZYDIS_MNEMONIC_MWAITX, INSN_MWAITX, LENGTH},
    {ZYDIS_MNEMONIC_XSETBV, INSN_XSETBV, LENGTH},
    {ZYDIS_MNEMONIC_INVD, INSN_INVD, LENGTH},
    {ZYDIS_MNEMONIC_WBINVD, INSN_WBINVD, LENGTH},
    {ZYDIS_MNEMONIC_INVLPG, INSN_INVLPG, LENGTH},
    {ZYDIS_MNEMONIC_INVLPGA, INSN_INVLPGA, LENGTH},
    {ZYDIS_MNEMONIC_INVPCID, INSN_INVPCID, LENGTH},
    {ZYDIS_MNEMONIC_CLTS, INSN_CLTS, LENGTH},
    {ZYDIS_MNEMONIC_LMSW, INSN_LMSW, LENGTH},
    {ZYDIS_MNEMONIC_SMSW, INSN_SMSW, LENGTH},
    {ZYDIS_MNEMONIC_LGDT, INSN_LGDT, LENGTH},
    {ZYDIS_MNEMONIC_LIDT, INSN_LIDT, LENGTH},
    {ZYDIS_MNEMONIC_SGDT, INSN_SGDT, LENGTH},
    {ZYDIS_MNEMONIC_SIDT, INSN_SIDT, LENGTH},
    {ZYDIS_MNEMONIC_LLDT, INSN_LLDT, LENGTH},
    {ZYDIS_MNEMONIC_SLDT, INSN_SLDT, LENGTH},
    {ZYDIS_MNEMONIC_LTR, INSN_LTR, LENGTH},
    {ZYDIS_MNEMONIC_STR, INSN_STR, LENGTH},
    {ZYDIS_MNEMONIC_IRET, INSN_IRET, LENGTH},
    {ZYDIS_MNEMONIC_IRETD, INSN_IRET, LENGTH},
    {ZYDIS_MNEMONIC_IRETQ, INSN_IRET, LENGTH},
    {ZYDIS_MNEMONIC_RSM, INSN_RSM, LENGTH},
    {ZYDIS_MNEMONIC_VMCALL, INSN_VMCALL, LENGTH},
    {ZYDIS_MNEMONIC_VMMCALL, INSN_VMMCALL, LENGTH},
    {ZYDIS_MNEMONIC_VMRUN, INSN_VMRUN, LENGTH},
    {ZYDIS_MNEMONIC_VMLOAD, INSN_VMLOAD, LENGTH},
    {ZYDIS_MNEMONIC_VMSAVE, INSN_VMSAVE, LENGTH},
    {ZYDIS_MNEMONIC_STGI, INSN_STGI, LENGTH},
    {ZYDIS_MNEMONIC_CLGI, INSN_CLGI, LENGTH},
    {ZYDIS_MNEMONIC_SKINIT, INSN_SKINIT, LENGTH},
};

static const struct known *by_mnemonic(ZydisMnemonic mnemonic)
{
    static const struct known *index[ZYDIS_MNEMONIC_MAX_VALUE + 1];

    if (index[known[0].mnemonic] == NULL) {
        for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
            index[known[i].mnemonic] = &known[i];
    }
    return index[mnemonic];
}

static ZydisRegister general_register(unsigned number, unsigned size, bool high)
{
    static const ZydisRegisterClass classes[9] = {
        [2] = ZYDIS_REGCLASS_GPR16, [4] = ZYDIS_REGCLASS_GPR32, [8] = ZYDIS_REGCLASS_GPR64};

    if (size != 1)
        return ZydisRegisterEncode(classes[size], (ZyanU8)number);
    if (high)
        return (ZydisRegister)(ZYDIS_REGISTER_AH + (int)number);
    if (number < 4)
        return (ZydisRegister)(ZYDIS_REGISTER_AL + (int)number);
    return (ZydisRegister)(ZYDIS_REGISTER_SPL + (int)number - 4);
}

// What the emulators do to the one operand in memory that `mine` describes.
static unsigned direction(const struct insn *mine)
{
    switch (mine->op) {
    case INSN_CMP:
    case INSN_TEST:
    case INSN_BT:
    case INSN_CMPS:
    case INSN_SCAS:
    case INSN_LODS:
    case INSN_MOVS: // its source: the one whose segment is reported
    case INSN_OUTS:
        return ZYDIS_OPERAND_ACTION_READ;
    case INSN_PUSH:
    case INSN_MUL:
    case INSN_IMUL_RAX:
    case INSN_DIV:
    case INSN_IDIV:
    case INSN_BLSI:
    case INSN_BLSMSK:
    case INSN_BLSR:
        return ZYDIS_OPERAND_ACTION_READ;
    case INSN_STOS:
    case INSN_INS:
    case INSN_POP:
    case INSN_SET:
    case INSN_VECTOR_STORE:
    case INSN_VECTOR_STORE_HIGH:
    case INSN_VECTOR_EXTRACT:
        return ZYDIS_OPERAND_ACTION_WRITE;
    case INSN_MOV:
    case INSN_MOVBE:
    case INSN_MOVNTI:
        if (mine->form != FORM_REG_RM)
            return ZYDIS_OPERAND_ACTION_WRITE;
        break;
    default:
        if (mine->form != FORM_REG_RM)
            return ZYDIS_OPERAND_ACTION_READWRITE;
    }
    return ZYDIS_OPERAND_ACTION_READ;
}

static bool same_direction(const struct insn *mine, const ZydisDecodedOperand *theirs)
{
    unsigned action = direction(mine);
    bool reads = theirs->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
    bool writes = theirs->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

    return reads == !!(action & ZYDIS_OPERAND_ACTION_READ) &&
           writes == !!(action & ZYDIS_OPERAND_ACTION_WRITE);
}

static const char *compare_memory(const struct insn *mine, const ZydisDecodedOperand *theirs,
                                  bool string)
{
    if (theirs->size != 8u * mine->mem_size)
        return "memory size";
    if (!same_direction(mine, theirs))
        return "direction";
    if (ZydisRegisterGetId(theirs->mem.segment) != mine->segment)
        return "segment";
    if (string)
        return NULL;
    if (mine->rip_relative) {
        if (theirs->mem.base != (mine->address_size == 8 ? ZYDIS_REGISTER_RIP : ZYDIS_REGISTER_EIP))
            return "not relative to RIP";
    } else if (mine->base == INSN_NO_REG && theirs->mem.base == ZYDIS_REGISTER_R13D) {
        // Zydis 4.0 forgets, with 32-bit addresses only, that REX.B does not bring a base back
        // where ModRM and SIB say that there is none.
        return string || mine->address_size != 4 ? "base" : NULL;
    } else if (theirs->mem.base !=
               (mine->base == INSN_NO_REG
                    ? ZYDIS_REGISTER_NONE
                    : general_register(mine->base, mine->address_size, false))) {
        return "base";
    }
    if (theirs->mem.index != (mine->index == INSN_NO_REG
                                  ? ZYDIS_REGISTER_NONE
                                  : general_register(mine->index, mine->address_size, false)))
        return "index";
    if (mine->index != INSN_NO_REG && theirs->mem.scale != 1 << mine->scale &&
        !(theirs->mem.scale == 0 && mine->scale == 0))
        return "scale";
    // A displacement counts up to the address size.
    if (((uint64_t)theirs->mem.disp.value ^ (uint64_t)mine->disp) & size_mask(mine->address_size))
        return "displacement";
    return NULL;
}

// The explicit operands, in the order in which the form has them.
static const char *compare_operands(const struct insn *mine, const struct reference *r)
{
    unsigned position = 0;

    for (unsigned i = 0; i < r->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &r->operands[i];
        bool reg_here = (mine->form == FORM_RM_REG && position == 1) ||
                        (mine->form == FORM_REG_RM && position == 0);
        const char *what = NULL;

        if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            continue;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            if (!mine->mem || reg_here)
                return "memory where we see a register";
            what = compare_memory(mine, o, false);
        } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && reg_here) {
            if (o->reg.value != general_register(mine->reg, mine->operand_size, mine->reg_high))
                return "register operand";
        } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            if (mine->mem)
                return "a register where we see memory";
            if (o->reg.value != general_register(mine->rm, mine->mem_size, mine->rm_high))
                return "r/m register";
        } else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            if (mine->form != FORM_RM_IMM || position != 1)
                return "an immediate where we see none";
            if ((o->imm.value.u ^ (uint64_t)mine->imm) &
                size_mask(mine->op >= INSN_BT && mine->op <= INSN_BTC ? 1 : mine->operand_size))
                return "immediate";
        }
        if (what)
            return what;
        position++;
    }
    return position == (mine->form == FORM_RM ? 1 : 2) ? NULL : "number of operands";
}

static bool same_register(const struct insn *mine, unsigned number, ZydisRegister theirs)
{
    switch (ZydisRegisterGetClass(theirs)) {
    case ZYDIS_REGCLASS_XMM:
        return mine->op >= INSN_VECTOR_LOAD && mine->vector <= 16 &&
               ZydisRegisterGetId(theirs) == (int)number;
    case ZYDIS_REGCLASS_YMM:
        return mine->op >= INSN_VECTOR_LOAD && mine->vector == 32 &&
               ZydisRegisterGetId(theirs) == (int)number;
    default:
        return mine->op < INSN_VECTOR_LOAD &&
               theirs == general_register(number, mine->operand_size, false);
    }
}

// The visible operands, by where Zydis found them in the encoding.
static const char *compare_rare(const struct insn *mine, const struct reference *r)
{
    for (unsigned i = 0; i < r->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &r->operands[i];
        const char *what = NULL;

        if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            continue;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY)
            what = mine->mem ? compare_memory(mine, o, false) : "memory where we see a register";
        else if (o->encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG)
            what = same_register(mine, mine->reg, o->reg.value) ? NULL : "register operand";
        else if (o->encoding == ZYDIS_OPERAND_ENCODING_NDSNDD)
            what = same_register(mine, mine->source2, o->reg.value) ? NULL : "second source";
        else if (o->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
            what = mine->mem ? "a register where we see memory" : NULL;
        else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            what = (o->imm.value.u ^ (uint64_t)mine->imm) & (o->size > 8 ? 0xffff : 0xff)
                       ? "immediate"
                       : NULL;
        else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_CL)
            what = mine->form == FORM_RM || mine->count_in_cl ? NULL : "by CL";
        else
            what = "an operand that we don't know";
        if (what)
            return what;
    }
    return NULL;
}

// Of the memory operands of a string instruction, the one whose segment we report.
static const char *compare_string(const struct insn *mine, const struct reference *r)
{
    unsigned wanted =
        mine->op == INSN_STOS || mine->op == INSN_SCAS || mine->op == INSN_INS ? GPR_RDI : GPR_RSI;

    if (mine->rep != REP_NONE && mine->op == INSN_MOVS &&
        !(r->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                                ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_REPNZ)) &&
        mine->rep == REP_F3)
        return "REP";
    for (unsigned i = 0; i < r->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &r->operands[i];

        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            o->mem.base == general_register(wanted, mine->address_size, false))
            return compare_memory(mine, o, true);
    }
    return "no such memory operand";
}

static const struct known *find_known(const struct reference *r)
{
    static const struct known movsd = {ZYDIS_MNEMONIC_MOVSD, INSN_VECTOR_LOAD, RARE};
    const struct known *k = by_mnemonic(r->insn.mnemonic);

    if (k == NULL || (r->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
                      r->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_VEX))
        return NULL;
    // MOVSD and CMPSD are SSE instructions too.
    if (k->compare == STRING && r->insn.meta.category != ZYDIS_CATEGORY_STRINGOP &&
        r->insn.meta.category != ZYDIS_CATEGORY_IOSTRINGOP)
        return k->mnemonic == ZYDIS_MNEMONIC_MOVSD ? &movsd : NULL;
    return k;
}

// Must we know it: a memory form of an instruction with operands, or any form of the others?
static bool needed(const struct known *k, const struct reference *r)
{
    bool memory = k->compare != OPERANDS && k->compare != RARE;

    for (unsigned i = 0; i < r->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &r->operands[i];

        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            o->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            memory = true;
        // MOV from and to segment registers shares the mnemonic, and is not asked for.
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && k->op == INSN_MOV &&
            ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_SEGMENT)
            return false;
        // As little the MMX forms of MOVD and MOVQ.
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_MMX)
            return false;
    }
    return memory;
}

static bool is_control_move(const struct insn *mine)
{
    return mine->op >= INSN_MOV_FROM_CR && mine->op <= INSN_MOV_TO_DR;
}

static const char *compare_control_move(const struct insn *mine, const struct reference *r)
{
    bool to = mine->op == INSN_MOV_TO_CR || mine->op == INSN_MOV_TO_DR;
    bool debug = mine->op == INSN_MOV_FROM_DR || mine->op == INSN_MOV_TO_DR;
    const ZydisDecodedOperand *special = &r->operands[to ? 0 : 1];
    const ZydisDecodedOperand *general = &r->operands[to ? 1 : 0];

    if (r->insn.mnemonic != ZYDIS_MNEMONIC_MOV)
        return "another operation";
    if (special->reg.value !=
        (ZydisRegister)((debug ? ZYDIS_REGISTER_DR0 : ZYDIS_REGISTER_CR0) + mine->reg))
        return "control register";
    if (general->reg.value != general_register(mine->rm, mine->operand_size, false))
        return "general register";
    return NULL;
}

// What has one mnemonic for several operations of ours.
static enum insn_op same_operation(const struct known *k, const struct insn *mine)
{
    switch (mine->op) {
    case INSN_IMUL_RAX:
    case INSN_IMUL_IMM:
        return INSN_IMUL;
    case INSN_VECTOR_STORE:
        return k->op == INSN_VECTOR_LOW ? INSN_VECTOR_LOW : INSN_VECTOR_LOAD;
    case INSN_VECTOR_EVEN:
        return mine->operand_size == 8 ? INSN_VECTOR_BROADCAST : INSN_VECTOR_EVEN;
    case INSN_VECTOR_STORE_HIGH:
        return INSN_VECTOR_HIGH;
    default:
        return (enum insn_op)mine->op;
    }
}

static const char *compare_decoded(const struct insn *mine, const struct reference *r)
{
    const struct known *k = find_known(r);

    if (mine->length != r->insn.length)
        return "length";
    if (is_control_move(mine))
        return compare_control_move(mine, r);
    if (mine->op == INSN_WBNOINVD && k != NULL && mine->rep == REP_F3 && k->op == INSN_WBINVD)
        return NULL; // Zydis 4.0 does not know its F3 form
    if (k == NULL || k->op != same_operation(k, mine))
        return "another operation";
    if (mine->address_size * 8 != r->insn.address_width)
        return "address size";
    if (k->compare == OPERANDS)
        return compare_operands(mine, r);
    if (k->compare == STRING)
        return compare_string(mine, r);
    if (k->compare == RARE)
        return compare_rare(mine, r);
    return NULL;
}

// We have not decoded it. `theirs`: Zydis has.
static const char *compare_refused(enum status status, size_t size, bool theirs,
                                   const struct reference *r)
{
    const struct known *k = theirs ? find_known(r) : NULL;

    if (status == ERR_TRUNCATED && size >= INSN_MAX_LENGTH)
        return "15 bytes are never too few";
    if (status == ERR_TRUNCATED && theirs)
        return "it is not truncated";
    return k != NULL && needed(k, r) ? "we refuse it" : NULL;
}

void zydis_compare(enum decode_mode mode, const uint8_t *bytes, size_t size,
                   struct zydis_comparison *out)
{
    struct reference r;
    struct insn mine;
    enum status status = decode(bytes, size, mode, &mine);
    bool theirs = zydis_decode(mode, bytes, size, &r);

    *out = (struct zydis_comparison){.name = "(refuses)"};
    if (theirs) {
        out->mnemonic = r.insn.mnemonic;
        out->name = ZydisMnemonicGetString(r.insn.mnemonic);
        out->length = r.insn.length;
    }
    if (status != STATUS_OK) {
        out->difference = compare_refused(status, size, theirs, &r);
    } else if (theirs) {
        out->difference = compare_decoded(&mine, &r);
        out->compared = (enum insn_op)mine.op;
    } else if (!(is_control_move(&mine) && mine.lock && mine.reg == 8)) {
        // LOCK MOV CR0 is CR8 on AMD. Zydis follows Intel, where it is #UD.
        out->difference = insn_name((enum insn_op)mine.op);
    }
}
