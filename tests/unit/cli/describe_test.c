/* describe: which objects, and who describes them. */
#include <string.h>

#include "cli/describe.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define OBJECT(name)                                                                               \
    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name                 \
    "\",\"namespace\":\"n\"}}"

static void test_shown(void **state)
{
    static const char *const one[] = { "cm", "a", "--show-events=false", NULL };
    static const char *const begins[] = { "cm", "web", "--show-events=false", NULL };
    static const char *const none[] = { "cm", NULL };
    struct cli_world *w = *state;
    cli_world_answer(w, OBJECT("a"), NULL);
    assert_int_equal(cli_world_run(w, &describe_verb, one), CLI_OK);
    assert_string_equal(w->out, "Name:         a\nNamespace:    n\nLabels:       <none>\n"
                                "Annotations:  <none>\n\nData\n====\n\nBinaryData\n====\n\n");
    cli_world_answer(w, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\"}",
                     "{\"items\":[" OBJECT("web-1") "," OBJECT("x") "]}");
    w->answers[2].status = 404;
    assert_int_equal(cli_world_run(w, &describe_verb, begins), CLI_OK);
    assert_non_null(strstr(w->out, "web-1"));
    assert_null(strstr(w->out, "Name:         x"));
    cli_world_answer(w, "{\"items\":[]}", NULL);
    assert_int_equal(cli_world_run(w, &describe_verb, none), CLI_OK);
    assert_string_equal(w->errors, "No resources found in default namespace.\n");
}

static void test_wrong(void **state)
{
    static const char *const nothing[] = { NULL };
    static const char *const both[] = { "cm", "a", "-l", "b=c", NULL };
    static const char *const one[] = { "cm/a", NULL };
    struct cli_world *w = *state;
    cli_world_answer(w, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no a\"}", NULL);
    w->answers[2].status = 404;
    assert_int_equal(cli_world_run(w, &describe_verb, nothing), CLI_FAILED);
    assert_int_equal(cli_world_run(w, &describe_verb, both), CLI_FAILED);
    assert_int_equal(cli_world_run(w, &describe_verb, one), CLI_FAILED);
    assert_string_equal(w->errors, "Error from server (NotFound): no a\n");
}

static void test_describers(void **state)
{
    struct objects_resource r = { .group = str_lit(""), .plural = str_lit("pods") };
    (void)state;
    assert_true(describe_of(&r) == describe_pod);
    r.group = str_lit("other");
    assert_true(describe_of(&r) == describe_other);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown), cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_describers) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
