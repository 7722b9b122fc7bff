/* gantry member: what each word asks of the API, and what it makes of the answer. */
#include <string.h>

#include "cli/member.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

#define TOKEN                                                                                      \
    "{\"name\":\"m4\",\"id\":4,\"token\":\"ab.cd\",\"tokenSeconds\":86400,\"caHash\":\"sha256:"    \
    "12\"}"
#define ROW(role)                                                                                  \
    "{\"members\":[{\"name\":\"m4\",\"id\":4,\"answers\":true,\"groups\":{\"cluster\":{\"role\":"  \
    "\"" role "\",\"lag\":7},\"bus\":{\"role\":\"" role "\",\"lag\":0}}}]}"

static void test_words(void **state)
{
    static const struct {
        const char *words[8];
        int status;
        const char *answer;
        int code;
        const char *asked;
        const char *printed; /* or in the errors */
    } cases[] = {
        { { "add", "m4", "--address", "10.0.0.4" },
          201,
          TOKEN,
          0,
          "POST /gantry/v1/members {\"name\":\"m4\",\"raftAddress\":\"tcp:10.0.0.4:2381\","
          "\"peerAddress\":\"tcp:10.0.0.4:2380\"}",
          "--token ab.cd \\\n    --ca-hash sha256:12 \\\n    --name m4" },
        { { "add", "m4", "--address=fd00::4", "--raft-port", "7", "--peer-port=8" },
          201,
          TOKEN,
          0,
          "POST /gantry/v1/members {\"name\":\"m4\",\"raftAddress\":\"tcp:[fd00::4]:7\","
          "\"peerAddress\":\"tcp:[fd00::4]:8\"}",
          "within 24 hours" },
        { { "add", "m4", "--address", "a", "--server", "https://h:1" },
          201,
          TOKEN,
          0,
          "POST",
          "--server https://h:1 " },
        { { "add", "m4", "--address", "a", "-o", "json" }, 201, TOKEN, 0, "POST", "\"id\": 4" },
        { { "token", "m4" }, 200, TOKEN, 0, "POST /gantry/v1/members/m4/token ", "ab.cd" },
        { { "promote", "m4" },
          200,
          "{}",
          0,
          "POST /gantry/v1/members/m4/promote {\"wait\":false,\"force\":false}",
          "member m4 will vote" },
        { { "promote", "m4" }, 409, "{\"error\":\"it lacks 9\"}", 1, "POST", "it lacks 9" },
        { { "remove", "m4", "--force" },
          200,
          "{}",
          0,
          "POST /gantry/v1/members/m4/remove {\"wait\":false,\"force\":true}",
          "will be removed" },
        { { "demote", "m4" }, 200, "{}", 0, "POST /gantry/v1/members/m4/demote ", "only follow" },
        { { "transfer" }, 200, "{}", 0, "POST /gantry/v1/members/-/transfer ", "both groups" },
        { { "transfer", "m4", "--group", "bus" },
          200,
          "{}",
          0,
          "POST /gantry/v1/members/m4/transfer {\"group\":\"bus\"}",
          "leadership of bus moved to m4" },
        { { "list" }, 200, "nonsense", 1, "GET /gantry/v1/members ", "something else than JSON" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        w->answers[0].status = cases[i].status;
        w->answers[0].body = cases[i].answer;
        int code = cli_world_run(w, &member_verb, cases[i].words);
        if (code != cases[i].code || w->asks != 1 ||
            strncmp(w->asked[0], cases[i].asked, strlen(cases[i].asked)) != 0 ||
            (strstr(w->out, cases[i].printed) == NULL &&
             strstr(w->errors, cases[i].printed) == NULL))
            fail_msg("case %zu: %d, asked '%s', printed '%s' '%s'", i, code, w->asked[0], w->out,
                     w->errors);
    }
}

static void test_wrong_usage_asks_nothing(void **state)
{
    static const char *const cases[][6] = {
        { NULL },
        { "else", NULL },
        { "add", NULL },
        { "add", "m4", NULL },
        { "add", "m/4", "--address", "a", NULL },
        { "add", "m4", "--address", "a\"b", NULL },
        { "add", "m4", "--address", "a", "--raft-port=0", NULL },
        { "add", "m4", "--address", "a", "--peer-port=70000", NULL },
        { "promote", NULL },
        { "promote", "m4", "m5", NULL },
        { "promote", "../m4", NULL },
        { "transfer", "--group", "x", NULL },
        { "list", "-o", "yaml", NULL },
        { "list", "--else", NULL },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = cli_world_run(w, &member_verb, cases[i]);
        if (code != CLI_USAGE || w->asks != 0 || strstr(w->errors, "usage: gantry") == NULL)
            fail_msg("case %zu: %d after %zu asks", i, code, w->asks);
    }
}

static void test_waiting(void **state)
{
    static const char *const promote[] = { "promote", "m4", "--wait", NULL };
    static const char *const gone[] = { "remove", "m4", "--wait", NULL };
    struct cli_world *w = *state;
    w->answers[0].status = w->answers[1].status = w->answers[2].status = 200;
    w->answers[0].body = "{}";
    w->answers[1].body = ROW("standby");
    w->answers[2].body = ROW("voter");
    assert_int_equal(cli_world_run(w, &member_verb, promote), CLI_OK);
    assert_int_equal(w->asks, 3);
    assert_non_null(strstr(w->errors, "m4: lacks 7 entries"));
    assert_non_null(strstr(w->out, "member m4 votes"));
    w->answers[2].body = "{\"members\":[]}";
    assert_int_equal(cli_world_run(w, &member_verb, gone), CLI_OK);
    assert_non_null(strstr(w->out, "member m4 is gone"));
    /* Removed by somebody else, while it was to be promoted. */
    assert_int_equal(cli_world_run(w, &member_verb, promote), CLI_FAILED);
    assert_non_null(strstr(w->errors, "not there any more"));
}

static void test_another_server_is_asked(void **state)
{
    static const char *const list[] = { "list", NULL };
    struct cli_world *w = *state;
    w->answers[0].status = 200;
    w->answers[0].body = ROW("voter");
    w->cli.servers[1] = w->cli.servers[0];
    w->cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    w->cli.servers_count = 2;
    assert_int_equal(cli_world_run(w, &member_verb, list), CLI_OK);
    w->cli.servers_count = 1;
    assert_int_equal(cli_world_run(w, &member_verb, list), CLI_FAILED);
    assert_non_null(strstr(w->errors, "no server of the kubeconfig answers"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, cli_world_setup, cli_world_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_usage_asks_nothing, cli_world_setup,
                                        cli_world_teardown),
        cmocka_unit_test_setup_teardown(test_waiting, cli_world_setup, cli_world_teardown),
        cmocka_unit_test_setup_teardown(test_another_server_is_asked, cli_world_setup,
                                        cli_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
