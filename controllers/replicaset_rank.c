/* Which pods go first when a ReplicaSet shrinks. */
#include <stdlib.h>
#include <string.h>

#include "controllers/objects.h"
#include "controllers/replicaset.h"

#define DELETION_COST "controller.kubernetes.io/pod-deletion-cost"

/* What the criteria compare; smaller goes first. */
struct rank {
    struct ranked_pod entry;
    bool assigned;
    int phase;
    bool ready;
    int32_t cost;
    int ready_age; /* logarithm of the time being ready: similar ages are equal */
    int32_t restarts;
    int age;
};

/* Upstream compares ages by their base-2 logarithm, so that no pod is picked for a few seconds. */
static int log_age(int64_t since, int64_t now)
{
    int bucket = 0;

    if (since == 0 || now <= since)
        return -1;
    for (int64_t age = now - since; age > 1; age >>= 1)
        bucket++;
    return bucket;
}

static int phase_rank(const Pod *pod)
{
    if (text_eq(pod_phase(pod), "Running"))
        return 2;
    return text_eq(pod_phase(pod), "Unknown") ? 1 : 0;
}

static int32_t restarts(const Pod *pod)
{
    int32_t most = 0;

    for (size_t i = 0; pod->status != NULL && i < pod->status->n_container_statuses; i++)
        if (pod->status->container_statuses[i]->restart_count > most)
            most = pod->status->container_statuses[i]->restart_count;
    return most;
}

static int32_t deletion_cost(const Pod *pod)
{
    const char *text = meta_annotation(pod->metadata, DELETION_COST);
    int64_t cost = 0;

    if (text == NULL || str_to_i64(str_from(text), &cost) != 0 || cost > INT32_MAX ||
        cost < INT32_MIN)
        return 0;
    return (int32_t)cost;
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int rank_cmp(const void *pa, const void *pb)
{
    const struct rank *a = pa, *b = pb;
    int c = order(a->assigned, b->assigned);

    if (c == 0)
        c = order(a->phase, b->phase);
    if (c == 0)
        c = order(a->ready, b->ready);
    if (c == 0)
        c = order(a->cost, b->cost);
    if (c == 0)
        c = order(b->entry.same_node, a->entry.same_node);
    if (c == 0)
        c = order(a->ready_age, b->ready_age);
    if (c == 0)
        c = order(b->restarts, a->restarts);
    if (c == 0)
        c = order(a->age, b->age);
    if (c == 0)
        c = strcmp(text_of(a->entry.pod->metadata->uid), text_of(b->entry.pod->metadata->uid));
    return c;
}

void replicaset_rank(struct ranked_pod *pods, size_t count, int64_t now_seconds)
{
    struct rank *ranks = mem_alloc((count + 1) * sizeof(*ranks));

    for (size_t i = 0; i < count; i++) {
        const Pod *pod = pods[i].pod;

        ranks[i] = (struct rank){ .entry = pods[i],
                                  .assigned = pod_node(pod)[0] != 0,
                                  .phase = phase_rank(pod),
                                  .ready = pod_ready(pod),
                                  .cost = deletion_cost(pod),
                                  .ready_age = log_age(pod_ready_since(pod), now_seconds),
                                  .restarts = restarts(pod),
                                  .age = log_age(meta_created(pod->metadata), now_seconds) };
    }
    qsort(ranks, count, sizeof(*ranks), rank_cmp);
    for (size_t i = 0; i < count; i++)
        pods[i] = ranks[i].entry;
    mem_free(ranks);
}
