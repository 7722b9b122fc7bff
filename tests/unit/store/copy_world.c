/* See the header. */
#include "tests/unit/store/copy_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/folder.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

void copy_world_nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
}

void copy_world_wait(const atomic_bool *done)
{
    while (!atomic_load(done))
        copy_world_nap();
}

bool copy_world_same_point(const struct point *a, const struct point *b)
{
    return a->index == b->index && a->term == b->term && a->revision == b->revision &&
           a->digest == b->digest && a->compacted == b->compacted && a->level == b->level;
}

/* ---- on the loop ---- */

struct running {
    struct env_msg msg;
    struct copy_world *world;
    void (*fn)(struct copy_world *w, void *arg);
    void *arg;
    atomic_bool done;
};

static void on_run(struct env_msg *m)
{
    struct running *r = container_of(m, struct running, msg);
    r->fn(r->world, r->arg);
    atomic_store(&r->done, true);
}

void copy_world_run(struct copy_world *w, void (*fn)(struct copy_world *w, void *arg), void *arg)
{
    struct running r = { .world = w, .fn = fn, .arg = arg };
    env_post(w->peers, &r.msg, on_run);
    copy_world_wait(&r.done);
}

/* ---- answers, and what becomes of them ---- */

struct answering {
    struct copy_call call; /* first */
    struct copy_world *world;
    struct peer_call *to;
    bool canceled;
    bool is_read;
    uint64_t offset;
    struct env_msg msg;
    int status;
};

static void give(struct answering *a, int status, struct str reply)
{
    struct peer_call *to = a->to;
    to->priv = NULL;
    if (status != 0 && to->err.msg[0] == '\0')
        (void)err_set(&to->err, (enum err_code) - status, "%s", err_name(status));
    to->done(to, status, reply);
    buf_deinit(&a->call.reply);
    mem_free(a);
}

static void give_read(struct answering *a)
{
    struct copy_world *w = a->world;
    struct buf *reply = &a->call.reply;
    size_t chunk = a->offset / COPY_CHUNK_BYTES;
    int n = ++w->reads;
    assert_true(chunk < COPY_WORLD_CHUNKS_MAX);
    if (w->damage_read == n || (w->damage_read < 0 && chunk == 0)) {
        reply->data[reply->len - 1] ^= 0x10;
    } else if (w->shorten_read == n) {
        CopyReadResponse short_one = COPY_READ_RESPONSE__INIT;
        buf_clear(reply);
        short_one.data = (ProtobufCBinaryData){ .len = 5, .data = (uint8_t *)"short" };
        buf_reserve(reply, 64);
        reply->len = copy_read_response__pack(&short_one, reply->data);
    } else {
        w->delivered[chunk]++;
    }
    if (w->at_read != NULL)
        w->at_read(w, n);
    give(a, 0, buf_str(reply));
}

static void on_answer(struct copy_call *c);

static void on_held(struct env_msg *m)
{
    on_answer(&container_of(m, struct answering, msg)->call);
}

static void on_answer(struct copy_call *c)
{
    struct answering *a = (struct answering *)c;
    struct copy_world *w = a->world;
    if (w->hold && !a->canceled) {
        env_post(w->peers, &a->msg, on_held);
        return;
    }
    bool cut = w->cut_after > 0 && w->reads >= w->cut_after && w->cut_calls > 0;
    if (a->canceled) {
        give(a, -ERR_CANCELED, str_of("", 0));
    } else if (cut) {
        w->cut_calls--;
        give(a, -ERR_UNAVAILABLE, str_of("", 0));
    } else if (c->status != 0) {
        a->to->err = c->err;
        give(a, c->status, str_of("", 0));
    } else if (a->is_read) {
        give_read(a);
    } else if (w->bad_given < w->bad_count) {
        give(a, 0, w->bad_answers[w->bad_given++]);
    } else {
        give(a, 0, buf_str(&c->reply));
    }
}

static void on_dead(struct env_msg *m)
{
    struct answering *a = container_of(m, struct answering, msg);
    give(a, a->canceled ? -ERR_CANCELED : -ERR_UNAVAILABLE, str_of("", 0));
}

