/* Bodies of many items, by every way in. */
#include "api/meta/key.h"
#include "api/schema/codec.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/body_items.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS     "/api/v1/namespaces/default/pods"
#define SERVICES "/api/v1/namespaces/default/services"
#define JSON     "application/json"

/* The message of a Status, unescaped. */
static struct str message_of(struct harness *h, const struct reply *r)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (json_parse(&h->arena, r->body, &j, &e) != 0)
        fail_msg("%.*s: %s", STR_ARG(r->body), e.msg);
    return json_str(json_get_c(j, "message"));
}

static struct reply send_body(struct harness *h, const char *method, const char *target,
                              const char *type, struct str body)
{
    struct str header = str_printf(&h->arena, "Content-Type: %s\r\n", type);
    return harness_send_bytes(h, method, target, header.data, body);
}

/* Head, so many times the item, tail. */
static struct str many(struct harness *h, const char *head, const char *item, size_t count,
                       const char *tail)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, head);
    for (size_t i = 0; i < count; i++) {
        buf_append_c(&b, i > 0 ? "," : "");
        buf_append_c(&b, item);
    }
    buf_append_c(&b, tail);
    struct str text = str_copy(&h->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* A million items in one body are refused before there is an object, whatever the way. */
static void items_are_bounded(void **state)
{
    static const char message[] =
        "Pod \"p\" is invalid: spec.containers: Too many: 30000: must have "
        "at most 20000 items";
    struct harness *h = *state;
    struct str body =
        many(h, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[", "{}", 30000, "]}}");
    struct reply r = send_body(h, "POST", PODS, JSON, body);
    harness_expect(&r, 422);
    assert_string_equal(str_dup(&h->arena, message_of(h, &r)), message);
    body = many(h,
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
                "\"spec\":{\"containers\":[",
                "{}", 30000, "]}}");
    r = send_body(h, "PATCH", PODS "/p?fieldManager=m", "application/apply-patch+yaml", body);
    harness_expect(&r, 422);
    assert_string_equal(str_dup(&h->arena, message_of(h, &r)), message);
    r = send_body(h, "POST", SERVICES, JSON,
                  str_lit("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"ports\":[{\"port\":1}]}}"));
    harness_expect(&r, 201);
    body = many(h, "{\"spec\":{\"ports\":[", "{}", 30000, "]}}");
    r = send_body(h, "PATCH", SERVICES "/p", "application/merge-patch+json", body);
    harness_expect(&r, 422);
    assert_string_equal(str_dup(&h->arena, message_of(h, &r)),
                        "Service \"p\" is invalid: spec.ports: Too many: 30000: must have at most "
                        "20000 items");
}

/* Two bytes an item: an empty port of an empty spec. */
static void protobuf_is_bounded(void **state)
{
    struct harness *h = *state;
    const struct encoding encoding = { .api_version = str_lit("v1"), .kind = str_lit("Service") };
    struct buf spec;
    struct buf service;
    struct buf body;
    buf_init(&spec);
    buf_init(&service);
    buf_init(&body);
    for (size_t i = 0; i < 30000; i++)
        buf_append(&spec, "\x0a\x00", 2);
    buf_append(&service, "\x12\xe0\xd4\x03", 4); /* field 2, 60000 bytes */
    buf_append_str(&service, buf_str(&spec));
    envelope_begin(&body, &encoding, service.len);
    buf_append_str(&body, buf_str(&service));
    envelope_end(&body);
    struct reply r = send_body(h, "POST", SERVICES, "application/vnd.kubernetes.protobuf",
                               str_copy(&h->arena, buf_str(&body)));
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ports: Too many: 20001: must have at most 20000 items");
    buf_deinit(&spec);
    buf_deinit(&service);
    buf_deinit(&body);
}

#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"

/* An account as an earlier release might have stored it: with so many empty imagePullSecrets. */
static void store_account(struct harness *h, const char *name, size_t items)
{
    const struct key parts = { .kind = KIND_SERVICE_ACCOUNT,
                               .namespace = str_lit("default"),
                               .name = str_from(name) };
    struct str made = str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"}}", name);
    struct reply r = harness_post(h, ACCOUNTS, made.data);
    struct str key = key_text(&h->arena, &parts);
    struct buf value;
    harness_expect(&r, 201);
    buf_init(&value);
    buf_append_str(&value, harness_stored(h, key));
    for (size_t i = 0; i < items; i++)
        buf_append(&value, "\x1a\x00", 2);
    const struct store_op op = { .type = STORE_OP_PUT, .key = key, .value = buf_str(&value) };
    const struct store_txn txn = { .ops = &op, .ops_count = 1 };
    harness_commit(h, &txn);
    buf_deinit(&value);
}

