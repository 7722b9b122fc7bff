/* Frames of their sender's own, each in a simulated and in the real world. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/links.h"
#include "tests/unit/store/links_world.h"
#include "tests/unit/unit.h"

static void closed_member(void *ctx)
{
    ((struct links_member *)ctx)->links = NULL;
}

static bool is_closed(void *ctx)
{
    return ((struct links_member *)ctx)->links == NULL;
}

struct framing {
    struct links_frame frame;
    struct links_member *from;
    uint64_t to;
    bool taken;
    bool encoded;
    int sent; /* 1: not yet */
};

static void encode_frame(struct links_frame *f, struct buf *out)
{
    struct framing *x = container_of(f, struct framing, frame);
    size_t begun;

    ASSERT(!x->from->in_call);
    x->encoded = true;
    begun = wire_writes_begin(WIRE_FORWARD, 77, 2, f->group, out);
    wire_forward_add(str_lit("one"), 1, out);
    wire_forward_add(str_lit("two"), 2, out);
    wire_writes_end(begun, out);
}

static void on_frame_sent(struct links_frame *f, int status)
{
    struct framing *x = container_of(f, struct framing, frame);

    ASSERT(!x->from->in_call);
    x->sent = status;
}

static void send_frame(void *ctx)
{
    struct framing *x = ctx;

    x->from->in_call = true;
    x->sent = 1;
    x->frame = (struct links_frame){
        .group = STORE_BUS, .bytes = 40, .encode = encode_frame, .sent = on_frame_sent
    };
    x->taken = links_send_frame(x->from->links, x->to, &x->frame);
    x->from->in_call = false;
}

static bool has_writes(void *ctx)
{
    return ((struct links_member *)ctx)->writes_count >= 2;
}

static bool is_sent(void *ctx)
{
    return ((struct framing *)ctx)->sent <= 0;
}

static void test_frames_arrive(void **state)
{
    struct links_world *w = *state;
    struct links_member *m = &w->members[1];
    struct framing x = { .from = &w->members[0], .to = 2 };

    links_world_connect(w);
    links_world_do(w, 0, send_frame, &x);
    assert_true(x.taken);
    links_world_until(w, 1, has_writes, m);
    links_world_until(w, 0, is_sent, &x);
    assert_int_equal(x.sent, 0);
    assert_int_equal(m->writes_call, 77);
    assert_true(str_eq_c(m->writes[0], "one"));
    assert_true(str_eq_c(m->writes[1], "two"));
    x.to = 1; /* itself */
    links_world_do(w, 0, send_frame, &x);
    assert_false(x.taken);
}

static bool is_cut_off(void *ctx)
{
    return ((struct links_member *)ctx)->lost_from[1] > 0;
}

static bool has_lost(void *ctx)
{
    return ((struct links_member *)ctx)->lost[2] > 0;
}

/* Who sends nonsense is cut off, and both sides hear that something may be lost. */
static void test_nonsense_in_a_frame(void **state)
{
    struct links_world *w = *state;
    struct framing x = { .from = &w->members[0], .to = 2 };

    links_world_connect(w);
    w->members[1].nonsense = true;
    links_world_do(w, 0, send_frame, &x);
    links_world_until(w, 1, is_cut_off, &w->members[1]);
    links_world_until(w, 0, has_lost, &w->members[0]);
    assert_int_equal(w->members[1].lost_from[3], 0);
}

static void send_frame_and_close(void *ctx)
{
    struct framing *x = ctx;

    send_frame(x);
    links_close(x->from->links, closed_member, x->from);
}

/* What did not leave says so, and is never encoded. */
static void test_frames_that_do_not_leave(void **state)
{
    struct links_world *w = *state;
    struct framing x = { .from = &w->members[0], .to = 2 };

    links_world_connect(w);
    links_world_do(w, 0, send_frame_and_close, &x);
    links_world_until(w, 0, is_closed, &w->members[0]);
    assert_int_equal(x.sent, RAFT_CANCELED);
    assert_false(x.encoded);
    assert_int_equal(w->members[1].writes_count, 0);
}

int main(void)
{
#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, links_world_setup_sim, links_world_teardown),            \
        cmocka_unit_test_setup_teardown(test, links_world_setup_real, links_world_teardown)
    const struct CMUnitTest tests[] = { BOTH(test_frames_arrive), BOTH(test_nonsense_in_a_frame),
                                        BOTH(test_frames_that_do_not_leave) };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
