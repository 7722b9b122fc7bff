/*
 * See catchup.h. A request travels raft loop -> peer loop as one message; the peer loop owns the
 * fetch; its end travels back, and the raft loop asks the applier.
 */
#include "store/catchup.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/fetch.h"
#include "store/folder.h"
#include "store/group_metrics.h"
#include "store/peers.h"

struct catchup {
    struct catchup_config config;
    char staging[FOLDER_BYTES_MAX];
    struct peers *peers;
    /* The peer loop's. */
    struct fetch *fetch;
    bool stopped;
    struct log_pace trouble_said; /* since the last copy that came */
    /* Crossing. */
    struct env_msg fetched;
    struct env_msg trouble;
    _Atomic int trouble_posted;
    int status;
    uint64_t wanted;
    _Atomic uint64_t got;
    _Atomic uint64_t total;
    /* The raft loop's. */
    struct group_install install;
    bool installing;
    bool busy;
    uint64_t began_ns;
};

struct request {
    struct env_msg msg;
    struct catchup *catchup;
    uint64_t member_id;
    uint64_t index;
    bool begins; /* else one is under way, or its end is on its way back */
};

struct catchup *catchup_new(const struct catchup_config *config)
{
    struct catchup *c = mem_alloc(sizeof(*c));
    int len;

    c->config = *config;
    len = snprintf(c->staging, sizeof(c->staging), "%s/" FOLDER_STAGING, config->folder);
    ASSERT(len > 0 && (size_t)len < sizeof(c->staging));
    return c;
}

void catchup_set_peers(struct catchup *c, struct peers *peers)
{
    c->peers = peers;
}

void catchup_free(struct catchup *c)
{
    mem_free(c);
}

void catchup_progress(const struct catchup *c, uint64_t *out_got, uint64_t *out_total)
{
    *out_got = atomic_load(&c->got);
    *out_total = atomic_load(&c->total);
}

/* ---- back on the raft loop ---- */

static void finish(struct catchup *c, int status)
{
    atomic_store(&c->got, 0);
    atomic_store(&c->total, 0);
    if (status == 0)
        metric_observe(group_metric(group_id(c->config.group), GROUP_CATCHUP_SECONDS),
                       (double)(env_now_ns(c->config.env) - c->began_ns) / ENV_S);
    c->installing = false;
    c->busy = false;
    c->config.done(c->config.ctx, status);
}

static void on_installed(struct group_install *i)
{
    finish(container_of(i, struct catchup, install), i->status);
}

static void on_trouble_told(struct env_msg *m)
{
    struct catchup *c = container_of(m, struct catchup, trouble);

    atomic_store(&c->trouble_posted, 0);
    if (c->busy && !c->installing && c->config.trouble != NULL)
        c->config.trouble(c->config.ctx);
}

static void on_fetched(struct env_msg *m)
{
    struct catchup *c = container_of(m, struct catchup, fetched);

    if (c->status != 0) {
        finish(c, c->status);
        return;
    }
    c->installing = true;
    c->install = (struct group_install){ .folder = c->staging,
                                         .min_index = c->wanted,
                                         .done = on_installed };
    group_install(c->config.group, &c->install);
}

/* ---- the peer loop ---- */

static void on_progress(void *ctx, uint64_t got, uint64_t total)
{
    struct catchup *c = ctx;

    atomic_store(&c->got, got);
    atomic_store(&c->total, total);
}

static void on_trouble(void *ctx, uint64_t member_id, const struct err *why)
{
    struct catchup *c = ctx;

    if (log_pace(&c->trouble_said, env_loop_now_ms(c->config.peer_loop)))
        log_warn("a copy of the state cannot be had yet", KVN("group", group_id(c->config.group)),
                 KVN("member", member_id), KV("reason", why->msg),
                 KVN("times", c->trouble_said.times));
    if (atomic_exchange(&c->trouble_posted, 1) == 0)
        env_post(c->config.raft_loop, &c->trouble, on_trouble_told);
}

static void on_done(void *ctx, int status, const struct point *point, const struct err *e)
{
    struct catchup *c = ctx;

    c->fetch = NULL;
    c->status = status;
    if (status == 0) {
        c->trouble_said = (struct log_pace){ 0 };
        log_info("a copy of the state was fetched", KVN("group", group_id(c->config.group)),
                 KVN("index", point->index), KVN("revision", point->revision));
    } else if (log_pace(&c->trouble_said, env_loop_now_ms(c->config.peer_loop))) {
        log_error("no copy of the state was fetched", KVN("group", group_id(c->config.group)),
                  KV("reason", e->msg), KVN("times", c->trouble_said.times));
    }
    env_post(c->config.raft_loop, &c->fetched, on_fetched);
}

static void on_request(struct env_msg *m)
{
    struct request *r = container_of(m, struct request, msg);
    struct catchup *c = r->catchup;
    struct fetch_config f = { .env = c->config.env,
                              .loop = c->config.peer_loop,
                              .calls = &fetch_peer_calls,
                              .calls_ctx = c->peers,
                              .group = group_id(c->config.group),
                              .member_id = r->member_id,
                              .min_index = r->index,
                              .folder = c->staging,
                              .bytes_per_s = c->config.bytes_per_s,
                              .progress = on_progress,
                              .trouble = on_trouble,
                              .done = on_done,
                              .ctx = c };

    if (c->fetch != NULL) {
        fetch_use(c->fetch, r->member_id);
    } else if (!r->begins) {
        /* Its end is on its way to the raft loop, which asks again if it has to. */
    } else if (c->stopped) {
        c->status = -ERR_CANCELED;
        env_post(c->config.raft_loop, &c->fetched, on_fetched);
    } else {
        c->wanted = r->index;
        c->fetch = fetch_start(&f);
    }
    mem_free(r);
}

void catchup_stop(struct catchup *c)
{
    c->stopped = true;
    if (c->fetch != NULL)
        fetch_cancel(c->fetch);
}

/* ---- the raft loop ---- */

void catchup_start(struct catchup *c, uint64_t member_id, uint64_t index)
{
    struct request *r;

    if (c->installing)
        return; /* the guard asks again if what comes of it is not enough */
    r = mem_alloc(sizeof(*r));
    r->catchup = c;
    r->begins = !c->busy;
    if (r->begins)
        c->began_ns = env_now_ns(c->config.env);
    c->busy = true;
    r->member_id = member_id;
    r->index = index;
    env_post(c->config.peer_loop, &r->msg, on_request);
}