/* What has more items already can be patched, but does not get more of them. */
static void stored_items_stay(void **state)
{
    static const char *const labels = "{\"metadata\":{\"labels\":{\"a\":\"%s\"}}}";
    struct harness *h = *state;
    store_account(h, "large", 30000);
    struct str body = str_printf(&h->arena, labels, "1");
    struct reply r =
        send_body(h, "PATCH", ACCOUNTS "/large", "application/strategic-merge-patch+json", body);
    harness_expect(&r, 200);
    body = str_printf(&h->arena, labels, "2");
    r = send_body(h, "PATCH", ACCOUNTS "/large", "application/merge-patch+json", body);
    harness_expect(&r, 200);
    harness_contains(&r, "\"labels\":{\"a\":\"2\"}");
    body = str_lit("[{\"op\":\"remove\",\"path\":\"/metadata/labels/a\"}]");
    r = send_body(h, "PATCH", ACCOUNTS "/large", "application/json-patch+json", body);
    harness_expect(&r, 200);
    body = str_lit("{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":"
                   "\"large\",\"labels\":{\"b\":\"3\"}}}");
    r = send_body(h, "PATCH", ACCOUNTS "/large?fieldManager=m", "application/apply-patch+yaml",
                  body);
    harness_expect(&r, 200);
    harness_contains(&r, "\"labels\":{\"b\":\"3\"}");
    body = str_lit("[{\"op\":\"add\",\"path\":\"/imagePullSecrets/-\",\"value\":{}}]");
    r = send_body(h, "PATCH", ACCOUNTS "/large", "application/json-patch+json", body);
    harness_expect(&r, 422);
    assert_string_equal(str_dup(&h->arena, message_of(h, &r)),
                        "ServiceAccount \"large\" is invalid: imagePullSecrets: Too many: 30003: "
                        "must have at most 30002 items");
}

/* Applies of many small configurations do not make what one could not. */
static void applies_add_up(void **state)
{
    struct harness *h = *state;
    struct reply r = { 0 };
    for (size_t i = 0; i < 2; i++) {
        struct buf b;
        buf_init(&b);
        buf_printf(&b,
                   "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":"
                   "\"sum\"},\"secrets\":[{\"name\":\"%zu\"}",
                   i);
        for (size_t k = 1; k < 12000; k++)
            buf_printf(&b, ",{\"name\":\"%zu-%zu\"}", i, k);
        buf_append_c(&b, "]}");
        struct str target = str_printf(&h->arena, ACCOUNTS "/sum?fieldManager=m%zu", i);
        r = send_body(h, "PATCH", target.data, "application/apply-patch+yaml", buf_str(&b));
        buf_deinit(&b);
        harness_expect(&r, i == 0 ? 201 : 422);
    }
    harness_contains(&r, "secrets: Too many: 24000: must have at most 20000 items");
}

/* A patch of any size may name a field twice: the last one counts. */
static void duplicates_of_a_large_patch(void **state)
{
    struct harness *h = *state;
    struct buf b;
    struct reply r =
        harness_post(h, "/api/v1/namespaces/default/configmaps", "{\"metadata\":{\"name\":\"d\"}}");
    harness_expect(&r, 201);
    buf_init(&b);
    buf_append_c(&b, "{\"data\":{\"k\":\"0\"");
    for (size_t i = 0; i < 20000; i++)
        buf_printf(&b, ",\"k%zu\":\"%zu\"", i % 15000, i);
    buf_append_c(&b, ",\"k\":\"1\"}}");
    r = send_body(h, "PATCH", "/api/v1/namespaces/default/configmaps/d",
                  "application/merge-patch+json", buf_str(&b));
    buf_deinit(&b);
    harness_expect(&r, 200);
    harness_contains(&r, "\"k\":\"1\"");
    harness_contains(&r, "\"k0\":\"15000\"");
    harness_contains(&r, "\"k14999\":\"14999\"");
    assert_true(str_find(r.headers, str_lit("duplicate field \\\"data.k0\\\"")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(items_are_bounded),
                                        cmocka_unit_test(protobuf_is_bounded),
                                        cmocka_unit_test(stored_items_stay),
                                        cmocka_unit_test(applies_add_up),
                                        cmocka_unit_test(duplicates_of_a_large_patch) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
