/*
 * The bus loop's chores on the leader: cursors written back soon after they change, with the term
 * as fence so that a deposed leader cannot move them; topics trimmed behind their channels.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

/* Operations of one transaction. */
#define UPKEEP_ROWS_MAX 128

/* ---- cursors ---- */

void upkeep_dirty(struct bus *b)
{
    if (!b->flushing && !env_timer_active(&b->flush_timer))
        env_timer_start(&b->flush_timer, BUS_FLUSH_MS);
}

/* What was not written is dirty again, so that it is tried again. */
static void upkeep_channel_flushed(struct bus *b, struct bus_channel *c, bool written)
{
    bool begins = written && !c->stored;
    c->flushing = false;
    c->flushed_ms = env_loop_now_ms(b->config.loop);
    c->stored = c->stored || written;
    c->state.dirty = c->state.dirty || !written;
    if (begins)
        deliver_channel(b, c);
}

static void upkeep_flushed(struct store_write *w)
{
    struct bus *b = container_of(w, struct bus, flush_write);
    b->flushing = false;
    if (w->result.status != 0)
        log_warn("bus cursors not written", KV("error", err_name(w->result.status)));
    bool dirty = false;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            struct bus_channel *c = container_of(node, struct bus_channel, node);
            if (c->flushing)
                upkeep_channel_flushed(b, c, w->result.status == 0);
            dirty = dirty || (c->state.dirty && !c->ephemeral);
        }
    }
    if (dirty)
        upkeep_dirty(b);
}

void upkeep_soon(struct bus *b)
{
    if (!b->flushing)
        env_timer_start(&b->flush_timer, 0);
}

/* As many dirty channels as fit one transaction; what is left comes when it is answered. */
static size_t upkeep_rows(struct bus *b, struct store_op *ops)
{
    size_t count = 0;
    size_t bytes = 0;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            struct bus_channel *c = container_of(node, struct bus_channel, node);
            if (!c->state.dirty || c->ephemeral || count == UPKEEP_ROWS_MAX ||
                bytes >= BUS_FLUSH_BYTES_MAX)
                continue;
            struct buf row;
            buf_init(&row);
            channel_encode(&c->state, &row);
            c->flushing = true;
            bytes += row.len;
            ops[count++] = (struct store_op){
                .type = STORE_OP_ROW_PUT,
                .key = channel_row_key(&b->scratch, str_from(t->name), str_from(c->name)),
                .value = str_copy(&b->scratch, buf_str(&row)),
            };
            buf_deinit(&row);
        }
    }
    return count;
}

static void upkeep_flush(struct env_timer *timer)
{
    struct bus *b = container_of(timer, struct bus, flush_timer);
    if (!b->leading || b->flushing)
        return;
    struct store_op ops[UPKEEP_ROWS_MAX];
    size_t count = upkeep_rows(b, ops);
    if (count > 0) {
        struct store_txn txn = { .ops = ops, .ops_count = count, .fence_term = b->term };
        b->flushing = true;
        b->flush_write = (struct store_write){ .loop = b->config.loop, .done = upkeep_flushed };
        store_submit(b->config.group, &b->flush_write, &txn);
    }
    arena_reset(&b->scratch);
}

/* ---- trimming ---- */

struct upkeep_trim {
    struct bus *b;
    struct store_read *read;
    struct store_op ops[UPKEEP_ROWS_MAX];
    size_t count;
};

struct upkeep_floor {
    uint64_t to;
    bool any;
};

static bool upkeep_stored_cursor(void *ctx, struct str key, struct str value)
{
    (void)key;
    struct upkeep_floor *floor = ctx;
    struct reader r;
    reader_init(&r, value);
    uint64_t cursor = reader_varint(&r);
    if (!reader_ok(&r))
        cursor = 0; /* a damaged row holds everything back */
    floor->any = true;
    if (cursor < floor->to)
        floor->to = cursor;
    return true;
}

static uint64_t upkeep_ephemeral_floor(uint64_t cursor, uint64_t last)
{
    uint64_t kept = last > TOPIC_EPHEMERAL_RETAIN ? last - TOPIC_EPHEMERAL_RETAIN : 0;
    return cursor > kept ? cursor : kept;
}

/* Channels that have no row (yet): new ones hold what they have not acknowledged, ephemeral ones
 * the newest TOPIC_EPHEMERAL_RETAIN of it. They alone trim nothing. */
