/* Items of an object's lists, counted before there is an object. */
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/items.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

/* head, so many items, tail. */
static const struct json *object(struct arena *a, const char *head, const char *item, size_t count,
                                 const char *tail)
{
    struct buf b;
    struct err e = { 0 };
    const struct json *j = NULL;
    buf_init(&b);
    buf_append_c(&b, head);
    for (size_t i = 0; i < count; i++) {
        buf_append_c(&b, i > 0 ? "," : "");
        buf_printf(&b, item, i);
    }
    buf_append_c(&b, tail);
    assert_int_equal(json_parse(a, str_copy(a, buf_str(&b)), &j, &e), 0);
    buf_deinit(&b);
    return j;
}

#define POD    "{\"spec\":{\"containers\":["
#define ENV    "{\"env\":[{}]}"
#define LIMITS "{\"spec\":{\"overhead\":{"
#define LABELS "{\"metadata\":{\"labels\":{"

static const struct {
    const char *head;
    const char *item;
    const char *tail;
    size_t most; /* of such items; 0: no bound */
} cases[] = {
    { POD, "{}", "]}}", SCHEMA_ITEMS_MAX },
    { POD, ENV, "]}}", SCHEMA_ITEMS_MAX / 2 },
    { POD "{\"args\":[", "\"\"", "]}]}}", SCHEMA_ITEMS_MAX - 1 },
    { LIMITS, "\"k%zu\":\"1\"", "}}}", SCHEMA_ITEMS_MAX },
    { LABELS, "\"k%zu\":\"1\"", "}}}", 0 },
    { "{\"unknown\":[", "{}", "]}", 0 },
};

static void test_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct schema_surplus found;
        struct arena a;
        size_t most = cases[i].most == 0 ? 3 * SCHEMA_ITEMS_MAX : cases[i].most;
        arena_init(&a);
        const struct json *j = object(&a, cases[i].head, cases[i].item, most, cases[i].tail);
        assert_true(schema_items_fit(&a, &schema_Pod, j, SCHEMA_ITEMS_MAX, &found));
        j = object(&a, cases[i].head, cases[i].item, most + 1, cases[i].tail);
        assert_int_equal(schema_items_fit(&a, &schema_Pod, j, SCHEMA_ITEMS_MAX, &found),
                         cases[i].most == 0);
        if (cases[i].most > 0)
            assert_true(found.count > SCHEMA_ITEMS_MAX);
        arena_deinit(&a);
    }
}

static void test_paths(void **state)
{
    struct schema_surplus found;
    struct arena a;
    (void)state;
    arena_init(&a);
    const struct json *j = object(&a, POD, ENV, SCHEMA_ITEMS_MAX - 1, "]}}");
    assert_false(schema_items_fit(&a, &schema_Pod, j, SCHEMA_ITEMS_MAX, &found));
    assert_true(str_eq_c(found.path, "spec.containers[1].env"));
    assert_int_equal(found.count, SCHEMA_ITEMS_MAX + 1);
    j = object(&a, POD, "{}", 3 * SCHEMA_ITEMS_MAX, "]}}");
    assert_false(schema_items_fit(&a, &schema_Pod, j, SCHEMA_ITEMS_MAX, &found));
    assert_true(str_eq_c(found.path, "spec.containers"));
    assert_int_equal(found.count, 3 * SCHEMA_ITEMS_MAX);
    assert_int_equal(schema_items_count(&schema_Pod, j), 3 * SCHEMA_ITEMS_MAX);
    assert_true(schema_items_fit(&a, &schema_Pod, j, 3 * SCHEMA_ITEMS_MAX, &found));
    arena_deinit(&a);
}

static void test_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) { /* the last case has nothing for the wire */
        struct schema_surplus found;
        struct err e = { 0 };
        struct arena a;
        void *pod = NULL;
        size_t most = cases[i].most == 0 ? 3 * SCHEMA_ITEMS_MAX : cases[i].most;
        arena_init(&a);
        const struct json *j = object(&a, cases[i].head, cases[i].item, most, cases[i].tail);
        assert_int_equal(schema_decode(&a, &schema_Pod, j, SCHEMA_IGNORE, &pod, NULL, &e), 0);
        struct str bytes = schema_pack_arena(&a, &schema_Pod, pod);
        assert_true(schema_items_fit_wire(&a, &schema_Pod, bytes, &found));
        j = object(&a, cases[i].head, cases[i].item, most + 1, cases[i].tail);
        assert_int_equal(schema_decode(&a, &schema_Pod, j, SCHEMA_IGNORE, &pod, NULL, &e), 0);
        bytes = schema_pack_arena(&a, &schema_Pod, pod);
        assert_int_equal(schema_items_fit_wire(&a, &schema_Pod, bytes, &found), cases[i].most == 0);
        arena_deinit(&a);
    }
}

/* A packed list has as many items as numbers. */
static void test_packed(void **state)
{
    struct schema_surplus found;
    struct arena a;
    struct buf numbers;
    struct buf spec; /* of securityContext.supplementalGroups */
    (void)state;
    arena_init(&a);
    for (size_t most = SCHEMA_ITEMS_MAX; most <= SCHEMA_ITEMS_MAX + 1; most++) {
        buf_init(&numbers);
        buf_init(&spec);
        for (size_t i = 0; i < most; i++)
            buf_put_varint(&numbers, i);
        buf_put_varint(&spec, 4 << 3 | 2);
        buf_put_bytes(&spec, buf_str(&numbers));
        bool fits = schema_items_fit_wire(&a, &schema_PodSecurityContext, buf_str(&spec), &found);
        assert_int_equal(fits, most == SCHEMA_ITEMS_MAX);
        buf_deinit(&numbers);
        buf_deinit(&spec);
    }
    assert_int_equal(found.count, SCHEMA_ITEMS_MAX + 1);
    assert_true(str_eq_c(found.path, "supplementalGroups"));
    arena_deinit(&a);
}

/* The decoder says what is wrong with these. */
static void test_malformed(void **state)
{
    struct schema_surplus found;
    struct arena a;
    (void)state;
    arena_init(&a);
    assert_true(schema_items_fit(&a, &schema_Pod, &json_null, SCHEMA_ITEMS_MAX, &found));
    assert_true(schema_items_fit_wire(&a, &schema_Pod, str_lit("\x0a\x7f"), &found));
    const struct json *j = object(&a, POD, "1", SCHEMA_ITEMS_MAX, "]},\"metadata\":[1]}");
    assert_true(schema_items_fit(&a, &schema_Pod, j, SCHEMA_ITEMS_MAX, &found));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bounds), cmocka_unit_test(test_paths),
                                        cmocka_unit_test(test_wire), cmocka_unit_test(test_packed),
                                        cmocka_unit_test(test_malformed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
