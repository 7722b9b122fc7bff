/* gantry edit: the patch that is sent, edits without changes, and edits that are refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP                                                                                        \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"    \
    "\"default\",\"uid\":\"u\",\"managedFields\":[]},\"data\":{\"x\":\"1\",\"z\":\"1\"}}"

struct edit_case {
    const char *editor;
    struct act_answer answers[4];
    int code;
    const char *out;
    const char *errors; /* begins with */
    const char *asked;  /* last */
};

static void run(struct cli_world *w, const struct edit_case *c)
{
    const char *const words[] = { "configmap", "a", NULL };
    assert_int_equal(setenv("KUBE_EDITOR", c->editor, 1), 0);
    assert_int_equal(act_world_run(w, &edit_verb, c->answers, words), c->code);
    assert_string_equal(w->out, c->out);
    assert_memory_equal(w->errors, c->errors, strlen(c->errors));
    assert_memory_equal(w->asked[w->asks - 1], c->asked, strlen(c->asked));
}

#define GET "GET /api/v1/namespaces/default/configmaps/a "

static void test_edits(void **state)
{
    static const struct edit_case cases[] = {
        { "sed -i -e 's/x: \"1\"/x: \"2\"/' -e '/z:/d'",
          { { 200, MAP }, { 200, MAP } },
          0,
          "configmap/a edited\n",
          "",
          "PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=kubectl-edit&"
          "fieldValidation=Strict {\"data\":{\"x\":\"2\",\"z\":null}}" },
        { "true", { { 200, MAP } }, 0, "", "Edit cancelled, no changes made.\n", GET },
        { "truncate -s0", { { 200, MAP } }, 0, "", "Edit cancelled, saved file was empty.\n", GET },
        { "false", { { 200, MAP } }, 1, "", "error: there was a problem with the editor", GET },
        { "sed -i 's/^  name: a$/  name: b/'",
          { { 200, MAP } },
          1,
          "",
          "A copy of your changes has been stored to \"",
          GET },
        { "sed -i 's/x: \"1\"/x: \"2\"/'",
          { { 200, MAP }, { 422, ACT_STATUS("Invalid", "no") } },
          1,
          "",
          "error: configmaps \"a\" is invalid\nA copy of your changes has been stored to \"",
          "PATCH" },
        { "sed -i 's/x: \"1\"/x: \"2\"/'",
          { { 200, MAP }, { 409, ACT_STATUS("Conflict", "no") } },
          1,
          "",
          "error: configmaps \"a\" could not be patched: no\nYou can run `gantry apply -f ",
          "PATCH" },
        { "sed -i 's/x: \"1\"/x: \"2\"/'",
          { { 200, MAP }, { 404, ACT_STATUS("NotFound", "no") } },
          1,
          "",
          "error: configmaps \"a\" could not be found on the server\nThe edits you made on "
          "deleted resources have been saved to \"",
          "PATCH" },
        { "true",
          { { 404, ACT_STATUS("NotFound", "none") } },
          1,
          "",
          "Error from server (NotFound): none\n",
          GET },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_nothing(void **state)
{
    struct cli_world *w = *state;
    const struct act_answer none[] = { { 0 } };
    const char *const words[] = { NULL };
    assert_int_equal(act_world_run(w, &edit_verb, none, words), 1);
    assert_non_null(strstr(w->errors, "You must provide one or more resources"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_edits),
                                        cmocka_unit_test(test_nothing) };
    if (getenv("TEST_TMPDIR") != NULL)
        (void)setenv("TMPDIR", getenv("TEST_TMPDIR"), 1);
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
