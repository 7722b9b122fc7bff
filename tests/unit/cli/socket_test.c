/* A WebSocket of ours: a message there and back, a refusal, the next server. */
#include <string.h>

#include "base/list.h"
#include "cli/socket.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

struct talk {
    struct socket s;
    struct buf back;
    int status;
};

static void on_opened(struct socket *s)
{
    socket_write(s,
                 str_lit("\x00"
                         "he"),
                 str_lit("llo"));
    socket_write(s, str_lit("\xff"), str_of("", 1));
}

static void on_data(struct socket *s, struct str bytes, bool first)
{
    struct talk *t = container_of(s, struct talk, s);
    buf_append_c(&t->back, first ? "|" : "");
    for (size_t i = 0; i < bytes.len; i++)
        buf_append_byte(&t->back, (uint8_t)bytes.data[i] < ' ' ? '.' : (uint8_t)bytes.data[i]);
}

static void on_done(struct socket *s, int status)
{
    container_of(s, struct talk, s)->status = status;
    env_loop_stop(s->loop);
}

static void talk(struct exec_server *s, struct talk *t)
{
    *t = (struct talk){ .s = { .cli = &s->base.cli,
                               .loop = env_loop_new(s->base.env, "talk"),
                               .target = "/x/exec",
                               .protocol = "v5.channel.k8s.io",
                               .opened = on_opened,
                               .data = on_data,
                               .done = on_done } };
    buf_init(&t->back);
    socket_open(&t->s);
    env_loop_run(t->s.loop);
    env_loop_free(t->s.loop);
}

static void talk_end(struct talk *t)
{
    socket_deinit(&t->s);
    buf_deinit(&t->back);
}

static void test_message(void **state)
{
    struct exec_server *s = *state;
    struct talk t;
    exec_server_reset(s);
    talk(s, &t);
    assert_int_equal(t.status, 0);
    assert_false(t.s.lost);
    assert_true(str_starts(buf_str(&t.back), str_lit("|.hello|.bye.|.{\"status\"")));
    talk_end(&t);
}

static void test_refused(void **state)
{
    struct exec_server *s = *state;
    struct talk t;
    exec_server_reset(s);
    s->base.refusal = 400;
    talk(s, &t);
    assert_int_equal(t.s.http_status, 400);
    assert_true(str_find(buf_str(&t.s.refusal), str_lit("not this one")) > 0);
    talk_end(&t);
}

static void test_nobody(void **state)
{
    struct exec_server *s = *state;
    struct str real = s->base.cli.servers[0];
    struct talk t;
    exec_server_reset(s);
    s->base.cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    talk(s, &t);
    assert_int_equal(t.status, -ERR_UNAVAILABLE);
    assert_int_equal(t.s.http_status, 0);
    talk_end(&t);
    s->base.cli.servers[0] = real;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_message),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_nobody) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
