/* Identities that headers ask for. */
#include "base/arena.h"
#include "controlplane/apiserver/authn/authn.h"
#include "net/http.h"
#include "tests/unit/unit.h"

/* The groups that come with a name. */
static void test_impersonated(void **state)
{
    static const struct {
        const char *user;
        const char *group; /* NULL: none is asked for */
        const char *groups;
    } cases[] = {
        { "bob", NULL, "system:authenticated" },
        { "bob", "g", "g,system:authenticated" },
        { "bob", "system:unauthenticated", "system:unauthenticated" },
        { "system:anonymous", NULL, "system:unauthenticated" },
        { "system:anonymous", "g", "g,system:unauthenticated" },
        { "system:serviceaccount:ns:sa", NULL,
          "system:serviceaccounts,system:serviceaccounts:ns,system:authenticated" },
        { "system:serviceaccount:ns:sa", "g", "g,system:authenticated" },
        { "system:serviceaccount:ns", NULL, "system:authenticated" },
        { "system:serviceaccount:ns:sa:x", NULL, "system:authenticated" },
    };
    struct arena a;
    struct err e;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_headers headers = { 0 };
        struct identity id;
        struct str groups = str_lit("");
        http_headers_add(&a, &headers, str_lit("impersonate-user"), str_from(cases[i].user));
        if (cases[i].group != NULL) {
            http_headers_add(&a, &headers, str_lit("impersonate-group"), str_from(cases[i].group));
        }
        assert_int_equal(authn_impersonate(&a, &headers, &id, &e), 0);
        assert_true(id.impersonated);
        for (size_t j = 0; j < id.groups_count; j++) {
            groups = str_printf(&a, "%.*s%s%.*s", STR_ARG(groups), j > 0 ? "," : "",
                                STR_ARG(id.groups[j]));
        }
        assert_string_equal(str_dup(&a, groups), cases[i].groups);
    }
    struct http_headers none = { 0 };
    struct identity id;
    http_headers_add(&a, &none, str_lit("impersonate-user"), str_lit(""));
    assert_int_equal(authn_impersonate(&a, &none, &id, &e), 0);
    assert_false(id.impersonated);
    arena_deinit(&a);
}

/* A key may come often, in more than one spelling. */
static void test_extras(void **state)
{
    struct arena a;
    struct err e;
    struct http_headers headers = { 0 };
    struct identity id;
    (void)state;
    arena_init(&a);
    http_headers_add(&a, &headers, str_lit("impersonate-user"), str_lit("bob"));
    for (size_t i = 0; i < 200; i++) {
        static const char *const names[] = { "impersonate-extra-a%62", "impersonate-extra-ab",
                                             "impersonate-extra-c" };
        http_headers_add(&a, &headers, str_from(names[i % 3]), str_printf(&a, "%zu", i));
    }
    assert_int_equal(authn_impersonate(&a, &headers, &id, &e), 0);
    assert_int_equal(id.extras_count, 2);
    assert_string_equal(str_dup(&a, id.extras[0].key), "ab");
    assert_int_equal(id.extras[0].values_count, 134);
    assert_int_equal(id.extras[1].values_count, 66);
    for (size_t i = 0; i < 200; i++) {
        struct str value =
            i % 3 == 2 ? id.extras[1].values[i / 3] : id.extras[0].values[i / 3 * 2 + i % 3];
        assert_string_equal(str_dup(&a, value), str_printf(&a, "%zu", i).data);
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impersonated),
        cmocka_unit_test(test_extras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
