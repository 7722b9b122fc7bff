/*
 * Watches against a model: revisions of one to three objects, committed to the store directly;
 * watchers that join at random revisions, read late or not for long, and resume; a ring of a few
 * revisions; compaction under way. Each watcher sees exactly the events after its start that its
 * selection holds, once, in order, or a 410 where compaction passed it. A bookmark comes every few
 * milliseconds, and never before an event up to it.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/object.h"
#include "base/arena.h"
#include "base/metrics.h"
#include "controlplane/apiserver/watch_hub.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define NAMES         8
#define WATCHERS      24
#define STEPS         4000
#define COMMITS_MAX   (3 * STEPS)
#define RING_BYTES    (64u << 10)
#define BOOKMARK_MS   3
#define RECEIVE_BYTES 4096
#define VALUE_BYTES   12000

enum { BEHIND = 2 }; /* row of watch_hub_metrics */

struct row {
    uint64_t revision;
    int name;
    int before; /* label g: 0, 1, or -1: absent */
    int after;
};

struct selection_case {
    const char *query;
    int group; /* -1: any */
    int name;  /* -1: any */
};

static const struct selection_case cases[] = {
    { "", -1, -1 },
    { "&labelSelector=g%3D0", 0, -1 },
    { "&labelSelector=g%3D1", 1, -1 },
    { "&fieldSelector=metadata.name%3Dn3", -1, 3 },
    { "&fieldSelector=metadata.name%3Dn5&labelSelector=g%3D1", 1, 5 },
};
#define CASES (sizeof cases / sizeof cases[0])

struct watcher {
    struct stream s;
    const struct selection_case *c;
    bool open;
    bool slow;
    size_t at;     /* the next row */
    uint64_t last; /* start, or what the newest line said */
};

struct model {
    struct harness *h;
    struct store_group *group;
    uint64_t random;
    struct row *rows;
    size_t count;
    uint64_t newest;
    uint64_t compacted;
    int groups[NAMES];
    struct watcher watchers[WATCHERS];
    size_t expired;
    size_t events;
    size_t bookmarks;
};

static uint64_t next_random(struct model *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random >> 16;
}

/* ---- commits ---- */

static atomic_bool written;

static void on_written(struct store_write *w)
{
    (void)w;
    atomic_store(&written, true);
}

static uint64_t submit(struct model *m, const struct store_op *ops, size_t count)
{
    static struct store_write write;
    const struct store_txn txn = { .ops = ops, .ops_count = count };
    write = (struct store_write){ .loop = m->h->loop, .done = on_written };
    atomic_store(&written, false);
    store_submit(m->group, &write, &txn);
    for (int i = 0; i < HARNESS_WAIT_MS && !atomic_load(&written); i++) {
        (void)poll(NULL, 0, i < 10 ? 0 : 1);
    }
    assert_true(atomic_load(&written));
    assert_int_equal(write.result.status, 0);
    return write.result.revision;
}

static void put_field(struct buf *b, uint32_t number, struct str bytes)
{
    buf_put_varint(b, number << 3 | 2);
    buf_put_bytes(b, bytes);
}

/* ConfigMap{ metadata{name, namespace, labels{g}}, data{v} }, stored. */
static struct str config_map(struct arena *a, int name, int group)
{
    static char filler[VALUE_BYTES];
    struct buf value;
    struct buf part;
    struct buf entry;
    memset(filler, 'x', sizeof filler);
    buf_init(&value);
    buf_init(&part);
    buf_init(&entry);
    object_put_header(&value);
    put_field(&part, 1, str_printf(a, "n%d", name));
    put_field(&part, 3, str_lit("default"));
    put_field(&entry, 1, str_lit("g"));
    put_field(&entry, 2, str_printf(a, "%d", group));
    put_field(&part, 11, buf_str(&entry));
    put_field(&value, 1, buf_str(&part));
    buf_clear(&entry);
    put_field(&entry, 1, str_lit("v"));
    put_field(&entry, 2, str_of(filler, sizeof filler));
    put_field(&value, 2, buf_str(&entry));
    struct str out = str_copy(a, buf_str(&value));
    buf_deinit(&entry);
    buf_deinit(&part);
    buf_deinit(&value);
    return out;
}

