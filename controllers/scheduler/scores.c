/* Which of the nodes that fit is best. Whole numbers only: a score must not depend on the machine.
 */
#include "controllers/scheduler/decide.h"

#define SCORE_MAX 100
/* Fractions of a resource, in millionths. */
#define WHOLE 1000000

/* The free part after placing, averaged over cpu and memory. */
static int32_t least_allocated(const struct pod_row *pod, const struct node_row *node)
{
    int64_t sum = 0, weights = 0;

    for (int i = 0; i < 2; i++) {
        int64_t have = node->allocatable[i], used = node->scored[i] + pod->scored[i];

        if (have == 0)
            continue;
        weights++;
        if (used < have)
            sum += (have - used) * SCORE_MAX / have;
    }
    return weights == 0 ? 0 : (int32_t)(sum / weights);
}

static int64_t fraction(const struct pod_row *pod, const struct node_row *node, int i)
{
    int64_t have = node->allocatable[i], used = node->requested[i] + pod->requests[i];

    if (have <= 0 || used >= have)
        return WHOLE;
    /* used < have: the quotient stays below WHOLE; memory in bytes leaves room for the factor. */
    return (int64_t)((__int128)used * WHOLE / have);
}

/* The more alike cpu and memory are used, the better: 1 - standard deviation of the two. */
static int32_t balanced(const struct pod_row *pod, const struct node_row *node)
{
    int64_t difference = fraction(pod, node, RESOURCE_CPU) - fraction(pod, node, RESOURCE_MEMORY);

    if (difference < 0)
        difference = -difference;
    return (int32_t)((WHOLE - difference / 2) * SCORE_MAX / WHOLE);
}

int32_t score_node(const struct pod_row *pod, const struct node_row *node)
{
    return least_allocated(pod, node) + balanced(pod, node);
}

uint32_t score_taints(const struct pod_row *pod, const struct node_row *node)
{
    uint32_t n = 0;

    for (size_t i = 0; i < node->taints_count; i++)
        n += node->taints[i].effect == TAINT_PREFER_NO_SCHEDULE &&
             !taint_row_tolerated(pod->constraints, &node->taints[i]);
    return n;
}
