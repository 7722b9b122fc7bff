/* Namespaces: emptied, pods first, then gone; and what every active one has. */
#include <string.h>

#include "api/meta/condition.h"
#include "api/proto/core.pb-c.h"
#include "controllers/namespace.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

static void test_terminates(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed < 6; seed++) {
        struct cluster c;

        cluster_init(&c, seed, 1, false);
        cluster_put(&c, KIND_NAMESPACE,
                    "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}}");
        cluster_put(&c, KIND_CONFIG_MAP, "{\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"}}");
        cluster_put(&c, KIND_POD,
                    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":"
                    "\"node-1\",\"containers\":[{\"name\":\"c\"}]}}");
        cluster_run(&c, 5000);
        c.dead_node = "node-1";
        fake_delete(&c.api, KIND_NAMESPACE, "", "d");
        cluster_run(&c, 10000);
        /* The pod's agent has not let go: nothing else goes before. */
        assert_non_null(fake_get(&c.api, &c.arena, KIND_CONFIG_MAP, "d", "m"));
        assert_non_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "d"));
        c.dead_node = NULL;
        cluster_run(&c, 10000);
        assert_null(fake_get(&c.api, &c.arena, KIND_CONFIG_MAP, "d", "m"));
        assert_null(fake_get(&c.api, &c.arena, KIND_SERVICE_ACCOUNT, "d", "default"));
        assert_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "d"));
        assert_non_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "default"));
        cluster_deinit(&c);
    }
}

#define TERMINATING(more)                                                                          \
    "{\"metadata\":{\"name\":\"d\",\"deletionTimestamp\":\"2001-01-01T00:00:00Z\"},\"spec\":{"     \
    "\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Terminating\"" more "}}"
#define GOING(name, finalizers)                                                                    \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"d\",\"deletionTimestamp\":"              \
    "\"2001-01-01T00:00:00Z\",\"finalizers\":[" finalizers "]}}"

static const NamespaceCondition *said(const struct decision_case *c, const char *type)
{
    const Namespace *ns = c->actions.items[0].object;

    return condition_find(ns->status->conditions, ns->status->n_conditions, type);
}

static void decide(struct decision_case *c)
{
    struct err e = { 0 };
    struct world w = { .arena = &c->arena, .listers = c->listers, .flags = &c->flags };
    struct key k = { .kind = KIND_NAMESPACE, .namespace = str_lit(""), .name = str_lit("d") };

    c->actions = (struct actions){ .arena = &c->arena };
    assert_int_equal(namespace_controller.reconcile(&w, &k, &c->actions, &e), 0);
}

/* What is on its way out is told once; what was not asked to go yet is not in it. */
static void test_tells(void **state)
{
    struct decision_case c;

    (void)state; /* no shared fixture */
    decision_init(&c);
    decision_add(&c, KIND_NAMESPACE, TERMINATING(""));
    decision_add(&c, KIND_CONFIG_MAP, "{\"metadata\":{\"name\":\"stays\",\"namespace\":\"d\"}}");
    decide(&c);
    assert_int_equal(c.actions.items[0].type, ACTION_DELETE_COLLECTION);
    assert_string_equal(c.actions.items[c.actions.count - 1].subresource.data, "finalize");

    decision_add(&c, KIND_CONFIG_MAP, GOING("m", "\"x/b\",\"x/a\""));
    decision_add(&c, KIND_REPLICA_SET, GOING("r", "\"x/a\""));
    decision_add(&c, KIND_REPLICA_SET, GOING("s", ""));
    decide(&c);
    assert_int_equal(c.actions.items[0].type, ACTION_UPDATE);
    assert_string_equal(said(&c, "NamespaceContentRemaining")->message,
                        "Some resources are remaining: configmaps. has 1 resource instances, "
                        "replicasets.apps has 2 resource instances");
    assert_string_equal(said(&c, "NamespaceContentRemaining")->reason, "SomeResourcesRemain");
    assert_string_equal(said(&c, "NamespaceContentRemaining")->status, "True");
    assert_string_equal(said(&c, "NamespaceFinalizersRemaining")->message,
                        "Some content in the namespace has finalizers remaining: x/a in 2 resource "
                        "instances, x/b in 1 resource instances");
    assert_string_equal(said(&c, "NamespaceDeletionContentFailure")->status, "False");
    assert_int_equal(c.actions.items[c.actions.count - 1].type, ACTION_CONFIRM_EMPTY);

    /* Written: the next look finds nothing new, and goes on. */
    const Namespace *ns = c.actions.items[0].object;
    struct world w = { .arena = &c.arena, .listers = c.listers, .flags = &c.flags };
    assert_false(namespace_tell_remaining(&w, &c.actions, ns));
    decision_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_terminates),
                                        cmocka_unit_test(test_tells) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
