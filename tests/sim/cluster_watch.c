/*
 * Watchers. Each goes on at its last revision wherever it finds a member that is up, as a client
 * that reconnects does. What the first one sees of a revision is the history; every other must see
 * the same, and each must see every revision, in order, once.
 *
 * One that is too far behind, and history is forgotten meanwhile, is told so: it lists all keys and
 * goes on from there (cluster_view.c). What every watcher skipped so, nobody knows.
 *
 * Not every revision has an event of a key (a compaction has none), so a revision without any is
 * noted as such once a watcher has gone over it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/sim/cluster.h"

#define ROUNDS_MAX 50
#define POLL_MS    100
/* The whole state is compared with what it knows once in so many looks. */
#define LOOKS_A_CHECK 16

/* The subscriber and timer of one life: they cannot be taken back, so they go with it. */
struct watch_life {
    struct cluster_host *host;
    struct store *store;
    struct store_subscriber subscriber;
    struct env_timer poll;
    struct env_msg start;
};

struct seen {
    struct cluster_watcher *watcher;
    struct cluster_revision now; /* of revision */
    uint64_t revision;           /* 0: none yet */
    unsigned events;
};

struct cluster_revision *cluster_revision_at(struct cluster *c, uint64_t revision)
{
    if (revision >= c->revisions_count) {
        size_t more = revision + 1024;

        c->revisions = mem_realloc(c->revisions, more * sizeof(*c->revisions));
        memset(c->revisions + c->revisions_count, 0,
               (more - c->revisions_count) * sizeof(*c->revisions));
        c->revisions_count = more;
    }
    return &c->revisions[revision];
}

/* The watcher has seen all there is of this revision. */
static void note(struct cluster_watcher *w, uint64_t revision, const struct cluster_revision *now)
{
    struct cluster *c = w->world;
    struct cluster_revision *known = cluster_revision_at(c, revision);
    unsigned skipped = known->skipped;

    if (known->seen && known->hash != now->hash)
        cluster_fail(c, "a watcher on %s sees other events of revision %llu than others did",
                     w->host->name, (unsigned long long)revision);
    *known = *now;
    known->skipped = skipped;
    known->seen = true;
    if (revision > c->revision_last)
        c->revision_last = revision;
}

/* Everything in (w->last, revision) had no event. */
static void note_gap(struct cluster_watcher *w, uint64_t revision)
{
    static const struct cluster_revision nothing = { .key = UINT32_MAX };

    for (uint64_t i = w->last + 1; i < revision; i++)
        note(w, i, &nothing);
}

static void end_revision(struct seen *s)
{
    if (s->revision == 0)
        return;
    note_gap(s->watcher, s->revision);
    note(s->watcher, s->revision, &s->now);
    s->watcher->last = s->revision;
    s->revision = 0;
}

uint32_t cluster_key_number(struct str key)
{
    uint64_t n;

    if (!str_starts(key, str_lit("k/")) || str_to_u64(str_slice(key, 2, key.len), &n) != 0)
        return UINT32_MAX;
    return (uint32_t)n;
}

static bool on_event(void *ctx, const struct store_event *e)
{
    struct seen *s = ctx;
    struct cluster_watcher *w = s->watcher;

    if (e->revision <= w->last) {
        cluster_fail(w->world, "a watcher on %s sees revision %llu again", w->host->name,
                     (unsigned long long)e->revision);
        return false;
    }
    /* Between revisions only: its view is of a whole one. */
    if (w->events_max != 0 && s->events >= w->events_max && s->revision != e->revision)
        return false;
    s->events++;
    if (e->deleted)
        cluster_view_delete(&w->view, e->key);
    else
        cluster_view_put(&w->view, e->key, e->revision, e->value);
    if (s->revision != e->revision) {
        end_revision(s);
        s->revision = e->revision;
        s->now = (struct cluster_revision){ .hash = 14695981039346656037u,
                                            .key = cluster_key_number(e->key),
                                            .deleted = e->deleted };
        if (s->now.key != UINT32_MAX && !e->deleted)
            s->now.value = load_le64(e->value.data);
    }
    s->now.hash = cluster_hash(s->now.hash, e->key.data, e->key.len);
    s->now.hash = cluster_hash(s->now.hash, e->value.data, e->value.len);
    s->now.hash = cluster_hash(s->now.hash, &e->deleted, 1);
    w->world->counters.watch_events++;
    return true;
}

