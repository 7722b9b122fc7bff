/*
 * Clients of the simulated cluster. A session is a loop of its own kind on its member's host: it
 * thinks, does one operation, notes what came of it, thinks again. It dies with the host, and what
 * it was doing then has no answer.
 *
 * A write that ended in an unknown outcome is sent again with its request id, as the API server
 * does it: a write guarded by a revision is done at most once, and is one operation of the history
 * whatever happened to its attempts. A retry whose guard fails says so for all of them, unless the
 * history it would look at may be compacted already. With a guard that the key is absent each
 * attempt is an operation of its own: the key may be deleted in between.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/sim/cluster.h"

#define THINK_MS      60
#define HEAL_THINK_MS 120
#define ATTEMPTS_MAX  4
#define DEADLINE_MS   3000
#define PADDING_BYTES 400
#define EXPIRE_MS     3000
#define NONE          SIZE_MAX

enum session_kind {
    SESSION_PUT,
    SESSION_DELETE,
    SESSION_EXPIRE, /* a key of no history that goes by the clock */
    SESSION_APPEND,
    SESSION_READ,
    SESSION_READ_AT
};

struct session {
    struct cluster_life *life;
    unsigned number;
    struct env_timer think;
    struct store_write write;
    struct store_barrier barrier;
    enum session_kind kind;
    unsigned key;
    enum lincheck_guard guard;
    uint64_t guard_revision;
    uint64_t value;
    uint64_t at; /* READ_AT: the revision */
    unsigned attempts;
    bool maybe; /* an attempt may have been done */
    bool busy;
    size_t op; /* in the history */
    size_t first_op;
    char request_id[32];
};

/* The clients of a host from a start of its member to its end; the memory of a dead one is kept. */
struct cluster_life {
    struct cluster_host *host;
    struct env_loop *loop;
    struct env_msg start;
    struct session sessions[CLUSTER_SESSIONS];
    bool over;
};

void cluster_key(unsigned key, char out[16])
{
    snprintf(out, 16, "k/%u", key);
}

static struct store_group *group_of(struct session *s, enum store_group_id id)
{
    return store_group(s->life->host->store, id);
}

/* ---- the history ---- */

static size_t history_add(struct session *s, enum lincheck_kind kind)
{
    struct cluster *c = s->life->host->world;

    if (c->history_count == c->history_capacity) {
        c->history_capacity = c->history_capacity == 0 ? 1024 : c->history_capacity * 2;
        c->history = mem_realloc(c->history, c->history_capacity * sizeof(*c->history));
    }
    c->history[c->history_count] =
        (struct lincheck_op){ .client = (uint32_t)(s->life->host->self.id * 10 + s->number),
                              .key = s->key,
                              .kind = kind,
                              .guard = s->guard,
                              .guard_revision = s->guard_revision,
                              .value = s->value,
                              .outcome = LINCHECK_UNKNOWN,
                              .invoked = ++c->tick };
    return c->history_count++;
}

static struct lincheck_op *history_of(struct session *s, enum lincheck_outcome outcome)
{
    struct cluster *c = s->life->host->world;
    struct lincheck_op *op = &c->history[s->op];

    op->outcome = outcome;
    op->returned = ++c->tick;
    return op;
}

/* ---- one operation ---- */

static void think(struct session *s)
{
    struct cluster *c = s->life->host->world;

    s->busy = false;
    env_timer_start(&s->think,
                    c->pause_ms + 1 + cluster_draw(c, c->healing ? HEAL_THINK_MS : THINK_MS));
}

static void send_write(struct session *s);

static void on_write_done(struct store_write *w);

static bool was_not_done(int status)
{
    switch (status) {
    case -ERR_UNAVAILABLE:
    case -ERR_TOO_MANY_REQUESTS:
    case -ERR_NO_SPACE:
    case -ERR_UNIMPLEMENTED:
    case -ERR_NOT_LEADER:
        return true;
    default:
        return false;
    }
}

static void write_conflicted(struct session *s)
{
    struct cluster *c = s->life->host->world;

    c->counters.writes_conflict++;
    if (s->maybe && c->retain_revisions != 0)
        return; /* an earlier attempt may have been done */
    (void)history_of(s, LINCHECK_FAILED);
}

