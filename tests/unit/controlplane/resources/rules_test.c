/* Paths and phrases of field errors. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/rules.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static void test_paths(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    struct field_path spec = path_field(NULL, "spec");
    struct field_path list = path_field(&spec, "containers");
    struct field_path item = path_index(&list, 3);
    struct field_path limits = path_field(&item, "limits");
    struct field_path cpu = path_key(&limits, "cpu");
    assert_string_equal(path_text(&f.arena, &cpu), "spec.containers[3].limits[cpu]");
    assert_string_equal(path_text(&f.arena, NULL), "");
    struct field_path whole = path_key(NULL, "");
    assert_string_equal(path_text(&f.arena, &whole), "[]");
    fixture_deinit(&f);
}

static void test_phrases(void **state)
{
    static const char *const allowed[] = { "A", "B", NULL };
    static const char *const texts[] = { "Required value",
                                         "Required value: why",
                                         "Forbidden: no",
                                         "Invalid value: \"a\\\"b\\n\": bad",
                                         "Invalid value: -1: bad",
                                         "Duplicate value: \"x\"",
                                         "Not found: \"x\"",
                                         "Too long: may not be more than 9 bytes",
                                         "Unsupported value: \"c\": supported values: \"A\", \"B\"",
                                         "Invalid value: 0: must be between 1 and 65535, inclusive",
                                         "Invalid value: -5: must be greater than or equal to 0" };
    struct fixture f;
    struct err_list out;
    (void)state;
    fixture_init(&f);
    err_list_init(&out, &f.arena);
    struct field_path p = path_field(NULL, "p");
    rule_required(&out, &p, "");
    rule_required(&out, &p, "why");
    rule_forbidden(&out, &p, "no");
    rule_invalid_text(&out, &p, "a\"b\n", "bad");
    rule_invalid_number(&out, &p, -1, "bad");
    rule_duplicate(&out, &p, "x");
    rule_not_found(&out, &p, "x");
    rule_too_long(&out, &p, 9);
    rule_not_supported(&out, &p, "c", allowed);
    assert_false(check_port(&out, &p, 0));
    assert_false(check_not_negative(&out, &p, -5));
    assert_true(check_port(&out, &p, 65535));
    assert_true(check_one_of(&out, &p, "B", allowed));
    assert_int_equal(out.count, sizeof(texts) / sizeof(texts[0]));
    for (size_t i = 0; i < out.count; i++) {
        assert_string_equal(out.entries[i].path, "p");
        assert_string_equal(out.entries[i].text, texts[i]);
    }
    fixture_deinit(&f);
}

static void test_values(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    assert_string_equal(int_or_string_shown(&f.arena, int_or_string_of_int(&f.arena, 3)), "3");
    assert_string_equal(int_or_string_shown(&f.arena, int_or_string_of_text(&f.arena, "3%")),
                        "\"3%\"");
    PodSpec *spec = NULL;
    PodSpec *made = message_ensure(&f.arena, &spec, &pod_spec__descriptor);
    assert_ptr_equal(made, spec);
    assert_ptr_equal(message_ensure(&f.arena, &spec, &pod_spec__descriptor), made);
    fixture_deinit(&f);
}

static void test_trimmed(void **state)
{
    static const char *const rows[][2] = {
        { "", "" },
        { " \t\n\v\f\r", "" },
        { "a b", "a b" },
        { "\xc2\xa0x", "x" },
        { "x\xe3\x80\x80 ", "x" },
        { "\xe2\x80\xa8x\xe1\x9a\x80", "x" },
        { "\xc2\x85x", "x" },
        { "\xe2\x80\x8b", "\xe2\x80\x8b" }, /* of no width: a character */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(str_eq_c(text_trimmed(str_from(rows[i][0])), rows[i][1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths),
                                        cmocka_unit_test(test_phrases),
                                        cmocka_unit_test(test_values),
                                        cmocka_unit_test(test_trimmed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
