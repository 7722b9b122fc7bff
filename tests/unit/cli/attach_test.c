/* gantry attach: what is asked for, and what is said of terminals. */
#include <string.h>

#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{"         \
    "\"containers\":[{\"name\":\"a\"},{\"name\":\"b\",\"tty\":true,\"stdin\":true}]},\"status\":{" \
    "\"phase\":\"Running\"}}"
#define PROMPT "If you don't see a command prompt, try pressing enter.\n"
#define TARGET "/api/v1/namespaces/default/pods/p/attach?container="

static void test_asked(void **state)
{
    static const struct {
        const char *words[6];
        const char *target;
        const char *errors;
    } cases[] = {
        { { "p", "-c", "a", "-i" }, TARGET "a&stdout=true&stdin=true&stderr=true", PROMPT "bye\n" },
        { { "pod", "p", "-ic", "a" },
          TARGET "a&stdout=true&stdin=true&stderr=true",
          PROMPT "bye\n" },
        { { "p", "-itc", "a" },
          TARGET "a&stdout=true&stdin=true&stderr=true",
          "error: Unable to use a TTY - container a did not allocate one\n" PROMPT "bye\n" },
        { { "p", "-itqc", "b" }, TARGET "b&stdout=true&stdin=true&stderr=true", "bye\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_server *s = *state;
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = POD;
        exec_server_run(s, &attach_verb, cases[i].words, "x\n", &r);
        assert_string_equal(r.out, "x\n");
        assert_string_equal(r.errors, cases[i].errors);
        assert_int_equal(r.code, 0);
        assert_string_equal(s->base.target, cases[i].target);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *words[5];
        const char *pod;
        const char *error;
    } cases[] = {
        { { NULL }, POD, "error: at least 1 argument is required for attach\n" },
        { { "a", "b", "c" }, POD, "error: expected POD, TYPE/NAME, or TYPE NAME" },
        { { "p", "-c", "x" },
          POD,
          "error: cannot attach to the container: container x not found in pod p\n" },
        { { "p" },
          "{\"kind\":\"Pod\",\"status\":{\"phase\":\"Succeeded\"}}",
          "error: cannot attach a container in a completed pod; current phase is Succeeded\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exec_server *s = *state;
        struct exec_run r;
        exec_server_reset(s);
        s->base.pod = cases[i].pod;
        exec_server_run(s, &attach_verb, cases[i].words, "", &r);
        assert_int_equal(r.code, 1);
        assert_memory_equal(r.errors, cases[i].error, strlen(cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_asked),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
