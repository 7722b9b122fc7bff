/* What a process used, from /proc: CPU time by thread, and memory as design.md counts it. */
#ifndef TESTS_BENCH_PROC_H
#define TESTS_BENCH_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROC_NAMES_MAX 64

/* By thread name; "api-0" and "api-1" are both "api". */
struct proc_cpu {
    struct {
        char name[24];
        uint64_t ns;
    } rows[PROC_NAMES_MAX];
    size_t count;
    uint64_t total_ns;
};

/* Adds the threads of each process of "PID,PID,..." ("self": this one). */
void proc_cpu_add(struct proc_cpu *c, const char *pids);
/* Prints " cpu_us=N cpu_NAME_us=N ..." of the difference, per operation; names below 1 % are left
 * out. */
void proc_cpu_print(const struct proc_cpu *before, const struct proc_cpu *after, double operations);

struct proc_memory {
    uint64_t pss_kib; /* without the map */
    uint64_t map_kib; /* resident part of the mapped database: LMDB's or bolt's file */
};

/* Of all processes of the list. */
struct proc_memory proc_memory_of(const char *pids);
/* Memory of the list's processes that is of no file: cheap enough to be asked for all the time. */
uint64_t proc_anonymous_kib(const char *pids);
/* Bytes this process has given to write calls, of files and sockets. (What the kernel calls
 * write_bytes counts whole large folios, several times what is written.) */
uint64_t proc_written_bytes(void);
/* Bytes that the files under a folder take on the disk. */
uint64_t proc_folder_bytes(const char *folder);

#endif
