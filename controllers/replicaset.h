/* The replicaset controller: as many active pods as spec.replicas says. */
#ifndef CONTROLLERS_REPLICASET_H
#define CONTROLLERS_REPLICASET_H

#include <stddef.h>
#include <stdint.h>

#include "controllers/runtime/controller.h"

struct Pod;

extern const struct controller replicaset_controller;

/* A pod as the ranking sees it. */
struct ranked_pod {
    const struct Pod *pod;
    uint32_t same_node; /* active pods of the same owner on its node */
};

/* Sorts so that the pods to delete first come first (upstream's ActivePodsWithRanks). */
void replicaset_rank(struct ranked_pod *pods, size_t count, int64_t now_seconds);

#endif
