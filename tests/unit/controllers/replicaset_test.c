/* ReplicaSets: decisions as tables, and against the model of the API with refusals. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/apps.pb-c.h"
#include "controllers/objects.h"
#include "controllers/replicaset.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

#define SET(replicas, status)                                                                      \
    "{\"metadata\":{\"name\":\"rs\",\"namespace\":\"d\",\"generation\":1},\"spec\":{"              \
    "\"replicas\":" replicas                                                                       \
    ",\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{"                   \
    "\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}},\"status\":{" status \
    "}}"
#define SETTLED(n)                                                                                 \
    "\"observedGeneration\":1,\"terminatingReplicas\":0,\"replicas\":" n                           \
    ",\"fullyLabeledReplicas\":" n
#define OWNER(name)                                                                                \
    "\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"" name    \
    "\",\"uid\":\"uid-" name "\",\"controller\":true}],"
#define POD(name, labels, more)                                                                    \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"d\"," more "\"labels\":{" labels         \
    "}},\"spec\":{\"containers\":[]}}"
#define MATCHING "\"a\":\"b\""

static const struct row {
    const char *set;
    const char *pods[3];
    const char *want;
} rows[] = {
    { SET("2", SETTLED("0")), { NULL }, "create Pod d/rs-?\ncreate Pod d/rs-?\n" },
    { SET("2", ""),
      { NULL },
      "create Pod d/rs-?\ncreate Pod d/rs-?\nupdate ReplicaSet d/rs status\n" },
    { SET("1", SETTLED("1")), { POD("p", MATCHING, OWNER("rs")) }, "" },
    { SET("0", SETTLED("1")), { POD("p", MATCHING, OWNER("rs")) }, "delete Pod d/p\n" },
    { SET("1", SETTLED("1")), { POD("orphan", MATCHING, "") }, "patch Pod d/orphan\n" },
    { SET("1", SETTLED("1")),
      { POD("theirs", MATCHING, OWNER("other")) },
      "create Pod d/rs-?\nupdate ReplicaSet d/rs status\n" },
    { SET("1", SETTLED("1")),
      { POD("left", "\"x\":\"y\"", OWNER("rs")) },
      "patch Pod d/left\ncreate Pod d/rs-?\nupdate ReplicaSet d/rs status\n" },
    { SET("1", SETTLED("1")),
      { POD("p", MATCHING, OWNER("rs")),
        POD("going", MATCHING, OWNER("rs") "\"deletionTimestamp\":\"2001-01-01T00:00:00Z\",") },
      "update ReplicaSet d/rs status\n" }, /* it counts what goes */
};

static void test_rows(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decision_case c;

        decision_init(&c);
        decision_add(&c, KIND_REPLICA_SET, rows[i].set);
        for (int j = 0; j < 3 && rows[i].pods[j] != NULL; j++)
            decision_add(&c, KIND_POD, rows[i].pods[j]);
        decision_check(&c, &replicaset_controller, KIND_REPLICA_SET, "d", "rs", rows[i].want);
        decision_deinit(&c);
    }
}

/* A quota refuses: the set says so, and recovers. */
static int refuse_pods(void *ctx, const struct client_call *call)
{
    return *(bool *)ctx && call->kind == KIND_POD && call->verb == CLIENT_CREATE ? ERR_FORBIDDEN
                                                                                 : 0;
}

static const ReplicaSet *set(struct cluster *c)
{
    return fake_get(&c->api, &c->arena, KIND_REPLICA_SET, "d", "rs");
}

static void test_refused(void **state)
{
    struct cluster c;
    bool refusing = true;

    (void)state; /* no shared fixture */
    cluster_init(&c, 3, 1, false);
    c.api.refuse = refuse_pods;
    c.api.refuse_ctx = &refusing;
    cluster_put(&c, KIND_REPLICA_SET, SET("3", ""));
    cluster_run(&c, 10000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 0);
    assert_true(condition_is_true(set(&c)->status->conditions, set(&c)->status->n_conditions,
                                  "ReplicaFailure"));
    assert_non_null(cluster_event(&c, "rs", "FailedCreate"));
    refusing = false;
    cluster_run(&c, 70000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 3);
    assert_int_equal(set(&c)->status->available_replicas, 3);
    assert_null(condition_find(set(&c)->status->conditions, set(&c)->status->n_conditions,
                               "ReplicaFailure"));
    cluster_deinit(&c);
}

/* Events of one object are listed in the order of time: their names end with it. */
static void test_event_names(void **state)
{
    struct cluster c;
    const void **items;
    size_t n, of_set = 0;

    (void)state; /* no shared fixture */
    cluster_init(&c, 5, 1, false);
    cluster_put(&c, KIND_REPLICA_SET, SET("3", ""));
    cluster_run(&c, 10000);
    n = fake_list(&c.api, &c.arena, KIND_EVENT, &items);
    for (size_t i = 0; i < n; i++) {
        const Event *ev = items[i];
        unsigned long long stamp;

        if (!text_eq(ev->involved_object->name, "rs"))
            continue;
        assert_int_equal(strncmp(ev->metadata->name, "rs.", 3), 0);
        stamp = strtoull(ev->metadata->name + 3, NULL, 16);
        assert_int_equal((int64_t)(stamp / ENV_S), ev->first_timestamp->seconds);
        of_set++;
    }
    assert_int_equal(of_set, 3); /* one for each pod: none has another's name */
    cluster_deinit(&c);
}

/* Many pods at once, with lost answers: exactly as many as asked for, at every moment. */
static void test_burst(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 4, 1, false);
    c.api.lose_every = 5;
    cluster_put(&c, KIND_REPLICA_SET, SET("700", ""));
    cluster_run(&c, 60000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 700);
    assert_int_equal(c.pods_max, 700);
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_event_names),
                                        cmocka_unit_test(test_burst) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
