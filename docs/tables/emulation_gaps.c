// SPDX-License-Identifier: Apache-2.0
#include "docs/tables/emulation_gaps.h"

#include "arch/lib/types.h"

static const struct emulation_gap gaps[] = {
    {"the stack in a device page", GAP_INSTRUCTION,
     "push pop call ret enter leave pusha pushad popa popad pushf pushfd pushfq popf popfd popfq "
     "iret "
     "iretd iretq",
     "a stack is RAM: what is pushed to a device's registers is not there to be popped"},
    {"CALL and JMP through a device page", GAP_INSTRUCTION, "call jmp",
     "the address of code is no device's register"},
    {"far pointers", GAP_INSTRUCTION, "les lds lss lfs lgs",
     "loads a segment with the checks of all of its descriptor; compilers make no far pointers"},
    {"segment registers", GAP_INSTRUCTION, "mov",
     "MOV from and to a segment register: the same checks, and a selector is no device's register"},
    {"descriptor tables, the task register and rights", GAP_INSTRUCTION,
     "sgdt sidt lgdt lidt sldt lldt str ltr verr verw lar lsl arpl smsw lmsw",
     "operands of the operating system's own structures, written by hand as assembly"},
    {"TLB", GAP_INSTRUCTION, "invlpg invpcid", "INVLPG accesses nothing; a descriptor is RAM"},
    {"BOUND, XLAT, UD0, UD1", GAP_INSTRUCTION, "bound xlat ud0 ud1",
     "a table in RAM, or the operand of an instruction that is not defined"},
    {"string I/O with a device page, by a port without exits", GAP_CATEGORY, "IOSTRINGOP",
     "a port that the partition owns, copied into a device's registers; with other ports it is "
     "executed"},
    {"cache control", GAP_INSTRUCTION, "clflush clflushopt clwb cldemote prefetchwt1",
     "a device page is not cached, and none of these is an access that a program asks for in C"},
    {"64 bytes at once", GAP_INSTRUCTION, "movdir64b enqcmd enqcmds",
     "commands to devices that take them whole; in parts they would be other commands"},
    {"control-flow enforcement, bounds, trace", GAP_EXTENSION, "CET MPX PT",
     "shadow stacks and bounds tables are RAM; CPUID shows no guest these features"},
    {"virtualization", GAP_EXTENSION, "VTX", "CPUID shows no guest virtualization"},
    {"state of the processor", GAP_EXTENSION, "XSAVE XSAVEC XSAVEOPT XSAVES",
     "an area of at least 512 bytes, which is RAM"},
    {"the same, older", GAP_INSTRUCTION,
     "fxsave fxsave64 fxrstor fxrstor64 ldmxcsr stmxcsr vldmxcsr vstmxcsr",
     "the same; MXCSR is saved to RAM"},
    {"x87", GAP_EXTENSION, "X87",
     "floating-point numbers: an integer is copied to the stack before the x87 loads it"},
    {"x87 of SSE3", GAP_INSTRUCTION, "fisttp", "the same"},
    {"MMX", GAP_EXTENSION, "MMX", "compilers use MMX only where a program names it"},
    {"MMX registers in SSE", GAP_INSTRUCTION,
     "paddq psubq pmuludq pshufb psignb pmaddubsw pabsb phaddw phaddd phaddsw phsubw phsubd "
     "phsubsw "
     "psignw psignd pmulhrsw pabsw pabsd palignr cvtpi2ps cvtpi2pd",
     "the same, and arithmetic as below"},
    {"vector arithmetic", GAP_CATEGORY, "SSE LOGICAL_FP AVX AVX2 STTNI",
     "floating-point numbers and vectors of 16 bytes: a volatile access to an integer is never "
     "compiled "
     "to one of these, but to a load and then arithmetic on registers"},
    {"vector logic", GAP_INSTRUCTION, "pand pandn por pxor ptest vpand vpandn vpor vpxor vptest",
     "the same"},
    {"conversions", GAP_CATEGORY, "CONVERT",
     "from floating-point numbers and vectors, as above; those from integers are executed"},
    {"fused multiplication, half precision, dot products, AMD's", GAP_EXTENSION,
     "FMA FMA4 F16C XOP AVX_VNNI AVX_VNNI_INT8 AVX_VNNI_INT16 AVX_IFMA AVX_NE_CONVERT",
     "vector arithmetic as above"},
    {"atomic additions and logic without a result", GAP_EXTENSION, "RAO_INT",
     "the processor refuses memory that is not write-back, and a device's registers never are"},
    {"cryptography", GAP_EXTENSION,
     "AES AVXAES VAES PCLMULQDQ VPCLMULQDQ SHA SM3 SM4 GFNI KEYLOCKER KEYLOCKER_WIDE",
     "vector arithmetic as above; compilers make none of these from C"},
    {"gathers", GAP_EXTENSION, "AVX2GATHER",
     "several addresses in one instruction, of which each may be a device's or RAM"},
    {"3DNow! and XOP", GAP_ENCODING, "3DNOW XOP",
     "extensions that only past processors have: compilers use them only where a program names "
     "them"},
    {"AVX-512", GAP_ENCODING, "EVEX",
     "needed for vector registers 16 to 31, masks and 64 bytes; of integers in memory a compiler "
     "makes "
     "EVEX only when it converts unsigned ones, and is told to use AVX-512"},
    {"masks of AVX-512", GAP_EXTENSION, "AVX512VEX", "the same"},
    {"tiles", GAP_EXTENSION, "AMX_TILE", "a kilobyte at several addresses, which is RAM"},
};

