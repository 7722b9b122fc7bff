/*
 * Scheduling decisions per second: 1,000 nodes of 110 pods, filled with pods one after another,
 * each decided on the snapshot with all before it placed. Only the decision and its bookkeeping: no
 * API, no binding. Prints decisions per second of the median of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/kinds.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "controllers/scheduler/decide.h"

#define NODES     1000
#define DECISIONS 20000
#define ROUNDS    5

static void *parse(struct arena *a, enum kind kind, const char *text)
{
    const struct schema *s = kind_info(kind)->schema;
    const struct json *tree;
    struct err e = { 0 };
    void *object = NULL;

    if (json_parse(a, str_from(text), &tree, &e) != 0 ||
        schema_decode(a, s, tree, SCHEMA_STRICT, &object, NULL, &e) != 0 ||
        schema_unpack(a, s, schema_pack_arena(a, s, object), &object, &e) != 0) {
        fprintf(stderr, "schedule_bench: %s\n", e.msg);
        return NULL;
    }
    return object;
}

static int add_nodes(struct snapshot *s)
{
    struct arena a;

    arena_init(&a);
    for (int i = 0; i < NODES; i++) {
        struct str text = str_printf(
            &a,
            "{\"metadata\":{\"name\":\"node-%d\",\"labels\":{\"kubernetes.io/"
            "hostname\":\"node-%d\","
            "\"zone\":\"z%d\"}},\"status\":{\"allocatable\":{\"cpu\":\"32\",\"memory\":\"128Gi\","
            "\"pods\":\"110\"}}}",
            i, i, i % 3);
        Node *node = parse(&a, KIND_NODE, str_dup(&a, text));

        if (node == NULL)
            return -1;
        (void)snapshot_set_node(s, node); /* all are new */
        arena_reset(&a);
    }
    arena_deinit(&a);
    return 0;
}

/* Decisions per second of one round. */
static double run(struct env *env, struct arena *a)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"p\"},\"spec\":{"
        "\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"100m\","
        "\"memory\":\"256Mi\"}}}]}}";
    const Pod *pod = parse(a, KIND_POD, text);
    struct snapshot s;
    uint64_t began;
    uint64_t ns;

    snapshot_init(&s);
    if (pod == NULL || add_nodes(&s) != 0)
        return 0;
    began = env_now_ns(env);
    for (uint64_t i = 0; i < DECISIONS; i++) {
        struct pod_row row;
        struct decision d;

        pod_row_init(&s, &row, pod, true);
        decide(&s, &row, i, &d);
        if (d.node == NULL)
            return 0;
        snapshot_add_pod(&s, intern_text(&s.names, d.node->name), &row);
        pod_row_deinit(&row);
    }
    ns = env_now_ns(env) - began;
    snapshot_deinit(&s);
    return (double)DECISIONS * 1e9 / (double)ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(void)
{
    struct env *env = env_uv_new();
    double rates[ROUNDS];
    struct arena a;

    arena_init(&a);
    for (int i = 0; i < ROUNDS; i++)
        rates[i] = run(env, &a);
    qsort(rates, ROUNDS, sizeof(rates[0]), by_value);
    printf("bench schedule-1000-nodes gantry=%.0f peer=- ratio=- unit=decisions/s goal=- met=%s\n",
           rates[ROUNDS / 2], rates[0] > 0 ? "yes" : "no");
    arena_deinit(&a);
    env_uv_free(env);
    return rates[0] > 0 ? 0 : 1;
}
