/* What budgets allow: decisions as a table of numbers. */
#include <stdio.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/policy.pb-c.h"
#include "controllers/disruption.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

#define BUDGET(spec)                                                                               \
    "{\"metadata\":{\"name\":\"b\",\"namespace\":\"d\",\"generation\":2},\"spec\":{"               \
    "\"selector\":{\"matchLabels\":{\"a\":\"b\"}}" spec "}}"
#define OF(kind, name)                                                                             \
    "\"ownerReferences\":[{\"apiVersion\":\"x\",\"kind\":\"" kind "\",\"name\":\"" name            \
    "\",\"uid\":\"uid-" name "\",\"controller\":true}],"
#define POD(name, meta, ready)                                                                     \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"d\"," meta                               \
    "\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[]},\"status\":{\"phase\":\"Running\","    \
    "\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\"}]}}"
#define GOING "\"deletionTimestamp\":\"2001-01-01T00:00:00Z\","

static const struct row {
    const char *budget;
    const char *pods[4];
    const char *want; /* healthy/desired/expected allowed reason */
} rows[] = {
    { BUDGET(",\"minAvailable\":1"),
      { POD("p", "", "True"), POD("q", "", "True") },
      "2/1/2 1 SufficientPods" },
    { BUDGET(",\"minAvailable\":2"),
      { POD("p", "", "True"), POD("q", "", "True") },
      "2/2/2 0 InsufficientPods" },
    { BUDGET(",\"minAvailable\":1"),
      { POD("p", "", "True"), POD("q", "", "False"), POD("r", GOING, "True") },
      "1/1/3 0 InsufficientPods" },
    { BUDGET(""), { POD("p", "", "True") }, "1/0/0 0 InsufficientPods" },
    { BUDGET(",\"minAvailable\":0"), { NULL }, "0/0/0 0 InsufficientPods" },
    /* Parts of all that there should be: of a Deployment's ReplicaSet, of a ReplicaSet, of a
     * ReplicationController. */
    { BUDGET(",\"maxUnavailable\":1"),
      { POD("p", OF("ReplicaSet", "web-1"), "True"), POD("q", OF("ReplicaSet", "web-1"), "True") },
      "2/3/4 0 InsufficientPods" },
    { BUDGET(",\"maxUnavailable\":3"),
      { POD("p", OF("ReplicaSet", "web-1"), "True"), POD("q", OF("ReplicaSet", "web-1"), "True") },
      "2/1/4 1 SufficientPods" },
    { BUDGET(",\"minAvailable\":\"40%\""),
      { POD("p", OF("ReplicaSet", "alone"), "True"),
        POD("q", OF("ReplicationController", "rc"), "True"), POD("r", "", "True") },
      "3/2/5 1 SufficientPods" },
    { BUDGET(",\"maxUnavailable\":\"100%\""),
      { POD("p", OF("ReplicaSet", "alone"), "True") },
      "1/0/3 1 SufficientPods" },
    { BUDGET(",\"maxUnavailable\":1"),
      { POD("p", OF("StatefulSet", "s"), "True") },
      "0/0/0 0 SyncFailed" },
    { BUDGET(",\"maxUnavailable\":1"),
      { POD("p", OF("ReplicaSet", "gone"), "True") },
      "0/0/0 0 SyncFailed" },
};

static void add_owners(struct decision_case *c)
{
    decision_add(c, KIND_DEPLOYMENT,
                 "{\"metadata\":{\"name\":\"web\",\"namespace\":\"d\"},\"spec\":{\"replicas\":4}}");
    decision_add(
        c, KIND_REPLICA_SET,
        "{\"metadata\":{\"name\":\"web-1\"," OF("Deployment", "web") "\"namespace\":\"d\"},"
                                                                     "\"spec\":{\"replicas\":9}}");
    decision_add(
        c, KIND_REPLICA_SET,
        "{\"metadata\":{\"name\":\"alone\",\"namespace\":\"d\"},\"spec\":{\"replicas\":3}}");
    decision_add(c, KIND_REPLICATION_CONTROLLER,
                 "{\"metadata\":{\"name\":\"rc\",\"namespace\":\"d\"},\"spec\":{\"replicas\":2}}");
}

static void check_status(const struct decision_case *c, const struct row *row)
{
    char got[128];
    const PodDisruptionBudget *b = c->actions.items[0].object;
    const PodDisruptionBudgetStatus *s = b->status;
    const Condition *condition =
        condition_find(s->conditions, s->n_conditions, "DisruptionAllowed");
    assert_non_null(condition);
    assert_string_equal(condition->status, s->disruptions_allowed > 0 ? "True" : "False");
    assert_int_equal(s->observed_generation, 2);
    (void)snprintf(got, sizeof(got), "%d/%d/%d %d %s", s->current_healthy, s->desired_healthy,
                   s->expected_pods, s->disruptions_allowed, condition->reason);
    assert_string_equal(got, row->want);
}

static void test_rows(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decision_case c;
        decision_init(&c);
        add_owners(&c);
        decision_add(&c, KIND_DISRUPTION_BUDGET, rows[i].budget);
        for (size_t j = 0; rows[i].pods[j] != NULL; j++)
            decision_add(&c, KIND_POD, rows[i].pods[j]);
        decision_check(&c, &disruption_controller, KIND_DISRUPTION_BUDGET, "d", "b",
                       "update PodDisruptionBudget d/b status\n");
        check_status(&c, &rows[i]);
        decision_deinit(&c);
    }
}

/* What is as it was is not written; a budget that is gone, or about nothing, asks for nothing. */
static void test_nothing_to_do(void **state)
{
    struct decision_case c;
    (void)state; /* no shared fixture */
    decision_init(&c);
    decision_add(&c, KIND_DISRUPTION_BUDGET,
                 "{\"metadata\":{\"name\":\"b\",\"namespace\":\"d\",\"generation\":1},\"spec\":{"
                 "\"minAvailable\":1},\"status\":{\"observedGeneration\":1,\"conditions\":[{"
                 "\"type\":\"DisruptionAllowed\",\"status\":\"False\",\"reason\":"
                 "\"InsufficientPods\",\"message\":\"\",\"observedGeneration\":1,"
                 "\"lastTransitionTime\":"
                 "\"2001-01-01T00:00:00Z\"}],\"desiredHealthy\":1}}");
    decision_add(&c, KIND_POD, POD("p", "", "True"));
    decision_check(&c, &disruption_controller, KIND_DISRUPTION_BUDGET, "d", "b", "");
    decision_check(&c, &disruption_controller, KIND_DISRUPTION_BUDGET, "d", "none", "");
    decision_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_nothing_to_do) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