static void call(void *ctx, uint64_t member_id, struct peer_call *c, const char *path,
                 struct str request, uint64_t timeout_ms)
{
    struct copy_world *w = ctx;
    struct answering *a = mem_alloc(sizeof *a);
    assert_true(timeout_ms > 0);
    a->world = w;
    a->to = c;
    a->call.done = on_answer;
    a->is_read = strcmp(path, COPY_READ_PATH) == 0;
    c->priv = a;
    w->opens += !a->is_read;
    if (a->is_read) {
        CopyReadRequest *m =
            copy_read_request__unpack(NULL, request.len, (const uint8_t *)request.data);
        a->offset = m->offset;
        copy_read_request__free_unpacked(m, NULL);
    }
    if (member_id == w->dead_member)
        env_post(w->peers, &a->msg, on_dead);
    else
        copy_service_call(w->service, path, request, &a->call);
}

static void cancel(void *ctx, struct peer_call *c)
{
    struct answering *a = c->priv;
    (void)ctx;
    if (a != NULL)
        a->canceled = true;
}

const struct fetch_calls copy_world_calls = { .call = call, .cancel = cancel };

/* ---- fetches ---- */

static void on_progress(void *ctx, uint64_t got, uint64_t total)
{
    struct copy_world *w = ctx;
    assert_true(got >= w->got || got <= COPY_CHUNK_BYTES); /* onwards, or anew */
    assert_true(got <= total);
    w->got = got;
    w->total = total;
    if (w->cancel_at_got > 0 && got >= w->cancel_at_got)
        fetch_cancel(w->fetch);
}

static void on_trouble(void *ctx, uint64_t member_id, const struct err *why)
{
    struct copy_world *w = ctx;
    assert_true(member_id > 0);
    w->troubles++;
    w->trouble = *why;
}

static void on_done(void *ctx, int status, const struct point *point, const struct err *e)
{
    struct copy_world *w = ctx;
    assert_int_equal(point != NULL, status == 0);
    w->status = status;
    if (point != NULL)
        w->point = *point;
    w->err = *e;
    w->fetch = NULL;
    atomic_store(&w->done, true);
}

struct starting {
    uint64_t min_index;
    uint64_t bytes_per_s;
};

static void start(struct copy_world *w, void *arg)
{
    struct starting *s = arg;
    struct fetch_config c = { .env = w->env,
                              .loop = w->peers,
                              .calls = &copy_world_calls,
                              .calls_ctx = w,
                              .group = STORE_CLUSTER,
                              .member_id = 1,
                              .min_index = s->min_index,
                              .folder = w->staging,
                              .bytes_per_s = s->bytes_per_s,
                              .progress = on_progress,
                              .trouble = on_trouble,
                              .done = on_done,
                              .ctx = w };
    w->fetch = fetch_start(&c);
}

void copy_world_fetch_start(struct copy_world *w, uint64_t min_index, uint64_t bytes_per_s)
{
    struct starting s = { min_index, bytes_per_s > 0 ? bytes_per_s : 1ull << 40 };
    w->status = 1;
    w->troubles = 0;
    w->got = w->total = 0;
    atomic_store(&w->done, false);
    copy_world_run(w, start, &s);
}

int copy_world_fetch(struct copy_world *w, uint64_t min_index, uint64_t bytes_per_s)
{
    copy_world_fetch_start(w, min_index, bytes_per_s);
    copy_world_wait(&w->done);
    return w->status;
}

static void reset(struct copy_world *w, void *arg)
{
    (void)arg; /* nothing to say */
    w->reads = w->cut_after = w->cut_calls = w->damage_read = w->shorten_read = 0;
    w->opens = 0;
    w->dead_member = 0;
    w->cancel_at_got = 0;
    w->hold = false;
    w->bad_count = w->bad_given = 0;
    w->at_read = NULL;
    memset(w->delivered, 0, sizeof w->delivered);
}

void copy_world_reset(struct copy_world *w)
{
    copy_world_run(w, reset, NULL);
}

/* ---- the sender ---- */

struct asking {
    uint64_t min_index;
    struct copy_info info;
    struct err err;
    int status;
};

static void ask(struct copy_world *w, void *arg)
{
    struct asking *a = arg;
    a->status = copies_ask(w->copies, a->min_index, 0, &a->info, &a->err);
}

