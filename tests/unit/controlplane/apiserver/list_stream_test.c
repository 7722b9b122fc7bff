/* Lists too long to be sent whole: the same texts as of short ones, in every form. */
#include <stdio.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/err.h"
#include "net/gzip.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS       "/api/v1/namespaces/long/configmaps"
#define HUGE       "/api/v1/namespaces/huge/configmaps"
#define COUNT      60
#define LIMIT      50 /* still too long */
#define PAGE       10 /* not too long */
#define DATA_BYTES (20u << 10)
#define HUGE_COUNT 18
#define HUGE_BYTES 1000000u
#define WHOLE_MAX  (64u << 20)
#define PROTOBUF   "Accept: application/vnd.kubernetes.protobuf\r\n"
#define TABLE      "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n"

static void make_maps(struct harness *h, const char *namespace, int count, size_t bytes)
{
    char *data = mem_alloc(bytes + 1);
    struct str target = str_printf(&h->arena, "/api/v1/namespaces/%s/configmaps", namespace);
    struct reply r =
        harness_post(h, "/api/v1/namespaces",
                     str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"}}", namespace).data);
    harness_expect(&r, 201);
    for (int i = 0; i < count; i++) {
        memset(data, 'a' + i % 26, bytes);
        r = harness_post(h, target.data,
                         str_printf(&h->arena,
                                    "{\"metadata\":{\"name\":\"m%02d\",\"labels\":{\"odd\":\"%d\"}}"
                                    ",\"data\":{\"v\":\"%s\"}}",
                                    i, i % 2, data)
                             .data);
        harness_expect(&r, 201);
    }
    mem_free(data);
}

static int setup(void **state)
{
    int rc = harness_setup(state);
    make_maps(*state, "long", COUNT, DATA_BYTES);
    return rc;
}

static struct str items_of(const struct reply *r)
{
    ptrdiff_t at = str_find(r->body, str_lit("\"items\":["));
    assert_true(at > 0);
    assert_true(str_ends(r->body, str_lit("]}\n")));
    return str_slice(r->body, (size_t)at + 9, r->body.len - 3);
}

static struct reply next_page(struct harness *h, const struct reply *r, int limit)
{
    return harness_get(h, str_printf(&h->arena, MAPS "?limit=%d&continue=%.*s", limit,
                                     STR_ARG(harness_member(h, r, "continue")))
                              .data);
}

static void test_same_as_short_pages(void **state)
{
    struct harness *h = *state;
    struct buf pages;
    struct reply whole = harness_get(h, MAPS);
    struct reply r = harness_get(h, str_printf(&h->arena, MAPS "?limit=%d", PAGE).data);
    harness_expect(&whole, 200);
    assert_true(str_find(whole.headers, str_lit("content-length")) < 0); /* it came in pieces */
    assert_true(str_find(r.headers, str_lit("content-length")) > 0);
    assert_true(str_starts(whole.body, str_lit("{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\","
                                               "\"metadata\":{\"resourceVersion\":\"")));
    harness_lacks(&whole, "\"continue\"");
    buf_init(&pages);
    for (int i = 0;; i++) {
        harness_expect(&r, 200);
        buf_append_c(&pages, i == 0 ? "" : ",");
        buf_append_str(&pages, items_of(&r));
        if (i == COUNT / PAGE - 1)
            break;
        r = next_page(h, &r, PAGE);
    }
    assert_true(str_eq(items_of(&whole), buf_str(&pages)));
    buf_deinit(&pages);
}

static void test_long_pages(void **state)
{
    struct harness *h = *state;
    struct buf both;
    struct reply whole = harness_get(h, MAPS);
    struct reply first = harness_get(h, str_printf(&h->arena, MAPS "?limit=%d", LIMIT).data);
    harness_expect(&first, 200);
    assert_true(str_find(first.headers, str_lit("content-length")) < 0);
    harness_contains(&first, "\"remainingItemCount\":10");
    struct reply second = next_page(h, &first, LIMIT);
    harness_expect(&second, 200);
    buf_init(&both);
    buf_append_str(&both, items_of(&first));
    buf_append_c(&both, ",");
    buf_append_str(&both, items_of(&second));
    assert_true(str_eq(items_of(&whole), buf_str(&both)));
    buf_deinit(&both);
    struct reply odd = harness_get(h, MAPS "?labelSelector=odd%3D1&limit=29");
    harness_expect(&odd, 200);
    assert_true(str_find(odd.headers, str_lit("content-length")) < 0);
    harness_lacks(&odd, "remainingItemCount");
    harness_lacks(&odd, "\"odd\":\"0\"");
    harness_contains(&odd, "\"m57\"");
    harness_lacks(&odd, "\"m59\"");
    assert_true(harness_member(h, &odd, "continue").len > 0);
    odd = harness_get(h, MAPS "?labelSelector=odd%3D1&limit=30");
    harness_contains(&odd, "\"m59\"");
    harness_lacks(&odd, "\"continue\"");
}

