// SPDX-License-Identifier: Apache-2.0
// A lock for CPUs of one partition, or for CPUs at boot. The NMI handler never takes it.
#ifndef ARCH_LIB_SPINLOCK_H
#define ARCH_LIB_SPINLOCK_H

#include <stdint.h>

// 0: free. The CPU that takes or releases the lock writes it, with acquire or release ordering.
struct spinlock {
    uint32_t held;
};

static inline void spin_lock(struct spinlock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0) {
            __builtin_ia32_pause();
        }
    }
}

static inline void spin_unlock(struct spinlock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
