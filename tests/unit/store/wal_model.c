/* Steps folded one by one; see the header. */
#include "tests/unit/store/wal_model.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

#define ENTRIES_MAX 20000 /* of any log in a test */

enum { STEP_ENTRY = 1, STEP_TRUNCATE, STEP_SNAPSHOT };

struct model_write {
    struct wal_write write;
    struct list node;
    struct wal_model *model;
    size_t steps;
    struct wal_entry entries[16];
};

void model_init(struct wal_model *m, uint64_t (*random)(void *ctx, uint64_t n), void *ctx)
{
    *m = (struct wal_model){ .random = random, .random_ctx = ctx, .bytes_max = 3000 };
    m->kept.entries = mem_alloc(ENTRIES_MAX * sizeof(struct model_entry));
    m->current.entries = mem_alloc(ENTRIES_MAX * sizeof(struct model_entry));
    m->read = mem_alloc(ENTRIES_MAX * sizeof(struct model_entry));
    m->kept.floor = m->current.floor = 1;
    list_init(&m->writes);
}

static void forget_writes(struct wal_model *m)
{
    struct list *node;
    while ((node = list_pop(&m->writes)) != NULL) {
        struct model_write *w = container_of(node, struct model_write, node);
        for (size_t i = 0; i < w->write.count; i++)
            mem_free((void *)(uintptr_t)w->entries[i].bytes.data);
        mem_free(w);
    }
    m->in_flight = 0;
}

void model_deinit(struct wal_model *m)
{
    forget_writes(m);
    mem_free(m->kept.entries);
    mem_free(m->current.entries);
    mem_free(m->read);
    mem_free(m->steps);
}

static uint64_t draw(struct wal_model *m, uint64_t n)
{
    return m->random(m->random_ctx, n);
}

/* ---- the fold ---- */

static uint64_t term_at(const struct model_log *log, uint64_t index)
{
    ASSERT(index > log->base);
    ASSERT(index <= log->last);
    return log->entries[index - log->base - 1].term;
}

static void fold(struct model_log *log, const struct model_step *s)
{
    if (s->kind == STEP_ENTRY) {
        ASSERT(s->index == log->last + 1);
        ASSERT(s->index - log->base <= ENTRIES_MAX);
        log->entries[s->index - log->base - 1] = s->entry;
        log->last = s->index;
    } else if (s->kind == STEP_TRUNCATE) {
        log->last = s->index - 1;
    } else {
        bool same = s->index == log->base || s->index == log->snapshot;
        if (s->index > log->last || (!same && term_at(log, s->index) != s->entry.term)) {
            log->base = s->index;
            log->last = s->index;
            log->floor = s->index + 1;
        } else if (s->keep_from > log->floor) {
            log->floor = s->keep_from;
        }
        log->snapshot = s->index;
        log->snapshot_term = s->entry.term;
    }
}

static void add_step(struct wal_model *m, const struct model_step *s)
{
    if (m->steps_count == m->steps_capacity) {
        m->steps_capacity = m->steps_capacity == 0 ? 256 : m->steps_capacity * 2;
        m->steps = mem_realloc(m->steps, m->steps_capacity * sizeof(m->steps[0]));
    }
    m->steps[m->steps_count++] = *s;
    fold(&m->current, s);
}

/* ---- requests ---- */

static size_t length_of(const struct wal_model *m, uint64_t id)
{
    return 8 + (size_t)(id * 0x9e3779b97f4a7c15ull >> 20) % (m->bytes_max - 8);
}

static void fill(char *out, size_t len, uint64_t id)
{
    store_le64(out, id);
    for (size_t i = 8; i < len; i++)
        out[i] = (char)(id * 31 + i * 7);
}

static void on_done(struct wal_write *write)
{
    struct model_write *w = container_of(write, struct model_write, write);
    struct wal_model *m = w->model;
    ASSERT(m->writes.next == &w->node); /* in order */
    for (size_t i = 0; i < w->steps; i++)
        fold(&m->kept, &m->steps[m->done++]);
    m->completed++;
    m->in_flight--;
    list_remove(&w->node);
    for (size_t i = 0; i < w->write.count; i++)
        mem_free((void *)(uintptr_t)w->entries[i].bytes.data);
    mem_free(w);
}