/* Replayed: an earlier attempt did it, and this one nothing. */
static void write_acknowledged(struct session *s, const struct store_result *r)
{
    struct cluster *c = s->life->host->world;

    if (r->replayed && s->first_op != s->op) {
        c->history[s->op].client = UINT32_MAX;
        s->op = s->first_op;
    }
    history_of(s, LINCHECK_OK)->revision = r->revision;
}

static void put_done(struct session *s)
{
    struct cluster *c = s->life->host->world;
    const struct store_result *r = &s->write.result;
    bool again = s->guard != LINCHECK_ALWAYS && ++s->attempts < ATTEMPTS_MAX;

    if (r->status == 0) {
        c->counters.writes_ok++;
        c->counters.writes_replayed += r->replayed;
        write_acknowledged(s, r);
    } else if (r->status == -ERR_CONFLICT) {
        write_conflicted(s);
    } else if (was_not_done(r->status) && !s->maybe) {
        c->history[s->op].client = UINT32_MAX;
    } else {
        s->maybe = true;
        c->counters.writes_unknown++;
        if (again) {
            if (s->guard == LINCHECK_IF_ABSENT)
                s->op = history_add(s, LINCHECK_WRITE);
            send_write(s);
            return;
        }
    }
    think(s);
}

static void append_done(struct session *s)
{
    struct cluster *c = s->life->host->world;
    struct cluster_producer *p = &c->producers[s->life->host->self.id - 1];

    if (s->write.result.status == 0) {
        p->acked = p->sequence;
        c->counters.appends++;
    }
    think(s); /* the same again, if not */
}

static void on_write_done(struct store_write *w)
{
    struct session *s = w->priv;

    if (s->kind == SESSION_APPEND)
        append_done(s);
    else if (s->kind == SESSION_EXPIRE)
        think(s);
    else
        put_done(s);
}

/* The caller's to free. */
static struct str make_value(struct session *s)
{
    struct cluster *c = s->life->host->world;
    size_t len = 16 + cluster_draw(c, c->padding_bytes != 0 ? c->padding_bytes : PADDING_BYTES);
    uint8_t *value = mem_alloc(len);

    memset(value, 'v', len);
    store_le64(value, s->value);
    store_le64(value + 8, s->at);
    return str_of((const char *)value, len);
}

/* Index terms and a charge, so that there is more than the key to keep alike. */
static void set_value(struct store_op *op, const struct session *s, struct str value)
{
    static const struct store_term terms[2] = { { 1, STR("even") }, { 1, STR("odd") } };
    static const struct store_charge charge = { STR("all"), 1 };

    op->value = value;
    op->terms = &terms[s->value % 2];
    op->terms_count = 1;
    op->charges = &charge;
    op->charges_count = 1;
}

