/*
 * How full a group is, measured on the applier's loop, where the map is not replaced under it:
 * pages of LMDB in use and free for reuse, and its file system's space. What is done about it is
 * housekeeping.h's and, replicated, alarm.h's. A group in memory (the simulation) measures nothing.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

struct store_group;

#define USAGE_EVERY_MS         5000
#define USAGE_FOLDER_BYTES_MAX 768
/* A copy without free pages is worth making above both. */
#define USAGE_WASTE_BYTES   (256ull << 20)
#define USAGE_WASTE_PERCENT 50
/* What must stay free on the disk while both are there. */
#define USAGE_COPY_MARGIN_BYTES (1ull << 30)

struct usage {
    uint64_t used_bytes; /* pages that hold something; 0: not measured yet */
    uint64_t free_bytes; /* pages free for reuse: the file does not shrink by itself */
    uint64_t quota_bytes;
    uint64_t disk_bytes; /* 0: not known */
    uint64_t disk_free_bytes;
};

/* The group's part. */
struct usage_sampler {
    char folder[USAGE_FOLDER_BYTES_MAX]; /* empty: nothing is measured */
    uint64_t quota_bytes;
    struct env_timer timer;
    bool started;
    _Atomic uint64_t used_bytes;
    _Atomic uint64_t free_bytes;
    _Atomic uint64_t disk_bytes;
    _Atomic uint64_t disk_free_bytes;
};

/* Never over STORE_QUOTA_MAP_PERCENT of the map; 0 stands for the default of each. */
uint64_t usage_quota(uint64_t quota_bytes, uint64_t map_bytes);
/* Before the loops run. folder NULL: nothing is measured. */
void usage_init(struct store_group *g, const char *folder);
void usage_start(struct store_group *g); /* the applier's loop: measures at once, then again */
void usage_stop(struct store_group *g);  /* the applier's loop */
void usage_sample(struct store_group *g);
/* Any thread. */
void usage_read(struct store_group *g, struct usage *out);
/* Is the file mostly free pages, and is there room for a copy without them? */
bool usage_wastes(const struct usage *u);

#endif
