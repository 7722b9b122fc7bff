/* Snapshots and pod rows from JSON (see rows.h). */
#include "tests/unit/controllers/scheduler/rows.h"

#include "api/meta/kinds.h"
#include "tests/unit/controllers/fake_api.h"

void rows_node(struct snapshot *s, const char *name, const char *cpu, const char *memory, int pods,
               const char *more)
{
    struct arena a;
    struct str json;

    arena_init(&a);
    json = str_printf(&a,
                      "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"name\":\"%s\","
                      "\"size\":\"%s\"}},%s\"status\":{\"allocatable\":{\"cpu\":\"%s\","
                      "\"memory\":\"%s\",\"pods\":\"%d\"}}}",
                      name, name, cpu, more, cpu, memory, pods);
    (void)snapshot_set_node(s, fake_object(&a, KIND_NODE, str_dup(&a, json))); /* new */
    arena_deinit(&a);
}

void rows_pod(struct snapshot *s, struct pod_row *row, const char *requests, const char *spec)
{
    struct arena a;
    struct str json;

    arena_init(&a);
    json = str_printf(&a,
                      "{\"metadata\":{\"name\":\"p\"},\"spec\":{%s\"containers\":[{\"name\":\"c\","
                      "\"resources\":{\"requests\":{%s}},\"ports\":[]}]}}",
                      spec, requests);
    pod_row_init(s, row, fake_object(&a, KIND_POD, str_dup(&a, json)), true);
    arena_deinit(&a);
}

void rows_place(struct snapshot *s, const char *node, const char *requests)
{
    struct pod_row row;

    rows_pod(s, &row, requests, "");
    snapshot_add_pod(s, str_from(node), &row);
    pod_row_deinit(&row);
}
