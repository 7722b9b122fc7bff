/* A tunnel to a port: bytes both ways, the ends of both, what the node says, and a refusal. */
#include <string.h>

#include "base/list.h"
#include "cli/tunnel.h"
#include "tests/unit/cli/forward_server.h"
#include "tests/unit/unit.h"

struct talk {
    struct tunnel t;
    struct buf back;
    size_t to_send;
    int ends;
};

static void on_opened(struct tunnel *t)
{
    static char bytes[100000];
    struct talk *k = container_of(t, struct talk, t);
    tunnel_start(t, 80);
    for (size_t left = k->to_send; left > 0;) {
        size_t n = left < sizeof bytes ? left : sizeof bytes;
        tunnel_write(t, str_of(bytes, n));
        left -= n;
    }
    tunnel_end(t);
}

static void on_data(struct tunnel *t, struct str bytes)
{
    buf_append_str(&container_of(t, struct talk, t)->back, bytes);
}

static void on_end(struct tunnel *t)
{
    container_of(t, struct talk, t)->ends++;
}

static void on_drained(struct tunnel *t)
{
    (void)t;
}

static void on_done(struct tunnel *t)
{
    env_loop_stop(t->loop);
}

static void talk(struct forward_server *s, struct talk *k, size_t bytes)
{
    *k = (struct talk){ .to_send = bytes,
                        .t = { .cli = &s->base.cli,
                               .loop = env_loop_new(s->base.env, "talk"),
                               .target = "/api/v1/namespaces/default/pods/p/portforward",
                               .opened = on_opened,
                               .data = on_data,
                               .end = on_end,
                               .drained = on_drained,
                               .done = on_done } };
    buf_init(&k->back);
    tunnel_open(&k->t);
    env_loop_run(k->t.loop);
    env_loop_free(k->t.loop);
}

static void talk_end(struct talk *k)
{
    tunnel_deinit(&k->t);
    buf_deinit(&k->back);
}

static void test_both_ways(void **state)
{
    static const size_t sizes[] = { 1, 5000000 };
    struct forward_server *s = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct talk k;
        forward_server_reset(s);
        talk(s, &k, sizes[i]);
        assert_int_equal(k.back.len, sizes[i]);
        assert_int_equal(k.ends, 1);
        assert_int_equal(k.t.error.len, 0);
        assert_string_equal(s->port_header, "80");
        talk_end(&k);
    }
}

/* Nothing follows an end: a peer that sends more is not listened to. */
static void test_behind_the_end(void **state)
{
    struct forward_server *s = *state;
    struct talk k;
    forward_server_reset(s);
    s->late = true;
    talk(s, &k, 3);
    assert_int_equal(k.back.len, 3);
    assert_int_equal(k.ends, 1);
    talk_end(&k);
}

static void test_error(void **state)
{
    struct forward_server *s = *state;
    struct talk k;
    forward_server_reset(s);
    s->error = "connection refused";
    talk(s, &k, 0);
    assert_true(str_eq_c(buf_str(&k.t.error), "connection refused"));
    talk_end(&k);
}

static void test_refused(void **state)
{
    struct forward_server *s = *state;
    struct talk k;
    forward_server_reset(s);
    s->base.refusal = 403;
    talk(s, &k, 0);
    assert_false(k.t.open);
    assert_int_equal(k.t.socket.http_status, 403);
    talk_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_both_ways),
                                        cmocka_unit_test(test_behind_the_end),
                                        cmocka_unit_test(test_error),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, forward_server_setup, forward_server_teardown);
}
