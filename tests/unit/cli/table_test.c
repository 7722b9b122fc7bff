/* Rows of the server's tables. */
#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/table.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define TABLE                                                                                      \
    "{\"kind\":\"Table\",\"columnDefinitions\":[{\"name\":\"Name\",\"type\":\"string\","           \
    "\"format\":\"name\",\"priority\":0},{\"name\":\"Status\",\"priority\":0},{\"name\":"          \
    "\"Extra\",\"priority\":1}],\"rows\":[{\"cells\":[\"a\",\"Running\",7],\"object\":"            \
    "{\"metadata\":{\"namespace\":\"one\",\"labels\":{\"x/app\":\"web\",\"b\":\"c\"}}}},"          \
    "{\"cells\":[\"b\\nc\",null,true],\"object\":{\"metadata\":{\"namespace\":\"two\"}}}]}"

static const char *show(struct cli_world *w, const struct table_options *o, const char *table,
                        const char *event, int times)
{
    struct table_printer p;
    struct buf rows;
    struct buf out;
    const struct json *j;
    buf_init(&rows);
    buf_init(&out);
    table_start(&p, o);
    assert_int_equal(json_parse(&w->cli.arena, str_from(table), &j, NULL), 0);
    for (int i = 0; i < times; i++) {
        table_rows(&w->cli, &p, j, event, &rows);
        table_flush(&p, &rows, &out);
    }
    const char *text = str_dup(&w->cli.arena, buf_str(&out));
    buf_deinit(&rows);
    buf_deinit(&out);
    return text;
}

static void test_rows(void **state)
{
    static const struct flag_texts labels = { .items = { "x/app", "none" }, .count = 2 };
    static const struct {
        struct table_options options;
        const char *event;
        int times;
        const char *out;
    } cases[] = {
        { { .wide = false }, NULL, 1, "NAME   STATUS\na      Running\nb...   \n" },
        { { .wide = false },
          NULL,
          2,
          "NAME   STATUS\na      Running\nb...   \na      Running\nb...   \n" },
        { { .wide = true, .no_headers = true },
          NULL,
          1,
          "a      Running   7\nb...             true\n" },
        { { .with_namespace = true, .with_kind = true, .kind = STR("pod") },
          NULL,
          1,
          "NAMESPACE   NAME       STATUS\none         pod/a      Running\ntwo         pod/b...   "
          "\n" },
        { { .label_columns = &labels, .no_headers = true },
          NULL,
          1,
          "a      Running   web   \nb...                   \n" },
        { { .show_labels = true, .no_headers = true },
          NULL,
          1,
          "a      Running   b=c,x/app=web\nb...             <none>\n" },
        { { .no_headers = true }, "ADDED", 1, "ADDED      a      Running\nADDED      b...   \n" },
        { { .no_headers = true, .color = true },
          NULL,
          1,
          "a      \x1b[32mRunning\x1b[0m\nb...   \n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(show(w, &cases[i].options, TABLE, cases[i].event, cases[i].times),
                            cases[i].out);
}

/* Nothing has no titles; what is no table has a name and an age. */
static void test_others(void **state)
{
    static const struct table_options plain = { .wide = false };
    struct cli_world *w = *state;
    assert_string_equal(show(w, &plain, "{\"kind\":\"Table\",\"rows\":[]}", NULL, 1), "");
    assert_string_equal(
        show(w, &plain, "{\"kind\":\"Scale\",\"metadata\":{\"name\":\"x\"}}", NULL, 1),
        "NAME   AGE\nx      <unknown>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_others) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
