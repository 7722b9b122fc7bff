/* The forms a list is sent in: the same for a list and for what a deletecollection answers. */
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/err.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"a\"}}");
    harness_expect(&r, 201);
    r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"b\"}}");
    harness_expect(&r, 201);
    return rc;
}

/* {method, target} pairs that answer with the same objects. */
static const char *const sources[][2] = { { "GET", MAPS }, { "DELETE", MAPS "?dryRun=All" } };

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static struct reply ask(struct harness *h, size_t source, const char *accept)
{
    struct reply r = harness_send(h, sources[source][0], sources[source][1], accept, NULL);
    harness_expect(&r, 200);
    return r;
}

static void test_text(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < SOURCES; i++) {
        struct reply r = ask(h, i, NULL);
        assert_true(str_starts(r.body, str_lit("{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\","
                                               "\"metadata\":{\"resourceVersion\":\"")));
        harness_contains(&r, "\"},\"items\":[{\"metadata\":{\"name\":\"a\",");
        harness_contains(&r, "},{\"metadata\":{\"name\":\"b\",");
        assert_true(str_find(r.body, str_lit("}}]}\n")) > 0);
        r = ask(h, i, "Accept: application/yaml\r\n");
        harness_contains(&r, "kind: ConfigMapList\n");
        r = ask(h, i, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n");
        assert_true(str_starts(r.body, str_lit("{\"kind\":\"Table\"")));
        harness_contains(&r, "\"cells\":[\"a\",0,");
        harness_contains(&r, "\"cells\":[\"b\",0,");
        r = ask(h, i,
                "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io\r\n");
        assert_true(str_starts(r.body, str_lit("{\"kind\":\"PartialObjectMetadataList\","
                                               "\"apiVersion\":\"meta.k8s.io/v1\"")));
    }
}

static void test_protobuf(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < SOURCES; i++) {
        struct envelope envelope;
        struct err e;
        void *object = NULL;
        struct reply r = ask(h, i, "Accept: application/vnd.kubernetes.protobuf\r\n");
        assert_int_equal(envelope_open(r.body, &envelope, &e), 0);
        assert_true(str_eq_c(envelope.kind, "ConfigMapList"));
        assert_int_equal(schema_unpack(&h->arena, &schema_ConfigMapList, envelope.raw, &object, &e),
                         0);
        const ConfigMapList *list = object;
        assert_int_equal(list->n_items, 2);
        assert_string_equal(list->items[0]->metadata->name, "a");
        assert_string_equal(list->items[1]->metadata->name, "b");
        assert_true(list->items[1]->metadata->resource_version[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_protobuf),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
