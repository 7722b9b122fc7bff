/*
 * The bus loop's chores on the leader: cursors written back soon after they change, with the term
 * as fence so that a deposed leader cannot move them; topics trimmed behind their channels.
 */
#include "base/log.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

/* A channel row: a cursor and at most a window of ranges. */
#define UPKEEP_ROWS_MAX 128

void upkeep_dirty(struct bus *b)
{
    if (!b->flushing && !env_timer_active(&b->flush_timer))
        env_timer_start(&b->flush_timer, BUS_FLUSH_MS);
}

static void upkeep_flushed(struct store_write *w)
{
    struct bus *b = container_of(w, struct bus, flush_write);
    b->flushing = false;
    /* A cursor that was not written is written again with its next change; until then a failure
     * costs redeliveries at most. */
    if (w->result.status != 0)
        log_warn("bus cursors not written", KV("error", err_name(w->result.status)));
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            if (container_of(node, struct bus_channel, node)->state.dirty)
                upkeep_dirty(b);
        }
    }
}

static void upkeep_flush(struct env_timer *timer)
{
    struct bus *b = container_of(timer, struct bus, flush_timer);
    if (!b->leading || b->flushing)
        return;
    struct store_op ops[UPKEEP_ROWS_MAX];
    size_t count = 0;
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach (node, &t->channels) {
            struct bus_channel *c = container_of(node, struct bus_channel, node);
            if (!c->state.dirty || c->ephemeral || count == UPKEEP_ROWS_MAX)
                continue;
            struct buf row;
            buf_init(&row);
            channel_encode(&c->state, &row);
            ops[count++] = (struct store_op){
                .type = STORE_OP_ROW_PUT,
                .key = channel_row_key(&b->scratch, str_from(t->name), str_from(c->name)),
                .value = str_copy(&b->scratch, buf_str(&row)),
            };
            buf_deinit(&row);
        }
    }
    if (count > 0) {
        struct store_txn txn = { .ops = ops, .ops_count = count, .fence_term = b->term };
        b->flushing = true;
        b->flush_write = (struct store_write){ .loop = b->config.loop, .done = upkeep_flushed };
        store_submit(b->config.group, &b->flush_write, &txn);
    }
    arena_reset(&b->scratch);
}

struct upkeep_trim {
    struct bus *b;
    struct store_read *read;
    struct store_op ops[UPKEEP_ROWS_MAX];
    size_t count;
};

static bool upkeep_min_cursor(void *ctx, struct str key, struct str value)
{
    (void)key;
    uint64_t *min = ctx;
    struct reader r;
    reader_init(&r, value);
    uint64_t cursor = reader_varint(&r);
    if (reader_ok(&r) && cursor < *min)
        *min = cursor;
    return true;
}

/* What may go of one topic: what every channel has acknowledged; of a system topic, the oldest. */
static bool upkeep_trim_topic(void *ctx, struct str key, struct str value)
{
    (void)value;
    struct upkeep_trim *trim = ctx;
    struct str name = str_slice(key, sizeof "topic/" - 1, key.len);
    uint64_t first = 0;
    uint64_t last = 0;
    if (store_read_stream_bounds(trim->read, name, &first, &last) != 0 || last == 0)
        return true;
    uint64_t to = UINT64_MAX;
    bool more = false;
    if (topic_is_system(name)) {
        to = last > TOPIC_SYSTEM_RETAIN ? last - TOPIC_SYSTEM_RETAIN : 0;
    } else {
        struct str prefix = channel_row_prefix(&trim->b->scratch, name);
        (void)store_read_rows(trim->read, prefix, str_of(NULL, 0), upkeep_min_cursor, &to, &more);
    }
    if (more || to == UINT64_MAX || to < first)
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
}

static void upkeep_trim_due(struct env_timer *timer)
{
    struct bus *b = container_of(timer, struct bus, trim_timer);
    env_timer_start(&b->trim_timer, BUS_TRIM_MS);
    struct store_read r;
    if (!b->leading || b->trimming || store_read_begin(b->config.group, 0, &r) != 0)
        return;
    struct upkeep_trim trim = { .b = b, .read = &r };
    bool more = false;
    (void)store_read_rows(&r, str_lit("topic/"), str_of(NULL, 0), upkeep_trim_topic, &trim,
                          &more); /* what is left comes next time */
    store_read_end(&r);
    if (trim.count > 0) {
        struct store_txn txn = { .ops = trim.ops, .ops_count = trim.count, .fence_term = b->term };
        b->trimming = true;
        b->trim_write = (struct store_write){ .loop = b->config.loop, .done = upkeep_trimmed };
        store_submit(b->config.group, &b->trim_write, &txn);
    }
    arena_reset(&b->scratch);
}

static void upkeep_deliver_due(struct env_timer *timer)
{
    struct bus *b = container_of(timer, struct bus, due_timer);
    map_foreach (it, &b->topics) {
        struct topic *t = it.value;
        list_foreach_safe (node, &t->channels) {
            deliver_channel(b, container_of(node, struct bus_channel, node));
        }
    }
    deliver_arm(b);
}

void upkeep_start(struct bus *b)
{
    env_timer_init(b->config.loop, &b->flush_timer, upkeep_flush);
    env_timer_init(b->config.loop, &b->trim_timer, upkeep_trim_due);
    env_timer_init(b->config.loop, &b->due_timer, upkeep_deliver_due);
    env_timer_start(&b->trim_timer, BUS_TRIM_MS);
}
