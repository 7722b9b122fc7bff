/* gantry get: what is asked for, and how tables, names and whole objects are shown. */
#include <string.h>

#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define DISCOVERY                                                                                  \
    "{\"items\":[{\"metadata\":{\"name\":\"\"},\"versions\":[{\"version\":\"v1\",\"resources\":["  \
    "{\"resource\":\"configmaps\",\"scope\":\"Namespaced\",\"shortNames\":[\"cm\"],"               \
    "\"responseKind\":{\"kind\":\"ConfigMap\"}},{\"resource\":\"nodes\",\"scope\":\"Cluster\","    \
    "\"responseKind\":{\"kind\":\"Node\"}}]}]}]}"

#define TABLE                                                                                      \
    "{\"kind\":\"Table\",\"columnDefinitions\":[{\"name\":\"Name\",\"type\":\"string\","           \
    "\"format\":\"name\",\"priority\":0},{\"name\":\"Data\",\"priority\":0},{\"name\":\"Extra\","  \
    "\"priority\":1}],\"rows\":["                                                                  \
    "{\"cells\":[\"a\",1,\"x\"],\"object\":{\"metadata\":{\"name\":\"a\",\"namespace\":\"one\"}}}" \
    ","                                                                                            \
    "{\"cells\":[\"longer\",null,\"y\"],\"object\":{\"metadata\":{\"name\":\"longer\","            \
    "\"namespace\":\"two\"}}}]}"

#define OBJECT  "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}"
#define OBJECTS "{\"items\":[{\"metadata\":{\"name\":\"b\"}},{\"metadata\":{\"name\":\"a\"}}]}"
#define CM      "GET /api/v1/namespaces/default/configmaps"

static int run(struct cli_world *w, const char *const *words, const char *answer)
{
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = w->answers[2].status = 200;
    w->answers[0].body = DISCOVERY;
    w->answers[1].body = "{}";
    w->answers[2].body = answer;
    return cli_world_run(w, &get_verb, words);
}

static void test_shown(void **state)
{
    static const struct {
        const char *words[8];
        const char *answer;
        const char *asked;
        const char *out;
    } cases[] = {
        { { "cm" }, TABLE, CM "?limit=500 ", "NAME     DATA\na        1\nlonger   \n" },
        { { "cm", "-o", "wide", "-n", "x" },
          TABLE,
          CM "?limit=500 ",
          "NAME     DATA   EXTRA\na        1      x\nlonger          y\n" },
        { { "cm", "-A", "--chunk-size=0" },
          TABLE,
          "GET /api/v1/configmaps ",
          "NAMESPACE   NAME     DATA\none         a        1\ntwo         longer   \n" },
        { { "cm", "-l", "a=b", "--no-headers" },
          TABLE,
          CM "?labelSelector=a%3Db&limit=500 ",
          "a        1\nlonger   \n" },
        { { "cm", "--sort-by=.metadata.namespace", "--no-headers" },
          TABLE,
          CM "?includeObject=Object ",
          "a        1\nlonger   \n" },
        { { "cm/a", "-o=name", "--revision", "7" },
          OBJECT,
          CM "/a?gantryRevision=7 ",
          "configmap/a\n" },
        { { "cm", "--revision=7" },
          TABLE,
          CM "?resourceVersion=7&resourceVersionMatch=Exact ",
          "NAME     DATA\na        1\nlonger   \n" },
        { { "cm", "a", "-o", "yaml" },
          OBJECT,
          CM "/a ",
          "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n" },
        { { "cm", "-o", "name", "--sort-by={.metadata.name}" },
          OBJECTS,
          CM " ",
          "configmap/a\nconfigmap/b\n" },
        { { "cm", "-o", "jsonpath={.kind} {.items[*].kind}" },
          OBJECTS,
          CM "?limit=500 ",
          "List ConfigMap ConfigMap" },
        { { "cm,nodes", "--show-kind" },
          TABLE,
          CM "?limit=500 ",
          "NAME               DATA\nconfigmap/a        1\nconfigmap/longer   \n\n"
          "NAME          DATA\nnode/a        1\nnode/longer   \n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(w, cases[i].words, cases[i].answer), CLI_OK);
        assert_string_equal(w->asked[2], cases[i].asked);
        assert_string_equal(w->out, cases[i].out);
    }
}

static void test_wrong(void **state)
{
    static const struct {
        const char *words[8];
        const char *says;
    } cases[] = {
        { { NULL }, "Required resource not specified." },
        { { "cm/a", "b" }, "there is no need to specify a resource type" },
        { { "cm", "--what" }, "error: unknown flag: --what\nSee 'gantry get --help' for usage.\n" },
        { { "cm", "-o", "xml" }, "unable to match a printer" },
        { { "cm", "--template={{.kind}}" }, "error: --template needs Go's templates" },
        { { "cm", "--revision", "0" }, "no revision" },
        { { "cm", "--revision", "x" }, "no revision" },
        { { "cm", "-w", "--revision", "3" }, "cannot be watched" },
        { { "cm", "a", "-A" }, "cannot be retrieved by name across all namespaces" },
        { { "cm", "a", "-l", "x=y" }, "name cannot be provided when a selector is specified" },
        { { "cm/a", "-l", "x=y" }, "selectors and the all flag cannot be used" },
        { { "--raw", "/x", "cm" }, "arguments may not be passed when --raw is specified" },
        { { "--raw", "x" }, "--raw must be a valid URL path" },
        { { "cm", "-o", "name", "--show-labels" }, "cannot be used with name printer" },
        { { "cm", "--output-watch-events" }, "can only be used with --watch" },
        { { "cm", "--sort-by=.none" }, "couldn't find any field with path \"{.none}\"" },
        { { "pods" }, "error: the server doesn't have a resource type \"pods\"\n" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(w, cases[i].words, TABLE), CLI_FAILED);
        assert_non_null(strstr(w->errors, cases[i].says));
    }
}

static void test_missing(void **state)
{
    static const char missing[] =
        "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"configmaps \\\"a\\\" not "
        "found\"}";
    static const char *const one[] = { "cm", "a", NULL };
    static const char *const quiet[] = { "cm", "a", "--ignore-not-found", NULL };
    static const char *const all[] = { "nodes", NULL };
    struct cli_world *w = *state;
    (void)run(w, one, missing);
    w->answers[2].status = 404;
    assert_int_equal(cli_world_run(w, &get_verb, one), CLI_FAILED);
    assert_string_equal(w->errors, "Error from server (NotFound): configmaps \"a\" not found\n");
    assert_int_equal(cli_world_run(w, &get_verb, quiet), CLI_OK);
    assert_string_equal(w->errors, "");
    assert_int_equal(run(w, one, "{\"kind\":\"Table\",\"rows\":[]}"), CLI_OK);
    assert_string_equal(w->errors, "No resources found in default namespace.\n");
    assert_int_equal(run(w, all, "{\"kind\":\"Table\",\"rows\":[]}"), CLI_OK);
    assert_string_equal(w->errors, "No resources found\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown), cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_missing) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
