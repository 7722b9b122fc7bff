/* Strategic lists: order among neighbours, sets of primitives, bounds. */
#include <string.h>

#include "api/proto/schemas.h"
#include "base/str.h"
#include "tests/unit/api/patch/patch_cases.h"

static int pod(struct arena *a, const struct json *object, const struct json *patch,
               const struct json **out, struct err *e)
{
    return patch_strategic(a, &schema_Pod, object, patch, out, e);
}

#define LIST(items) "{\"spec\":{\"imagePullSecrets\":[" items "]}}"
#define ITEM(name)  "{\"name\":\"" name "\"}"
#define ORDER(order, items)                                                                        \
    "{\"spec\":{\"$setElementOrder/imagePullSecrets\":[" order "],\"imagePullSecrets\":[" items    \
    "]}}"

static const struct patch_case cases[] = {
    { .name = "others keep their neighbours",
      .object = LIST(ITEM("a") "," ITEM("x") "," ITEM("b") "," ITEM("y")),
      .patch = ORDER(ITEM("a") "," ITEM("b"), ITEM("b")),
      .want = LIST(ITEM("a") "," ITEM("x") "," ITEM("b") "," ITEM("y")) },
    { .name = "the order wins over the live list, others stand before what follows them there",
      .object = LIST(ITEM("a") "," ITEM("b") "," ITEM("c")),
      .patch = ORDER(ITEM("c") "," ITEM("a"), ""),
      .want = LIST(ITEM("b") "," ITEM("c") "," ITEM("a")) },
    { .name = "deleted and reordered",
      .object = LIST(ITEM("a") "," ITEM("b") "," ITEM("c")),
      .patch = ORDER(ITEM("c") "," ITEM("a"), "{\"$patch\":\"delete\",\"name\":\"b\"}"),
      .want = LIST(ITEM("c") "," ITEM("a")) },
    { .name = "order items need the key",
      .object = LIST(ITEM("a")),
      .patch = ORDER("{}", ""),
      .error = ERR_INTERNAL,
      .message = "map: map[] does not contain declared merge key: name" },
    { .name = "a list of values that is replaced has an order too",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"c\",\"args\":[\"a\",\"b\"]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"c\",\"$setElementOrder/args\":[\"b\",\"a\"]}"
               "]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"c\",\"args\":[\"b\",\"a\"]}]}}" },
    { .name = "objects without a key have none",
      .object = "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/tolerations\":[{\"key\":\"a\"}]}}",
      .error = ERR_INTERNAL,
      .message = "items without a merge key have no order" },
    { .name = "merge is no list directive",
      .object = LIST(ITEM("a")),
      .patch = LIST("{\"$patch\":\"merge\",\"name\":\"a\"}"),
      .error = ERR_INTERNAL,
      .message = "merging lists cannot yet be specified" },
    { .name = "items are objects",
      .object = LIST(ITEM("a")),
      .patch = LIST("1"),
      .error = ERR_INTERNAL,
      .message = "list element types are not identical: [[map[name:a]] [1]]" },
    { .name = "items of one key stand at the first one's place",
      .object = LIST(ITEM("a") "," ITEM("b") "," ITEM("a") "," ITEM("c")),
      .patch = ORDER(ITEM("c") "," ITEM("b"), ""),
      .want = LIST(ITEM("a") "," ITEM("a") "," ITEM("c") "," ITEM("b")) },
    { .name = "values once only",
      .object = "{\"metadata\":{\"finalizers\":[\"a\",\"a\",\"b\"]}}",
      .patch = "{\"metadata\":{\"finalizers\":[\"b\",\"c\",\"c\"]}}",
      .want = "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}" }
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_patch_case(&cases[i], pod);
}

static void huge_lists_are_refused(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    struct err e = { 0 };
    const struct json *j;
    const struct json *out;
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "{\"spec\":{\"imagePullSecrets\":[");
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%s{\"name\":\"n%d\"}", i == 0 ? "" : ",", i);
    buf_append_c(&b, "]}}");
    assert_int_equal(json_parse(&a, buf_str(&b), &j, &e), 0);
    assert_int_equal(patch_strategic(&a, &schema_Pod, j, j, &out, &e), -ERR_TOO_LARGE);
    buf_deinit(&b);
    arena_deinit(&a);
}

/* A list of items that carry extra members besides their key, in the arena. */
static const struct json *secrets(struct arena *a, size_t items, size_t members, const char *key)
{
    struct buf b;
    struct err e = { 0 };
    const struct json *j = NULL;
    buf_init(&b);
    buf_append_c(&b, "{\"spec\":{\"imagePullSecrets\":[");
    for (size_t i = 0; i < items; i++) {
        buf_printf(&b, "%s{\"name\":\"%s%zu\"", i == 0 ? "" : ",", key, i);
        for (size_t k = 0; k < members; k++)
            buf_printf(&b, ",\"m%zu\":1", k);
        buf_append_c(&b, "}");
    }
    buf_append_c(&b, "]}}");
    assert_int_equal(json_parse(a, str_copy(a, buf_str(&b)), &j, &e), 0);
    buf_deinit(&b);
    return j;
}

/* What counts is what is looked at: an item's key is found among its members, and compared. */
static void members_and_long_keys_count(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    char key[2048];
    const struct json *out;
    arena_init(&a);
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    const struct json *live = secrets(&a, 800, 0, "n");
    assert_int_equal(patch_strategic(&a, &schema_Pod, live, live, &out, &e), 0);
    live = secrets(&a, 800, 200, "n");
    assert_int_equal(patch_strategic(&a, &schema_Pod, live, live, &out, &e), -ERR_TOO_LARGE);
    live = secrets(&a, 1500, 0, key);
    assert_int_equal(patch_strategic(&a, &schema_Pod, live, live, &out, &e), -ERR_TOO_LARGE);
    arena_deinit(&a);
}

/* One item of a list as long as a request can carry costs little. */
static void one_of_many(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    const struct json *out;
    arena_init(&a);
    const struct json *live = secrets(&a, 60000, 2, "n");
    const struct json *one = secrets(&a, 1, 3, "n5999");
    assert_int_equal(patch_strategic(&a, &schema_Pod, live, one, &out, &e), 0);
    const struct json *list = json_get_c(json_get_c(out, "spec"), "imagePullSecrets");
    assert_int_equal(list->count, 60000);
    assert_non_null(json_get_c(&list->u.items[59990], "m2"));
    assert_null(json_get_c(&list->u.items[59991], "m2"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table),
                                        cmocka_unit_test(huge_lists_are_refused),
                                        cmocka_unit_test(members_and_long_keys_count),
                                        cmocka_unit_test(one_of_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
