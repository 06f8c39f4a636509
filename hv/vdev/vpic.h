// SPDX-License-Identifier: Apache-2.0
// The PC's pair of 8259A interrupt controllers (Intel 8259A data sheet) at ports 0x20, 0x21, 0xa0,
// 0xa1, the second on input 2 of the first, and their edge/level registers at 0x4d0 and 0x4d1
// (Intel 82371, ELCR). The caller brings the first chip's output to a processor.
#ifndef HV_VDEV_VPIC_H
#define HV_VDEV_VPIC_H

#include <stdbool.h>
#include <stdint.h>

#define VPIC_INPUTS  16
#define VPIC_CASCADE 2 // the first chip's input that the second chip is wired to

enum vpic_expects { VPIC_READY, VPIC_ICW2, VPIC_ICW3, VPIC_ICW4 };

struct vpic_chip {
    uint8_t requests; // IRR
    uint8_t service;  // ISR
    uint8_t mask;     // IMR
    uint8_t lines;    // levels of its inputs
    uint8_t level;    // inputs that are level-triggered
    uint8_t base;     // vector of input 0
    uint8_t lowest;   // the input with the lowest priority; usually 7
    uint8_t expects;  // enum vpic_expects: meaning of the next byte at the odd port
    bool single;      // ICW1: no cascade, and therefore no ICW3
    bool wants_icw4;
    bool auto_eoi;
    bool rotates;      // rotates priorities at each automatic EOI
    bool special_nest; // special fully nested mode
    bool special_mask;
    bool shows_service; // a read of the even port shows ISR, not IRR
    bool polled;        // the next read of either port is a poll
};

struct vpic {
    struct vpic_chip chip[2];
    uint32_t programmed; // bit n: chip n was initialised by the guest
};

// The state in which a PC's firmware hands over: vectors 8 and 0x70, edges, all masked.
void vpic_reset(struct vpic *p);

// `port` is one of those above. Bytes of a wider access at other ports read as ones.
uint32_t vpic_read(struct vpic *p, uint16_t port, unsigned size);
void vpic_write(struct vpic *p, uint16_t port, unsigned size, uint32_t value);

// A device drives its line, 0 to 15 except VPIC_CASCADE.
void vpic_set_line(struct vpic *p, unsigned input, bool high);

// Whether an input can reach a processor, whatever is in service.
bool vpic_listens(const struct vpic *p, unsigned input);

// Whether an edge at this input is waiting already: another one would be lost.
bool vpic_waits(const struct vpic *p, unsigned input);

// The output: an interrupt waits for its acknowledgement.
bool vpic_pending(const struct vpic *p);

// The processor's acknowledgement; returns the vector. If nothing is pending it returns the vector
// of input 7, which is then not in service (data sheet, "Interrupt sequence").
uint8_t vpic_acknowledge(struct vpic *p);

#endif
