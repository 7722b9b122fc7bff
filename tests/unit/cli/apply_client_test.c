/* One object by kubectl's own apply: created, configured, unchanged, refused, replaced. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
#define LAST                                                                                       \
    "{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":{\\\"x\\\":\\\"1\\\"},\\\"kind\\\":"              \
    "\\\"ConfigMap\\\",\\\"metadata\\\":{\\\"annotations\\\":{},\\\"name\\\":\\\"a\\\","           \
    "\\\"namespace\\\":\\\"default\\\"}}\\n"
#define LIVE(annotation, data)                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"    \
    "\"default\",\"annotations\":{" annotation "}},\"data\":" data "}"
#define ANNOTATION "\"kubectl.kubernetes.io/last-applied-configuration\":\"" LAST "\""
#define GET        "GET /api/v1/namespaces/default/configmaps/a "
#define QUERY      "?fieldManager=kubectl-client-side-apply&fieldValidation=Strict "

struct apply_case {
    struct act_answer answers[8];
    const char *words[4];
    int code;
    const char *out;
    const char *errors;   /* a part of it */
    const char *asked[6]; /* after discovery: what each begins with */
};

static void run(struct cli_world *w, const struct apply_case *c)
{
    const char *words[8] = { "-f", act_world_file(w, "a.yaml", MAP) };
    for (size_t i = 0; i < 4; i++)
        words[2 + i] = c->words[i];
    int code = act_world_run(w, &apply_verb, c->answers, words);
    assert_string_equal(w->out, c->out);
    assert_non_null(strstr(w->errors, c->errors));
    assert_int_equal(code, c->code);
    size_t asked = 0;
    for (; c->asked[asked] != NULL; asked++)
        assert_memory_equal(w->asked[2 + asked], c->asked[asked], strlen(c->asked[asked]));
    assert_int_equal(w->asks, 2 + asked);
}

static void test_created(void **state)
{
    static const struct apply_case cases[] = {
        { { { 404, ACT_STATUS("NotFound", "no") }, { 201, LIVE("", "{}") } },
          { NULL },
          0,
          "configmap/a created\n",
          "",
          { GET, "POST /api/v1/namespaces/default/configmaps" QUERY "{\"apiVersion\":\"v1\"," } },
        { { { 404, ACT_STATUS("NotFound", "no") }, { 0 } },
          { "--dry-run=client" },
          0,
          "configmap/a created (dry run)\n",
          "",
          { GET } },
        { { { 404, ACT_STATUS("NotFound", "no") }, { 409, ACT_STATUS("Conflict", "quota") } },
          { NULL },
          1,
          "",
          "a.yaml\": quota\n",
          { GET, "POST" } },
        { { { 403, ACT_STATUS("Forbidden", "may not") } },
          { NULL },
          1,
          "",
          "Error from server (Forbidden): error when retrieving current configuration of:\n"
          "Resource: \"/v1, Resource=configmaps\", GroupVersionKind: \"/v1, Kind=ConfigMap\"\n"
          "Name: \"a\", Namespace: \"default\"\nfrom server for: \"",
          { GET } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_patched(void **state)
{
    static const struct apply_case cases[] = {
        { { { 200, LIVE(ANNOTATION, "{\"x\":\"1\",\"other\":\"2\"}") } },
          { NULL },
          0,
          "configmap/a unchanged\n",
          "",
          { GET } },
        { { { 200, LIVE(ANNOTATION, "{\"x\":\"9\"}") }, { 200, LIVE(ANNOTATION, "{}") } },
          { NULL },
          0,
          "configmap/a configured\n",
          "",
          { GET,
            "PATCH /api/v1/namespaces/default/configmaps/a" QUERY "{\"data\":{\"x\":\"1\"}}" } },
        { { { 200, LIVE("", "{\"x\":\"1\"}") }, { 200, LIVE(ANNOTATION, "{}") } },
          { NULL },
          0,
          "configmap/a configured\n",
          "Warning: resource configmaps/a is missing the "
          "kubectl.kubernetes.io/last-applied-configuration annotation which is required by gantry "
          "apply.",
          { GET, "PATCH" } },
        { { { 200, LIVE(ANNOTATION, "{\"x\":\"9\"}") }, { 0 } },
          { "--dry-run=client", "-o", "json" },
          0,
          "{\n    \"apiVersion\": \"v1\",\n    \"data\": {\n        \"x\": \"1\"\n    },\n"
          "    \"kind\": \"ConfigMap\",\n    \"metadata\": {\n        \"annotations\": {\n"
          "            \"kubectl.kubernetes.io/last-applied-configuration\": \"" LAST "\"\n"
          "        },\n        \"name\": \"a\",\n        \"namespace\": \"default\"\n    }\n}\n",
          "",
          { GET } },
        { { { 200, LIVE(ANNOTATION, "{\"x\":\"9\"}") },
            { 409, ACT_STATUS("Conflict", "again") },
            { 200, LIVE(ANNOTATION, "{\"x\":\"8\"}") },
            { 200, LIVE(ANNOTATION, "{}") } },
          { NULL },
          0,
          "configmap/a configured\n",
          "",
          { GET, "PATCH", GET, "PATCH" } },
        { { { 200, LIVE(ANNOTATION, "{\"x\":\"9\"}") }, { 400, ACT_STATUS("BadRequest", "no") } },
          { NULL },
          1,
          "",
          "Error from server (BadRequest): error when applying patch:\n{\"data\":{\"x\":\"1\"}}\n"
          "to:\nResource: \"/v1, Resource=configmaps\"",
          { GET, "PATCH" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

/* What cannot be patched goes and comes again. */
static void test_forced(void **state)
{
    static const struct apply_case c = { { { 200, LIVE(ANNOTATION, "{\"x\":\"9\"}") },
                                           { 422, ACT_STATUS("Invalid", "immutable") },
                                           { 200, LIVE("", "{}") },
                                           { 404, ACT_STATUS("NotFound", "gone") },
                                           { 201, LIVE(ANNOTATION, "{}") } },
                                         { "--force" },
                                         0,
                                         "configmap/a configured\n",
                                         "",
                                         { GET, "PATCH", "DELETE", GET, "POST" } };
    run(*state, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_created),
                                        cmocka_unit_test(test_patched),
                                        cmocka_unit_test(test_forced) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
