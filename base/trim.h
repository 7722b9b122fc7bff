/*
 * Memory that was freed goes back to the system, also after a flood.
 *
 * The allocator gives back only what lies at the end of its heaps. What thousands of connections
 * or slow readers needed for a while lies between what is still used, and would stay with the
 * process for ever. Every TRIM_EVERY_MS the loop looks at the process's private memory; when that
 * has grown by TRIM_GROWN_BYTES since the least that was seen, and does not grow any more, a pool
 * thread gives free pages back (malloc_trim), and a line in the log says how much that was. The
 * heap that is gone through is locked meanwhile: some milliseconds, for who allocates in it.
 */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define TRIM_EVERY_MS    10000
#define TRIM_GROWN_BYTES ((size_t)32 << 20)

struct trim {
    struct env *env;
    struct env_timer timer;
    struct env_work work;
    size_t least_bytes; /* since it was last given back */
    size_t last_bytes;  /* at the last look */
    size_t before_bytes;
    size_t after_bytes;
    uint64_t took_ns;
};

/* The process's memory without what it shares with files; 0: it cannot be known. Any thread. */
size_t trim_private_bytes(void);

/* From now on, for as long as the process lives. t lives as long. The loop's thread, or before it
 * runs. */
void trim_start(struct trim *t, struct env *env, struct env_loop *loop);
/* One look, as the timer has it: the loop's thread. true: memory is being given back. */
bool trim_look(struct trim *t);

#endif
