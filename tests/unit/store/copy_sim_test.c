/*
 * Copy, fetch and install in the simulated world, seed by seed: two hosts whose power goes at any
 * operation on their disks, calls that are lost or late, rot in what has arrived. Whatever happens,
 * an acknowledged install is there after a restart, the state is whole at every start, and once the
 * faults end the receiver gets there.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env_sim.h"
#include "store/copy.h"
#include "store/copy_service.h"
#include "store/fetch.h"
#include "store/folder.h"
#include "store/fsm.h"
#include "store/group.h"
#include "store/kv.h"
#include "store/peers.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

#define SEEDS       60
#define ENTRIES     14
#define VALUE_BYTES 300000 /* about four chunks */
#define FOLDER      "/lmdb"
#define COPIES      "/copies"
#define STAGING     FOLDER "/" FOLDER_STAGING
#define STEPS_MAX   400000

/* What died leaks: see env_sim.h. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

struct sim;

struct host {
    struct sim *sim;
    struct env *env;
    struct kv_engine *engine;
    struct env_loop *apply;
    struct env_loop *raft;
    struct env_loop *peers;
    struct store_group *group; /* NULL: down */
    struct copies *copies;
    struct copy_service *service;
    uint64_t handed;
};

struct sim {
    struct env *world;
    struct host sender;
    struct host receiver;
    uint64_t peace; /* steps between two faults */
    bool calm;      /* no faults any more */
    struct fetch *fetch;
    struct env_msg start_fetch;
    bool busy; /* a fetch or an install is under way */
    struct group_install install;
    struct env_msg start_install;
    uint64_t acknowledged; /* index */
    uint64_t got;
    uint64_t total;
    unsigned crashes;
    unsigned rots;
    unsigned lost;
    unsigned installs;
};

static uint64_t below(struct sim *s, uint64_t n)
{
    return env_sim_random(s->world, n);
}

/* ---- calls between them ---- */

struct rpc {
    struct copy_call call; /* first */
    struct sim *sim;
    struct env_loop *loop; /* the caller's, of the life it called in */
    struct peer_call *to;
    const char *path;
    struct buf request;
    struct env_msg there;
    struct env_msg back;
    struct env_msg canceled;
    struct env_timer timer;
    bool finished;
};

static void finish_rpc(struct rpc *r, int status, struct str reply)
{
    struct peer_call *to = r->to;
    if (r->finished)
        return;
    r->finished = true;
    env_timer_deinit(&r->timer);
    to->err = r->call.err;
    if (status != 0 && to->err.msg[0] == '\0')
        (void)err_set(&to->err, (enum err_code) - status, "%s", err_name(status));
    to->done(to, status, reply);
}

static void on_back(struct env_msg *m)
{
    struct rpc *r = container_of(m, struct rpc, back);
    finish_rpc(r, r->call.status, buf_str(&r->call.reply));
}

static void on_timeout(struct env_timer *t)
{
    finish_rpc(container_of(t, struct rpc, timer), -ERR_TIMEOUT, str_of("", 0));
}

static void on_canceled(struct env_msg *m)
{
    finish_rpc(container_of(m, struct rpc, canceled), -ERR_CANCELED, str_of("", 0));
}

static bool lose(struct sim *s)
{
    bool lost = !s->calm && below(s, 20) == 0;
    s->lost += lost;
    return lost;
}

static void on_answer(struct copy_call *c)
{
    struct rpc *r = (struct rpc *)c;
    if (!lose(r->sim))
        env_post(r->loop, &r->back, on_back);
}

static void on_there(struct env_msg *m)
{
    struct rpc *r = container_of(m, struct rpc, there);
    r->call.done = on_answer;
    copy_service_call(r->sim->sender.service, r->path, buf_str(&r->request), &r->call);
}

static void call(void *ctx, uint64_t member_id, struct peer_call *c, const char *path,
                 struct str request, uint64_t timeout_ms)
{
    struct sim *s = ctx;
    struct rpc *r = mem_alloc(sizeof *r);
    assert_int_equal(member_id, 1);
    r->sim = s;
    r->loop = s->receiver.peers;
    r->to = c;
    r->path = path;
    buf_init(&r->request);
    buf_append_str(&r->request, request);
    c->priv = r;
    env_timer_init(s->receiver.peers, &r->timer, on_timeout);
    env_timer_start(&r->timer, timeout_ms);
    if (!lose(s) && s->sender.group != NULL)
        env_post(s->sender.peers, &r->there, on_there);
}

static void cancel(void *ctx, struct peer_call *c)
{
    struct rpc *r = c->priv;
    (void)ctx; /* the call knows */
    env_post(r->loop, &r->canceled, on_canceled);
}