int copy_world_ask(struct copy_world *w, uint64_t min_index, struct copy_info *out, struct err *e)
{
    struct asking a = { .min_index = min_index };
    do {
        copy_world_run(w, ask, &a);
    } while (a.status == -ERR_AGAIN);
    *out = a.info;
    if (e != NULL)
        *e = a.err;
    return a.status;
}

void copy_world_fill(struct copy_world *w, int count, size_t bytes)
{
    struct buf entry;
    struct buf txn;
    char *value = mem_alloc(bytes);
    buf_init(&entry);
    buf_init(&txn);
    for (int i = 0; i < count; i++) {
        char key[32];
        uint64_t x = w->handed + 1;
        for (size_t at = 0; at < bytes; at++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            value[at] = (char)(x >> 56);
        }
        snprintf(key, sizeof key, "k/%llu", (unsigned long long)w->handed + 1);
        struct store_op op = { .type = STORE_OP_PUT,
                               .key = str_from(key),
                               .value = str_of(value, bytes) };
        buf_clear(&entry);
        buf_clear(&txn);
        entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
        assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, NULL),
                         0);
        entry_add(&entry, buf_str(&txn));
        entry_end(&entry, 1);
        group_apply(w->sender, ++w->handed, 1, buf_str(&entry), NULL);
    }
    buf_deinit(&entry);
    buf_deinit(&txn);
    mem_free(value);
    while (!group_covers(w->sender, w->handed))
        copy_world_nap();
}

static void open_copies(struct copy_world *w)
{
    struct copies_config config = {
        .env = w->env, .loop = w->peers, .group = w->sender, .folder = w->copies_folder
    };
    struct copies *by_group[STORE_BUS + 1] = { NULL };
    struct err e;
    if (copies_open(&config, &w->copies, &e) != 0)
        fail_msg("%s", e.msg);
    by_group[STORE_CLUSTER] = w->copies;
    w->service = copy_service_new(w->peers, by_group);
}

static void on_closed(void *ctx)
{
    atomic_store((atomic_bool *)ctx, true);
}

static void close_copies(struct copy_world *w, void *arg)
{
    copies_close(w->copies, on_closed, arg);
}

static void reopen_copies(struct copy_world *w, void *arg)
{
    (void)arg; /* nothing to say */
    open_copies(w);
}

static void stop_copies(struct copy_world *w)
{
    atomic_bool closed = false;
    copy_world_run(w, close_copies, &closed);
    copy_world_wait(&closed);
    copy_service_free(w->service);
}

void copy_world_restart_sender(struct copy_world *w)
{
    stop_copies(w);
    copy_world_run(w, reopen_copies, NULL);
}

/* ---- life ---- */

static struct store_group *open_group(struct copy_world *w, const char *name)
{
    char folder[300];
    struct group_config config = { .env = w->env,
                                   .id = STORE_CLUSTER,
                                   .folder = folder,
                                   .map_bytes = 1u << 30,
                                   .raft_loop = w->raft };
    struct store_group *g;
    struct err e;
    snprintf(folder, sizeof folder, "%s/%s", w->base, name);
    if (group_open(&config, &g, &e) != 0)
        fail_msg("%s", e.msg);
    return g;
}

int copy_world_setup(void **state)
{
    struct copy_world *w = mem_alloc(sizeof *w);
    const char *base = getenv("TEST_TMPDIR");
    w->env = env_uv_new();
    snprintf(w->base, sizeof w->base, "%s/copy-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->copies_folder, sizeof w->copies_folder, "%s/copies", w->base);
    snprintf(w->staging, sizeof w->staging, "%s/receiver/" FOLDER_STAGING, w->base);
    w->peers = env_loop_new(w->env, "peers");
    w->raft = env_loop_new(w->env, "raft");
    w->sender = open_group(w, "sender");
    w->receiver = open_group(w, "receiver");
    open_copies(w);
    env_loop_start(w->peers);
    env_loop_start(w->raft);
    *state = w;
    return 0;
}

int copy_world_teardown(void **state)
{
    struct copy_world *w = *state;
    stop_copies(w);
    env_loop_stop(w->peers);
    env_loop_join(w->peers);
    env_loop_stop(w->raft);
    env_loop_join(w->raft);
    group_close(w->sender);
    group_close(w->receiver);
    env_loop_free(w->peers);
    env_loop_free(w->raft);
    (void)env_remove_tree(w->env, w->base, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    mem_free(w);
    return 0;
}
