/* gantry logs: what is asked for, and how sources are told apart. */
#include <string.h>

#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define POD(name)                                                                                  \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\"},\"spec\":{"  \
    "\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}"
#define LOG "GET /api/v1/namespaces/default/pods/p/log?container="

struct logs_case {
    const char *words[6];
    struct act_answer answers[6];
    int code;
    const char *out;
    const char *errors;
    const char *asked[4];
};

static void run(struct cli_world *w, const struct logs_case *c)
{
    int code = act_world_run(w, &logs_verb, c->answers, c->words);
    assert_string_equal(w->errors, c->errors);
    assert_string_equal(w->out, c->out);
    assert_int_equal(code, c->code);
    for (size_t i = 0; c->asked[i] != NULL; i++)
        assert_string_equal(w->asked[3 + i], c->asked[i]);
}

#define DEFAULTED "Defaulted container \"a\" out of: a, b\n"

static void test_shown(void **state)
{
    static const struct logs_case cases[] = {
        { { "p" }, { { 200, POD("p") }, { 200, "x\ny\n" } }, 0, "x\ny\n", DEFAULTED, { LOG "a " } },
        { { "p", "-c", "b", "--prefix", "--tail=3" },
          { { 200, POD("p") }, { 200, "x\ny" } },
          0,
          "[pod/p/b] x\n[pod/p/b] y",
          "",
          { LOG "b&tailLines=3 " } },
        { { "p", "--all-containers", "--prefix" },
          { { 200, POD("p") }, { 200, "x\n" }, { 200, "y\n" } },
          0,
          "[pod/p/a] x\n[pod/p/b] y\n",
          "",
          { LOG "a ", LOG "b " } },
        { { "p", "b", "-p", "--timestamps", "--since=1500ms" },
          { { 200, POD("p") }, { 200, "x\n" } },
          0,
          "x\n",
          "",
          { LOG "b&previous=true&timestamps=true&sinceSeconds=2 " } },
        { { "p", "b", "--limit-bytes=5", "--since-time=2020-01-01T00:00:00Z" },
          { { 200, POD("p") }, { 200, "x\n" } },
          0,
          "x\n",
          "",
          { LOG "b&sinceTime=2020-01-01T00:00:00Z&limitBytes=5 " } },
        { { "p", "b", "-f" },
          { { 200, POD("p") }, { 400, ACT_STATUS("BadRequest", "waits") } },
          1,
          "",
          "Error from server (BadRequest): waits\n",
          { LOG "b&follow=true " } },
        { { "p", "--all-containers", "--ignore-errors" },
          { { 200, POD("p") }, { 400, ACT_STATUS("BadRequest", "waits") }, { 200, "y\n" } },
          0,
          "y\n",
          "error: waits\n",
          { LOG "a ", LOG "b " } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run(*state, &cases[i]);
}

static void test_selected(void **state)
{
    struct cli_world *w = *state;
    const struct act_answer none[] = { { 0 } };
    const char *const words[] = { "-l", "a=b", "-c", "a", "--prefix", NULL };
    act_world_answers(w, none);
    w->answers[0].body = "{\"items\":[" POD("p") "," POD("q") "]}";
    w->answers[1].body = "one\n";
    w->answers[2].status = 200;
    w->answers[2].body = "two\n";
    assert_int_equal(cli_world_run(w, &logs_verb, words), 0);
    assert_string_equal(w->out, "[pod/p/a] one\n[pod/q/a] two\n");
    assert_string_equal(w->asked[1], LOG "a&tailLines=10 ");
    w->answers[0].body = "{\"items\":[]}";
    assert_int_equal(cli_world_run(w, &logs_verb, words), 0);
    assert_string_equal(w->errors, "No resources found in default namespace.\n");
}

static void test_refused(void **state)
{
    static const struct {
        const char *words[6];
        const char *error;
    } cases[] = {
        { { NULL }, "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n" },
        { { "p", "-l", "a=b" }, "error: only a selector (-l) or a POD name is allowed\n" },
        { { "p", "--since=1s", "--since-time=x" },
          "error: at most one of `sinceTime` or `sinceSeconds` may be specified\n" },
        { { "p", "--since-time=x" }, "error: --since-time=x is no time of RFC 3339" },
        { { "p", "-c", "a", "--all-containers" },
          "error: --all-containers=true should not be specified with container name a\n" },
        { { "p", "a", "-c", "a" },
          "error: only one of -c or an inline [CONTAINER] arg is allowed\n" },
        { { "p", "--limit-bytes=-1" }, "error: --limit-bytes must be greater than 0\n" },
        { { "p", "--since=-1s" }, "error: --since must be greater than 0\n" },
        { { "p", "--tail=-2" }, "error: --tail must be greater than or equal to -1\n" },
        { { "p", "-c", "z" }, "error: container z is not valid for pod p\n" },
        { { "p", "-f", "--all-containers", "--max-log-requests=1" },
          "error: you are attempting to follow 2 log streams, but maximum allowed concurrency is "
          "1, use --max-log-requests to increase the limit\n" },
    };
    const struct act_answer answers[] = { { 200, POD("p") }, { 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cli_world *w = *state;
        assert_int_equal(act_world_run(w, &logs_verb, answers, cases[i].words), 1);
        assert_memory_equal(w->errors, cases[i].error, strlen(cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown),
                                        cmocka_unit_test(test_selected),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