static const struct fetch_calls calls = { .call = call, .cancel = cancel };

/* ---- hosts ---- */

static void check_state(struct host *h)
{
    struct store_read r;
    struct point p;
    group_point(h->group, &p);
    assert_int_equal(store_read_begin(h->group, 0, &r), 0);
    assert_int_equal(fsm_digest_full(r.txn), p.digest);
    assert_int_equal(r.newest, p.revision);
    store_read_end(&r);
}

static void host_open(struct host *h)
{
    struct err e = { 0 };
    h->apply = env_loop_new(h->env, "apply");
    h->raft = env_loop_new(h->env, "raft");
    h->peers = env_loop_new(h->env, "peers");
    env_loop_start(h->apply);
    env_loop_start(h->raft);
    env_loop_start(h->peers);
    struct group_config config = { .env = h->env,
                                   .id = STORE_CLUSTER,
                                   .folder = FOLDER,
                                   .engine = h->engine,
                                   .apply_loop = h->apply,
                                   .raft_loop = h->raft };
    int rc = group_open(&config, &h->group, &e);
    if (!env_sim_host_alive(h->env))
        return; /* it died meanwhile: nothing of this is so */
    if (rc != 0)
        fail_msg("%s", e.msg);
    struct copies_config copies = {
        .env = h->env, .loop = h->peers, .group = h->group, .folder = COPIES
    };
    rc = copies_open(&copies, &h->copies, &e);
    if (!env_sim_host_alive(h->env))
        return;
    if (rc != 0)
        fail_msg("%s", e.msg);
    struct copies *const by_group[STORE_BUS + 1] = { NULL, h->copies };
    h->service = copy_service_new(h->peers, by_group);
    check_state(h);
}

/* It is down: forgets what ran on it. */
static void host_forget(struct host *h)
{
    h->sim->crashes++;
    h->group = NULL; /* leaked, as is all of it */
    kv_sim_engine_crash(h->engine, below(h->sim, 2) == 0);
}

static void hand_over(struct host *h, uint64_t index)
{
    struct buf entry;
    struct buf txn;
    char key[32];
    static char value[VALUE_BYTES];
    memset(value, (int)('a' + index % 26), sizeof value);
    snprintf(key, sizeof key, "k/%llu", (unsigned long long)(index % 20));
    struct store_op op = { .type = STORE_OP_PUT,
                           .key = str_from(key),
                           .value = str_of(value, sizeof value) };
    buf_init(&entry);
    buf_init(&txn);
    entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
    assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, NULL), 0);
    entry_add(&entry, buf_str(&txn));
    entry_end(&entry, 1);
    group_apply(h->group, index, 1, buf_str(&entry), NULL);
    buf_deinit(&entry);
    buf_deinit(&txn);
}

/* The log gives a sender that lost its last commit what it lacks. */
static void sender_catch_up(struct host *h)
{
    struct point p;
    group_point(h->group, &p);
    for (uint64_t i = p.index + 1; i <= h->handed; i++)
        hand_over(h, i);
}

/* ---- the receiver's wishes ---- */

static void on_installed(struct group_install *i)
{
    struct sim *s = i->priv;
    s->busy = false;
    /* In a host that died within this event nothing was acknowledged. */
    if (!env_sim_host_alive(s->receiver.env))
        return;
    if (i->status != 0)
        fail_msg("%s", i->err.msg);
    s->installs++;
    s->acknowledged = i->point.index;
}

static void on_start_install(struct env_msg *m)
{
    struct sim *s = container_of(m, struct sim, start_install);
    s->install = (struct group_install){
        .folder = STAGING, .min_index = ENTRIES, .done = on_installed, .priv = s
    };
    group_install(s->receiver.group, &s->install);
}

static void on_progress(void *ctx, uint64_t got, uint64_t total)
{
    struct sim *s = ctx;
    s->got = got;
    s->total = total;
}

static void on_fetched(void *ctx, int status, const struct point *point, const struct err *e)
{
    struct sim *s = ctx;
    s->fetch = NULL;
    s->got = s->total = 0;
    if (!env_sim_host_alive(s->receiver.env))
        return;
    if (status == -ERR_CORRUPT && s->rots >= FETCH_ANEW_MAX) {
        s->busy = false; /* too much rot: begun again */
        return;
    }
    if (status != 0)
        fail_msg("%s", e->msg);
    assert_true(point->index >= ENTRIES);
    env_post(s->receiver.raft, &s->start_install, on_start_install);
}

static void on_start_fetch(struct env_msg *m)
{
    struct sim *s = container_of(m, struct sim, start_fetch);
    struct fetch_config c = { .env = s->receiver.env,
                              .loop = s->receiver.peers,
                              .calls = &calls,
                              .calls_ctx = s,
                              .group = STORE_CLUSTER,
                              .member_id = 1,
                              .min_index = ENTRIES,
                              .folder = STAGING,
                              .progress = on_progress,
                              .done = on_fetched,
                              .ctx = s };
    s->fetch = fetch_start(&c);
}