static struct model_write *new_write(struct wal_model *m, size_t steps)
{
    struct model_write *w = mem_alloc(sizeof(*w));
    w->model = m;
    w->steps = steps;
    w->write.done = on_done;
    list_append(&m->writes, &w->node);
    m->in_flight++;
    return w;
}

void model_append(struct wal_model *m, size_t count)
{
    struct model_write *w = new_write(m, count);
    ASSERT(count <= 16);
    for (size_t i = 0; i < count; i++) {
        struct model_entry entry = { .id = ++m->ids, .term = m->term };
        size_t len = length_of(m, entry.id);
        char *bytes = mem_alloc(len);
        fill(bytes, len, entry.id);
        uint64_t index = m->current.last + 1;
        w->entries[i] = (struct wal_entry){
            .index = index, .term = m->term, .type = (uint8_t)entry.id, .bytes = str_of(bytes, len)
        };
        add_step(m, &(struct model_step){ .kind = STEP_ENTRY, .index = index, .entry = entry });
    }
    wal_append(m->wal, &w->write, w->entries, count);
}

void model_truncate(struct wal_model *m, uint64_t index)
{
    struct model_write *w = new_write(m, 1);
    add_step(m, &(struct model_step){ .kind = STEP_TRUNCATE, .index = index });
    wal_truncate(m->wal, &w->write, index);
}

void model_snapshot(struct wal_model *m, uint64_t index, uint64_t term, uint64_t keep_from)
{
    struct model_write *w = new_write(m, 1);
    struct wal_snapshot s = { .index = index, .term = term, .servers_count = 1 };
    s.configuration_index = index;
    s.servers[0] = (struct wal_server){ .id = index, .address = "here", .role = 1 };
    s.manifest_len = 8;
    store_le64(s.manifest, index ^ term);
    add_step(m, &(struct model_step){ .kind = STEP_SNAPSHOT,
                                      .index = index,
                                      .entry = { .term = term },
                                      .keep_from = keep_from });
    wal_snapshot(m->wal, &w->write, &s, keep_from);
    memset(&s, 0xee, sizeof s); /* it was copied */
}

static void new_term(struct wal_model *m)
{
    int rc;
    m->term_was = m->term;
    m->vote_was = m->vote;
    m->changing = true;
    if (m->vote != 0 || m->term == 0 || draw(m, 2) == 0) {
        m->vote = 0;
        rc = wal_set_term(m->wal, ++m->term, NULL);
    } else {
        m->vote = 1 + draw(m, 5);
        rc = wal_set_vote(m->wal, m->vote, NULL);
    }
    m->refused = rc != 0; /* old or new is on disk */
    ASSERT(!m->refused || m->fails);
    m->changing = m->refused || (m->alive != NULL && !m->alive(m->random_ctx));
}

static void random_snapshot(struct wal_model *m)
{
    const struct model_log *log = &m->current;
    uint64_t from = log->snapshot > log->base ? log->snapshot : log->base;
    if (draw(m, 6) == 0) {
        model_snapshot(m, log->last + 1 + draw(m, 5), m->term, 0); /* from the leader */
    } else if (log->last > from) {
        uint64_t index = from + 1 + draw(m, log->last - from);
        uint64_t term = term_at(log, index);
        bool other = draw(m, 8) == 0 && term < m->term;
        uint64_t keep = draw(m, 4) == 0 ? index / 2 : index + 1 - draw(m, 8) % (index + 1);
        model_snapshot(m, index, term + (other ? 1 : 0), keep);
    }
}

void model_submit(struct wal_model *m)
{
    const struct model_log *log = &m->current;
    uint64_t what = draw(m, 100);
    if (!m->quiet && (m->term == 0 || what < 3)) {
        new_term(m);
    } else if (what < 10) {
        random_snapshot(m);
    } else if (what < 16 && log->last > log->snapshot) {
        uint64_t room = log->last - log->snapshot;
        model_truncate(m, log->last + 1 - draw(m, (room < 20 ? room : 20) + 1));
    } else {
        model_append(m, draw(m, 12) == 0 ? 16 : 1 + draw(m, 3));
    }
}