static void test_pretty(void **state)
{
    struct harness *h = *state;
    struct buf pretty;
    struct reply compact = harness_get(h, MAPS);
    struct reply r = harness_get(h, MAPS "?pretty=true");
    harness_expect(&r, 200);
    assert_true(str_find(r.headers, str_lit("content-length")) < 0);
    buf_init(&pretty);
    json_indent(&pretty, str_slice(compact.body, 0, compact.body.len - 1));
    assert_true(str_eq(r.body, buf_str(&pretty)));
    buf_deinit(&pretty);
}

static const ConfigMapList *unpack_list(struct harness *h, const struct reply *r)
{
    struct envelope envelope;
    struct err e;
    void *object = NULL;
    harness_expect(r, 200);
    assert_true(str_find(r->headers, str_lit("content-length")) < 0);
    assert_int_equal(envelope_open(r->body, &envelope, &e), 0);
    assert_true(str_eq_c(envelope.kind, "ConfigMapList"));
    assert_int_equal(schema_unpack(&h->arena, &schema_ConfigMapList, envelope.raw, &object, &e), 0);
    return object;
}

static void test_protobuf(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "GET", MAPS, PROTOBUF, NULL);
    const ConfigMapList *list = unpack_list(h, &r);
    assert_int_equal(list->n_items, COUNT);
    assert_string_equal(list->items[COUNT - 1]->metadata->name, "m59");
    assert_true(list->metadata->resource_version[0] != '\0');
    assert_string_equal(list->metadata->continue_, "");
    r = harness_send(h, "GET", str_printf(&h->arena, MAPS "?limit=%d", LIMIT).data, PROTOBUF, NULL);
    list = unpack_list(h, &r);
    assert_int_equal(list->n_items, LIMIT);
    assert_true(list->metadata->continue_[0] != '\0');
    assert_int_equal(list->metadata->remaining_item_count, COUNT - LIMIT);
}

static void test_gzip(void **state)
{
    static const char *const accepts[] = { "", PROTOBUF };
    struct harness *h = *state;
    struct buf plain;
    struct err e;
    buf_init(&plain);
    for (int i = 0; i < 3; i++) {
        const char *target = i == 2 ? MAPS "?pretty=1" : MAPS;
        const char *accept = accepts[i % 2];
        struct reply r = harness_send(h, "GET", target, accept, NULL);
        struct reply packed =
            harness_send(h, "GET", target,
                         str_printf(&h->arena, "%sAccept-Encoding: gzip\r\n", accept).data, NULL);
        harness_expect(&packed, 200);
        assert_true(str_find(packed.headers, str_lit("content-encoding: gzip")) > 0);
        assert_true(packed.body.len < r.body.len / 10);
        buf_clear(&plain);
        assert_int_equal(gzip_unpack(&plain, packed.body, WHOLE_MAX, &e), 0);
        assert_true(str_eq(buf_str(&plain), r.body));
    }
    buf_deinit(&plain);
}

static void test_huge(void **state)
{
    struct harness *h = *state;
    make_maps(h, "huge", HUGE_COUNT, HUGE_BYTES);
    struct reply r = harness_send(h, "GET", HUGE, "Accept: application/yaml\r\n", NULL);
    harness_expect(&r, 413);
    harness_contains(&r, "in pages with limit");
    r = harness_get(h, HUGE);
    harness_expect(&r, 200);
    assert_in_range(r.body.len, HUGE_COUNT * HUGE_BYTES, HUGE_COUNT * (HUGE_BYTES + 1000));
    r = harness_send(h, "GET", HUGE "?includeObject=Object", TABLE, NULL);
    harness_expect(&r, 200);
    assert_true(str_find(r.headers, str_lit("content-length")) < 0);
    assert_true(str_starts(r.body, str_lit("{\"kind\":\"Table\"")));
    assert_true(str_ends(r.body, str_lit("]}\n")));
}

/* A client that reads a little and then no more: the list waits, others are served; then it goes.
 */
static void test_slow_and_gone(void **state)
{
    static const char *const targets[] = { MAPS, HUGE };
    struct harness *h = *state;
    struct stream s;
    h->receive_bytes = 4096;
    for (int i = 0; i < 2; i++) {
        stream_open(h, &s, targets[i], i == 0 ? "" : "Accept-Encoding: gzip\r\n");
        assert_int_equal(s.status, 200);
        struct reply r = harness_get(h, MAPS "/m00");
        harness_expect(&r, 200);
        assert_true(stream_more(&s));
        stream_close(&s);
    }
    h->receive_bytes = 0;
    struct reply r = harness_get(h, MAPS "?limit=1");
    harness_expect(&r, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_short_pages),
        cmocka_unit_test(test_long_pages),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_protobuf),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_slow_and_gone),
    };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
