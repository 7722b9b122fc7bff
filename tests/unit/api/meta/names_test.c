/* Name syntax, its messages, and the names we make. */
#include <string.h>

#include "api/meta/names.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_syntax(void **state)
{
    static const struct {
        bool (*check)(struct str value, struct name_messages *m);
        const char *value;
        bool valid;
    } cases[] = { { name_dns1123_subdomain, "a.b-c.0", true },
                  { name_dns1123_subdomain, "", false },
                  { name_dns1123_subdomain, "a..b", false },
                  { name_dns1123_subdomain, "a.", false },
                  { name_dns1123_subdomain, "-a", false },
                  { name_dns1123_subdomain, "A", false },
                  { name_dns1123_label, A63, true },
                  { name_dns1123_label, A63 "a", false },
                  { name_dns1123_label, "a.b", false },
                  { name_dns1123_label, "1", true },
                  { name_dns1035_label, "1a", false },
                  { name_dns1035_label, "a1", true },
                  { name_qualified, "simple", true },
                  { name_qualified, "example.com/My_Name.1", true },
                  { name_qualified, "a/b/c", false },
                  { name_qualified, "/b", false },
                  { name_qualified, "a/", false },
                  { name_qualified, "Upper.Case/x", false },
                  { name_qualified, "-x", false },
                  { name_label_value, "", true },
                  { name_label_value, "a b", false },
                  { name_label_value, "A_1.z", true },
                  { name_config_key, "a.b", true },
                  { name_config_key, "..", false },
                  { name_config_key, "..a", false },
                  { name_config_key, ".a", true },
                  { name_config_key, "a/b", false },
                  { name_config_key, "", false },
                  { name_env_var, "1odd name.", true },
                  { name_env_var, "a=b", false },
                  { name_env_var, "", false },
                  { name_port, "http", true },
                  { name_port, "a-b-1", true },
                  { name_port, "80", false },
                  { name_port, "a--b", false },
                  { name_port, "-a", false },
                  { name_port, "sixteen-letters1", false },
                  { name_path_segment, "a:b", true },
                  { name_path_segment, "..", false },
                  { name_path_segment, "a/b", false } };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct name_messages m;
        if (cases[i].check(str_from(cases[i].value), &m) != cases[i].valid)
            fail_msg("case %zu: \"%s\"", i, cases[i].value);
        assert_int_equal(m.count == 0, cases[i].valid);
    }
}

static void test_messages(void **state)
{
    struct name_messages m;
    (void)state;
    (void)name_dns1123_label(str_lit("A"), &m);
    assert_string_equal(
        m.text[0],
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
    (void)name_qualified(str_lit(""), &m);
    assert_int_equal(m.count, 2);
    assert_string_equal(m.text[0], "name part must be non-empty");
}

static void test_made(void **state)
{
    struct arena a;
    char first[NAME_SUFFIX_BYTES + 1];
    char second[NAME_SUFFIX_BYTES + 1];
    (void)state;
    arena_init(&a);
    name_suffix(str_lit("request-1"), 0, first);
    name_suffix(str_lit("request-1"), 0, second);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), NAME_SUFFIX_BYTES);
    assert_int_equal(strspn(first, "bcdfghjklmnpqrstvwxz2456789"), NAME_SUFFIX_BYTES);
    name_suffix(str_lit("request-1"), 1, second);
    assert_string_not_equal(first, second);
    name_suffix(str_lit("request-2"), 0, second);
    assert_string_not_equal(first, second);

    struct str made = name_generate(&a, str_lit(A63), str_lit("r"), 0);
    assert_int_equal(made.len, NAME_GENERATE_BASE_MAX + NAME_SUFFIX_BYTES);

    /* FNV-1a 32 of "a" is 3826002220; each digit's character code modulo 27 picks a letter. */
    struct str hash = name_template_hash(&a, str_lit("a"), -1);
    assert_true(str_eq_c(hash, "7d6b446664"));
    struct str again = name_template_hash(&a, str_lit("a"), 0);
    assert_false(str_eq(hash, again));
    arena_deinit(&a);
}

/* Collisions of five characters (27^5 = 14 million) stay near what chance gives. */
static void test_spread(void **state)
{
    enum { COUNT = 2000 };
    static char seen[COUNT][NAME_SUFFIX_BYTES + 1];
    size_t same = 0;
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        char id[8] = { 'r', (char)('a' + i % 26), (char)('a' + i / 26 % 26),
                       (char)('a' + i / 676) };
        name_suffix(str_of(id, 4), 0, seen[i]);
        for (size_t j = 0; j < i; j++)
            same += strcmp(seen[i], seen[j]) == 0;
    }
    assert_true(same <= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_syntax),
                                        cmocka_unit_test(test_messages),
                                        cmocka_unit_test(test_made),
                                        cmocka_unit_test(test_spread) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
