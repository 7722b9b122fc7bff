/* Bodies of many items, by every way in. */
#include "api/schema/codec.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/body_items.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(items_are_bounded),
                                        cmocka_unit_test(protobuf_is_bounded) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
