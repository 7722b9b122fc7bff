/* Garbage collection against the model of the API: background, foreground, orphan. */
#include <string.h>

#include "controllers/garbagecollector.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

#define OWNED(kind, version, name, uid, block)                                                     \
    "\"ownerReferences\":[{\"apiVersion\":\"" version "\",\"kind\":\"" kind "\",\"name\":\"" name  \
    "\",\"uid\":\"" uid "\",\"blockOwnerDeletion\":" block "}]"

/* Puts a ConfigMap called owner and its dependent; the uid is what the API gave. */
static void put_pair(struct cluster *c, const char *finalizer)
{
    const ConfigMap *owner;
    struct str json = str_printf(
        &c->arena, "{\"metadata\":{\"name\":\"owner\",\"namespace\":\"d\",\"finalizers\":[%s]}}",
        finalizer);

    cluster_put(c, KIND_CONFIG_MAP, str_dup(&c->arena, json));
    owner = fake_get(&c->api, &c->arena, KIND_CONFIG_MAP, "d", "owner");
    json = str_printf(&c->arena,
                      "{\"metadata\":{\"name\":\"child\",\"namespace\":\"d\"," OWNED(
                          "ConfigMap", "v1", "owner", "%s", "true") "}}",
                      owner->metadata->uid);
    cluster_put(c, KIND_SECRET, str_dup(&c->arena, json));
}

static void *child(struct cluster *c)
{
    return fake_get(&c->api, &c->arena, KIND_SECRET, "d", "child");
}

static void *owner(struct cluster *c)
{
    return fake_get(&c->api, &c->arena, KIND_CONFIG_MAP, "d", "owner");
}

static void test_background(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 1, 0, false);
    put_pair(&c, "");
    cluster_run(&c, 5000);
    assert_non_null(child(&c));
    fake_remove(&c.api, KIND_CONFIG_MAP, "d", "owner");
    cluster_run(&c, 5000);
    assert_null(child(&c));
    cluster_deinit(&c);
}

/* Its owner was gone before anybody looked; and an owner of a kind nobody knows is left alone. */
static void test_absent_and_unknown(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 2, 0, false);
    cluster_put(&c, KIND_SECRET,
                "{\"metadata\":{\"name\":\"child\",\"namespace\":\"d\"," OWNED(
                    "ConfigMap", "v1", "owner", "old", "false") "}}");
    cluster_put(&c, KIND_SECRET,
                "{\"metadata\":{\"name\":\"custom\",\"namespace\":\"d\"," OWNED(
                    "Thing", "example.com/v1", "x", "y", "false") "}}");
    cluster_put(&c, KIND_CONFIG_MAP, "{\"metadata\":{\"name\":\"owner\",\"namespace\":\"d\"}}");
    cluster_run(&c, 5000);
    assert_null(child(&c)); /* another object has the name: the uid decides */
    assert_non_null(fake_get(&c.api, &c.arena, KIND_SECRET, "d", "custom"));
    cluster_deinit(&c);
}

static void test_foreground(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 3, 0, false);
    put_pair(&c, "\"foregroundDeletion\"");
    cluster_run(&c, 3000);
    fake_delete(&c.api, KIND_CONFIG_MAP, "d", "owner");
    assert_non_null(owner(&c));
    cluster_run(&c, 5000);
    assert_null(child(&c));
    assert_null(owner(&c));
    cluster_deinit(&c);
}

static void test_orphan(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 4, 0, false);
    put_pair(&c, "\"orphan\"");
    cluster_run(&c, 3000);
    fake_delete(&c.api, KIND_CONFIG_MAP, "d", "owner");
    cluster_run(&c, 5000);
    assert_null(owner(&c));
    assert_non_null(child(&c));
    assert_int_equal(((Secret *)child(&c))->metadata->n_owner_references, 0);
    cluster_deinit(&c);
}

/* A deployment that is deleted takes its sets and pods along. */
static void test_deployment_goes(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 5, 1, false);
    cluster_put(
        &c, KIND_DEPLOYMENT,
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":5,"
        "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":"
        "{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}");
    cluster_run(&c, 10000);
    assert_int_equal(fake_count(&c.api, KIND_POD), 5);
    fake_remove(&c.api, KIND_DEPLOYMENT, "default", "web");
    cluster_run(&c, 20000);
    assert_int_equal(fake_count(&c.api, KIND_REPLICA_SET), 0);
    assert_int_equal(fake_count(&c.api, KIND_POD), 0);
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_background),
                                        cmocka_unit_test(test_absent_and_unknown),
                                        cmocka_unit_test(test_foreground),
                                        cmocka_unit_test(test_orphan),
                                        cmocka_unit_test(test_deployment_goes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
