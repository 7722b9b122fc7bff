/* When a pod goes: by a look, by its watch, or by another of its name. */
#include <string.h>

#include "base/list.h"
#include "cli/pod_end.h"
#include "tests/unit/cli/forward_server.h"
#include "tests/unit/unit.h"

struct wait {
    struct pod_end end;
    int told;
};

static void on_gone(struct pod_end *p)
{
    container_of(p, struct wait, end)->told++;
    pod_end_stop(p);
}

static void on_stopped(struct pod_end *p)
{
    env_loop_stop(p->loop);
}

static void test_gone(void **state)
{
    static const struct {
        const char *pod;
        const char *event;
    } cases[] = {
        { NULL, NULL },
        { FORWARD_POD("Failed"), NULL },
        { "{\"metadata\":{\"uid\":\"other\"},\"status\":{\"phase\":\"Running\"}}", NULL },
        { FORWARD_POD("Running"), "{\"type\":\"MODIFIED\",\"object\":" FORWARD_POD(
                                      "Running") "}\n{\"type\":\"DELETED\","
                                                 "\"object\":" FORWARD_POD("Running") "}\n" },
        { FORWARD_POD("Running"),
          "{\"type\":\"MODIFIED\",\"object\":" FORWARD_POD("Succeeded") "}\n" },
    };
    struct forward_server *s = *state;
    const struct json *pod;
    assert_int_equal(json_parse(&s->base.cli.arena, str_from(FORWARD_POD("Running")), &pod, NULL),
                     0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wait w = { .end = { .cli = &s->base.cli,
                                   .loop = env_loop_new(s->base.env, "wait"),
                                   .pod = pod,
                                   .gone = on_gone,
                                   .stopped = on_stopped } };
        forward_server_reset(s);
        s->base.pod = cases[i].pod;
        s->event = cases[i].event;
        pod_end_start(&w.end);
        env_loop_run(w.end.loop);
        env_loop_free(w.end.loop);
        assert_int_equal(w.told, 1);
        assert_int_equal(s->watches, cases[i].event != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gone) };
    return cmocka_run_group_tests(tests, forward_server_setup, forward_server_teardown);
}
