/* Which nodes can take a pod. */
#include <stdlib.h>

#include "controllers/scheduler/decide.h"

static void count_reason(struct diagnosis *d, enum reason reason, uint32_t detail, uint32_t detail2)
{
    d->mask |= 1u << reason;
    for (size_t i = 0; i < d->count; i++) {
        struct reason_count *r = &d->items[i];

        if (r->reason == reason && r->detail == detail && r->detail2 == detail2) {
            r->count++;
            return;
        }
    }
    if (d->count < DIAGNOSIS_REASONS_MAX)
        d->items[d->count++] = (struct reason_count){ reason, detail, detail2, 1 };
}

/* ---- taints ---- */

bool taint_row_tolerated(const struct constraints *c, const struct taint_row *t)
{
    for (size_t i = 0; i < c->tolerations_count; i++) {
        const struct toleration_row *r = &c->tolerations[i];

        if (!r->any_effect && r->effect != t->effect)
            continue;
        if (r->key != 0 && r->key != t->key)
            continue;
        if (r->exists || (r->key != 0 && r->value == t->value))
            return true;
    }
    return false;
}

static const struct taint_row *untolerated(const struct constraints *c, const struct node_row *node)
{
    for (size_t i = 0; i < node->taints_count; i++) {
        const struct taint_row *t = &node->taints[i];

        if (t->effect != TAINT_PREFER_NO_SCHEDULE && !taint_row_tolerated(c, t))
            return t;
    }
    return NULL;
}

static bool unschedulable_tolerated(const struct snapshot *s, const struct constraints *c)
{
    struct taint_row t = { .key = s->unschedulable_key, .effect = TAINT_NO_SCHEDULE };

    return taint_row_tolerated(c, &t);
}

/* ---- labels ---- */

static const struct label_row *find_label(const struct node_row *node, uint32_t key)
{
    size_t low = 0, high = node->labels_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (node->labels[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < node->labels_count && node->labels[low].key == key ? &node->labels[low] : NULL;
}

static bool has_value(const struct expression *e, uint32_t value)
{
    for (size_t i = 0; i < e->values_count; i++)
        if (e->values[i] == value)
            return true;
    return false;
}

static bool number_matches(const struct snapshot *s, const struct expression *e,
                           const struct label_row *label)
{
    int64_t n;

    if (label == NULL || str_to_i64(intern_text(&s->names, label->value), &n) != 0)
        return false;
    return e->operator== MATCH_GREATER ? n > e->number : n<e->number;
}

static bool expression_matches(const struct snapshot *s, const struct expression *e,
                               const struct node_row *node)
{
    const struct label_row *label = find_label(node, e->key);

    switch (e->operator) {
    case MATCH_IN:
        return label != NULL && has_value(e, label->value);
    case MATCH_NOT_IN:
        return label == NULL || !has_value(e, label->value);
    case MATCH_EXISTS:
        return label != NULL;
    case MATCH_NOT_EXISTS:
        return label == NULL;
    case MATCH_GREATER:
    case MATCH_LESS:
        return number_matches(s, e, label);
    case MATCH_NAME:
        return has_value(e, node->name);
    case MATCH_NOT_NAME:
        return !has_value(e, node->name);
    case MATCH_NOTHING:
        break;
    }
    return false;
}

static bool all_match(const struct snapshot *s, const struct expression *list, size_t count,
                      const struct node_row *node)
{
    for (size_t i = 0; i < count; i++)
        if (!expression_matches(s, &list[i], node))
            return false;
    return true;
}

static bool affinity_matches(const struct snapshot *s, const struct constraints *c,
                             const struct node_row *node)
{
    if (!all_match(s, c->selector, c->selector_count, node))
        return false;
    if (!c->has_terms)
        return true;
    for (size_t i = 0; i < c->terms_count; i++)
        if (all_match(s, c->terms[i].expressions, c->terms[i].count, node))
            return true;
    return false;
}

/* ---- ports and resources ---- */

static bool ports_free(const struct pod_row *pod, const struct node_row *node)
{
    for (size_t i = 0; i < pod->ports_count; i++)
        for (size_t j = 0; j < node->ports_count; j++) {
            const struct port_row *a = &pod->ports[i], *b = &node->ports[j];

            if (a->port == b->port && a->protocol == b->protocol &&
                (a->ip == b->ip || a->ip == 0 || b->ip == 0))
                return false;
        }
    return true;
}

static bool resources_fit(const struct snapshot *s, const struct pod_row *pod,
                          const struct node_row *node, struct diagnosis *why)
{
    bool fits = true;

    if (node->pods + 1 > node->pods_max) {
        count_reason(why, REASON_TOO_MANY_PODS, 0, 0);
        fits = false;
    }
    for (size_t i = 0; i < s->resources_count; i++) {
        if (pod->requests[i] == 0 || pod->requests[i] <= node->allocatable[i] - node->requested[i])
            continue;
        count_reason(why, REASON_RESOURCE, (uint32_t)i, 0);
        fits = false;
    }
    if (pod->unknown_resource != 0) {
        count_reason(why, REASON_UNKNOWN_RESOURCE, pod->unknown_resource, 0);
        fits = false;
    }
    return fits;
}

bool filter_node(const struct snapshot *s, const struct pod_row *pod, const struct node_row *node,
                 struct diagnosis *why)
{
    const struct constraints *c = pod->constraints;
    const struct taint_row *taint;

    if (node->unschedulable && !unschedulable_tolerated(s, c)) {
        count_reason(why, REASON_UNSCHEDULABLE, 0, 0);
        return false;
    }
    taint = untolerated(c, node);
    if (taint != NULL) {
        count_reason(why, REASON_TAINT, taint->key, taint->value);
        return false;
    }
    if (!affinity_matches(s, c, node)) {
        count_reason(why, REASON_AFFINITY, 0, 0);
        return false;
    }
    if (!ports_free(pod, node)) {
        count_reason(why, REASON_PORTS, 0, 0);
        return false;
    }
    return resources_fit(s, pod, node, why);
}
