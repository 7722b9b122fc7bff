/* Waiting for the end of an object: gone, another's, seen in the watch, too late, not allowed. */
#include <string.h>

#include "cli/gone.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define ITEM(uid)        "{\"metadata\":{\"name\":\"a\",\"uid\":\"" uid "\"}}"
#define LIST(items)      "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" items "]}"
#define EVENT(type, uid) "{\"type\":\"" type "\",\"object\":" ITEM(uid) "}\n"

static int wait_for(struct cli_world *w, const struct act_answer *answers, uint64_t ms)
{
    static const struct objects_resource maps = {
        .group = STR(""), .version = STR("v1"), .plural = STR("configmaps"), .namespaced = true
    };
    const struct act_object o = {
        .resource = &maps, .ns = str_lit("n"), .name = str_lit("a"), .uid = str_lit("u")
    };
    cli_world_reset(w);
    w->asks = 0;
    for (size_t i = 0; answers[i].status != 0; i++) {
        w->answers[i].status = answers[i].status;
        w->answers[i].body = answers[i].body;
    }
    return gone_wait(&w->cli, &o, env_loop_now_ms(w->cli.loop) + ms);
}

static void test_ends(void **state)
{
    static const struct {
        struct act_answer answers[5];
        size_t asks;
    } cases[] = {
        { { { 200, LIST("") } }, 1 },
        { { { 200, LIST(ITEM("other")) } }, 1 },
        { { { 200, LIST(ITEM("u")) }, { 200, EVENT("MODIFIED", "u") EVENT("DELETED", "u") } }, 2 },
        { { { 200, LIST(ITEM("u")) }, { 200, EVENT("DELETED", "other") }, { 200, LIST("") } }, 3 },
        { { { 403, ACT_STATUS("Forbidden", "no") } }, 1 },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(wait_for(w, cases[i].answers, 60000), CLI_OK);
        assert_int_equal(w->asks, cases[i].asks);
    }
    assert_non_null(
        strstr(w->asked[0], "GET /api/v1/namespaces/n/configmaps?fieldSelector=metadata.name%3Da"));
}

static void test_late(void **state)
{
    const struct act_answer answers[] = { { 200, LIST(ITEM("u")) }, { 0 } };
    assert_int_equal(wait_for(*state, answers, 0), CLI_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ends), cmocka_unit_test(test_late) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