/* History it has not seen is gone: it lists, and goes on from there. */
static void expired(struct cluster_watcher *w)
{
    if (w->last >= cluster_forgotten(w->host))
        cluster_fail(w->world, "a watcher on %s at revision %llu is told that it is too old",
                     w->host->name, (unsigned long long)w->last);
    w->world->counters.watch_expired++;
    w->listing = true;
    w->list_revision = 0;
}

/* true: there may be more. */
static bool next_events(struct cluster_watcher *w)
{
    struct store_group *g = store_group(w->host->store, STORE_CLUSTER);
    struct seen s = { .watcher = w };
    uint64_t newest = store_published(g);
    uint64_t last;
    int rc = store_events(g, w->last, on_event, &s, &last);

    if (rc == -ERR_EXPIRED) {
        expired(w);
        return false;
    }
    if (rc != 0)
        return false;
    if (w->last < newest && w->last < cluster_forgotten(w->host))
        cluster_fail(w->world, "a watcher on %s goes on at revision %llu, which is forgotten",
                     w->host->name, (unsigned long long)w->last);
    if (s.revision != 0 && s.revision <= last)
        end_revision(&s);
    if (last <= w->last)
        return false;
    note_gap(w, last + 1);
    w->last = last;
    return w->events_max == 0;
}

static void catch_up(struct cluster_watcher *w)
{
    if (cluster_now_ms(w->world) < w->rest_until_ms)
        return;
    if (w->listing) {
        cluster_list_step(w);
        return;
    }
    for (int i = 0; i < ROUNDS_MAX && !cluster_bad(w->world) && next_events(w); i++)
        ;
    if (++w->looks % LOOKS_A_CHECK == 0 && !cluster_bad(w->world))
        cluster_view_check(w);
}

static void look(struct cluster_host *h, bool timer)
{
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++) {
        struct cluster_watcher *w = &h->world->watchers[i];

        if (w->host == h && (timer || w->events_max == 0))
            catch_up(w);
    }
}

static bool lives(const struct watch_life *l)
{
    return l->host->store == l->store && l->host->state == CLUSTER_UP;
}

static void on_published(struct store_subscriber *s, uint64_t revision)
{
    struct watch_life *l = container_of(s, struct watch_life, subscriber);

    (void)revision;
    if (lives(l))
        look(l->host, false);
}

static void on_poll(struct env_timer *t)
{
    struct watch_life *l = container_of(t, struct watch_life, poll);

    if (!lives(l))
        return;
    look(l->host, true);
    env_timer_start(t, POLL_MS);
}

static void on_start(struct env_msg *m)
{
    struct watch_life *l = container_of(m, struct watch_life, start);

    env_timer_init(l->subscriber.loop, &l->poll, on_poll);
    env_timer_start(&l->poll, POLL_MS);
}

void cluster_watch_begin(struct cluster_host *h, struct env_loop *loop)
{
    struct watch_life *l = mem_alloc(sizeof(*l));

    l->host = h;
    l->store = h->store;
    l->subscriber.loop = loop;
    l->subscriber.published = on_published;
    store_subscribe(store_group(h->store, STORE_CLUSTER), &l->subscriber);
    env_post(loop, &l->start, on_start);
}

void cluster_watch_end(struct cluster_host *h)
{
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++)
        if (h->world->watchers[i].host == h)
            h->world->watchers[i].host = NULL;
}

void cluster_watch_move(struct cluster *c)
{
    for (size_t i = 0; i < CLUSTER_WATCHERS; i++) {
        struct cluster_watcher *w = &c->watchers[i];

        if (w->host == NULL || cluster_chance(c, 20))
            w->host = cluster_any(c);
        if (w->host != NULL && w->host->diverged)
            w->host = NULL; /* what it says is not judged */
    }
}
