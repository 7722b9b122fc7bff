/* Filter, score, pick; and the text of a refusal. */
#include "controllers/scheduler/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"

#define TAINT_WEIGHT 3
#define SCORE_MAX    100

/* A well mixed number from the seed and a node's name: ties fall evenly, the same way each time. */
static uint64_t draw(uint64_t seed, uint32_t name)
{
    uint64_t x = seed + (uint64_t)name * 0x9e3779b97f4a7c15ull;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

struct best {
    const struct node_row *node;
    int32_t score;
    uint64_t draw;
};

static void consider(struct best *b, const struct node_row *node, int32_t score, uint64_t seed)
{
    uint64_t lot = draw(seed, node->name);

    if (b->node != NULL && (score < b->score || (score == b->score && lot <= b->draw)))
        return;
    *b = (struct best){ node, score, lot };
}

/* Fewer untolerated soft taints, relative to the most any candidate has. */
static int32_t taint_score(uint32_t taints, uint32_t most)
{
    return most == 0 ? 0 : (int32_t)(TAINT_WEIGHT * SCORE_MAX * (most - taints) / most);
}

void decide(const struct snapshot *s, const struct pod_row *pod, uint64_t seed,
            struct decision *out)
{
    struct best best = { 0 };
    uint32_t most = 0;

    ASSERT(pod->constraints != NULL);
    *out = (struct decision){ 0 };
    for (size_t i = 0; i < s->rows_count; i++) {
        const struct node_row *node = s->rows[i];

        if (!node->present)
            continue;
        out->looked++;
        if (!filter_node(s, pod, node, &out->why))
            continue;
        out->fit++;
        if (node->taints_count > 0 && score_taints(pod, node) > most)
            most = score_taints(pod, node);
        consider(&best, node, score_node(pod, node), seed);
    }
    if (most > 0) {
        /* Soft taints count against the most of all candidates: a second round, only then. */
        struct diagnosis ignored = { 0 };

        best = (struct best){ 0 };
        for (size_t i = 0; i < s->rows_count; i++) {
            const struct node_row *node = s->rows[i];

            if (node->present && filter_node(s, pod, node, &ignored))
                consider(&best, node,
                         score_node(pod, node) + taint_score(score_taints(pod, node), most), seed);
        }
    }
    out->node = best.node;
}

/* ---- the text ---- */

static struct str reason_text(struct arena *a, const struct snapshot *s,
                              const struct reason_count *r)
{
    switch (r->reason) {
    case REASON_NONE:
        break;
    case REASON_UNSCHEDULABLE:
        return str_lit("node(s) were unschedulable");
    case REASON_TAINT:
        return str_printf(a, "node(s) had untolerated taint {%.*s: %.*s}",
                          STR_ARG(intern_text(&s->names, r->detail)),
                          STR_ARG(intern_text(&s->names, r->detail2)));
    case REASON_AFFINITY:
        return str_lit("node(s) didn't match Pod's node affinity/selector");
    case REASON_PORTS:
        return str_lit("node(s) didn't have free ports for the requested pod ports");
    case REASON_TOO_MANY_PODS:
        return str_lit("Too many pods");
    case REASON_RESOURCE:
        return str_printf(a, "Insufficient %.*s",
                          STR_ARG(intern_text(&s->names, s->resources[r->detail])));
    case REASON_UNKNOWN_RESOURCE:
        return str_printf(a, "Insufficient %.*s", STR_ARG(intern_text(&s->names, r->detail)));
    }
    return str_of("", 0);
}

static int by_text(const void *pa, const void *pb)
{
    return str_cmp(*(const struct str *)pa, *(const struct str *)pb);
}

struct str decision_text(struct arena *a, const struct snapshot *s, const struct decision *d)
{
    struct str lines[DIAGNOSIS_REASONS_MAX];
    struct buf b;
    struct str text;

    if (d->looked == 0)
        return str_lit("no nodes available to schedule pods");
    for (size_t i = 0; i < d->why.count; i++)
        lines[i] = str_printf(a, "%u %.*s", d->why.items[i].count,
                              STR_ARG(reason_text(a, s, &d->why.items[i])));
    qsort(lines, d->why.count, sizeof(lines[0]), by_text);
    buf_init(&b);
    buf_printf(&b, "0/%u nodes are available: ", d->looked);
    for (size_t i = 0; i < d->why.count; i++)
        buf_printf(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(lines[i]));
    buf_append_c(&b, ".");
    text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}
