/* Types of places, elements of items, and members side by side. */
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/trees.h"

static struct typed at(const char *const *path, const struct schema *s)
{
    struct typed t = typed_root(s);
    for (; *path != NULL; path++) {
        if (str_eq_c(str_from(*path), "[]"))
            t = typed_item(&t);
        else
            assert_true(typed_member(&t, str_from(*path), &t));
    }
    return t;
}

static void test_shapes(void **state)
{
    static const struct {
        const char *path[6];
        enum typed_shape shape;
    } cases[] = {
        { { NULL }, TYPED_STRUCT },
        { { "spec", NULL }, TYPED_STRUCT },
        { { "spec", "containers", NULL }, TYPED_KEYED },
        { { "spec", "containers", "[]", NULL }, TYPED_STRUCT },
        { { "spec", "containers", "[]", "command", NULL }, TYPED_LEAF },
        { { "spec", "containers", "[]", "resources", "limits", NULL }, TYPED_MAP },
        { { "spec", "nodeSelector", NULL }, TYPED_LEAF }, /* mapType=atomic */
        { { "spec", "tolerations", NULL }, TYPED_LEAF },  /* listType=atomic */
        { { "metadata", "labels", NULL }, TYPED_MAP },
        { { "metadata", "labels", "x", NULL }, TYPED_LEAF },
        { { "metadata", "finalizers", NULL }, TYPED_SET },
        { { "metadata", "ownerReferences", NULL }, TYPED_KEYED },
        { { "metadata", "ownerReferences", "[]", NULL }, TYPED_LEAF }, /* structType=atomic */
        { { "metadata", "creationTimestamp", NULL }, TYPED_LEAF },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(at(cases[i].path, &schema_Pod).shape, cases[i].shape);
    struct typed root = typed_root(&schema_Pod);
    struct typed none;
    assert_false(typed_member(&root, str_lit("none"), &none));
    assert_true(typed_declared(&root, str_lit("spec")));
    struct typed labels = at(cases[8].path, &schema_Pod);
    assert_false(typed_declared(&labels, str_lit("x")));
}

static void test_elements(void **state)
{
    static const char *const ports[] = { "spec", "containers", "[]", "ports", NULL };
    static const char *const finalizers[] = { "metadata", "finalizers", NULL };
    static const char *const secrets[] = { "secrets", NULL };
    static const struct {
        const struct schema *schema;
        const char *const *path;
        const char *item;
        const char *want; /* shown, or the error */
        bool refused;
    } cases[] = {
        { &schema_Pod, ports, "{'containerPort':80,'protocol':'UDP'}",
          "[containerPort=80,protocol=\"UDP\"]", false },
        { &schema_Pod, ports, "{'containerPort':80}", "[containerPort=80,protocol=\"TCP\"]",
          false },
        { &schema_Pod, ports, "{'name':'x'}", "[containerPort=0,protocol=\"TCP\"]", false },
        { &schema_Pod, ports, "null", "associative list with keys may not have a null element",
          true },
        { &schema_Pod, ports, "3", "associative list with keys may not have non-map elements",
          true },
        { &schema_Pod, ports, "{'containerPort':[]}", "key containerPort is no scalar", true },
        { &schema_ServiceAccount, secrets, "{'kind':'x'}",
          "associative list with keys has an element that omits all key fields [\"name\"] (and "
          "doesn't have default values for any key fields)",
          true },
        { &schema_Pod, finalizers, "'f'", "[=\"f\"]", false },
        { &schema_Pod, finalizers, "null",
          "associative list without keys has an element that's an explicit null", true },
        { &schema_Pod, finalizers, "{}",
          "associative list without keys has an element that's a map type", true },
        { &schema_Pod, finalizers, "[]", "not supported: associative list with lists as elements",
          true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct field_element e;
        struct err why = { 0 };
        struct buf b;
        arena_init(&a);
        buf_init(&b);
        struct typed t = at(cases[i].path, cases[i].schema);
        int rc = typed_element(&a, &t, tree(&a, cases[i].item), &e, &why);
        assert_int_equal(rc, cases[i].refused ? -ERR_INVALID_ARGUMENT : 0);
        if (rc == 0)
            field_element_show(&b, &e);
        assert_true(str_eq_c(rc == 0 ? buf_str(&b) : str_from(why.msg), cases[i].want));
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void test_pairs(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    struct typed_pair p =
        typed_pair(&a, tree(&a, "{'b':1,'a':2,'b':3}"), tree(&a, "{'c':4,'b':5}"));
    while (typed_pair_next(&p)) {
        buf_printf(&b, "%.*s", STR_ARG(p.key));
        if (p.left_value != NULL)
            buf_printf(&b, " l%d", (int)p.left_value->u.integer);
        if (p.right_value != NULL)
            buf_printf(&b, " r%d", (int)p.right_value->u.integer);
        buf_append_c(&b, ";");
    }
    assert_true(str_eq_c(buf_str(&b), "a l2;b l3 r5;c r4;"));
    p = typed_pair(&a, NULL, tree(&a, "null"));
    assert_false(typed_pair_next(&p));
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
