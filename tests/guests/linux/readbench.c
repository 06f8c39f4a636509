// SPDX-License-Identifier: Apache-2.0
// Reads N MiB of a disk past the page cache and counts TSC ticks: the first 64 MiB, again and again
// if N is more. Under -icount a tick is an instruction, but a CPU that waits for the disk skips to
// the next timer: so besides all of it the least of 1 MiB is told, in which nothing was waited for.
// A read before warms up the kernel, so that bare and partition compare.

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

static uint64_t read_chunk(int disk, char *buffer, int chunk)
{
    uint64_t start = rdtsc();
    if (pread(disk, buffer, CHUNK, (off_t)(chunk % AT_LEAST) * CHUNK) != CHUNK) {
        perror("readbench: read");
        exit(1);
    }
    return rdtsc() - start;
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
    read_chunk(disk, buffer, 0);
    uint64_t all = 0, least = UINT64_MAX;
    for (int i = 0; i < chunks; i++) {
        uint64_t ticks = read_chunk(disk, buffer, i);
        all += ticks;
        least = ticks < least ? ticks : least;
    }
    printf("readbench %d MiB: %llu ticks, the least of 1 MiB %llu ticks\n", chunks,
           (unsigned long long)all, (unsigned long long)least);
    return 0;
}
