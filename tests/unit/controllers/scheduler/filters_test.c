/* Host ports and tolerations, row by row. */
#include "api/meta/kinds.h"
#include "controllers/scheduler/decide.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/controllers/scheduler/rows.h"
#include "tests/unit/unit.h"

#define PORT(ip, protocol)                                                                         \
    "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[{"        \
    "\"containerPort\":1,\"hostPort\":80,\"protocol\":\"" protocol "\",\"hostIP\":\"" ip           \
    "\"}]}]}}"

static void init(struct snapshot *s, struct pod_row *row, const char *json)
{
    struct arena a;

    arena_init(&a);
    pod_row_init(s, row, fake_object(&a, KIND_POD, json), true);
    arena_deinit(&a);
}

static void test_ports(void **state)
{
    static const struct {
        const char *there, *asks;
        bool passes;
    } rows[] = { { PORT("", "TCP"), PORT("", "TCP"), false },
                 { PORT("", "TCP"), PORT("", "UDP"), true },
                 { PORT("1.1.1.1", "TCP"), PORT("2.2.2.2", "TCP"), true },
                 { PORT("1.1.1.1", "TCP"), PORT("1.1.1.1", "TCP"), false },
                 { PORT("1.1.1.1", "TCP"), PORT("0.0.0.0", "TCP"), false } };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot s;
        struct pod_row there, asks;
        struct diagnosis why = { 0 };

        snapshot_init(&s);
        rows_node(&s, "n", "4", "8Gi", 110, "");
        init(&s, &there, rows[i].there);
        init(&s, &asks, rows[i].asks);
        snapshot_add_pod(&s, str_lit("n"), &there);
        assert_int_equal(filter_node(&s, &asks, snapshot_node(&s, str_lit("n")), &why),
                         rows[i].passes);
        assert_int_equal(why.mask, rows[i].passes ? 0 : 1u << REASON_PORTS);
        snapshot_remove_pod(&s, str_lit("n"), &there);
        assert_true(filter_node(&s, &asks, snapshot_node(&s, str_lit("n")), &why));
        pod_row_deinit(&there);
        pod_row_deinit(&asks);
        snapshot_deinit(&s);
    }
}

static void test_tolerations(void **state)
{
    static const struct {
        const char *toleration;
        bool tolerated;
    } rows[] = {
        { "{\"operator\":\"Exists\"}", true },
        { "{\"key\":\"k\",\"operator\":\"Exists\"}", true },
        { "{\"key\":\"k\",\"value\":\"v\"}", true },
        { "{\"key\":\"k\",\"operator\":\"Equal\",\"value\":\"w\"}", false },
        { "{\"key\":\"j\",\"operator\":\"Exists\"}", false },
        { "{\"key\":\"k\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}", false },
        { "{\"key\":\"k\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}", true },
    };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot s;
        struct pod_row pod;
        struct taint_row taint = { .effect = TAINT_NO_SCHEDULE };
        struct arena a;

        arena_init(&a);
        snapshot_init(&s);
        rows_pod(&s, &pod, "",
                 str_dup(&a, str_printf(&a, "\"tolerations\":[%s],", rows[i].toleration)));
        taint.key = intern_id(&s.names, str_lit("k"));
        taint.value = intern_id(&s.names, str_lit("v"));
        assert_int_equal(taint_row_tolerated(pod.constraints, &taint), rows[i].tolerated);
        pod_row_deinit(&pod);
        snapshot_deinit(&s);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ports),
                                        cmocka_unit_test(test_tolerations) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
