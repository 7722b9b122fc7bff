/*
 * What a watcher knows of the keys: as it listed them, and as the events since then changed them.
 * It must be what the member's state says, and what others saw of the history.
 *
 * A list is of one revision and comes in pages, each a read of its own on whatever member the
 * watcher is by then, with a rest in between; when that revision is forgotten meanwhile, it begins
 * again at a newer one. That is what a client of the API does with `limit` and `continue`.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "tests/sim/cluster.h"

#define HASH_BASIS    14695981039346656037u
#define PAGE_ROWS_MAX 8
#define ROWS_MIN      32

/* ---- rows ---- */

/* Where the key is, or would be. */
static size_t place(const struct cluster_view *v, struct str key, bool *out_there)
{
    size_t low = 0;
    size_t high = v->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp(str_from(v->rows[middle].key), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *out_there = low < v->count && str_eq(str_from(v->rows[low].key), key);
    return low;
}

static char *own(struct str key)
{
    char *copy = mem_alloc(key.len + 1);

    memcpy(copy, key.data, key.len);
    copy[key.len] = '\0';
    return copy;
}

void cluster_view_put(struct cluster_view *v, struct str key, uint64_t revision, struct str value)
{
    bool there;
    size_t at = place(v, key, &there);

    if (!there) {
        if (v->count == v->capacity) {
            v->capacity = v->capacity == 0 ? ROWS_MIN : v->capacity * 2;
            v->rows = mem_realloc(v->rows, v->capacity * sizeof(*v->rows));
        }
        memmove(&v->rows[at + 1], &v->rows[at], (v->count - at) * sizeof(*v->rows));
        v->count++;
        v->rows[at].key = own(key);
    }
    v->rows[at].revision = revision;
    v->rows[at].value = cluster_hash(HASH_BASIS, value.data, value.len);
}

void cluster_view_delete(struct cluster_view *v, struct str key)
{
    bool there;
    size_t at = place(v, key, &there);

    if (!there)
        return;
    mem_free(v->rows[at].key);
    v->count--;
    memmove(&v->rows[at], &v->rows[at + 1], (v->count - at) * sizeof(*v->rows));
}

static void view_clear(struct cluster_view *v)
{
    while (v->count > 0)
        mem_free(v->rows[--v->count].key);
}

/* ---- pages ---- */

struct page {
    struct cluster_watcher *watcher;
    uint64_t rows_max;
};

static bool on_row(void *ctx, const struct store_version *row)
{
    struct page *p = ctx;

    cluster_view_put(&p->watcher->list, row->key, row->revision, row->value);
    return --p->rows_max > 0;
}

/* What others saw of the history says the same of a key of ours. */
static void check_key(struct cluster_watcher *w, unsigned key)
{
    struct cluster *c = w->world;
    char name[16];
    bool there;
    size_t at;

    cluster_key(key, name);
    at = place(&w->list, str_from(name), &there);
    for (uint64_t i = w->list_revision; i > 0; i--) {
        const struct cluster_revision *r = cluster_revision_at(c, i);

        if (!r->seen)
            return; /* nobody can say */
        if (r->key != key)
            continue;
        if (there ? r->deleted || w->list.rows[at].revision != i : !r->deleted)
            cluster_fail(c, "a list on %s at revision %llu does not have %s as of revision %llu",
                         w->host->name, (unsigned long long)w->list_revision, name,
                         (unsigned long long)i);
        return;
    }
    if (there)
        cluster_fail(c, "a list on %s at revision %llu has %s, which never was", w->host->name,
                     (unsigned long long)w->list_revision, name);
}

static void end_list(struct cluster_watcher *w)
{
    struct cluster *c = w->world;
    struct cluster_view old = w->view;

    for (unsigned key = 0; key < CLUSTER_KEYS && !cluster_bad(c); key++)
        check_key(w, key);
    for (uint64_t i = w->last + 1; i <= w->list_revision; i++)
        cluster_revision_at(c, i)->skipped |= 1u << (w - c->watchers);
    c->counters.lists++;
    w->view = w->list;
    w->list = old;
    view_clear(&w->list);
    w->last = w->list_revision;
    w->listing = false;
    if (w->last > c->revision_last)
        c->revision_last = w->last;
}

/* A page was refused, or is of a revision that the member may have forgotten. */
static bool served(struct cluster_watcher *w, int rc)
{
    uint64_t forgotten = cluster_forgotten(w->host);
    bool gone = w->list_revision != 0 && w->list_revision < forgotten;

    if (rc == -ERR_INVALID_ARGUMENT && w->list_revision != 0)
        return false; /* this member is not so far yet */
    if (rc != (gone ? -ERR_EXPIRED : 0))
        cluster_fail(w->world, "%s forgot what was below revision %llu; a page at %llu: %s",
                     w->host->name, (unsigned long long)forgotten,
                     (unsigned long long)w->list_revision, rc == 0 ? "is served" : err_name(rc));
    if (rc == -ERR_EXPIRED) {
        w->world->counters.lists_expired++;
        w->list_revision = 0;
    }
    return rc == 0;
}

void cluster_list_step(struct cluster_watcher *w)
{
    struct cluster *c = w->world;
    struct page p = { w, 1 + cluster_draw(c, PAGE_ROWS_MAX) };
    struct store_read r;
    bool more = false;
    char *after;
    int rc = store_read_begin(store_group(w->host->store, STORE_CLUSTER), w->list_revision, &r);

    if (!served(w, rc)) {
        if (rc == 0)
            store_read_end(&r);
        return;
    }
    if (w->list_revision == 0) {
        view_clear(&w->list);
        w->list_revision = r.revision > w->last ? r.revision : 0;
    }
    if (w->list_revision != 0) {
        after =
            own(w->list.count > 0 ? str_from(w->list.rows[w->list.count - 1].key) : str_lit(""));
        rc = store_read_scan(&r, str_lit(""), str_from(after), on_row, &p, NULL, &more);
        mem_free(after);
        if (rc != 0)
            cluster_fail(c, "a page on %s: %s", w->host->name, err_name(rc));
    }
    store_read_end(&r);
    if (w->list_revision != 0 && !more && !cluster_bad(c))
        end_list(w);
    else if (c->page_rest_ms != 0)
        w->rest_until_ms = cluster_now_ms(c) + cluster_draw(c, c->page_rest_ms);
}

/* ---- the whole ---- */

static bool on_same(void *ctx, const struct store_version *row)
{
    struct page *p = ctx;
    struct cluster_watcher *w = p->watcher;
    bool there;
    size_t at = place(&w->view, row->key, &there);

    p->rows_max++;
    if (there && w->view.rows[at].revision == row->revision &&
        w->view.rows[at].value == cluster_hash(HASH_BASIS, row->value.data, row->value.len))
        return true;
    cluster_fail(w->world, "a watcher on %s has seen all up to revision %llu, and not %.*s of %llu",
                 w->host->name, (unsigned long long)w->last, STR_ARG(row->key),
                 (unsigned long long)row->revision);
    return false;
}

void cluster_view_check(struct cluster_watcher *w)
{
    struct page p = { w, 0 };
    struct store_read r;
    bool more = false;

    if (w->host == NULL || w->host->diverged || w->listing ||
        store_read_begin(store_group(w->host->store, STORE_CLUSTER), 0, &r) != 0)
        return;
    if (r.revision == w->last) {
        (void)store_read_scan(&r, str_lit(""), str_lit(""), on_same, &p, NULL, &more);
        if (!more && p.rows_max != w->view.count && !cluster_bad(w->world))
            cluster_fail(w->world, "a watcher on %s knows %zu keys at revision %llu, not %llu",
                         w->host->name, w->view.count, (unsigned long long)w->last,
                         (unsigned long long)p.rows_max);
    }
    store_read_end(&r);
}
