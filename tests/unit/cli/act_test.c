/* What the changing verbs share: flags' words, namespaces, queries, what is printed. */
#include <string.h>

#include "cli/act.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

static void test_words(void **state)
{
    static const struct {
        const char *text;
        int dry; /* -1: refused */
    } dry[] = { { NULL, ACT_REAL },           { "none", ACT_REAL },
                { "client", ACT_DRY_CLIENT }, { "unchanged", ACT_DRY_CLIENT },
                { "server", ACT_DRY_SERVER }, { "x", -1 } };
    const char *value;
    struct err e;
    (void)state;
    for (size_t i = 0; i < sizeof dry / sizeof dry[0]; i++) {
        enum act_dry got = ACT_REAL;
        assert_int_equal(act_dry_run(dry[i].text, &got, &e) == 0, dry[i].dry >= 0);
        if (dry[i].dry >= 0)
            assert_int_equal(got, dry[i].dry);
    }
    assert_int_equal(act_validation("warn", &value, &e), 0);
    assert_string_equal(value, "Warn");
    assert_int_equal(act_validation("false", &value, &e), 0);
    assert_string_equal(value, "Ignore");
    assert_int_equal(act_validation("x", &value, &e), -ERR_INVALID_ARGUMENT);
}

static void test_output(void **state)
{
    static const struct {
        const char *asked;
        int rc;
        const char *output;
    } cases[] = {
        { NULL, 0, NULL },
        { "YAML", 0, "yaml" },
        { "name", 0, "name" },
        { "jsonpath={.kind}", 0, "jsonpath={.kind}" },
        { "jsonpath={", -ERR_PARSE, NULL },
        { "go-template={{.kind}}", -ERR_UNIMPLEMENTED, NULL },
        { "wide", -ERR_INVALID_ARGUMENT, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct act a = { .cli = &((struct cli_world *)*state)->cli, .output = cases[i].asked };
        struct err e;
        assert_int_equal(act_output(&a, &e), cases[i].rc);
        if (cases[i].output != NULL)
            assert_string_equal(a.output, cases[i].output);
    }
}

static const struct json *parse(struct cli_world *w, const char *text)
{
    const struct json *j;
    assert_int_equal(json_parse(&w->cli.arena, str_from(text), &j, NULL), 0);
    return j;
}

static int resolve(struct cli_world *w, const char *text, struct act_object *out, struct err *e)
{
    const struct act_answer none[] = { { 0 } };
    struct manifest m = { .object = parse(w, text), .source = str_lit("x.yaml") };
    act_world_answers(w, none);
    w->asks = 0;
    w->cli.objects = NULL;
    return act_resolve(&w->cli, &m, out, e);
}

#define OF(version, kind, metadata)                                                                \
    "{\"apiVersion\":\"" version "\",\"kind\":\"" kind "\",\"metadata\":" metadata "}"

static void test_resolve(void **state)
{
    struct cli_world *w = *state;
    struct act_object o;
    struct err e;
    w->cli.ns = str_lit("here");
    w->cli.ns_given = true;
    assert_int_equal(resolve(w, OF("v1", "ConfigMap", "{\"name\":\"a\"}"), &o, &e), 0);
    assert_true(str_eq_c(o.ns, "here") && str_eq_c(o.name, "a"));
    const struct json *ns = json_get_c(json_get_c(o.object, "metadata"), "namespace");
    assert_true(str_eq_c(json_str(ns), "here"));
    assert_int_equal(resolve(w, OF("v1", "Namespace", "{\"name\":\"a\"}"), &o, &e), 0);
    assert_int_equal(o.ns.len, 0);
    assert_int_equal(
        resolve(w, OF("v1", "ConfigMap", "{\"name\":\"a\",\"namespace\":\"there\"}"), &o, &e),
        -ERR_INVALID_ARGUMENT);
    assert_string_equal(e.msg, "the namespace from the provided object \"there\" does not match "
                               "the namespace \"here\". You must pass '--namespace=there' to "
                               "perform this operation.");
    w->cli.ns_given = false;
    assert_int_equal(
        resolve(w, OF("v1", "ConfigMap", "{\"name\":\"a\",\"namespace\":\"there\"}"), &o, &e), 0);
    assert_true(str_eq_c(o.ns, "there"));
    assert_int_equal(resolve(w, OF("v1", "Nope", "{\"name\":\"a\"}"), &o, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "no matches for kind \"Nope\" in version \"v1\"\nensure CRDs"));
}

static void test_target(void **state)
{
    struct cli_world *w = *state;
    struct act_object o;
    struct err e;
    struct act a = { .cli = &w->cli };
    w->cli.ns = str_lit("n");
    assert_int_equal(resolve(w, OF("apps/v1", "Deployment", "{\"name\":\"a\"}"), &o, &e), 0);
    assert_string_equal(act_target(&a, &o, false, NULL),
                        "/apis/apps/v1/namespaces/n/deployments/a");
    assert_string_equal(act_target(&a, &o, true, "x=y"),
                        "/apis/apps/v1/namespaces/n/deployments?x=y");
    a.dry = ACT_DRY_SERVER;
    a.manager = "me & you";
    a.validation = "Strict";
    assert_string_equal(act_target(&a, &o, false, "force=true"),
                        "/apis/apps/v1/namespaces/n/deployments/a?dryRun=All&"
                        "fieldManager=me%20%26%20you&fieldValidation=Strict&force=true");
}

static void test_text(void **state)
{
    struct cli_world *w = *state;
    const struct json *j = parse(w, "{\"b\":{\"d\":[1]},\"a\":\"x\"}");
    assert_string_equal(act_text(&w->cli, j, false).data, "a: x\nb:\n  d:\n  - 1\n");
    assert_string_equal(act_text(&w->cli, j, true).data,
                        "{\n    \"a\": \"x\",\n    \"b\": {\n        \"d\": [\n            1\n"
                        "        ]\n    }\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_output),
                                        cmocka_unit_test(test_resolve),
                                        cmocka_unit_test(test_target),
                                        cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
