/*
 * store_events: from the ring when it still holds what follows `after`, else from rev in a bounded
 * read. Both see exactly the versions with revision in (after, published], in order, so a reader
 * moves from one to the other without a gap or a duplicate. A read ends between two revisions,
 * never inside one: what it reports as reached was visited whole, and nothing beyond it was.
 */
#include "base/arena.h"
#include "base/assert.h"
#include "store/group_state.h"
#include "store/key.h"
#include "store/mvcc.h"

#define CLOCK_ROWS 32

struct events {
    struct store_read read;
    struct kv_cursor cursor;
    struct arena arena;
    struct str prefix; /* of the keys visited */
    bool windows;      /* marks of short windows count too */
    bool (*visit)(void *ctx, const struct store_event *event);
    void *ctx;
    uint64_t upto;
    uint64_t last; /* whole revisions visited */
    bool whole;    /* the last row visited ended its revision */
    bool all;      /* nothing up to upto is left */
};

static void event_of(struct events *s, const struct version *now, struct store_event *out)
{
    struct version old;
    *out = (struct store_event){ .revision = now->v.revision,
                                 .key = now->v.key,
                                 .value = now->v.value,
                                 .created = now->v.created,
                                 .deleted = now->v.tombstone };
    out->terms_count = version_terms(now, &s->arena, &out->terms);
    if (mvcc_get(s->read.txn, now->previous, &old) && !old.v.tombstone) {
        out->old_revision = old.v.revision;
        out->old_value = old.v.value;
        out->old_terms_count = version_terms(&old, &s->arena, &out->old_terms);
    } else if (now->v.version > 1) {
        out->old_revision = now->v.previous; /* of a short window, and gone */
    }
}

/* Of a row that is not in the prefix the version before is not looked for. */
static bool events_visit(struct events *s, const struct version *now, bool more)
{
    struct store_event event;
    if (!str_starts(now->v.key, s->prefix))
        return true;
    event_of(s, now, &event);
    event.more = more;
    return s->visit(s->ctx, &event);
}

/* false: stop. The cursor is on the row; moves it to the next one. */
static bool events_row(struct events *s, bool *out_more)
{
    struct version now;
    version_decode(s->cursor.key, s->cursor.value, &now);
    if (now.v.revision > s->upto) {
        s->all = true;
        return false;
    }
    *out_more = kv_next(&s->cursor);
    uint64_t revision = 0;
    uint32_t sub;
    if (*out_more)
        key_rev_parse(s->cursor.key, &revision, &sub);
    bool going = events_visit(s, &now, revision == now.v.revision);
    s->whole = going && revision != now.v.revision;
    if (s->whole)
        s->last = now.v.revision;
    s->all = going && !*out_more;
    arena_reset(&s->arena);
    return going;
}

static void events_walk(struct events *s, uint64_t after)
{
    struct env *env = s->read.group->config.env;
    struct key from;
    size_t rows = 0;
    bool late = false;
    key_rev(&from, after + 1, 0);
    bool more = kv_seek(&s->cursor, key_str(&from));
    s->all = !more;
    while (more && events_row(s, &more)) {
        rows++;
        late = late || rows >= STORE_READ_ROWS_MAX ||
               (rows % CLOCK_ROWS == 0 && env_now_ns(env) - s->read.began_ns >= STORE_READ_NS_MAX);
        /* Whole revisions only, and at least one: a revision has few rows. */
        if (late && s->whole)
            break;
    }
    /* Revisions without a row had theirs compacted away. */
    if (s->all)
        s->last = s->upto;
}

/* From rev. The marks are read with the rows: a walk of compaction is never in between. */
static int events_read(struct store_group *g, uint64_t after, struct events *s)
{
    struct point point;
    int rc = store_read_begin(g, 0, &s->read);
    if (rc != 0)
        return rc;
    rc = fsm_load_point(s->read.txn, &point, NULL);
    ASSERT(rc == 0);
    if (after < point.compacted ||
        (s->windows && after < store_read_compacted(&s->read, s->prefix))) {
        store_read_end(&s->read);
        return -ERR_EXPIRED;
    }
    arena_init(&s->arena);
    kv_cursor_open(s->read.txn, KV_REV, &s->cursor);
    events_walk(s, after);
    kv_cursor_close(&s->cursor);
    arena_deinit(&s->arena);
    store_read_end(&s->read);
    return 0;
}

static bool ring_visit(void *ctx, const struct store_event *event)
{
    struct events *s = ctx;
    return !str_starts(event->key, s->prefix) || s->visit(s->ctx, event);
}

static int events(struct store_group *g, uint64_t after, struct events *s, uint64_t *out_last)
{
    s->upto = store_published(g);
    s->last = after;
    *out_last = after;
    if (after >= s->upto)
        return 0;
    if (after < store_compacted(g))
        return -ERR_EXPIRED;
    if (ring_events(g->ring, after, s->upto, ring_visit, s, out_last))
        return 0;
    int rc = events_read(g, after, s);
    if (rc == 0)
        *out_last = s->last;
    return rc;
}

int store_events(struct store_group *g, uint64_t after,
                 bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                 uint64_t *out_last)
{
    struct events s = { .visit = visit, .ctx = ctx, .prefix = str_lit("") };
    return events(g, after, &s, out_last);
}

int store_events_of(struct store_group *g, struct str prefix, uint64_t after,
                    bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                    uint64_t *out_last)
{
    struct events s = { .visit = visit, .ctx = ctx, .prefix = prefix, .windows = true };
    return events(g, after, &s, out_last);
}
