// SPDX-License-Identifier: Apache-2.0
// Reads N MiB of a disk past the page cache and counts TSC ticks: the first 64 MiB, again and again
// if N is more. Under -icount a tick is an instruction or, while the CPU halts, a nanosecond: so
// the time that it was idle is told too. A read before warms up the kernel, so that bare and
// partition compare.

#define _GNU_SOURCE // O_DIRECT
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK    (1 << 20)
#define AT_LEAST 64 // chunks that the disk has

static uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

// Nanoseconds that all CPUs have been idle, waiting for a disk or not.
static uint64_t idle(void)
{
    char line[200];
    uint64_t sum = 0;
    FILE *list = fopen("/proc/timer_list", "r");
    while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
        unsigned long long ns;
        if (sscanf(line, " .idle_sleeptime : %llu", &ns) == 1 ||
            sscanf(line, " .iowait_sleeptime: %llu", &ns) == 1) {
            sum += ns;
        }
    }
    if (list != NULL) {
        fclose(list);
    }
    return sum;
}

static void read_disk(int disk, char *buffer, int chunks)
{
    for (int i = 0; i < chunks; i++) {
        if (pread(disk, buffer, CHUNK, (off_t)(i % AT_LEAST) * CHUNK) != CHUNK) {
            perror("readbench: read");
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: readbench DISK MIB\n");
        return 2;
    }
    int chunks = atoi(argv[2]);
    int disk = open(argv[1], O_RDONLY | O_DIRECT);
    char *buffer = aligned_alloc(4096, CHUNK);
    if (disk < 0 || buffer == NULL) {
        perror("readbench");
        return 1;
    }
    read_disk(disk, buffer, 1);
    uint64_t idle_before = idle();
    uint64_t start = rdtsc();
    read_disk(disk, buffer, chunks);
    uint64_t end = rdtsc();
    printf("readbench %d MiB: %llu ticks, %llu ns idle\n", chunks,
           (unsigned long long)(end - start), (unsigned long long)(idle() - idle_before));
    return 0;
}
