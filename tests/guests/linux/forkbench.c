// SPDX-License-Identifier: Apache-2.0
// Counts TSC ticks of N times fork, exec of `busybox true` and wait. Under -icount a tick is an
// instruction. Some rounds first fill the caches of the kernel, so that bare and partition compare.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

static void run(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        if (child < 0) {
            perror("forkbench: fork");
            exit(1);
        }
        if (child == 0) {
            execl("/bin/busybox", "busybox", "true", (char *)NULL);
            _exit(1);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) {
            fprintf(stderr, "forkbench: child failed with status 0x%x\n", status);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    run(20);
    uint64_t start = rdtsc();
    run(rounds);
    uint64_t end = rdtsc();
    printf("forkbench %d: %llu ticks\n", rounds, (unsigned long long)(end - start));
    return 0;
}
