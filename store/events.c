/*
 * store_events: from the ring when it still holds what follows `after`, else from rev in a bounded
 * read. Both see exactly the versions with revision in (after, published], in order, so a reader
 * moves from one to the other without a gap or a duplicate.
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
    bool (*visit)(void *ctx, const struct store_event *event);
    void *ctx;
    uint64_t upto;
    uint64_t last; /* whole revisions visited */
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

/* false: stop. The cursor is on the row; moves it to the next one. */
static bool events_row(struct events *s, bool *out_more)
{
    struct version now;
    struct store_event event;
    version_decode(s->cursor.key, s->cursor.value, &now);
    if (now.v.revision > s->upto) {
        s->all = true;
        return false;
    }
    event_of(s, &now, &event);
    *out_more = kv_next(&s->cursor);
    uint64_t revision = 0;
    uint32_t sub;
    if (*out_more)
        key_rev_parse(s->cursor.key, &revision, &sub);
    event.more = revision == now.v.revision;
    bool going = s->visit(s->ctx, &event);
    if (going && !event.more)
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
    key_rev(&from, after + 1, 0);
    bool more = kv_seek(&s->cursor, key_str(&from));
    s->all = !more;
    while (more && events_row(s, &more)) {
        rows++;
        bool over =
            rows >= STORE_READ_ROWS_MAX ||
            (rows % CLOCK_ROWS == 0 && env_now_ns(env) - s->read.began_ns >= STORE_READ_NS_MAX);
        /* Whole revisions only, and at least one: a revision has few rows. */
        if (over && s->last > after)
            break;
    }
    /* Revisions without a row had theirs compacted away. */
    if (s->all)
        s->last = s->upto;
}

int store_events(struct store_group *g, uint64_t after,
                 bool (*visit)(void *ctx, const struct store_event *event), void *ctx,
                 uint64_t *out_last)
{
    uint64_t published = store_published(g);
    *out_last = after;
    if (after >= published)
        return 0;
    if (after < store_compacted(g))
        return -ERR_EXPIRED;
    if (ring_events(g->ring, after, published, visit, ctx, out_last))
        return 0;
    struct events s = { .visit = visit, .ctx = ctx, .upto = published, .last = after };
    int rc = store_read_begin(g, 0, &s.read);
    if (rc != 0)
        return rc;
    /* The mark may have moved since. */
    struct point point;
    rc = fsm_load_point(s.read.txn, &point, NULL);
    ASSERT(rc == 0);
    if (after < point.compacted) {
        store_read_end(&s.read);
        return -ERR_EXPIRED;
    }
    arena_init(&s.arena);
    kv_cursor_open(s.read.txn, KV_REV, &s.cursor);
    events_walk(&s, after);
    kv_cursor_close(&s.cursor);
    arena_deinit(&s.arena);
    store_read_end(&s.read);
    *out_last = s.last;
    return 0;
}