static void send_expiring(struct session *s)
{
    struct cluster *c = s->life->host->world;
    char key[16];
    struct store_op op = { .type = STORE_OP_PUT, .value = str_lit("for a while") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    /* Now and then one that stays. */
    if (!c->lasting_rest && cluster_chance(c, 5)) {
        snprintf(key, sizeof(key), CLUSTER_LASTING, s->key);
    } else {
        snprintf(key, sizeof(key), "t/%u", s->key);
        op.expires_ms = env_wall_ns(s->life->host->env) / ENV_MS + cluster_draw(c, EXPIRE_MS);
    }
    op.key = str_from(key);
    s->write = (struct store_write){ .loop = s->life->loop, .done = on_write_done, .priv = s };
    store_submit(group_of(s, STORE_CLUSTER), &s->write, &txn);
}

static void send_write(struct session *s)
{
    struct str value = make_value(s);
    char key[16];
    struct store_guard guard = { .type = STORE_GUARD_MOD, .revision = s->guard_revision };
    struct store_op op = { .type = s->kind == SESSION_DELETE ? STORE_OP_DELETE : STORE_OP_PUT };
    struct store_txn txn = { .guards = &guard,
                             .guards_count = s->guard != LINCHECK_ALWAYS ? 1 : 0,
                             .ops = &op,
                             .ops_count = 1,
                             .request_id = str_from(s->request_id) };

    cluster_key(s->key, key);
    guard.key = op.key = str_from(key);
    if (op.type == STORE_OP_PUT)
        set_value(&op, s, value);
    s->write = (struct store_write){ .loop = s->life->loop, .done = on_write_done, .priv = s };
    s->write.deadline_ms = env_loop_now_ms(s->life->loop) + DEADLINE_MS;
    store_submit(group_of(s, STORE_CLUSTER), &s->write, &txn);
    mem_free((void *)(uintptr_t)value.data);
}

static void send_append(struct session *s)
{
    struct cluster *c = s->life->host->world;
    struct cluster_producer *p = &c->producers[s->life->host->self.id - 1];
    struct str value;
    char producer[24];
    struct store_op op = { .type = STORE_OP_APPEND, .key = str_lit("stream") };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    if (p->sequence == p->acked)
        p->sequence++;
    snprintf(producer, sizeof(producer), "p%llu", (unsigned long long)s->life->host->self.id);
    s->value = s->life->host->self.id - 1;
    s->at = p->sequence;
    value = make_value(s);
    op.value = value;
    op.producer = str_from(producer);
    op.producer_sequence = p->sequence;
    s->write = (struct store_write){ .loop = s->life->loop, .done = on_write_done, .priv = s };
    s->write.deadline_ms = env_loop_now_ms(s->life->loop) + DEADLINE_MS;
    store_submit(group_of(s, STORE_BUS), &s->write, &txn);
    mem_free((void *)(uintptr_t)value.data);
}

/* ---- reads ---- */

/* 0: value 0 is no key; or why the revision is not served. */
static int read_key(struct session *s, uint64_t revision, uint64_t *out_value,
                    uint64_t *out_revision)
{
    struct store_version v;
    struct store_read r;
    char key[16];
    int rc;

    cluster_key(s->key, key);
    rc = store_read_begin(group_of(s, STORE_CLUSTER), revision, &r);
    if (rc != 0)
        return rc;
    rc = store_read_get(&r, str_from(key), &v);
    *out_value = rc == 0 ? load_le64(v.value.data) : 0;
    *out_revision = rc == 0 ? v.revision : 0;
    store_read_end(&r);
    return rc == -ERR_NOT_FOUND ? 0 : rc;
}

/* A read at a revision is what the history says it is. */
static void check_read_at(struct session *s, uint64_t value)
{
    struct cluster *c = s->life->host->world;

    for (uint64_t i = s->at; i > 0; i--) {
        const struct cluster_revision *r = &c->revisions[i];

        if (!r->seen)
            return; /* nobody can say */
        if (r->key != s->key)
            continue;
        if (r->value != value)
            cluster_fail(c, "%s reads value %llu of key %u at revision %llu, not %llu",
                         s->life->host->name, (unsigned long long)value, s->key,
                         (unsigned long long)s->at, (unsigned long long)r->value);
        return;
    }
}

/* The member has published the revision: it is served, unless it is forgotten. */
static void check_status_at(struct session *s, int rc)
{
    struct cluster_host *h = s->life->host;
    uint64_t forgotten = cluster_forgotten(h);

    if (h->diverged)
        return;
    if (rc != (s->at < forgotten ? -ERR_EXPIRED : 0))
        cluster_fail(h->world, "%s has forgotten what was below revision %llu; a read at %llu: %s",
                     h->name, (unsigned long long)forgotten, (unsigned long long)s->at,
                     rc == 0 ? "is served" : err_name(rc));
    h->world->counters.reads_expired += rc == -ERR_EXPIRED;
}

static int read_now(struct session *s, uint64_t *out_value, uint64_t *out_revision)
{
    int rc;

    if (s->kind != SESSION_READ_AT)
        return read_key(s, 0, out_value, out_revision);
    rc = read_key(s, s->at, out_value, out_revision);
    check_status_at(s, rc);
    if (rc == 0 && !s->life->host->diverged)
        check_read_at(s, *out_value);
    return rc;
}

static void on_read_point(struct store_barrier *b)
{
    struct session *s = b->priv;
    struct cluster *c = s->life->host->world;
    uint64_t revision = 0;
    uint64_t value = 0;
    bool ok = b->status == 0 && read_now(s, &value, &revision) == 0;

    c->counters.reads_ok += ok;
    c->counters.reads_failed += !ok;
    if (ok && s->kind == SESSION_READ && !s->life->host->diverged) {
        struct lincheck_op *op = history_of(s, LINCHECK_OK);

        op->value = value;
        op->revision = revision;
    }
    think(s);
}

static void send_read(struct session *s)
{
    s->barrier = (struct store_barrier){ .loop = s->life->loop, .done = on_read_point, .priv = s };
    s->barrier.deadline_ms = env_loop_now_ms(s->life->loop) + DEADLINE_MS;
    if (s->kind == SESSION_READ_AT) {
        store_wait_revision(group_of(s, STORE_CLUSTER), &s->barrier, s->at);
        return;
    }
    s->guard = LINCHECK_ALWAYS;
    s->value = 0;
    s->op = history_add(s, LINCHECK_READ);
    store_barrier(group_of(s, STORE_CLUSTER), &s->barrier);
}

/* ---- sessions ---- */

/* What this member knows of the key, old or new, is the guard. */
static void choose_guard(struct session *s)
{
    struct cluster *c = s->life->host->world;
    uint64_t value;
    uint64_t revision = 0;

    s->guard = LINCHECK_ALWAYS;
    if (cluster_chance(c, 15) || read_key(s, 0, &value, &revision) != 0)
        return;
    s->guard = revision == 0 ? LINCHECK_IF_ABSENT : LINCHECK_IF_REVISION;
    s->guard_revision = revision;
}

static void begin_write(struct session *s)
{
    struct cluster *c = s->life->host->world;

    choose_guard(s);
    if (s->kind == SESSION_DELETE && s->guard != LINCHECK_IF_REVISION)
        s->kind = SESSION_PUT;
    c->values++;
    s->value = s->kind == SESSION_PUT ? c->values : 0;
    s->at = 0;
    s->attempts = 0;
    s->maybe = false;
    snprintf(s->request_id, sizeof(s->request_id), "r%llu", (unsigned long long)c->values);
    s->op = history_add(s, LINCHECK_WRITE);
    s->first_op = s->op;
    send_write(s);
}

static enum session_kind choose_kind(struct session *s)
{
    struct cluster *c = s->life->host->world;
    uint64_t n = cluster_draw(c, 100);

    if (s->number == 0)
        return n < 75 ? SESSION_PUT : n < 90 ? SESSION_DELETE : SESSION_EXPIRE;
    if (s->number == 1)
        return n < 50 || c->revision_last == 0 ? SESSION_READ : SESSION_READ_AT;
    return SESSION_APPEND;
}

static void on_think(struct env_timer *t)
{
    struct session *s = container_of(t, struct session, think);
    struct cluster *c = s->life->host->world;

    if (s->life->over)
        return;
    if (c->idle) {
        env_timer_start(&s->think, HEAL_THINK_MS);
        return;
    }
    s->busy = true;
    s->kind = choose_kind(s);
    s->key = (unsigned)cluster_draw(c, CLUSTER_KEYS);
    s->guard_revision = 0;
    s->at = c->revision_last;
    if (s->at > 0 && cluster_chance(c, 50))
        s->at -= cluster_draw(c, s->at < c->read_back ? s->at : c->read_back);
    if (s->kind == SESSION_APPEND)
        send_append(s);
    else if (s->kind == SESSION_EXPIRE)
        send_expiring(s);
    else if (s->kind == SESSION_READ || s->kind == SESSION_READ_AT)
        send_read(s);
    else
        begin_write(s);
}

static void on_start(struct env_msg *m)
{
    struct cluster_life *life = container_of(m, struct cluster_life, start);

    for (unsigned i = 0; i < CLUSTER_SESSIONS; i++) {
        struct session *s = &life->sessions[i];

        s->life = life;
        s->number = i;
        env_timer_init(life->loop, &s->think, on_think);
        think(s);
    }
}

void cluster_life_begin(struct cluster_host *h)
{
    struct cluster_life *life = mem_alloc(sizeof(*life));

    life->host = h;
    life->loop = env_loop_new(h->env, "client");
    h->life = life;
    cluster_watch_begin(h, life->loop);
    env_post(life->loop, &life->start, on_start);
    env_loop_start(life->loop);
}

void cluster_life_end(struct cluster_host *h)
{
    h->life->over = true;
    cluster_watch_end(h);
}

struct env_loop *cluster_life_loop(const struct cluster_host *h)
{
    return h->life->loop;
}

size_t cluster_life_busy(const struct cluster_host *h)
{
    size_t busy = 0;

    for (unsigned i = 0; h->life != NULL && i < CLUSTER_SESSIONS; i++)
        busy += h->life->sessions[i].busy;
    return busy;
}
