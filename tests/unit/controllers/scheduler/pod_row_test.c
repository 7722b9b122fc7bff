/* What a pod asks for: containers, init containers, sidecars, overhead, host ports. */
#include "api/meta/kinds.h"
#include "controllers/scheduler/snapshot.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

#define CPU(q) "\"resources\":{\"requests\":{\"cpu\":\"" q "\"}}"

static const struct row {
    const char *spec;
    int64_t cpu, scored_cpu;
} rows[] = {
    { "\"containers\":[{\"name\":\"a\"}]", 0, 100 },
    { "\"containers\":[{\"name\":\"a\"," CPU("1") "},{\"name\":\"b\"," CPU("500m") "}]", 1500,
      1500 },
    { "\"initContainers\":[{\"name\":\"i\"," CPU("3") "}],\"containers\":[{\"name\":\"a\"," CPU(
          "1") "}]",
      3000, 3000 },
    { "\"initContainers\":[{\"name\":\"s\",\"restartPolicy\":\"Always\"," CPU(
          "1") "},{\"name\":\"i\"," CPU("3") "}],\"containers\":[{\"name\":\"a\"," CPU("1") "}]",
      4000, 4000 },
    { "\"overhead\":{\"cpu\":\"250m\"},\"containers\":[{\"name\":\"a\"," CPU("1") "}]", 1250,
      1250 },
};

static void init(struct snapshot *s, struct pod_row *row, const char *spec)
{
    struct arena a;

    arena_init(&a);
    pod_row_init(
        s, row,
        fake_object(
            &a, KIND_POD,
            str_dup(&a, str_printf(&a, "{\"metadata\":{\"name\":\"p\"},\"spec\":{%s}}", spec))),
        true);
    arena_deinit(&a);
}

static void test_requests(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snapshot s;
        struct pod_row row;

        snapshot_init(&s);
        init(&s, &row, rows[i].spec);
        assert_int_equal(row.requests[RESOURCE_CPU], rows[i].cpu);
        assert_int_equal(row.scored[0], rows[i].scored_cpu);
        pod_row_deinit(&row);
        snapshot_deinit(&s);
    }
}

static void test_ports_and_resources(void **state)
{
    struct snapshot s;
    struct pod_row row;

    (void)state; /* no shared fixture */
    snapshot_init(&s);
    init(&s, &row,
         "\"priority\":7,\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":1,"
         "\"hostPort\":"
         "80,\"protocol\":\"UDP\",\"hostIP\":\"1.2.3.4\"},{\"containerPort\":2}]}]");
    assert_int_equal(row.priority, 7);
    assert_int_equal(row.ports_count, 1);
    assert_int_equal(row.ports[0].port, 80);
    assert_int_equal(row.ports[0].protocol, 'U');
    assert_int_not_equal(row.ports[0].ip, 0);
    assert_int_equal(row.unknown_resource, 0);
    pod_row_deinit(&row);
    for (int i = 0; i < SNAPSHOT_RESOURCES; i++)
        (void)snapshot_resource(&s,
                                str_from((const char[]){ 'r', (char)('a' + i), 0 })); /* fills */
    init(&s, &row,
         "\"containers\":[{\"name\":\"a\",\"resources\":{\"requests\":{\"one.too/many\":\"1\"}}}]");
    assert_true(str_eq_c(intern_text(&s.names, row.unknown_resource), "one.too/many"));
    pod_row_deinit(&row);
    snapshot_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests),
                                        cmocka_unit_test(test_ports_and_resources) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