static void upkeep_unstored(struct bus *b, struct str name, uint64_t last,
                            struct upkeep_floor *floor)
{
    struct topic *t = map_get(&b->topics, name);
    if (t == NULL)
        return;
    list_foreach (node, &t->channels) {
        const struct bus_channel *c = container_of(node, struct bus_channel, node);
        if (c->stored)
            continue;
        uint64_t to = c->state.cursor;
        if (c->ephemeral)
            to = upkeep_ephemeral_floor(to, last);
        if (to < floor->to)
            floor->to = to;
    }
}

/* The sequence up to which the topic's messages may go; 0: none. */
static uint64_t upkeep_trim_to(struct upkeep_trim *trim, struct str name, uint64_t last)
{
    if (topic_is_system(name))
        return last > TOPIC_SYSTEM_RETAIN ? last - TOPIC_SYSTEM_RETAIN : 0;
    struct upkeep_floor floor = { .to = UINT64_MAX };
    bool more = false;
    struct str prefix = channel_row_prefix(&trim->b->scratch, name);
    (void)store_read_rows(trim->read, prefix, str_of(NULL, 0), upkeep_stored_cursor, &floor,
                          &more); /* none: any stays false */
    if (more || !floor.any)
        return 0;
    upkeep_unstored(trim->b, name, last, &floor);
    return floor.to;
}

/* What may go of one topic: what every channel has acknowledged; of a system topic, the oldest. */
static bool upkeep_trim_topic(void *ctx, struct str key, struct str value)
{
    (void)value;
    struct upkeep_trim *trim = ctx;
    struct str name = str_slice(key, sizeof "topic/" - 1, key.len);
    uint64_t first = 0;
    uint64_t last = 0;
    (void)snprintf(trim->b->trim_after, sizeof trim->b->trim_after, "%.*s", STR_ARG(key));
    if (store_read_stream_bounds(trim->read, name, &first, &last) != 0 || last < first)
        return true;
    uint64_t to = upkeep_trim_to(trim, name, last);
    if (to < first)
        return true;
    trim->ops[trim->count++] = (struct store_op){ .type = STORE_OP_TRIM,
                                                  .key = str_copy(&trim->b->scratch, name),
                                                  .revision = to };
    return trim->count < UPKEEP_ROWS_MAX;
}

static void upkeep_trimmed(struct store_write *w)
{
    struct bus *b = container_of(w, struct bus, trim_write);
    b->trimming = false;
    if (w->result.status != 0)
        log_warn("bus topics not trimmed", KV("error", err_name(w->result.status)));
}

/* One bounded read goes on where the last one stopped. */
static void upkeep_trim_now(struct bus *b)
{
    struct store_read r;
    if (!b->leading || b->trimming || store_read_begin(b->config.group, 0, &r) != 0)
        return;
    struct upkeep_trim trim = { .b = b, .read = &r };
    bool more = false;
    struct str after = str_copy(&b->scratch, str_from(b->trim_after));
    (void)store_read_rows(&r, str_lit("topic/"), after, upkeep_trim_topic, &trim, &more);
    store_read_end(&r);
    if (!more)
        b->trim_after[0] = '\0';
    if (trim.count > 0) {
        struct store_txn txn = { .ops = trim.ops, .ops_count = trim.count, .fence_term = b->term };
        b->trimming = true;
        b->trim_write = (struct store_write){ .loop = b->config.loop, .done = upkeep_trimmed };
        store_submit(b->config.group, &b->trim_write, &txn);
    }
    arena_reset(&b->scratch);
}

static void upkeep_trim_due(struct env_timer *timer)
{
    struct bus *b = container_of(timer, struct bus, trim_timer);
    env_timer_start(&b->trim_timer, BUS_TRIM_MS);
    upkeep_trim_now(b);
    broker_unload_idle(b);
}

static void upkeep_deliver_due(struct env_timer *timer)
{
    deliver_due(container_of(timer, struct bus, due_timer));
}

void upkeep_start(struct bus *b)
{
    env_timer_init(b->config.loop, &b->flush_timer, upkeep_flush);
    env_timer_init(b->config.loop, &b->trim_timer, upkeep_trim_due);
    env_timer_init(b->config.loop, &b->due_timer, upkeep_deliver_due);
    env_timer_start(&b->trim_timer, BUS_TRIM_MS);
}
