/* Quantities to shares, quotas and limits (see the header). */
#include "kubelet-lite/resources.h"

#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "base/str.h"

static int64_t milli_of(const Quantity *q)
{
    struct quantity value;
    if (q == NULL || quantity_parse(str_from(q->string), &value, NULL) != 0)
        return 0;
    return quantity_milli(&value);
}

static int64_t whole_of(const Quantity *q)
{
    struct quantity value;
    if (q == NULL || quantity_parse(str_from(q->string), &value, NULL) != 0)
        return 0;
    return quantity_value(&value);
}

void resource_limits(const struct ResourceRequirements *r, struct amounts *out)
{
    *out = (struct amounts){ 0 };
    for (size_t i = 0; r != NULL && i < r->n_limits; i++) {
        if (strcmp(r->limits[i]->key, "cpu") == 0)
            out->cpu_milli = milli_of(r->limits[i]->value);
        else if (strcmp(r->limits[i]->key, "memory") == 0)
            out->memory = whole_of(r->limits[i]->value);
    }
}

void resource_requests(const struct ResourceRequirements *r, struct amounts *out)
{
    resource_limits(r, out);
    for (size_t i = 0; r != NULL && i < r->n_requests; i++) {
        if (strcmp(r->requests[i]->key, "cpu") == 0)
            out->cpu_milli = milli_of(r->requests[i]->value);
        else if (strcmp(r->requests[i]->key, "memory") == 0)
            out->memory = whole_of(r->requests[i]->value);
    }
}

/* ---- QoS ---- */

static void look(const struct Container *c, bool *any, bool *all)
{
    struct amounts requests;
    struct amounts limits;
    resource_requests(c->resources, &requests);
    resource_limits(c->resources, &limits);
    if (requests.cpu_milli > 0 || requests.memory > 0)
        *any = true;
    if (limits.cpu_milli == 0 || limits.memory == 0 || limits.cpu_milli != requests.cpu_milli ||
        limits.memory != requests.memory)
        *all = false;
}

enum qos pod_qos(const struct Pod *pod)
{
    bool any = false;
    bool all = true;
    for (size_t i = 0; i < pod->spec->n_containers; i++)
        look(pod->spec->containers[i], &any, &all);
    for (size_t i = 0; i < pod->spec->n_init_containers; i++)
        look(pod->spec->init_containers[i], &any, &all);
    return !any ? QOS_BEST_EFFORT : all ? QOS_GUARANTEED : QOS_BURSTABLE;
}

const char *qos_name(enum qos qos)
{
    static const char *const names[] = { "Guaranteed", "Burstable", "BestEffort" };
    return names[qos];
}

const char *qos_folder(enum qos qos)
{
    static const char *const names[] = { "guaranteed", "burstable", "besteffort" };
    return names[qos];
}

/* ---- cgroup values ---- */

static int64_t clamp(int64_t n, int64_t low, int64_t high)
{
    return n < low ? low : n > high ? high : n;
}

static int64_t shares_of(int64_t milli)
{
    return clamp(milli * 1024 / 1000, CGROUP_SHARES_MIN, CGROUP_SHARES_MAX);
}

static int64_t quota_of(int64_t milli)
{
    if (milli == 0)
        return 0;
    int64_t quota = milli * CGROUP_PERIOD_US / 1000;
    return quota < CGROUP_QUOTA_MIN ? CGROUP_QUOTA_MIN : quota;
}

static int64_t oom_score(enum qos qos, int64_t request, int64_t capacity)
{
    if (qos == QOS_GUARANTEED)
        return -997;
    if (qos == QOS_BEST_EFFORT || capacity <= 0)
        return 1000;
    /* The more of the node's memory is asked for, the less likely to be killed; never below the
     * guaranteed, never as high as those that asked for nothing. */
    return clamp(1000 - (int64_t)((__int128)1000 * request / capacity), 3, 999);
}

void container_cgroup(const struct Pod *pod, const struct Container *c, int64_t memory_capacity,
                      struct cgroup_values *out)
{
    struct amounts requests;
    struct amounts limits;
    resource_requests(c->resources, &requests);
    resource_limits(c->resources, &limits);
    *out = (struct cgroup_values){ .cpu_shares = shares_of(requests.cpu_milli),
                                   .cpu_quota_us = quota_of(limits.cpu_milli),
                                   .memory_limit = limits.memory,
                                   .oom_score_adj =
                                       oom_score(pod_qos(pod), requests.memory, memory_capacity) };
}

static void raise(int64_t *to, int64_t n)
{
    if (n > *to)
        *to = n;
}

void pod_cgroup(const struct Pod *pod, struct cgroup_values *out)
{
    struct amounts requests = { 0 };
    struct amounts limits = { 0 };
    struct amounts one;
    bool cpu_limited = true;
    bool memory_limited = true;
    for (size_t i = 0; i < pod->spec->n_containers; i++) {
        resource_requests(pod->spec->containers[i]->resources, &one);
        requests.cpu_milli += one.cpu_milli;
        resource_limits(pod->spec->containers[i]->resources, &one);
        limits.cpu_milli += one.cpu_milli;
        limits.memory += one.memory;
        cpu_limited = cpu_limited && one.cpu_milli > 0;
        memory_limited = memory_limited && one.memory > 0;
    }
    /* Init containers run alone, before the others. */
    for (size_t i = 0; i < pod->spec->n_init_containers; i++) {
        resource_requests(pod->spec->init_containers[i]->resources, &one);
        raise(&requests.cpu_milli, one.cpu_milli);
        resource_limits(pod->spec->init_containers[i]->resources, &one);
        raise(&limits.cpu_milli, one.cpu_milli);
        raise(&limits.memory, one.memory);
        cpu_limited = cpu_limited && one.cpu_milli > 0;
        memory_limited = memory_limited && one.memory > 0;
    }
    *out = (struct cgroup_values){ .cpu_shares = shares_of(requests.cpu_milli),
                                   .cpu_quota_us = cpu_limited ? quota_of(limits.cpu_milli) : 0,
                                   .memory_limit = memory_limited ? limits.memory : 0 };
}
