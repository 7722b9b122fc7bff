/*
 * What a controller was shown under a name, and since when it has been the same: for deciders that
 * ask how long nothing has changed. The time is the process's own, which nobody sets; a time that
 * somebody else wrote down says nothing about it. A memory ends with its runtime, so whoever leads
 * next counts from its own first look.
 */
#ifndef CONTROLLERS_RUNTIME_MEMORY_H
#define CONTROLLERS_RUNTIME_MEMORY_H

#include <stdint.h>

#include "base/map.h"
#include "base/str.h"

struct memory {
    struct map seen; /* name -> what was seen and when first */
};

void memory_init(struct memory *m);
void memory_deinit(struct memory *m);
/* For how long value has been what is seen under name, this look included: 0 when it is another
 * one, or the first. now_ns never goes back. */
uint64_t memory_unchanged_ns(struct memory *m, struct str name, uint64_t value, uint64_t now_ns);
void memory_forget(struct memory *m, struct str name);

#endif
