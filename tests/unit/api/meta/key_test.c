/* Store keys round trip; what is no key is refused. */

#include "api/meta/key.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static void test_round_trip(void **state)
{
    static const struct {
        struct key key;
        const char *text;
        const char *prefix;
        const char *display;
    } cases[] = { { { KIND_POD, STR("default"), STR("web") },
                    "pods/default/web",
                    "pods/default/",
                    "default/web" },
                  { { KIND_DEPLOYMENT, STR("a"), STR("b") },
                    "deployments.apps/a/b",
                    "deployments.apps/a/",
                    "a/b" },
                  { { KIND_NODE, { 0 }, STR("n1") }, "nodes//n1", "nodes/", "n1" },
                  { { KIND_LEASE, STR("kube-node-lease"), STR("n1") },
                    "leases.coordination.k8s.io/kube-node-lease/n1",
                    "leases.coordination.k8s.io/kube-node-lease/",
                    "kube-node-lease/n1" } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key parsed;
        struct str text = key_text(&a, &cases[i].key);
        assert_true(str_eq_c(text, cases[i].text));
        assert_int_equal(key_parse(text, &parsed, NULL), 0);
        assert_true(key_eq(&parsed, &cases[i].key));
        struct str prefix = key_prefix(&a, parsed.kind, parsed.namespace);
        assert_true(str_eq_c(prefix, cases[i].prefix));
        assert_true(str_starts(text, prefix));
        assert_true(str_eq_c(key_display(&a, &parsed), cases[i].display));
    }
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    static const char *const cases[] = { "",          "pods",        "pods/a",     "pods/a/",
                                         "pods//web", "nodes/a/b",   "pods/a/b/c", "unknown/a/b",
                                         "/a/b",      "bindings/a/b" };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key k;
        struct err e = { 0 };
        if (key_parse(str_from(cases[i]), &k, &e) != -ERR_PARSE)
            fail_msg("%s was accepted", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
