/* Answers read as they come: whole, refused, canceled, from the server that answers. */
#include <string.h>

#include "cli/stream.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

struct listener {
    struct stream stream;
    struct buf got;
    int status;
    int dones;
};

static void on_bytes(struct stream *s, struct str bytes)
{
    buf_append_str(&((struct listener *)s->user)->got, bytes);
}

static void on_done(struct stream *s, int status)
{
    struct listener *l = s->user;
    l->status = status;
    l->dones++;
    env_loop_stop(s->loop);
}

static void listen_to(struct cli_world *w, struct listener *l, bool cancel)
{
    struct env_loop *loop = env_loop_new(w->env, "listen");
    *l = (struct listener){
        .stream = { .target = "/x", .accept = "*/*", .bytes = on_bytes, .done = on_done, .user = l }
    };
    buf_init(&l->got);
    stream_open(&l->stream, &w->cli, loop);
    if (cancel)
        stream_cancel(&l->stream);
    env_loop_run(loop);
    env_loop_free(loop);
    assert_int_equal(l->dones, 1);
}

static void test_answers(void **state)
{
    struct cli_world *w = *state;
    struct listener l;
    cli_world_reset(w);
    w->answers[0].status = 200;
    w->answers[0].body = "hello";
    listen_to(w, &l, false);
    assert_int_equal(l.status, 0);
    assert_int_equal(l.stream.http_status, 200);
    assert_true(str_eq_c(buf_str(&l.got), "hello"));
    buf_deinit(&l.got);
    stream_deinit(&l.stream);
    w->answers[0].status = 404;
    listen_to(w, &l, false);
    assert_int_equal(l.stream.http_status, 404);
    assert_int_equal(l.got.len, 0);
    assert_true(str_eq_c(buf_str(&l.stream.refusal), "hello"));
    buf_deinit(&l.got);
    stream_deinit(&l.stream);
    listen_to(w, &l, true);
    assert_int_equal(l.status, -ERR_CANCELED);
    buf_deinit(&l.got);
    stream_deinit(&l.stream);
}

static void test_next_server(void **state)
{
    struct cli_world *w = *state;
    struct listener l;
    cli_world_reset(w);
    w->answers[0].status = 200;
    w->answers[0].body = "hello";
    w->cli.servers[1] = w->cli.servers[0];
    w->cli.servers[0] = str_lit("tcp:127.0.0.1:1");
    w->cli.servers_count = 2;
    listen_to(w, &l, false);
    assert_true(str_eq_c(buf_str(&l.got), "hello"));
    buf_deinit(&l.got);
    stream_deinit(&l.stream);
    w->cli.servers_count = 1;
    listen_to(w, &l, false);
    assert_int_equal(l.status, -ERR_UNAVAILABLE);
    assert_int_equal(l.stream.http_status, 0);
    buf_deinit(&l.got);
    stream_deinit(&l.stream);
    w->cli.servers[0] = w->cli.servers[1];
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_answers),
                                        cmocka_unit_test(test_next_server) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
