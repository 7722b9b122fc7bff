/* Whole objects in every format. */
#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/output.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define OBJECT                                                                                     \
    "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"x\","            \
    "\"managedFields\":[1]}}"

static const char *show(struct cli_world *w, const char *format, const char *template, bool list)
{
    struct arena *a = &w->cli.arena;
    struct output o = { .format = OUTPUT_JSON };
    const struct json *objects[2];
    struct str says = str_lit("");
    struct buf out;
    struct err e;
    if (output_parse(&w->cli, format, template, &o, &e) != 0)
        return str_dup(a, str_from(e.msg));
    assert_int_equal(json_parse(a, str_lit(OBJECT), &objects[0], NULL), 0);
    objects[1] = objects[0];
    buf_init(&out);
    int rc = output_print(&w->cli, &o, list ? output_list(&w->cli, objects, 2) : objects[0], &out,
                          &says);
    const char *text = str_dup(a, rc == 0 ? buf_str(&out) : says);
    buf_deinit(&out);
    return text;
}

static void test_formats(void **state)
{
    static const struct {
        const char *format;
        const char *template;
        bool list;
        const char *out;
    } cases[] = {
        { "name", NULL, false, "deployment.apps/x\n" },
        { "NAME", NULL, false, "deployment.apps/x\n" },
        { "name", NULL, true, "deployment.apps/x\ndeployment.apps/x\n" },
        { "yaml", NULL, false, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n" },
        { "json", NULL, false,
          "{\n    \"apiVersion\": \"apps/v1\",\n    \"kind\": \"Deployment\",\n    \"metadata\": "
          "{\n        \"name\": \"x\"\n    }\n}\n" },
        { "jsonpath={.items[*].metadata.name}", NULL, true, "x x" },
        { "jsonpath", "{.kind}", false, "Deployment" },
        { "jsonpath-as-json={.kind}", NULL, false, "[\n    \"Deployment\"\n]\n" },
        { "custom-columns=A:.metadata.name", NULL, true, "A\nx\nx\n" },
        { "jsonpath", NULL, false, "template format specified but no template given" },
        { "jsonpath={#}", NULL, false,
          "error parsing jsonpath {#}, unrecognized character in action: U+0023 '#'" },
        { "jsonpath={.kind[0]}", NULL, false,
          "error: error executing jsonpath \"{.kind[0]}\": Error executing template: string is not "
          "array or slice. Printing more information for debugging the template:\n\ttemplate "
          "was:\n\t\t{.kind[0]}\n\tobject given to jsonpath engine was:\n\t\t{\"apiVersion\":"
          "\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"managedFields\":[1],\"name\":"
          "\"x\"}}\n\n" },
        { "go-template={{.}}", NULL, false,
          "-o go-template needs Go's templates, which gantry does not have; use -o jsonpath=... or "
          "-o custom-columns=..." },
        { "xml", NULL, false,
          "unable to match a printer suitable for the output format \"xml\", allowed formats are: "
          "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,"
          "jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(show(w, cases[i].format, cases[i].template, cases[i].list),
                            cases[i].out);
}

/* A watch's event is one line of JSON; documents of YAML are kept apart. */
static void test_events(void **state)
{
    struct cli_world *w = *state;
    struct output json = { .format = OUTPUT_JSON };
    struct output yaml = { .format = OUTPUT_YAML };
    struct output name = { .format = OUTPUT_NAME };
    const struct json *event;
    const struct json *named;
    struct str says;
    struct buf out;
    buf_init(&out);
    assert_int_equal(json_parse(&w->cli.arena,
                                str_lit("{\"object\":{\"b\":1,\"a\":2},\"type\":\"ADDED\"}"),
                                &event, NULL),
                     0);
    assert_int_equal(output_print(&w->cli, &json, event, &out, &says), 0);
    assert_true(str_eq_c(buf_str(&out), "{\"type\":\"ADDED\",\"object\":{\"a\":2,\"b\":1}}\n"));
    buf_clear(&out);
    assert_int_equal(json_parse(&w->cli.arena,
                                str_lit("{\"type\":\"ADDED\",\"object\":" OBJECT "}"), &named,
                                NULL),
                     0);
    assert_int_equal(output_print(&w->cli, &name, named, &out, &says), 0);
    assert_true(str_eq_c(buf_str(&out), "deployment.apps/x\n"));
    buf_clear(&out);
    assert_int_equal(output_print(&w->cli, &yaml, json_get_c(event, "object"), &out, &says), 0);
    assert_int_equal(output_print(&w->cli, &yaml, json_get_c(event, "object"), &out, &says), 0);
    assert_true(str_eq_c(buf_str(&out), "a: 2\nb: 1\n---\na: 2\nb: 1\n"));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_formats),
                                        cmocka_unit_test(test_events) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
