/* Columns a person chose. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cli/columns.h"
#include "tests/unit/unit.h"

static const char *show(struct arena *a, const char *spec, bool lines, bool titles)
{
    struct columns c;
    struct buf out;
    struct err e = { 0 };
    const struct json *objects[2];
    int rc = lines ? columns_parse_lines(a, str_from(spec), &c, &e)
                   : columns_parse(a, str_from(spec), &c, &e);
    if (rc != 0)
        return str_dup(a, str_from(e.msg));
    assert_int_equal(json_parse(a, str_lit("{\"n\":\"x\",\"l\":[1,{\"b\":null,\"a\":true}]}"),
                                &objects[0], NULL),
                     0);
    assert_int_equal(json_parse(a, str_lit("{\"n\":\"longer\\u001b\"}"), &objects[1], NULL), 0);
    buf_init(&out);
    rc = columns_print(a, &c, objects, 2, titles, &out, &e);
    const char *text = rc == 0 ? str_dup(a, buf_str(&out)) : str_dup(a, str_from(e.msg));
    buf_deinit(&out);
    return text;
}

static void test_columns(void **state)
{
    static const struct {
        const char *spec;
        bool lines;
        const char *out;
    } cases[] = {
        { "N:.n,L:l[*]", false,
          "N          L\nx          1,map[a:true b:<nil>]\nlonger^[   <none>\n" },
        { "N:.n,L:.l", false,
          "N          L\nx          [1 map[a:true b:<nil>]]\nlonger^[   <none>\n" },
        { "N  L\n{.n} l[0]\n", true, "N          L\nx          1\nlonger^[   <none>\n" },
        { "", false, "custom-columns format specified but no custom columns given" },
        { "N", false, "unexpected custom-columns spec: N, expected <header>:<json-path-expr>" },
        { "N:{{x}}", false,
          "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' "
          "or '{.name1.name2}'" },
        { "N L\nn\n", true, "number of headers (2) and field specifications (1) don't match" },
        { "N L", true,
          "invalid template, missing spec line. Expected format is one line of space separated "
          "headers, one line of space separated column specs." },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(show(&a, cases[i].spec, cases[i].lines, true), cases[i].out);
    assert_string_equal(show(&a, "N:.n", false, false), "x\nlonger^[\n");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_columns) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
