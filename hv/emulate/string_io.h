// SPDX-License-Identifier: Apache-2.0
// INS and OUTS in full: REP, direction, segment override, address size, buffers that cross pages,
// page faults in the middle. Relies on hv/emulate/emulate.h for the state and on the guest
// page-table walk for the buffer. The port is reached by functions of the vCPU's side (struct
// emulate_host).
#ifndef HV_EMULATE_STRING_IO_H
#define HV_EMULATE_STRING_IO_H

#include "hv/emulate/emulate.h"

// Executes INS or OUTS. The processor has already checked that the guest may use the port (IOPL,
// TSS bitmap). A long REP is done in portions, so that interrupts are taken in between: STATUS_OK
// with rip unmoved while count is left.
//   ERR_FAULT        c->exception is to be injected. The registers are those after the last
//                    complete iteration, rip is unmoved, and the port was not accessed for the
//                    iteration that faults
//   ERR_RANGE        the buffer is not in RAM; registers as for ERR_FAULT
//   ERR_UNSUPPORTED  insn is neither INS nor OUTS
enum status string_io(struct emulate_context *c, const struct insn *insn);

#endif
