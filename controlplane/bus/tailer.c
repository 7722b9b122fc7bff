/*
 * The tailer: object history to cluster.scheduling; see the header.
 *
 * One transaction is in flight at a time: whole revisions up to TAILER_BATCH_MAX steps, and the new
 * cursor. The first step after a silence goes at once; while steps keep coming a transaction that
 * is not full is written every TAILER_GATHER_MS, for each costs every member two flushes. Steps are
 * read off stored bytes by field number, nothing is unpacked.
 */
#include "controlplane/bus/tailer.h"

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "controlplane/bus/topic.h"
#include "store/store.h"

/* No further revision is begun once a batch has so many steps. A revision writes one pod, or a few;
 * the transaction has room for many more beside the cursor and the topic. */
#define TAILER_BATCH_MAX 64u
#define TAILER_STEPS_MAX (STORE_TXN_OPS_MAX - 2)
/* A revision's events are numbered in the publish sequence's low bits. */
#define TAILER_EVENT_BITS 8
#define TAILER_RETRY_MS   200u
#define TAILER_GATHER_MS  10u
#define TAILER_PRODUCER   "tailer"
#define TAILER_CURSOR     "tailer/pods"

/* Pod.spec.nodeName and Pod.status.phase by field numbers (core/v1). */
static const uint8_t pod_node_name[] = { 2, 10, 0 };
static const uint8_t pod_phase[] = { 3, 1, 0 };

struct tailer {
    struct env_loop *loop;
    struct store_group *cluster;
    struct store_group *bus;
    struct store_leadership leadership;
    struct store_subscriber subscriber;
    struct env_timer retry;
    struct env_msg start;
    struct store_write write;
    struct arena arena; /* of the batch being built */
    struct store_op ops[TAILER_STEPS_MAX + 2];
    size_t count;
    size_t whole;     /* of them belong to revisions that were visited whole */
    uint64_t event;   /* how many of the present revision were visited */
    uint64_t cursor;  /* everything at or below is published */
    uint64_t reading; /* as far as the batch in flight goes */
    uint64_t term;
    uint64_t in_flight_term;
    uint64_t submitted_ms; /* when the last transaction went */
    bool full;             /* it could take no more: there is a backlog */
    bool leading;
    bool loaded;
    bool in_flight;
};

struct tailer_pod {
    struct object_meta meta;
    struct str node;
    struct str phase;
};

static bool tailer_pod_read(struct str value, struct tailer_pod *out)
{
    struct str payload;
    *out = (struct tailer_pod){ 0 };
    if (value.len == 0 || object_payload(value, &payload, NULL) != 0)
        return false;
    object_meta_scan(payload, &out->meta);
    out->node = peek_string(payload, pod_node_name);
    out->phase = peek_string(payload, pod_phase);
    return true;
}

/* The most telling of what changed: a version is one step. */
static const char *tailer_step(const struct store_event *event, const struct tailer_pod *old,
                               const struct tailer_pod *pod)
{
    if (event->deleted)
        return "deleted";
    if (event->old_revision == 0)
        return "created";
    if (old->node.len == 0 && pod->node.len > 0)
        return "bound";
    if (!old->meta.deleting && pod->meta.deleting)
        return "deleting";
    if (!str_eq(old->phase, pod->phase))
        return "phase";
    return NULL;
}

static void tailer_member(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "%s\"%s\":", b->data[b->len - 1] == '{' ? "" : ",", name);
    json_write_string(b, value, false);
}

bool tailer_describe(const struct store_event *event, struct buf *out)
{
    struct key key;
    struct tailer_pod old;
    struct tailer_pod pod;
    if (key_parse(event->key, &key, NULL) != 0 || key.kind != KIND_POD)
        return false;
    bool had = tailer_pod_read(event->old_value, &old);
    bool has = tailer_pod_read(event->value, &pod);
    if (!had && !has)
        return false;
    const char *step = tailer_step(event, &old, &pod);
    if (step == NULL)
        return false;
    const struct tailer_pod *now = has ? &pod : &old;
    buf_append_c(out, "{");
    tailer_member(out, "step", str_from(step));
    tailer_member(out, "source", str_lit("history"));
    tailer_member(out, "namespace", key.namespace);
    tailer_member(out, "name", key.name);
    tailer_member(out, "uid", now->meta.uid);
    tailer_member(out, "node", now->node);
    tailer_member(out, "phase", now->phase);
    buf_printf(out, ",\"revision\":%llu}", (unsigned long long)event->revision);
    return true;
}

static void tailer_append(struct tailer *t, uint64_t revision, uint64_t event, struct str body)
{
    uint64_t wall = env_wall_ns(env_of(t->loop));
    ASSERT(t->count < TAILER_STEPS_MAX);
    ASSERT(event < 1u << TAILER_EVENT_BITS);
    t->ops[t->count++] =
        (struct store_op){ .type = STORE_OP_APPEND,
                           .key = str_lit(TOPIC_SCHEDULING),
                           .value = topic_record(&t->arena, wall, body),
                           .producer = str_lit(TAILER_PRODUCER),
                           .producer_sequence = revision << TAILER_EVENT_BITS | event };
}

static bool tailer_visit(void *ctx, const struct store_event *event)
{
    struct tailer *t = ctx;
    if (t->event == 0 && t->count >= TAILER_BATCH_MAX)
        return false;
    if (t->count == TAILER_STEPS_MAX && t->whole > 0)
        return false; /* this revision comes with the next batch */
    struct buf body;
    buf_init(&body);
    if (t->count < TAILER_STEPS_MAX && tailer_describe(event, &body))
        tailer_append(t, event->revision, t->event, buf_str(&body));
    buf_deinit(&body);
    t->event = event->more ? t->event + 1 : 0;
    if (!event->more)
        t->whole = t->count;
    return true;
}

