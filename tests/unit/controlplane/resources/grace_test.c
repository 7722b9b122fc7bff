/* Graceful deletion of pods, and what finalizers wait with. */
#include "api/proto/core.pb-c.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_pods(void **state)
{
    static const struct {
        const char *json;
        int64_t asked; /* INT64_MIN: not given */
        bool immediate;
        bool changed;
        int64_t grace; /* after it, when changed */
    } cases[] = {
        { "{'spec':{'nodeName':'n'}}", INT64_MIN, false, true, 30 },
        { "{'spec':{'nodeName':'n','terminationGracePeriodSeconds':7}}", INT64_MIN, false, true,
          7 },
        { "{'spec':{'nodeName':'n'}}", 5, false, true, 5 },
        { "{'spec':{'nodeName':'n'}}", 0, true, false, 0 },
        { "{'spec':{'nodeName':'n'}}", -3, false, true, 1 },
        { "{'spec':{}}", INT64_MIN, true, false, 0 },
        { "{'spec':{}}", 60, true, false, 0 },
        { "{'spec':{'nodeName':'n'},'status':{'phase':'Succeeded'}}", INT64_MIN, true, false, 0 },
        { "{'spec':{'nodeName':'n'},'status':{'phase':'Failed'}}", 60, true, false, 0 },
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:50Z','deletionGracePeriodSeconds':30,"
          "'generation':2},'spec':{'nodeName':'n'}}",
          INT64_MIN, false, false, 0 },
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:50Z','deletionGracePeriodSeconds':30,"
          "'generation':2},'spec':{'nodeName':'n'}}",
          60, false, false, 0 },
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:50Z','deletionGracePeriodSeconds':30,"
          "'generation':2},'spec':{'nodeName':'n'}}",
          10, false, true, 10 },
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:50Z','deletionGracePeriodSeconds':30,"
          "'generation':2},'spec':{'nodeName':'n'}}",
          0, true, true, 0 },
        /* So late that the shorter time is over already. */
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:21Z','deletionGracePeriodSeconds':30,"
          "'generation':2},'spec':{'nodeName':'n'}}",
          10, false, true, 1 },
        /* Nobody asks for less, so nothing changes, though nothing runs any more. */
        { "{'metadata':{'deletionTimestamp':'2023-11-14T22:13:50Z','deletionGracePeriodSeconds':30}"
          ","
          "'spec':{'nodeName':'n'},'status':{'phase':'Failed'}}",
          INT64_MIN, false, false, 0 }
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Pod *pod = fixture_object(&f, KIND_POD, cases[i].json);
        struct resource_grace g = resource_delete_grace(
            resource_of(KIND_POD), &f.context, pod, cases[i].asked != INT64_MIN, cases[i].asked);
        if (g.immediate != cases[i].immediate || g.changed != cases[i].changed)
            fail_msg("case %zu: immediate %d changed %d", i, g.immediate, g.changed);
        if (!g.changed)
            continue;
        assert_int_equal(pod->metadata->deletion_grace_period_seconds, cases[i].grace);
        /* The deletion began at the fixture's now, but for the case that is late. */
        assert_int_equal(pod->metadata->deletion_timestamp->seconds,
                         FIXTURE_NOW_SECONDS +
                             (cases[i].grace == 1 && cases[i].asked > 0 ? 0 : cases[i].grace));
    }
    fixture_deinit(&f);
}

static void test_others(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    void *map = fixture_object(&f, KIND_CONFIG_MAP, "{'metadata':{'name':'m'}}");
    const struct resource *r = resource_of(KIND_CONFIG_MAP);
    assert_true(resource_delete_grace(r, &f.context, map, true, 60).immediate);

    ObjectMeta *meta = resource_meta(map);
    assert_true(resource_mark_deleting(&f.context, map));
    assert_int_equal(meta->deletion_timestamp->seconds, FIXTURE_NOW_SECONDS);
    assert_int_equal(meta->deletion_grace_period_seconds, 0);
    assert_int_equal(meta->generation, 0);
    assert_false(resource_mark_deleting(&f.context, map));

    void *set = fixture_object(&f, KIND_REPLICA_SET, "{'metadata':{'generation':3}}");
    assert_true(resource_mark_deleting(&f.context, set));
    assert_int_equal(resource_meta(set)->generation, 4);
    assert_false(resource_mark_deleting(&f.context, set));
    assert_int_equal(resource_meta(set)->generation, 4);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pods),
                                        cmocka_unit_test(test_others) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
