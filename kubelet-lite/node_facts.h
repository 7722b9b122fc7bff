/* What the machine is: read once at start, from /proc and files of the distribution. */
#ifndef KUBELET_LITE_NODE_FACTS_H
#define KUBELET_LITE_NODE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct env;

struct node_facts {
    int64_t cpus;
    int64_t memory_bytes;
    int64_t disk_bytes; /* of the file system that holds root */
    const char *machine_id;
    const char *system_uuid;
    const char *boot_id;
    const char *kernel;
    const char *os_image;
    const char *architecture; /* as Go names it: amd64, arm64 */
};

/* What changes, for the pressure conditions. */
struct node_pressure {
    bool memory;
    bool disk;
    bool pids;
};

/* Available memory below this is pressure; as upstream's eviction-hard defaults. */
#define NODE_MEMORY_AVAILABLE_MIN (100ll << 20)
#define NODE_DISK_FREE_PERCENT    10
#define NODE_PIDS_FREE_PERCENT    10

/* Blocking. Everything in the arena. */
int node_facts_read(struct env *env, struct arena *a, const char *root, struct node_facts *out,
                    struct err *e);
/* Blocking. */
void node_pressure_read(struct env *env, const char *root, struct node_pressure *out);

/* "MemTotal:  123 kB" of /proc/meminfo, in bytes; -1 when absent. Pure. */
int64_t meminfo_bytes(struct str meminfo, const char *key);
/* PRETTY_NAME of os-release, unquoted; "Linux" when absent. Pure. */
const char *os_release_name(struct arena *a, struct str text);

#endif