static void tailer_pump(struct tailer *t);

static void tailer_written(struct store_write *w)
{
    struct tailer *t = container_of(w, struct tailer, write);
    t->in_flight = false;
    if (t->in_flight_term != t->term) {
        /* Of another time as leader: what became of it was loaded with this one's cursor. */
        tailer_pump(t);
    } else if (w->result.status == 0) {
        t->cursor = t->reading;
        tailer_pump(t);
    } else {
        env_timer_start(&t->retry, TAILER_RETRY_MS);
    }
}

static void tailer_submit(struct tailer *t)
{
    uint8_t cursor[8];
    store_le64(cursor, t->reading);
    t->ops[t->count++] =
        (struct store_op){ .type = STORE_OP_ROW_PUT,
                           .key = topic_row_key(&t->arena, str_lit(TOPIC_SCHEDULING)) };
    t->ops[t->count++] = (struct store_op){ .type = STORE_OP_ROW_PUT,
                                            .key = str_lit(TAILER_CURSOR),
                                            .value = str_of(cursor, sizeof cursor) };
    t->full = t->count >= TAILER_BATCH_MAX;
    struct store_txn txn = { .ops = t->ops, .ops_count = t->count, .fence_term = t->term };
    t->in_flight = true;
    t->in_flight_term = t->term;
    t->submitted_ms = env_loop_now_ms(t->loop);
    t->write = (struct store_write){ .loop = t->loop, .done = tailer_written };
    store_submit(t->bus, &t->write, &txn);
}

/* The history up to `compacted` is gone: says so, and goes on behind it. */
static void tailer_gap(struct tailer *t)
{
    uint64_t compacted = store_compacted(t->cluster);
    struct str body = str_printf(
        &t->arena, "{\"step\":\"gap\",\"source\":\"history\",\"after\":%llu,\"until\":%llu}",
        (unsigned long long)t->cursor, (unsigned long long)compacted);
    t->count = 0;
    tailer_append(t, compacted, 0, body);
    t->whole = t->count;
    t->reading = compacted;
}

/* Is it too early for the next transaction? Then the timer runs. */
static bool tailer_gathers(struct tailer *t)
{
    uint64_t now = env_loop_now_ms(t->loop);
    uint64_t next = t->submitted_ms + TAILER_GATHER_MS;
    if (t->full || now >= next)
        return false;
    env_timer_start(&t->retry, next - now);
    return true;
}

static void tailer_pump(struct tailer *t)
{
    while (t->leading && t->loaded && !t->in_flight && !tailer_gathers(t)) {
        uint64_t last = t->cursor;
        arena_reset(&t->arena);
        t->count = 0;
        t->whole = 0;
        t->event = 0;
        int rc = store_events(t->cluster, t->cursor, tailer_visit, t, &last);
        t->reading = last;
        if (rc == -ERR_EXPIRED) {
            tailer_gap(t);
        } else if (rc != 0) {
            env_timer_start(&t->retry, TAILER_RETRY_MS);
            return;
        } else if (last <= t->cursor) {
            return;
        }
        t->count = t->whole;
        if (t->count > 0)
            tailer_submit(t);
        else
            t->cursor = t->reading;
    }
}

/* A new leader goes on where the last one's transactions ended; the very first one begins with the
 * oldest history there is. */
static void tailer_load(struct tailer *t)
{
    struct store_read r;
    struct str row;
    if (store_read_begin(t->bus, 0, &r) != 0) {
        env_timer_start(&t->retry, TAILER_RETRY_MS);
        return;
    }
    t->cursor = 0;
    if (store_read_row(&r, str_lit(TAILER_CURSOR), &row) == 0 && row.len == 8)
        t->cursor = load_le64(row.data);
    store_read_end(&r);
    t->loaded = true;
}

static void tailer_run(struct tailer *t)
{
    if (t->leading && !t->loaded)
        tailer_load(t);
    tailer_pump(t);
}

static void tailer_retry(struct env_timer *timer)
{
    tailer_run(container_of(timer, struct tailer, retry));
}

static void tailer_leadership(struct store_leadership *l, bool leading, uint64_t term)
{
    struct tailer *t = container_of(l, struct tailer, leadership);
    t->leading = leading;
    if (leading)
        store_subscriber_wake(&t->subscriber);
    t->term = term;
    t->loaded = false;
    tailer_run(t);
}

static void tailer_published(struct store_subscriber *s, uint64_t revision)
{
    (void)revision;
    struct tailer *t = container_of(s, struct tailer, subscriber);
    if (t->leading)
        tailer_run(t);
    else
        store_subscriber_rest(s);
}

static void tailer_start(struct env_msg *m)
{
    struct tailer *t = container_of(m, struct tailer, start);
    env_timer_init(t->loop, &t->retry, tailer_retry);
}

struct tailer *tailer_new(struct env_loop *loop, struct store_group *cluster,
                          struct store_group *bus)
{
    struct tailer *t = mem_alloc(sizeof *t);
    t->loop = loop;
    t->cluster = cluster;
    t->bus = bus;
    arena_init(&t->arena);
    /* First in the loop's queue: the timer exists before any edge. */
    env_post(loop, &t->start, tailer_start);
    t->subscriber.loop = loop;
    t->subscriber.published = tailer_published;
    store_subscribe(cluster, &t->subscriber);
    t->leadership.loop = loop;
    t->leadership.changed = tailer_leadership;
    store_on_leadership(bus, &t->leadership);
    return t;
}

void tailer_free(struct tailer *t)
{
    if (t == NULL)
        return;
    env_timer_deinit(&t->retry);
    arena_deinit(&t->arena);
    mem_free(t);
}
