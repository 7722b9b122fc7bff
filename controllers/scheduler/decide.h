/*
 * The decision: one node for one pod, or why no node will do. Pure: the same snapshot, pod and seed
 * give the same answer.
 *
 * Filters run in upstream's order, and the first that refuses a node names the reason (a lack of
 * resources names each resource). Nodes that pass are scored: least allocated and balanced
 * allocation with weight 1, untolerated PreferNoSchedule taints with weight 3, each 0 to 100. Equal
 * scores are drawn by the seed.
 */
#ifndef CONTROLLERS_SCHEDULER_DECIDE_H
#define CONTROLLERS_SCHEDULER_DECIDE_H

#include <stdint.h>

#include "controllers/scheduler/snapshot.h"

enum reason {
    REASON_NONE,
    REASON_UNSCHEDULABLE,
    REASON_TAINT, /* detail: index of the taint text */
    REASON_AFFINITY,
    REASON_PORTS,
    REASON_TOO_MANY_PODS,
    REASON_RESOURCE, /* detail: index of the resource */
    REASON_UNKNOWN_RESOURCE
};

struct reason_count {
    enum reason reason;
    uint32_t detail;  /* RESOURCE: its index; TAINT: key */
    uint32_t detail2; /* TAINT: value */
    uint32_t count;
};

/* Different reasons one answer tells apart; what does not fit is left out of the text. */
#define DIAGNOSIS_REASONS_MAX 32

struct diagnosis {
    struct reason_count items[DIAGNOSIS_REASONS_MAX];
    size_t count;
    uint32_t mask; /* 1 << reason, for all met */
};

struct decision {
    const struct node_row *node; /* NULL: none fits */
    uint32_t looked;
    uint32_t fit;
    struct diagnosis why; /* of the nodes that do not fit */
};

void decide(const struct snapshot *s, const struct pod_row *pod, uint64_t seed,
            struct decision *out);

/* "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable." In the arena. */
struct str decision_text(struct arena *a, const struct snapshot *s, const struct decision *d);

/* ---- for decide.c and tests ---- */

/* True when the node passes; else its reasons were counted. */
bool filter_node(const struct snapshot *s, const struct pod_row *pod, const struct node_row *node,
                 struct diagnosis *why);
int32_t score_node(const struct pod_row *pod, const struct node_row *node);
/* Untolerated PreferNoSchedule taints. */
uint32_t score_taints(const struct pod_row *pod, const struct node_row *node);
bool taint_row_tolerated(const struct constraints *c, const struct taint_row *t);

#endif