static void commit(struct model *m)
{
    struct store_op ops[3];
    struct arena *a = &m->h->arena;
    size_t count = 1 + (size_t)(next_random(m) % 8 == 0 ? next_random(m) % 3 : 0);
    int first = (int)(next_random(m) % NAMES);
    for (size_t i = 0; i < count; i++) {
        int name = (first + (int)i) % NAMES;
        struct row *row = &m->rows[m->count + i];
        bool gone = m->groups[name] >= 0 && next_random(m) % 5 == 0;
        *row = (struct row){ .name = name,
                             .before = m->groups[name],
                             .after = gone ? -1 : (int)(next_random(m) % 2) };
        m->groups[name] = row->after;
        ops[i] = (struct store_op){ .type = gone ? STORE_OP_DELETE : STORE_OP_PUT,
                                    .key = str_printf(a, "configmaps/default/n%d", name),
                                    .value = gone ? str_lit("") : config_map(a, name, row->after) };
    }
    m->newest = submit(m, ops, count);
    for (size_t i = 0; i < count; i++) {
        m->rows[m->count++].revision = m->newest;
    }
}

static void compact(struct model *m)
{
    uint64_t back = next_random(m) % 60;
    uint64_t revision = m->newest > back ? m->newest - back : 0;
    if (revision <= m->compacted) {
        return;
    }
    const struct store_op op = { .type = STORE_OP_COMPACT, .revision = revision };
    m->compacted = revision;
    (void)submit(m, &op, 1);
}

/* ---- what a watcher must see ---- */

static bool holds(const struct selection_case *c, const struct row *row, int group)
{
    return group >= 0 && (c->group < 0 || c->group == group) &&
           (c->name < 0 || c->name == row->name);
}

/* The type of event, or NULL. */
static const char *type_of(const struct selection_case *c, const struct row *row)
{
    bool had = holds(c, row, row->before);
    bool has = holds(c, row, row->after);
    return has ? (had ? "MODIFIED" : "ADDED") : had ? "DELETED" : NULL;
}

/* The next row that w must be told of, or NULL. */
static const struct row *expected(const struct model *m, struct watcher *w)
{
    while (w->at < m->count && type_of(w->c, &m->rows[w->at]) == NULL) {
        w->at++;
    }
    return w->at < m->count ? &m->rows[w->at] : NULL;
}

static void open_watch(struct model *m, struct watcher *w, uint64_t from)
{
    struct str target = str_printf(&m->h->arena,
                                   "/api/v1/namespaces/default/configmaps?watch=true"
                                   "&allowWatchBookmarks=true&resourceVersion=%llu%s",
                                   (unsigned long long)from, w->c->query);
    w->open = true;
    w->last = from;
    for (w->at = m->count; w->at > 0 && m->rows[w->at - 1].revision > from; w->at--) {
    }
    stream_open(m->h, &w->s, target.data, NULL);
    assert_int_equal(w->s.status, 200);
}

static void close_watch(struct watcher *w)
{
    stream_close(&w->s);
    w->open = false;
}

static uint64_t revision_of(struct harness *h, struct str line)
{
    struct reply r = { .body = line };
    uint64_t revision = 0;
    assert_int_equal(str_to_u64(harness_member(h, &r, "resourceVersion"), &revision), 0);
    return revision;
}

static void check_event(struct model *m, struct watcher *w, struct str line)
{
    const struct row *row = expected(m, w);
    assert_non_null(row);
    struct str head =
        str_printf(&m->h->arena,
                   "{\"type\":\"%s\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":"
                   "\"v1\",\"metadata\":{\"name\":\"n%d\"",
                   type_of(w->c, row), row->name);
    if (!str_starts(line, head)) {
        fail_msg("not %.*s but %.*s", STR_ARG(head), STR_ARG(str_slice(line, 0, head.len)));
    }
    assert_true(revision_of(m->h, line) == row->revision);
    w->last = row->revision;
    w->at++;
    m->events++;
}

