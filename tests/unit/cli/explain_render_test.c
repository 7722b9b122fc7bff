/* Schemas as text: references, lists, maps, rings of references. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/explain.h"
#include "tests/unit/unit.h"

#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define DOCUMENT                                                                                   \
    "{\"components\":{\"schemas\":{\"a.Kind\":{\"type\":\"object\",\"description\":\"A kind.\","   \
    "\"required\":[\"spec\"],\"properties\":{\"spec\":{\"allOf\":[" REF(                           \
        "a.Spec") "],"                                                                             \
                  "\"description\":\"Wanted.\"},\"list\":{\"type\":\"array\",\"items\":" REF(      \
                      "a.Item") "},"                                                               \
                                "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":" \
                                "\"string\"}},\"when\":" REF(                                      \
                                    "a.Time") "},\"x-kubernetes-group-version-kind\":[{\"group\":" \
                                              "\"g\",\"version\":\"v1\","                          \
                                              "\"kind\":\"Kind\"}]},\"a.Spec\":{\"type\":"         \
                                              "\"object\",\"description\":\"A spec.\","            \
                                              "\"properties\":{\"ring\":" REF(                     \
                                                  "a.Spec") ",\"mode\":{\"type\":\"string\","      \
                                                            "\"enum\":[\"\","                      \
                                                            "\"A\",\"B\",\"C\",\"D\"]}}},\"a."     \
                                                            "Item\":{\"type\":\"object\","         \
                                                            "\"properties\":{\"n\":{"              \
                                                            "\"type\":\"integer\"}}},\"a.Time\":{" \
                                                            "\"type\":\"string\"}}}}"

static const struct objects_resource kind = { .group = STR("g"),
                                              .version = STR("v1"),
                                              .kind = STR("Kind") };

static const char *render(struct arena *a, const char *path, bool recursive)
{
    const struct json *document;
    struct str parts[8];
    struct str rest = path[0] != '\0' ? str_from(path) : str_of(NULL, 0);
    struct buf out;
    struct err e;
    size_t count = 0;
    assert_int_equal(json_parse(a, str_lit(DOCUMENT), &document, NULL), 0);
    while (str_split(&rest, '.', &parts[count]))
        count++;
    buf_init(&out);
    int rc = explain_render(a, document, &kind, parts, count, recursive, &out, &e);
    const char *text = rc == 0 ? str_dup(a, buf_str(&out)) : str_dup(a, str_from(e.msg));
    buf_deinit(&out);
    return text;
}

static void test_pages(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    assert_string_equal(render(&a, "", true),
                        "DESCRIPTION:\n    A kind.\n    \nFIELDS:\n"
                        "  list\t<[]Item>\n    n\t<integer>\n  map\t<map[string]string>\n"
                        "  spec\t<Spec> -required-\n    mode\t<string>\n    enum: \"\", A, B, C, "
                        "....\n    ring\t<Spec>\n  when\t<string>\n");
    assert_string_equal(render(&a, "spec", false),
                        "FIELD: spec <Spec>\n\n\nDESCRIPTION:\n    Wanted.\n    A spec.\n    \n"
                        "FIELDS:\n  mode\t<string>\n  enum: \"\", A, B, C, ....\n    <no "
                        "description>\n\n  ring\t<Spec>\n    <no description>\n\n");
    assert_string_equal(render(&a, "spec.mode", false),
                        "FIELD: mode <string>\nENUM:\n    \"\"\n    A\n    B\n    C\n    D\n\n"
                        "DESCRIPTION:\n    <empty>\n");
    assert_string_equal(render(&a, "list.n", false),
                        "FIELD: n <integer>\n\n\nDESCRIPTION:\n    <empty>\n");
    assert_string_equal(render(&a, "spec.none", false), "field \"none\" does not exist");
    arena_deinit(&a);
}

static void test_wrap(void **state)
{
    static const char *const cases[][2] = {
        { "one two three", "one two\nthree" },
        { "a-word-too-long x", "a-word-too-long\nx" },
        { "a\nb", "a\nb" },
        { "one   two", "one   two" },
        { "", "" },
        { "end ", "end " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out);
        explain_wrap(&out, str_from(cases[i][0]), 10);
        assert_true(str_eq_c(buf_str(&out), cases[i][1]));
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages), cmocka_unit_test(test_wrap) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
