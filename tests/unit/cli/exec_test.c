/* gantry exec: what is asked for, what passes, and which exit code it ends with. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{"         \
    "\"containers\":[{\"name\":\"a\"}]},\"status\":{\"phase\":\"Running\"}}"

static void test_input_and_output(void **state)
{
    static const char *const words[] = { "-i", "p", "--", "sh", "-c", "a & b", NULL };
    struct exec_server *s = *state;
    struct exec_run r;
    exec_server_reset(s);
    s->base.pod = POD;
    exec_server_run(s, &exec_verb, words, "hello\n", &r);
    assert_string_equal(r.errors, "bye\n");
    assert_string_equal(r.out, "hello\n");
    assert_int_equal(r.code, 0);
    assert_true(s->input_ended);
    assert_string_equal(s->base.target,
                        "/api/v1/namespaces/default/pods/p/exec?container=a&stdout=true&stdin=true"
                        "&stderr=true&command=sh&command=-c&command=a%20%26%20b");
}

static void test_codes(void **state)
{
    static const struct {
        const char *status;
        enum exec_end end;
        int refusal;
        int code;
        const char *errors;
    } cases[] = {
        { "{\"status\":\"Success\"}", EXEC_STATUS, 0, 0, "" },
        { EXEC_EXIT("7"), EXEC_STATUS, 0, 7, "command terminated with exit code 7\n" },
        { EXEC_EXIT("255"), EXEC_STATUS, 0, 255, "command terminated with exit code 255\n" },
        { EXEC_EXIT("256"), EXEC_STATUS, 0, 1,
          "error: error stream protocol error: no ExitCode cause given\n" },
        { "{\"status\":\"Failure\",\"reason\":\"InternalError\",\"message\":\"no shim\"}",
          EXEC_STATUS, 0, 1, "error: no shim\n" },
        { "", EXEC_VANISH, 0, 1,
          "error: the connection to the server was lost before the end of the command was "
          "known\n" },
        { "", EXEC_STATUS, 400, 1, "Error from server (BadRequest): not this one\n" },
    };
    static const char *const words[] = { "p", "-c", "a", "--", "true", NULL };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_server *s = *state;
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = POD;
        s->at_once = true;
        s->status = cases[i].status;
        s->end = cases[i].end;
        s->base.refusal = cases[i].refusal;
        exec_server_run(s, &exec_verb, words, "", &r);
        assert_string_equal(r.errors, cases[i].errors);
        assert_int_equal(r.code, cases[i].code);
        assert_null(strstr(s->base.target, "stdin"));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *words[6];
        const char *pod;
        const char *error;
    } cases[] = {
        { { "--", "sh" }, POD, "error: pod, type/name or --filename must be specified\n" },
        { { "p" }, POD, "error: you must specify at least one command for the container\n" },
        { { "p", "--" }, POD, "error: you must specify at least one command for the container\n" },
        { { "p", "sh" }, POD, "error: exec [POD] [COMMAND] is not supported anymore." },
        { { "p", "x", "--", "sh" }, POD, "error: exec [POD] [COMMAND] is not supported anymore." },
        { { "p", "--", "sh" },
          "{\"kind\":\"Pod\",\"status\":{\"phase\":\"Failed\"}}",
          "error: cannot exec into a container in a completed pod; current phase is Failed\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_server *s = *state;
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = cases[i].pod;
        exec_server_run(s, &exec_verb, cases[i].words, "", &r);
        assert_int_equal(r.code, 1);
        assert_memory_equal(r.errors, cases[i].error, strlen(cases[i].error));
    }
}

/* A node's word is no Status. */
static void test_not_upgraded(void **state)
{
    static const char *const words[] = { "p", "--", "true", NULL };
    struct exec_server *s = *state;
    struct exec_run r;
    exec_server_reset(s);
    s->base.pod = POD;
    s->base.refusal = 500;
    s->base.refusal_text = "container not found (\"a\")";
    exec_server_run(s, &exec_verb, words, "", &r);
    assert_string_equal(r.errors,
                        "error: unable to upgrade connection: container not found (\"a\")\n");
    assert_int_equal(r.code, 1);
}

/* A manifest names the pod, and the namespace too; another one by -n is refused. */
static void test_manifest(void **state)
{
    struct exec_server *s = *state;
    struct exec_run r;
    const char *file = str_printf(&s->base.cli.arena, "%s/pod.yaml", getenv("TEST_TMPDIR")).data;
    const char *words[] = { "-f", file, "--", "true", NULL };
    assert_int_equal(env_file_write(s->base.env, file,
                                    str_lit("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n"
                                            "  namespace: team\n"),
                                    0600, NULL),
                     0);
    exec_server_reset(s);
    s->base.pod = "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"team\"},"
                  "\"spec\":{\"containers\":[{\"name\":\"a\"}]},\"status\":{\"phase\":"
                  "\"Running\"}}";
    s->at_once = true;
    exec_server_run(s, &exec_verb, words, "", &r);
    assert_string_equal(r.errors, "");
    assert_string_equal(s->base.asked, "/api/v1/namespaces/team/pods/p");
    assert_non_null(strstr(s->base.target, "/api/v1/namespaces/team/pods/p/exec?"));
}

/* -t without a terminal: said, and done without. */
static void test_no_terminal(void **state)
{
    static const char *const words[] = { "-it", "p", "--", "sh", NULL };
    struct exec_server *s = *state;
    struct exec_run r;
    exec_server_reset(s);
    s->base.pod = POD;
    exec_server_run(s, &exec_verb, words, "x", &r);
    assert_string_equal(r.errors, "Unable to use a TTY - input is not a terminal or the right kind "
                                  "of file\nbye\n");
    assert_null(strstr(s->base.target, "tty"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_and_output), cmocka_unit_test(test_codes),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_not_upgraded),
        cmocka_unit_test(test_manifest),         cmocka_unit_test(test_no_terminal)
    };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
