/* What a namespace that ends says it waits for. */
#include "api/meta/condition.h"
#include "api/proto/core.pb-c.h"
#include "controllers/namespace.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tells) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