/* ---- what happens ---- */

static void keep_up(struct sim *s, struct host *h)
{
    if (env_sim_host_alive(h->env))
        return;
    host_forget(h);
    if (h == &s->receiver) {
        s->busy = false;
        s->fetch = NULL;
        s->got = s->total = 0;
    }
    env_sim_host_crash_after(h->env, UINT64_MAX);
    env_sim_host_restart(h->env);
    if (!s->calm && below(s, 3) == 0)
        env_sim_host_crash_after(h->env, below(s, 12)); /* while it starts, or soon after */
    host_open(h);
    if (!env_sim_host_alive(h->env))
        return; /* again, next time */
    if (h == &s->sender)
        sender_catch_up(h);
    struct point p;
    group_point(h->group, &p);
    if (h == &s->receiver)
        assert_true(p.index >= s->acknowledged);
}

static void hurt(struct sim *s)
{
    struct host *h = below(s, 4) == 0 ? &s->sender : &s->receiver;
    switch (below(s, 4)) {
    case 0:
        env_sim_host_crash(h->env);
        break;
    case 1:
        env_sim_host_kill(h->env);
        break;
    case 2:
        env_sim_host_crash_after(h->env, below(s, 40));
        break;
    default:
        /* Not in what was verified already: that is the disk's word against ours. */
        if (s->got > 0 && s->got < s->total && s->rots < 2)
            s->rots += env_sim_disk_rot(s->receiver.env, STAGING "/" KV_FILE, 0, s->got);
    }
}

static bool there(struct sim *s)
{
    struct point p;
    if (s->receiver.group == NULL || s->busy || !env_sim_host_alive(s->receiver.env))
        return false;
    group_point(s->receiver.group, &p);
    return p.index >= ENTRIES;
}

static void step(struct sim *s)
{
    keep_up(s, &s->sender);
    keep_up(s, &s->receiver);
    bool up = env_sim_host_alive(s->receiver.env) && s->receiver.group != NULL;
    if (up && !s->busy && !there(s)) {
        s->busy = true;
        env_post(s->receiver.peers, &s->start_fetch, on_start_fetch);
    }
    (void)env_sim_step(s->world);
    if (!s->calm && below(s, s->peace) == 0)
        hurt(s);
}

static void host_new(struct sim *s, struct host *h, const char *name)
{
    h->sim = s;
    h->env = env_sim_host_new(s->world, name);
    h->engine = kv_sim_engine_new(h->env);
    host_open(h);
}

static void run_seed(struct sim *s, uint64_t seed)
{
    s->world = env_sim_new(seed);
    s->peace = 20 + seed % 8 * 30;
    host_new(s, &s->sender, "sender");
    host_new(s, &s->receiver, "receiver");
    s->sender.handed = ENTRIES;
    sender_catch_up(&s->sender);
    for (int i = 0; i < 3000; i++)
        step(s);
    s->calm = true;
    env_sim_host_crash_after(s->sender.env, UINT64_MAX);
    env_sim_host_crash_after(s->receiver.env, UINT64_MAX);
    int steps = 0;
    while (!there(s) && steps++ < STEPS_MAX)
        step(s);
    if (!there(s))
        fail_msg("seed %llu: it does not get there", (unsigned long long)seed);
    check_state(&s->receiver);
    /* And it is still there after the power went. */
    env_sim_host_crash(s->receiver.env);
    keep_up(s, &s->receiver);
    assert_true(there(s));
    check_state(&s->receiver);
    env_sim_host_crash(s->sender.env);
    env_sim_host_crash(s->receiver.env);
    kv_sim_engine_free(s->sender.engine);
    kv_sim_engine_free(s->receiver.engine);
    env_sim_free(s->world);
}

static void test_seeds(void **state)
{
    unsigned crashes = 0;
    unsigned rots = 0;
    unsigned lost = 0;
    unsigned installs = 0;
    (void)state;
    if (__lsan_disable != NULL)
        __lsan_disable();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim s = { .calm = false };
        run_seed(&s, seed);
        crashes += s.crashes;
        rots += s.rots;
        lost += s.lost;
        installs += s.installs;
    }
    if (__lsan_enable != NULL)
        __lsan_enable();
    print_message("crashes %u, rot %u, calls lost %u, installs %u\n", crashes, rots, lost,
                  installs);
    assert_true(crashes > SEEDS);
    assert_true(rots > 0);
    assert_true(lost > 0);
    assert_true(installs > SEEDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_seeds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
