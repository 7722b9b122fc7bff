/* The operations on field sets: tables, and laws over many drawn sets. */
#include "tests/unit/api/patch/trees.h"

static const struct {
    const char *x;
    const char *y;
    const char *both;
    const char *common;
    const char *only;      /* of x */
    const char *recursive; /* x without y and what is below */
} cases[] = {
    { "{}", "{'f:a':{}}", "{'f:a':{}}", "{}", "{}", "{}" },
    { "{'f:a':{}}", "{}", "{'f:a':{}}", "{}", "{'f:a':{}}", "{'f:a':{}}" },
    { "{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{}}", "{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{}}",
      "{'f:a':{'f:b':{}}}", "{}" },
    { "{'f:a':{'f:b':{},'f:c':{}}}", "{'f:a':{'f:b':{'f:x':{}}}}",
      "{'f:a':{'f:b':{'.':{},'f:x':{}},'f:c':{}}}", "{}", "{'f:a':{'f:b':{},'f:c':{}}}",
      "{'f:a':{'f:b':{},'f:c':{}}}" },
    { "{'k:{\\'n\\':1}':{'f:v':{}},'v:1':{}}", "{'k:{\\'n\\':1}':{},'k:{\\'n\\':\\'1\\'}':{}}",
      "{'k:{\\'n\\':1}':{'.':{},'f:v':{}},'k:{\\'n\\':\\'1\\'}':{},'v:1':{}}", "{}",
      "{'k:{\\'n\\':1}':{'f:v':{}},'v:1':{}}", "{'v:1':{}}" },
};

static void test_operations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct field_set x = set(&a, cases[i].x);
        struct field_set y = set(&a, cases[i].y);
        struct field_set out = field_set_union(&a, &x, &y);
        assert_set("union", &out, &a, cases[i].both);
        out = field_set_intersection(&a, &x, &y);
        assert_set("intersection", &out, &a, cases[i].common);
        out = field_set_difference(&a, &x, &y);
        assert_set("difference", &out, &a, cases[i].only);
        out = field_set_recursive_difference(&a, &x, &y);
        assert_set("recursive difference", &out, &a, cases[i].recursive);
        arena_deinit(&a);
    }
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525u + 1013904223u;
    return (*random >> 8) % below;
}

static struct field_set drawn(struct arena *a, uint32_t *random, int depth)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    struct field_builder b = { 0 };
    for (uint32_t n = draw(random, 5); n > 0; n--) {
        struct field_node node = { .member = draw(random, 2) == 0 };
        node.element.type = draw(random, 2) == 0 ? FIELD_NAME : FIELD_VALUE;
        node.element.name = str_from(names[draw(random, 4)]);
        node.element.value = json_int(draw(random, 4));
        if (depth > 0)
            node.below = drawn(a, random, depth - 1);
        field_builder_add(a, &b, &node);
    }
    return field_builder_finish(a, &b);
}

static void assert_same(const struct field_set *x, const struct field_set *y)
{
    assert_true(field_set_equal(x, y));
}

static void test_laws(void **state)
{
    uint32_t random = 7;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct arena a;
        arena_init(&a);
        struct field_set x = drawn(&a, &random, 3);
        struct field_set y = drawn(&a, &random, 3);
        struct field_set z = drawn(&a, &random, 3);
        struct field_set xy = field_set_union(&a, &x, &y);
        struct field_set yx = field_set_union(&a, &y, &x);
        struct field_set yz = field_set_union(&a, &y, &z);
        assert_same(&xy, &yx);
        struct field_set left = field_set_union(&a, &xy, &z);
        struct field_set right = field_set_union(&a, &x, &yz);
        assert_same(&left, &right);
        /* x is what it shares with y and what it has alone, and the two share nothing. */
        struct field_set common = field_set_intersection(&a, &x, &y);
        struct field_set only = field_set_difference(&a, &x, &y);
        struct field_set whole = field_set_union(&a, &common, &only);
        assert_same(&whole, &x);
        struct field_set none = field_set_intersection(&a, &common, &only);
        assert_int_equal(none.count, 0);
        none = field_set_difference(&a, &x, &xy);
        assert_int_equal(none.count, 0);
        /* What a recursive difference keeps, a difference keeps. */
        struct field_set kept = field_set_recursive_difference(&a, &x, &y);
        none = field_set_difference(&a, &kept, &only);
        assert_int_equal(none.count, 0);
        arena_deinit(&a);
    }
}

static void collect(void *context, struct str path)
{
    buf_printf(context, "%.*s\n", STR_ARG(path));
}

static void test_paths(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    struct field_set s =
        set(&a, "{'f:s':{'f:c':{'k:{\\'n\\':\\'x\\',\\'p\\':80}':{'.':{},'f:i':{}}},'f:b':{}},"
                "'v:\\'q\\'':{},'i:3':{}}");
    field_set_each(&s, collect, &b);
    assert_true(str_eq_c(buf_str(&b), "[=\"q\"]\n[3]\n.s.b\n.s.c[n=\"x\",p=80]\n"
                                      ".s.c[n=\"x\",p=80].i\n"));
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_names(void **state)
{
    static const char *const spec[] = { "spec", NULL };
    static const char *const labels[] = { "metadata", "labels", NULL };
    static const char *const *const paths[] = { spec, labels, NULL };
    struct arena a;
    (void)state;
    arena_init(&a);
    struct field_set s = field_set_of_names(&a, paths);
    assert_set("names", &s, &a, "{'f:metadata':{'f:labels':{}},'f:spec':{}}");
    struct field_element e = { .type = FIELD_NAME, .name = str_lit("spec") };
    assert_non_null(field_set_find(&s, &e));
    e.name = str_lit("other");
    assert_null(field_set_find(&s, &e));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_laws),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
