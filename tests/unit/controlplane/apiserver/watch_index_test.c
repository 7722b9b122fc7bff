/*
 * The hub alone, over a group, with members of the test's own: how many selections an event is
 * tested against when thousands watch, and how a member is let go.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "api/meta/object.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/metrics.h"
#include "controlplane/apiserver/loop.h"
#include "controlplane/apiserver/watch_hub.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define WATCHERS 5000
#define WAIT_MS  20000

enum { TESTS, GIVEN, BEHIND }; /* rows of watch_hub_metrics */

struct world {
    struct store_fixture f;
    struct apiserver server;
    struct api_loop api;
    struct arena arena;
    struct member *members;
    size_t count;
    struct env_msg msg;
    void (*call)(struct world *w);
    uint64_t target;
    atomic_bool called;
};

struct member {
    struct watch_member m;
    struct selection_text text;
    unsigned events;
    unsigned keeps_up_for; /* events */
    unsigned left;
    uint64_t last;
};

/* ---- calls on the hub's loop ---- */

static void on_call(struct env_msg *msg)
{
    struct world *w = container_of(msg, struct world, msg);
    w->call(w);
    atomic_store(&w->called, true);
}

static void on_reached(struct env_msg *msg)
{
    struct world *w = container_of(msg, struct world, msg);
    if (watch_hub_position(w->api.hub) < w->target)
        env_post(w->api.loop, &w->msg, on_reached);
    else
        atomic_store(&w->called, true);
}

static void wait_called(struct world *w)
{
    for (int i = 0; i < WAIT_MS && !atomic_load(&w->called); i++)
        (void)poll(NULL, 0, 1);
    assert_true(atomic_load(&w->called));
}

static void call(struct world *w, void (*what)(struct world *w))
{
    w->call = what;
    atomic_store(&w->called, false);
    env_post(w->api.loop, &w->msg, on_call);
    wait_called(w);
}

/* Until all that is published was given. */
static void settle(struct world *w)
{
    w->target = store_published(w->f.group);
    atomic_store(&w->called, false);
    env_post(w->api.loop, &w->msg, on_reached);
    wait_called(w);
}

/* ---- members ---- */

static bool on_event(struct watch_member *m, struct shared *bytes)
{
    struct member *mine = container_of(m, struct member, m);
    assert_non_null(bytes);
    mine->events++;
    return mine->keeps_up_for == 0 || mine->events < mine->keeps_up_for;
}

static void on_left(struct watch_member *m)
{
    struct member *mine = container_of(m, struct member, m);
    mine->left++;
    mine->last = m->position;
}

static void join_all(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct member *m = &w->members[i];
        m->m.event = on_event;
        m->m.left = on_left;
        m->m.position = watch_hub_position(w->api.hub);
        m->m.style.media.type = MEDIA_PROTOBUF;
        watch_hub_join(w->api.hub, &m->text, &m->m);
    }
}

static void leave_all(struct world *w)
{
    for (size_t i = 0; i < w->count; i++)
        watch_hub_leave(w->api.hub, &w->members[i].m);
    assert_int_equal(watch_hub_groups(w->api.hub), 0);
}

static void world_init(struct world *w, size_t count)
{
    *w = (struct world){ .count = count };
    fixture_init(&w->f, 0);
    arena_init(&w->arena);
    w->server.config.env = w->f.env;
    w->server.config.group = w->f.group;
    w->api.server = &w->server;
    w->api.loop = env_loop_new(w->f.env, "hub");
    w->api.hub = watch_hub_new(&w->api);
    w->members = mem_alloc(count * sizeof w->members[0]);
    env_loop_start(w->api.loop);
}

static void world_deinit(struct world *w)
{
    call(w, leave_all);
    env_loop_stop(w->api.loop);
    env_loop_join(w->api.loop);
    group_close(w->f.group); /* first: it knows the hub's subscriber */
    watch_hub_free(w->api.hub);
    env_loop_free(w->api.loop);
    w->f.group = NULL;
    fixture_deinit(&w->f);
    mem_free(w->members);
    arena_deinit(&w->arena);
}

static struct str pod_fields(struct world *w, const char *field, size_t n)
{
    return str_printf(&w->arena, "%s=n%zu", field, n);
}

/* ---- objects ---- */

static void put_field(struct buf *b, uint32_t number, struct str bytes)
{
    buf_put_varint(b, number << 3 | 2);
    buf_put_bytes(b, bytes);
}

/* Pod{ metadata{name, namespace}, spec{nodeName} }, stored. */
static struct store_op pod(struct world *w, const char *ns, const char *name, const char *node)
{
    struct buf value;
    struct buf part;
    buf_init(&value);
    buf_init(&part);
    object_put_header(&value);
    put_field(&part, 1, str_from(name));
    put_field(&part, 3, str_from(ns));
    put_field(&value, 1, buf_str(&part));
    buf_clear(&part);
    put_field(&part, 10, str_from(node));
    put_field(&value, 2, buf_str(&part));
    struct store_term *term = arena_new(&w->arena, struct store_term);
    *term = (struct store_term){ RESOURCE_INDEX_NODE_NAME, str_printf(&w->arena, "%s", node) };
    struct store_op op = { .type = STORE_OP_PUT,
                           .key = str_printf(&w->arena, "pods/%s/%s", ns, name),
                           .value = str_copy(&w->arena, buf_str(&value)),
                           .terms = term,
                           .terms_count = 1 };
    buf_deinit(&part);
    buf_deinit(&value);
    return op;
}