/* ---- what was read ---- */

void model_visit(void *ctx, const struct wal_entry *entry)
{
    struct wal_model *m = ctx;
    ASSERT(m->read_count < ENTRIES_MAX);
    ASSERT(m->read_count == 0 || entry->index == m->read_next);
    if (m->read_count == 0)
        m->read_first = entry->index;
    ASSERT(entry->bytes.len >= 8);
    uint64_t id = load_le64(entry->bytes.data);
    size_t len = length_of(m, id);
    char *expected = mem_alloc(len);
    fill(expected, len, id);
    ASSERT(str_eq(entry->bytes, str_of(expected, len)));
    ASSERT(entry->type == (uint8_t)id);
    mem_free(expected);
    m->read[m->read_count++] = (struct model_entry){ .id = id, .term = entry->term };
    m->read_next = entry->index + 1;
}

int model_open(struct wal_model *m, const struct wal_config *config, struct wal_state *out,
               struct err *e)
{
    m->read_count = 0;
    return wal_open(config, &m->wal, out, model_visit, m, e);
}

static bool matches(const struct wal_model *m, const struct model_log *log,
                    const struct wal_state *s)
{
    if (s->last != log->last || s->snapshot.index != log->snapshot || s->first > log->floor ||
        s->first <= log->base)
        return false;
    if (log->snapshot > 0 &&
        (s->snapshot.term != log->snapshot_term ||
         load_le64(s->snapshot.manifest) != (log->snapshot ^ s->snapshot.term)))
        return false;
    if (m->read_count != s->last + 1 - s->first)
        return false;
    for (uint64_t i = 0; i < m->read_count; i++) {
        const struct model_entry *entry = &log->entries[s->first + i - log->base - 1];
        if (entry->id != m->read[i].id || entry->term != m->read[i].term)
            return false;
    }
    return true;
}

static void check_term(struct wal_model *m, const struct wal_state *s)
{
    bool now = s->term == m->term && s->vote == m->vote;
    bool was = m->changing && s->term == m->term_was && s->vote == m->vote_was;
    if (!now && !was)
        fprintf(stderr, "read term %llu vote %llu, have %llu %llu was %llu %llu changing %d\n",
                (unsigned long long)s->term, (unsigned long long)s->vote,
                (unsigned long long)m->term, (unsigned long long)m->vote,
                (unsigned long long)m->term_was, (unsigned long long)m->vote_was, m->changing);
    ASSERT(now || was);
    m->term = s->term;
    m->vote = s->vote;
    m->changing = false;
}

static void explain(const struct wal_model *m, const struct wal_state *s)
{
    fprintf(stderr,
            "read: first %llu last %llu snapshot %llu torn %llu; kept: base %llu last %llu floor "
            "%llu snapshot %llu; %zu of %zu steps done\n",
            (unsigned long long)s->first, (unsigned long long)s->last,
            (unsigned long long)s->snapshot.index, (unsigned long long)s->torn,
            (unsigned long long)m->kept.base, (unsigned long long)m->kept.last,
            (unsigned long long)m->kept.floor, (unsigned long long)m->kept.snapshot, m->done,
            m->steps_count);
}

void model_check(struct wal_model *m, const struct wal_state *state)
{
    size_t at = m->done;
    check_term(m, state);
    while (!matches(m, &m->kept, state)) {
        if (at == m->steps_count)
            explain(m, state);
        ASSERT(at < m->steps_count); /* else it is the result of no prefix */
        fold(&m->kept, &m->steps[at++]);
        m->survived++;
    }
    m->dropped += m->steps_count - at;
    m->steps_count = 0;
    m->done = 0;
    forget_writes(m);
    struct model_entry *entries = m->current.entries;
    memcpy(entries, m->kept.entries, (m->kept.last - m->kept.base) * sizeof(struct model_entry));
    m->current = m->kept;
    m->current.entries = entries;
}