/* false: the stream ended with a 410. */
static bool read_line(struct model *m, struct watcher *w)
{
    struct str line = stream_line(m->h, &w->s);
    if (str_starts(line, str_lit("{\"type\":\"ERROR\""))) {
        assert_true(str_find(line, str_lit("\"code\":410")) > 0);
        assert_true(w->last < m->compacted);
        m->expired++;
        close_watch(w);
        return false;
    }
    if (str_starts(line, str_lit("{\"type\":\"BOOKMARK\""))) {
        uint64_t revision = revision_of(m->h, line);
        const struct row *row = expected(m, w);
        assert_true(revision >= w->last && revision <= m->newest);
        assert_true(row == NULL || row->revision > revision);
        w->last = revision;
        m->bookmarks++;
        return true;
    }
    check_event(m, w, line);
    return true;
}

/* ---- steps ---- */

static void open_some(struct model *m)
{
    struct watcher *w = &m->watchers[next_random(m) % WATCHERS];
    if (w->open) {
        return;
    }
    uint64_t back = next_random(m) % 50;
    w->c = &cases[next_random(m) % CASES];
    w->slow = next_random(m) % 3 == 0;
    open_watch(m, w, m->newest > back + m->compacted ? m->newest - back : m->newest);
}

/* Reads some of what must come. */
static void read_some(struct model *m, struct watcher *w)
{
    for (uint64_t left = 1 + next_random(m) % 40; left > 0 && expected(m, w) != NULL; left--) {
        if (!read_line(m, w)) {
            return;
        }
    }
}

static void step(struct model *m)
{
    struct watcher *w = &m->watchers[next_random(m) % WATCHERS];
    uint64_t dice = next_random(m) % 100;
    if (dice < 50) {
        commit(m);
    } else if (dice < 58) {
        open_some(m);
    } else if (dice < 90) {
        if (w->open && !w->slow) {
            read_some(m, w);
        }
    } else if (dice < 93) {
        w->slow = w->open && !w->slow;
    } else if (dice < 96 && w->open && w->last >= m->compacted) {
        close_watch(w); /* cut, and resumed where it was */
        open_watch(m, w, w->last);
    } else if (dice == 99 && next_random(m) % 4 == 0) {
        compact(m);
    }
    arena_reset(&m->h->arena);
}

/* Everybody reads on until a bookmark of the newest revision. */
static void finish(struct model *m)
{
    for (struct watcher *w = m->watchers; w < m->watchers + WATCHERS; w++) {
        while (w->open && (w->last < m->newest || expected(m, w) != NULL)) {
            (void)read_line(m, w);
            arena_reset(&m->h->arena);
        }
        if (w->open) {
            close_watch(w);
        }
    }
}

static void test_model(void **state)
{
    static struct model model;
    struct model *m = &model;
    m->h = *state;
    m->group = store_group(m->h->store, STORE_CLUSTER);
    m->random = 88172645463325252u;
    m->rows = mem_alloc(COMMITS_MAX * sizeof m->rows[0]);
    m->newest = store_published(m->group);
    m->h->receive_bytes = RECEIVE_BYTES;
    for (int i = 0; i < NAMES; i++) {
        m->groups[i] = -1;
    }
    for (int i = 0; i < STEPS; i++) {
        step(m);
    }
    finish(m);
    print_message("%zu rows, %zu events, %zu bookmarks, %zu expired, %lld behind\n", m->count,
                  m->events, m->bookmarks, m->expired,
                  (long long)metric_value(watch_hub_metrics[BEHIND]));
    /* It must have come to what it is about. */
    assert_true(m->events > 1000);
    assert_true(m->expired > 0);
    assert_true(m->bookmarks > 0);
    assert_true(metric_value(watch_hub_metrics[BEHIND]) > 0);
    mem_free(m->rows);
}

static int setup(void **state)
{
    return harness_setup_watch(state, RING_BYTES, BOOKMARK_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_model) };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
