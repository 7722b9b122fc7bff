/*
 * The scheduler's picture of the cluster: one row of numbers per node, and per pod.
 *
 * Names, label keys and values, taint keys are interned, so a filter compares numbers. Rows change
 * incrementally: a node's row when its object changes, its sums when a pod is added or removed. A
 * pod may sit on a node that is not known (yet, or any more): such a row is absent and takes no
 * pods. Quantities are in milli-units for cpu and whole units for all else.
 */
#ifndef CONTROLLERS_SCHEDULER_SNAPSHOT_H
#define CONTROLLERS_SCHEDULER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "controllers/scheduler/intern.h"

struct Node;
struct Pod;

enum { RESOURCE_CPU, RESOURCE_MEMORY, RESOURCE_EPHEMERAL, RESOURCE_EXTENDED };

/* cpu, memory, ephemeral-storage and the first extended resources seen; a pod that asks for another
 * one fits nowhere, and says so. */
#define SNAPSHOT_RESOURCES 12

struct label_row {
    uint32_t key;
    uint32_t value;
};

enum taint_effect { TAINT_NO_SCHEDULE, TAINT_PREFER_NO_SCHEDULE, TAINT_NO_EXECUTE };

struct taint_row {
    uint32_t key;
    uint32_t value;
    enum taint_effect effect;
};

/* A host port in use or asked for; ip 0 is every address. */
struct port_row {
    uint32_t ip;
    uint16_t port;
    uint16_t protocol; /* first letter of TCP, UDP, SCTP */
};

struct node_row {
    uint32_t name;
    bool present;
    bool unschedulable;
    int64_t allocatable[SNAPSHOT_RESOURCES];
    int64_t requested[SNAPSHOT_RESOURCES];
    int64_t scored[2]; /* cpu and memory with defaults for pods that ask for nothing */
    uint32_t pods;
    uint32_t pods_max;
    struct label_row *labels; /* sorted by key */
    size_t labels_count;
    struct taint_row *taints;
    size_t taints_count;
    struct port_row *ports;
    size_t ports_count;
    size_t ports_capacity;
};

enum match_operator {
    MATCH_IN,
    MATCH_NOT_IN,
    MATCH_EXISTS,
    MATCH_NOT_EXISTS,
    MATCH_GREATER,
    MATCH_LESS,
    MATCH_NAME, /* a field: metadata.name in values */
    MATCH_NOT_NAME,
    MATCH_NOTHING /* an operator or field we do not know */
};

struct expression {
    uint32_t key;
    enum match_operator operator;
    const uint32_t *values;
    size_t values_count;
    int64_t number; /* GREATER, LESS */
};

struct term {
    const struct expression *expressions; /* all must match */
    size_t count;
};

struct toleration_row {
    uint32_t key;   /* 0: every key */
    uint32_t value; /* unless exists */
    bool exists;
    bool any_effect;
    enum taint_effect effect;
};

/* What restricts a pod that waits for a node. */
struct constraints {
    struct arena arena;
    const struct expression *selector; /* nodeSelector: all must match */
    size_t selector_count;
    bool has_terms; /* required node affinity: one of the terms must match */
    const struct term *terms;
    size_t terms_count;
    const struct toleration_row *tolerations;
    size_t tolerations_count;
};

struct pod_row {
    int64_t requests[SNAPSHOT_RESOURCES];
    int64_t scored[2];
    uint32_t unknown_resource; /* asked for beyond SNAPSHOT_RESOURCES; 0: none */
    struct port_row *ports;
    size_t ports_count;
    int32_t priority;
    struct constraints *constraints; /* NULL once it has a node */
};

struct snapshot {
    struct intern names;
    uint32_t resources[SNAPSHOT_RESOURCES]; /* interned names */
    size_t resources_count;
    struct node_row **rows; /* present ones and those that hold pods; order is of arrival */
    size_t rows_count;
    size_t rows_capacity;
    struct map by_name;         /* node name -> struct node_row */
    size_t present;             /* nodes that are there */
    uint32_t unschedulable_key; /* of the taint node.kubernetes.io/unschedulable */
};

void snapshot_init(struct snapshot *s);
void snapshot_deinit(struct snapshot *s);

/* What a change of a node may help pods with: bits of enum node_change; 0: nothing. */
enum node_change {
    NODE_ADDED = 1,
    NODE_RESOURCES = 2, /* allocatable grew */
    NODE_LABELS = 4,
    NODE_TAINTS = 8,
    NODE_SCHEDULABLE = 16
};
uint32_t snapshot_set_node(struct snapshot *s, const struct Node *node);
void snapshot_remove_node(struct snapshot *s, struct str name);
/* NULL when no row has this name. */
struct node_row *snapshot_node(const struct snapshot *s, struct str name);

void snapshot_add_pod(struct snapshot *s, struct str node, const struct pod_row *pod);
void snapshot_remove_pod(struct snapshot *s, struct str node, const struct pod_row *pod);

/* Fills a row from a pod; with_constraints for one that waits for a node. */
void pod_row_init(struct snapshot *s, struct pod_row *row, const struct Pod *pod,
                  bool with_constraints);
void pod_row_deinit(struct pod_row *row);
void pod_row_drop_constraints(struct pod_row *row);

/* The index of a resource, added when there is room; -1: none. */
int snapshot_resource(struct snapshot *s, struct str name);

#endif