static const struct emulation_executed executed[] = {
    {"moves, exchanges and the stack",
     "cmovb cmovbe cmovl cmovle cmovnb cmovnbe cmovnl cmovnle cmovno cmovnp cmovns cmovnz "
     "cmovo cmovp cmovs cmovz cmpxchg cmpxchg16b cmpxchg8b mov movbe movdiri movnti movsx "
     "movsxd movzx pop push setb setbe setl setle setnb setnbe setnl setnle setno setnp setns "
     "setnz seto setp sets setz xadd xchg"},
    {"arithmetic and logic",
     "adc adcx add adox and andn cmp crc32 dec div idiv imul inc mul mulx neg not or sbb sub "
     "test xor"},
    {"shifts, rotates and bits",
     "bextr blsi blsmsk blsr bsf bsr bt btc btr bts bzhi lzcnt pdep pext popcnt rcl rcr rol "
     "ror rorx sar sarx shl shld shlx shr shrd shrx tzcnt"},
    {"strings, either operand in the page",
     "cmpsb cmpsd cmpsq cmpsw lodsb lodsd lodsq lodsw movsb movsd movsq movsw scasb scasd "
     "scasq scasw stosb stosd stosq stosw"},
    {"moves into and out of vector registers (SSE)",
     "cvtsi2sd cvtsi2ss extractps insertps lddqu movapd movaps movd movddup movdqa movdqu "
     "movhpd movhps movlpd movlps movntdq movntdqa movntpd movntps movntsd movntss movq "
     "movshdup movsldup movss movupd movups pextrb pextrd pextrq pextrw pinsrb pinsrd pinsrq "
     "pinsrw"},
    {"moves into and out of vector registers (AVX)",
     "vbroadcastf128 vbroadcasti128 vbroadcastsd vbroadcastss vcvtsi2sd vcvtsi2ss vextractf128 "
     "vextracti128 vextractps vinsertf128 vinserti128 vinsertps vlddqu vmovapd vmovaps vmovd "
     "vmovddup vmovdqa vmovdqu vmovhpd vmovhps vmovlpd vmovlps vmovntdq vmovntdqa vmovntpd "
     "vmovntps vmovq vmovsd vmovshdup vmovsldup vmovss vmovupd vmovups vpbroadcastb "
     "vpbroadcastd vpbroadcastq vpbroadcastw vpextrb vpextrd vpextrq vpextrw vpinsrb vpinsrd "
     "vpinsrq vpinsrw"},
};

const struct emulation_gap *emulation_gaps(unsigned *count)
{
    *count = ARRAY_SIZE(gaps);
    return gaps;
}

const struct emulation_executed *emulation_executed(unsigned *count)
{
    *count = ARRAY_SIZE(executed);
    return executed;
}