/* ---- what is tested ---- */

enum { BY_NODE, BY_NAMESPACE, BY_OBJECT, BY_KIND };

static void place_members(struct world *w, int by)
{
    for (size_t i = 0; i < w->count; i++) {
        struct selection_text *t = &w->members[i].text;
        t->kind = kind_info(KIND_POD);
        if (by == BY_NODE)
            t->fields = pod_fields(w, "spec.nodeName", i);
        if (by == BY_NAMESPACE)
            t->ns = str_printf(&w->arena, "n%zu", i);
        if (by == BY_OBJECT) {
            t->ns = str_lit("n7");
            t->fields = pod_fields(w, "metadata.name", i);
        }
        /* BY_KIND: equal watches meet in one group. */
    }
}

/* Thousands watch, each something else; an event is tested against those it belongs to. */
static void test_tests_per_event(void **state)
{
    static const struct {
        int by;
        const char *ns;
        const char *name;
        const char *node;
        int64_t tests;
        int64_t given;
    } steps[] = {
        { BY_NODE, "d", "p", "n7", 1, 1 },       /* made on n7 */
        { BY_NODE, "d", "p", "n9", 2, 2 },       /* moved: gone from one, new at the other */
        { BY_NODE, "d", "p", "n9", 1, 1 },       /* changed there */
        { BY_NODE, "d", "q", "nowhere", 0, 0 },  /* watched by nobody */
        { BY_NAMESPACE, "n7", "p", "x", 1, 1 },  /* of one namespace */
        { BY_NAMESPACE, "zz", "p", "x", 0, 0 },  /* of none watched */
        { BY_OBJECT, "n7", "n4321", "x", 1, 1 }, /* one object */
        { BY_OBJECT, "n8", "n4321", "x", 0, 0 }, /* its namesake elsewhere */
        { BY_KIND, "n8", "n4321", "x", 1, 5000 } /* all watch the same */
    };
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0];) {
        struct world w;
        int by = steps[i].by;
        world_init(&w, WATCHERS);
        place_members(&w, by);
        call(&w, join_all);
        for (; i < sizeof steps / sizeof steps[0] && steps[i].by == by; i++) {
            int64_t tests = metric_value(watch_hub_metrics[TESTS]);
            int64_t given = metric_value(watch_hub_metrics[GIVEN]);
            fixture_op(&w.f, pod(&w, steps[i].ns, steps[i].name, steps[i].node));
            settle(&w);
            assert_int_equal(metric_value(watch_hub_metrics[TESTS]) - tests, steps[i].tests);
            assert_int_equal(metric_value(watch_hub_metrics[GIVEN]) - given, steps[i].given);
        }
        world_deinit(&w);
    }
}

/* Three objects in one revision: whoever is slow at the first gets the rest, then is let go. */
static void test_let_go_between_revisions(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 3);
    place_members(&w, BY_KIND);
    w.members[1].keeps_up_for = 1;
    w.members[2].keeps_up_for = 4;
    call(&w, join_all);
    for (int i = 0; i < 2; i++) {
        const struct store_op ops[] = { pod(&w, "d", "a", "x"), pod(&w, "d", "b", "x"),
                                        pod(&w, "d", "c", "x") };
        fixture_txn(&w.f, &(struct store_txn){ .ops = ops, .ops_count = 3 });
    }
    settle(&w);
    uint64_t second = store_published(w.f.group);
    assert_int_equal(w.members[0].events, 6);
    assert_int_equal(w.members[0].left, 0);
    assert_int_equal(w.members[1].events, 3);
    assert_int_equal(w.members[1].left, 1);
    assert_int_equal(w.members[1].last, second - 1);
    assert_int_equal(w.members[2].events, 6);
    assert_int_equal(w.members[2].left, 1);
    assert_int_equal(w.members[2].last, second);
    world_deinit(&w);
}

/* On the hub's loop, so that what is committed here is not yet given. */
static void join_ahead(struct world *w)
{
    w->count = 1;
    join_all(w);
    for (int i = 0; i < 3; i++)
        fixture_op(&w->f, pod(w, "d", "a", "x"));
    w->count = 2;
    struct member *m = &w->members[1];
    m->m = w->members[0].m;
    m->m.group = NULL;
    m->m.position = store_published(w->f.group) - 1;
    watch_hub_join(w->api.hub, &m->text, &m->m);
}

/* Who read the history further than the hub is not given it again. */
static void test_join_ahead(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 2);
    place_members(&w, BY_KIND);
    call(&w, join_ahead);
    settle(&w);
    assert_int_equal(w.members[0].events, 3);
    assert_int_equal(w.members[1].events, 1);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tests_per_event),
        cmocka_unit_test(test_let_go_between_revisions),
        cmocka_unit_test(test_join_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
