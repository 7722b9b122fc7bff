/* Omission rules of empty objects, the splice, selection of a part, broken bytes. */
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static void assert_json(const struct schema *s, struct str stored, const struct encoding *encoding,
                        const char *want)
{
    struct buf b;
    struct err e = { 0 };
    buf_init(&b);
    assert_int_equal(schema_encode_json(&b, s, stored, encoding, &e), 0);
    buf_append_byte(&b, '\0');
    assert_string_equal((const char *)b.data, want);
    buf_deinit(&b);
}

static void empty_objects_show_what_upstream_shows(void **state)
{
    (void)state;
    static const struct {
        const struct schema *schema;
        const char *want;
    } cases[] = {
        { &schema_Pod, "{\"metadata\":{},\"spec\":{\"containers\":null},\"status\":{}}" },
        { &schema_PodList, "{\"metadata\":{},\"items\":[]}" },
        { &schema_Deployment,
          "{\"metadata\":{},\"spec\":{\"selector\":null,\"template\":{\"metadata\":{},\"spec\":{"
          "\"containers\":null}},\"strategy\":{}},\"status\":{}}" },
        { &schema_ConfigMap, "{\"metadata\":{}}" },
        { &schema_Lease, "{\"metadata\":{},\"spec\":{}}" },
        { &schema_Event,
          "{\"metadata\":{},\"involvedObject\":{},\"source\":{},\"firstTimestamp\":null,"
          "\"lastTimestamp\":null,\"eventTime\":null,\"reportingComponent\":\"\","
          "\"reportingInstance\":\"\"}" },
        { &schema_Service, "{\"metadata\":{},\"spec\":{},\"status\":{\"loadBalancer\":{}}}" },
        { &schema_Status, "{\"metadata\":{}}" },
        { &schema_ContainerStatus,
          "{\"name\":\"\",\"state\":{},\"lastState\":{},\"ready\":false,\"restartCount\":0,"
          "\"image\":\"\",\"imageID\":\"\"}" },
        { &schema_NodeDaemonEndpoints, "{\"kubeletEndpoint\":{\"Port\":0}}" },
        { &schema_Scale, "{\"metadata\":{},\"spec\":{},\"status\":{\"replicas\":0}}" },
        { &schema_DeleteOptions, "{}" }
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        arena_init(&a);
        /* Nothing at all on the wire, and upstream's zero of it, must read the same. */
        assert_json(cases[i].schema, str_lit(""), NULL, cases[i].want);
        struct str packed = schema_pack_arena(&a, cases[i].schema, schema_new(&a, cases[i].schema));
        assert_json(cases[i].schema, packed, NULL, cases[i].want);
        arena_deinit(&a);
    }
}

static void encoding_splices(void **state)
{
    (void)state;
    struct encoding encoding = { .kind = str_lit("Pod"),
                                 .api_version = str_lit("v1"),
                                 .resource_version = str_lit("42") };
    /* metadata{name "x", resourceVersion "7"}, spec{nodeName "n"} */
    struct str stored = str_lit("\x0a\x06\x0a\x01x\x32\x01"
                                "7\x12\x03\x52\x01n");
    assert_json(&schema_Pod, stored, &encoding,
                "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\","
                "\"resourceVersion\":\"42\"},\"spec\":{\"containers\":null,\"nodeName\":\"n\"},"
                "\"status\":{}}");
    assert_json(&schema_PartialObjectMetadata, stored, NULL,
                "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"7\"}}");
    assert_json(&schema_Pod, str_lit(""), &encoding,
                "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"42\"},"
                "\"spec\":{\"containers\":null},\"status\":{}}");
}

static void maps_are_sorted_and_the_last_one_wins(void **state)
{
    (void)state;
    /* ObjectMeta.labels b=2, a=1, b=3 */
    struct str stored = str_lit("\x5a\x06\x0a\x01"
                                "b\x12\x01"
                                "2\x5a\x06\x0a\x01"
                                "a\x12\x01"
                                "1\x5a\x06\x0a\x01"
                                "b\x12\x01"
                                "3");
    struct buf b;
    struct err e = { 0 };
    buf_init(&b);
    assert_int_equal(schema_encode_json(&b, &schema_ObjectMeta, stored, NULL, &e), 0);
    assert_true(str_starts(buf_str(&b), str_lit("{\"labels\":{\"a\":\"1\",\"b\":")));
    buf_deinit(&b);
}

static void broken_bytes_are_refused(void **state)
{
    (void)state;
    struct buf b;
    struct err e = { 0 };
    buf_init(&b);
    assert_int_equal(schema_encode_json(&b, &schema_Pod, str_lit("\x0a\x10x"), NULL, &e),
                     -ERR_CORRUPT);
    assert_int_equal(schema_encode_json(&b, &schema_Pod, str_lit("\x08\x01"), NULL, &e),
                     -ERR_CORRUPT);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(empty_objects_show_what_upstream_shows),
                                        cmocka_unit_test(encoding_splices),
                                        cmocka_unit_test(maps_are_sorted_and_the_last_one_wins),
                                        cmocka_unit_test(broken_bytes_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
