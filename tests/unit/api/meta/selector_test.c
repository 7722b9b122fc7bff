/* Grammar, matching and canonical text of label selectors, after upstream's tables. */

#include "api/meta/selector.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static const struct label pairs[] = {
    { STR("x"), STR("y") },    { STR("env"), STR("prod") },
    { STR("n"), STR("5") },    { STR("app.kubernetes.io/name"), STR("web") },
    { STR("empty"), STR("") }, { STR("in"), STR("notin") }
};

static void test_matches(void **state)
{
    static const struct {
        const char *text;
        bool matches;
    } cases[] = { { "", true },
                  { "x=y", true },
                  { "x==y", true },
                  { " x = y , env = prod ", true },
                  { "x=z", false },
                  { "x!=z", true },
                  { "x!=y", false },
                  { "absent!=y", true },
                  { "x", true },
                  { "absent", false },
                  { "!absent", true },
                  { "! absent", true },
                  { "!x", false },
                  { "env in (prod,dev)", true },
                  { "env in (dev)", false },
                  { "env notin (dev)", true },
                  { "absent notin (dev)", true },
                  { "absent in (dev)", false },
                  { "env notin (prod)", false },
                  { "n>4", true },
                  { "n>5", false },
                  { "n<6", true },
                  { "absent<6", false },
                  { "x>1", false },
                  { "app.kubernetes.io/name=web", true },
                  { "empty=", true },
                  { "empty in (,a)", true },
                  { "empty", true },
                  { "x=", false },
                  { "in=notin", true },
                  { "in in (notin)", true } };
    struct arena a;
    struct labels l = labels_of_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct selector s;
        struct err e = { 0 };
        if (selector_parse(&a, str_from(cases[i].text), &s, &e) != 0)
            fail_msg("%s: %s", cases[i].text, e.msg);
        if (selector_matches(&s, &l) != cases[i].matches)
            fail_msg("%s: should%s match", cases[i].text, cases[i].matches ? "" : " not");
    }
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "x=y,", "found '', expected: identifier after ','" },
        { ",x=y", "found ',', expected: !, identifier, or 'end of string'" },
        { "x in (a", "unable to parse requirement: found '', expected: ',' or ')'" },
        { "x in a", "unable to parse requirement: found 'a', expected: '('" },
        { "x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt" },
        { "x=y z", "found 'z', expected: ',' or 'end of string'" },
        { "x in ()", "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' "
                     "operators, values set can't be empty" },
        { "x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' "
                 "operators, the value must be an integer" },
        { "=", "found '=', expected: !, identifier, or 'end of string'" },
        { "!", "unable to parse requirement: found '', expected: identifier" },
        { "x==(", "unable to parse requirement: found '(', expected: identifier" }
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct selector s;
        struct err e = { 0 };
        assert_int_equal(selector_parse(&a, str_from(cases[i].text), &s, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, cases[i].message);
    }
    struct selector s;
    struct err e = { 0 };
    assert_int_equal(selector_parse(&a, str_lit("a b$=c"), &s, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(selector_parse(&a, str_lit("-bad=c"), &s, &e), -ERR_INVALID_ARGUMENT);
    assert_true(str_starts(str_from(e.msg), str_lit("unable to parse requirement: <nil>: Invalid "
                                                    "value: \"-bad\": name part must consist of")));
    arena_deinit(&a);
}

static void test_text(void **state)
{
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = { { "b=c, a = d", "a=d,b=c" }, { "z in (b , a,b)", "z in (a,b)" },
                  { "!q,p", "p,!q" },          { "a notin (x)", "a notin (x)" },
                  { "a!=b", "a!=b" },          { "n>1,m<2", "m<2,n>1" },
                  { "a==b", "a=b" },           { "c in (,)", "c in (,)" } };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct selector s;
        assert_int_equal(selector_parse(&a, str_from(cases[i].text), &s, NULL), 0);
        struct str text = selector_text(&a, &s);
        if (!str_eq_c(text, cases[i].canonical))
            fail_msg("%s: %.*s", cases[i].text, STR_ARG(text));
    }
    arena_deinit(&a);
}

static void test_struct(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    char in[] = "In";
    char odd[] = "Odd";
    char env[] = "env";
    char prod[] = "prod";
    char *values[] = { prod };
    LabelSelectorRequirement r = LABEL_SELECTOR_REQUIREMENT__INIT;
    r.key = env;
    r.operator_ = in;
    r.values = values;
    r.n_values = 1;
    LabelSelectorRequirement *list[] = { &r };
    LabelSelector ls = LABEL_SELECTOR__INIT;
    struct labels l = labels_of_pairs(pairs, sizeof(pairs) / sizeof(pairs[0]));
    struct selector s;
    struct err e = { 0 };

    assert_int_equal(selector_from_struct(&a, NULL, &s, &e), 0);
    assert_false(selector_matches(&s, &l));
    assert_int_equal(selector_from_struct(&a, &ls, &s, &e), 0);
    assert_true(selector_everything(&s));
    assert_true(selector_matches(&s, &l));

    ls.match_expressions = list;
    ls.n_match_expressions = 1;
    assert_int_equal(selector_from_struct(&a, &ls, &s, &e), 0);
    assert_true(selector_matches(&s, &l));
    r.operator_ = odd;
    assert_int_equal(selector_from_struct(&a, &ls, &s, &e), -ERR_INVALID_ARGUMENT);
    assert_string_equal(e.msg, "\"Odd\" is not a valid label selector operator");
    r.operator_ = in;
    r.n_values = 0;
    assert_int_equal(selector_from_struct(&a, &ls, &s, &e), -ERR_INVALID_ARGUMENT);

    ObjectMeta__LabelsEntry entry = OBJECT_META__LABELS_ENTRY__INIT;
    entry.key = env;
    entry.value = prod;
    ObjectMeta__LabelsEntry *entries[] = { &entry };
    selector_from_entries(&a, entries, 1, &s);
    assert_true(selector_matches(&s, &l));
    struct labels from_entries = labels_of_entries(entries, 1);
    assert_true(selector_matches(&s, &from_entries));
    arena_deinit(&a);
}

/* Values in no order and more than once: an expression has each once, in theirs. */
static void test_values(void **state)
{
    static char key[] = "env";
    static char in[] = "In";
    static char *values[] = { "b", "c", "a", "b", "a" };
    LabelSelectorRequirement r = LABEL_SELECTOR_REQUIREMENT__INIT;
    LabelSelectorRequirement *list[] = { &r };
    LabelSelector ls = LABEL_SELECTOR__INIT;
    struct selector s;
    struct arena a;
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    r.key = key;
    r.operator_ = in;
    r.values = values;
    r.n_values = sizeof(values) / sizeof(values[0]);
    ls.match_expressions = list;
    ls.n_match_expressions = 1;
    assert_int_equal(selector_from_struct(&a, &ls, &s, &e), 0);
    assert_int_equal(s.requirements[0].values_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_eq(s.requirements[0].values[i], str_of("abc" + i, 1)));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_matches),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_text),
                                        cmocka_unit_test(test_struct),
                                        cmocka_unit_test(test_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
