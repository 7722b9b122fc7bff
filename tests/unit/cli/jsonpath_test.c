/* Templates over a document: what they find, and what is wrong with them. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/jsonpath.h"
#include "tests/unit/unit.h"

#define DOCUMENT                                                                                   \
    "{\"kind\":\"List\",\"items\":[{\"name\":\"a\",\"n\":1,\"f\":1.5,\"l\":{\"x.y/z\":\"q\","      \
    "\"b\":\"2\"}},{\"name\":\"b\",\"n\":2,\"ok\":true,\"t\":null},{\"name\":\"c\",\"n\":10}],"    \
    "\"deep\":{\"z\":{\"name\":\"in\"},\"a\":[1,2]}}"

struct found_case {
    const char *template;
    const char *out;
};

static void check(const char *template, bool missing, const char *expected, int code)
{
    const struct jsonpath *path;
    const struct json *document;
    struct arena a;
    struct buf out;
    struct err e = { 0 };
    arena_init(&a);
    buf_init(&out);
    assert_int_equal(json_parse(&a, str_lit(DOCUMENT), &document, NULL), 0);
    assert_int_equal(jsonpath_parse(&a, str_from(template), &path, &e), 0);
    int rc = jsonpath_print(&a, path, document, missing, &out, &e);
    assert_int_equal(rc, code);
    const char *text = rc == 0 ? str_dup(&a, buf_str(&out)) : e.msg;
    assert_string_equal(text, expected);
    buf_deinit(&out);
    arena_deinit(&a);
}

static void test_finds(void **state)
{
    static const struct found_case cases[] = {
        { "", "" },
        { "text", "text" },
        { "a{.kind}b", "aListb" },
        { "{.kind} {.kind}", "List List" },
        { "{.items[0].name}", "a" },
        { "{.items[-1].name}", "c" },
        { "{.items[*].name}", "a b c" },
        { "{.items[:].n}", "1 2 10" },
        { "{.items[0:2].n}", "1 2" },
        { "{.items[::2].n}", "1 10" },
        { "{.items[-2:].n}", "2 10" },
        { "{.items[0,2].n}", "1 10" },
        { "{.items[1:1].n}", "" },
        { "{.items[0]['name','n']}", "a 1" },
        { "{.items[0].l.x\\.y/z}", "q" },
        { "{.items[0].l['x\\.y/z']}", "q" },
        { "{.items[0].f}", "1.5" },
        { "{.items[1].ok}", "true" },
        { "{.items[1].t}", "null" },
        { "{.items[0].l}", "{\"b\":\"2\",\"x.y/z\":\"q\"}" },
        { "{.deep.*}", "{\"name\":\"in\"} [1,2]" },
        { "{.deep.a}", "[1,2]" },
        { "{..name}", "a b c in" },
        { "{$..z.name}", "in" },
        { "{.deep..name}", "in" },
        { "{.items[?(@.name==\"b\")].n}", "2" },
        { "{.items[?(@.n>1)].name}", "b c" },
        { "{.items[?(@.n>=2)].name}", "b c" },
        { "{.items[?(@.n!=2)].name}", "a c" },
        { "{.items[?(@.n<2)].name}", "a" },
        { "{.items[?(@.ok)].name}", "b" },
        { "{.items[?(@.ok==true)].name}", "b" },
        { "{.items[?(@.name==')')].n}", "" },
        { "{.items[?(@.f==1.5)].name}", "a" },
        { "{range .items[*]}{.name}={.n}{\"\\n\"}{end}", "a=1\nb=2\nc=10\n" },
        { "{range .items[*]}[{.name}]{end}!", "[a][b][c]!" },
        { "{range .none[*]}x{end}after", "after" },
        { "{range .items[*]}{.name}{range .l.*}<{@}>{end},{end}", "a<q><2>,b,c," },
        { "{.none.at.all}", "" },
        { "{'single'}{\"double\\t\"}", "singledouble\t" },
        { "{true}{1}{-2.5}", "true1-2.5" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].template, true, cases[i].out, 0);
}

static void test_fails(void **state)
{
    static const struct found_case cases[] = {
        { "{kind}", "unrecognized identifier kind" },
        { "{end}", "not in range, nothing to end" },
        { "{.items[3]}", "array index out of bounds: index 3, length 3" },
        { "{.items[0:9]}", "array index out of bounds: index 8, length 3" },
        { "{.items[2:1]}", "starting index 2 is greater than ending index 1" },
        { "{.items[0:2:0]}", "step must be > 0" },
        { "{.kind[0]}", "string is not array or slice" },
        { "{.deep[0]}", "map[string]interface {} is not array or slice" },
        { "{.kind[?(@.a)]}", "List is not array or slice and cannot be filtered" },
        { "{.items[?(@.n=\"x\")]}", "unrecognized filter operator =" },
        { "{.items[?(@.n==\"x\")]}", "incompatible types for comparison" },
        { "{.items[?(@.ok<true)]}", "invalid type for comparison" },
        { "{.items[?(@.*==1)]}", "can only compare one element at a time" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].template, true, cases[i].out, -ERR_INVALID_ARGUMENT);
    check("{.none}", false, "none is not found", -ERR_NOT_FOUND);
}

/* Ranges in ranges in ranges of everything. */
static void test_bounds(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text);
    for (int i = 0; i < JSONPATH_DEPTH_MAX + 1; i++)
        buf_append_c(&text, "{range .items[0]}");
    buf_append_byte(&text, '\0');
    check((const char *)text.data, true, "ranges nested deeper than 16", -ERR_LIMIT);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_finds), cmocka_unit_test(test_fails),
                                        cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
