/* Channels against a server of ours: bytes both ways, the status, and every way to end. */
#include <string.h>

#include "base/list.h"
#include "cli/channels.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

struct talk {
    struct channels c;
    struct buf out;
    struct buf errors;
    size_t to_send;
    int status;
    int opened;
};

static void on_opened(struct channels *c)
{
    static char bytes[100000];
    struct talk *t = container_of(c, struct talk, c);
    t->opened++;
    memset(bytes, 'x', sizeof bytes);
    channels_write(c, CHANNEL_RESIZE, str_lit("{}"));
    for (size_t left = t->to_send; left > 0;) {
        size_t n = left < sizeof bytes ? left : sizeof bytes;
        channels_write(c, CHANNEL_STDIN, str_of(bytes, n));
        left -= n;
    }
    channels_end(c, CHANNEL_STDIN);
}

static void on_data(struct channels *c, enum channel channel, struct str bytes)
{
    struct talk *t = container_of(c, struct talk, c);
    buf_append_str(channel == CHANNEL_STDOUT ? &t->out : &t->errors, bytes);
}

static void on_done(struct channels *c, int status)
{
    struct talk *t = container_of(c, struct talk, c);
    t->status = status;
    env_loop_stop(c->loop);
}

static void talk(struct exec_server *s, struct talk *t, size_t bytes)
{
    *t = (struct talk){ .to_send = bytes,
                        .c = { .cli = &s->base.cli,
                               .loop = env_loop_new(s->base.env, "talk"),
                               .target = "/api/v1/namespaces/default/pods/p/exec?stdin=true",
                               .opened = on_opened,
                               .data = on_data,
                               .done = on_done } };
    buf_init(&t->out);
    buf_init(&t->errors);
    channels_open(&t->c);
    env_loop_run(t->c.loop);
    env_loop_free(t->c.loop);
}

static void talk_end(struct talk *t)
{
    channels_deinit(&t->c);
    buf_deinit(&t->out);
    buf_deinit(&t->errors);
}

static void test_both_ways(void **state)
{
    static const size_t sizes[] = { 0, 1, 70000, 5000000 };
    struct exec_server *s = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct talk t;
        exec_server_reset(s);
        talk(s, &t, sizes[i]);
        assert_int_equal(t.status, 0);
        assert_int_equal(t.opened, 1);
        assert_int_equal(t.c.socket.http_status, 101);
        assert_false(t.c.socket.lost);
        assert_int_equal(t.c.socket.code, WEBSOCKET_NORMAL);
        assert_int_equal(t.out.len, sizes[i]);
        assert_true(str_eq_c(buf_str(&t.errors), "bye\n"));
        assert_true(str_eq_c(buf_str(&t.c.text), "{\"status\":\"Success\"}"));
        assert_string_equal(s->resize, "{}");
        talk_end(&t);
    }
}

static void test_refused(void **state)
{
    struct exec_server *s = *state;
    struct talk t;
    exec_server_reset(s);
    s->base.refusal = 400;
    talk(s, &t, 0);
    assert_int_equal(t.c.socket.http_status, 400);
    assert_int_equal(t.opened, 0);
    assert_true(str_find(buf_str(&t.c.socket.refusal), str_lit("not this one")) > 0);
    talk_end(&t);
}

static void test_lost(void **state)
{
    static const enum exec_end ends[] = { EXEC_VANISH, EXEC_NONSENSE };
    struct exec_server *s = *state;
    for (size_t i = 0; i < 2; i++) {
        struct talk t;
        exec_server_reset(s);
        s->end = ends[i];
        talk(s, &t, 10);
        assert_true(t.c.socket.lost);
        assert_int_equal(t.c.text.len, 0);
        talk_end(&t);
    }
}

/* The command ends while its input is still on its way: that is not waited for. */
static void test_input_left(void **state)
{
    struct exec_server *s = *state;
    struct talk t;
    exec_server_reset(s);
    s->at_once = true;
    talk(s, &t, 20000000);
    assert_int_equal(t.status, 0);
    assert_true(str_eq_c(buf_str(&t.c.text), "{\"status\":\"Success\"}"));
    talk_end(&t);
}

/* The first server does not answer: the second is asked. */
static void test_next_server(void **state)
{
    struct exec_server *s = *state;
    struct talk t;
    exec_server_reset(s);
    s->base.cli.servers[1] = s->base.cli.servers[0];
    s->base.cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    s->base.cli.servers_count = 2;
    talk(s, &t, 3);
    assert_int_equal(t.out.len, 3);
    talk_end(&t);
    s->base.cli.servers_count = 1;
    talk(s, &t, 3);
    assert_int_equal(t.status, -ERR_UNAVAILABLE);
    assert_int_equal(t.c.socket.http_status, 0);
    talk_end(&t);
    s->base.cli.servers[0] = s->base.cli.servers[1];
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_ways),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_lost),
                                        cmocka_unit_test(test_input_left),
                                        cmocka_unit_test(test_next_server) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
