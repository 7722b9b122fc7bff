/* The downward API: what a fieldRef or resourceFieldRef of a pod says. Pure; and where the values
 * of ConfigMaps and Secrets come from. */
#ifndef KUBELET_LITE_FIELDS_H
#define KUBELET_LITE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/kinds.h"
#include "base/err.h"
#include "base/str.h"

struct Container;
struct ObjectFieldSelector;
struct Pod;
struct ResourceFieldSelector;
struct arena;

/* What the pod object itself does not say. */
struct pod_facts {
    const char *pod_ip; /* "" before the sandbox has one */
    const char *host_ip;
    int64_t node_cpu_milli; /* allocatable: the limit of a container without one */
    int64_t node_memory;
};

/* -ERR_INVALID_ARGUMENT when the field is none the downward API has. */
int field_value(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                const struct ObjectFieldSelector *ref, struct str *out, struct err *e);
/* self: the container whose environment it is; NULL in a volume, where the ref must name one. */
int resource_field_value(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                         const struct Container *self, const struct ResourceFieldSelector *ref,
                         struct str *out, struct err *e);

/* ---- ConfigMaps and Secrets of the pod's namespace ---- */

struct source_entry {
    struct str key;
    struct str value;
};

struct source {
    /* Entries sorted by key, in the arena. -ERR_NOT_FOUND: there is no such object. -ERR_AGAIN: not
     * known yet; the pod is planned again when it is. */
    int (*read)(struct source *s, struct arena *a, enum kind kind, const char *name,
                struct source_entry **out, size_t *out_count, struct err *e);
};

const struct source_entry *source_find(const struct source_entry *entries, size_t count,
                                       const char *key);

#endif
