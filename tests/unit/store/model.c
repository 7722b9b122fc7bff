/* See the header. */
#include "tests/unit/store/model.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "tests/unit/unit.h"

const char *const model_keys[MODEL_KEYS] = { "lease/a",   "lease/b",    "lease/c",     "pods/ns/a",
                                             "pods/ns/b", "pods/ns2/a", "pods/ns2/aa", "pods/ns2/b",
                                             "z",         "zz",         "n/1",         "n/10",
                                             "n/2",       "n/3" };
const char *const model_prefixes[MODEL_PREFIXES] = { "",         "lease/", "pods/", "pods/ns",
                                                     "pods/ns/", "z",      "n/1",   "nothing" };
const char *const model_terms[MODEL_TERMS] = { "node-a", "node-b", "node", "" };

uint64_t model_draw(struct model *m, uint64_t n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (m->seed >> 33) % n;
}

/* The change of key that was newest at revision, or NULL. */
const struct model_change *model_at(const struct model *m, int key, uint64_t revision)
{
    const struct model_change *found = NULL;
    for (size_t i = 0; i < m->changes_count && m->changes[i].revision <= revision; i++)
        if (m->changes[i].key == key)
            found = &m->changes[i];
    return found;
}

const struct model_change *model_present(const struct model *m, int key, uint64_t revision)
{
    const struct model_change *c = model_at(m, key, revision);
    return c != NULL && !c->deleted ? c : NULL;
}

/* ---- what an alarm refuses ---- */

/* As alarm.h counts: a row, its key, its value, and each term and charge with its number. */
static int64_t model_bytes(const struct model_change *c)
{
    char value[32];
    if (c == NULL || c->deleted)
        return 0;
    int64_t bytes = 64 + (int64_t)strlen(model_keys[c->key]) +
                    snprintf(value, sizeof value, "value-%d", c->value);
    if (c->term != MODEL_NO_TERM)
        bytes += 4 + (int64_t)strlen(model_terms[c->term]);
    if (c->charged)
        bytes += 8 + 2;
    return bytes;
}

static bool model_refuses(const struct model *m, const struct model_change *changes, size_t count)
{
    int64_t growth = 0;
    if (m->alarms[0] == 0 && m->alarms[1] == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t now = model_bytes(&changes[i]);
        int64_t old = model_bytes(model_present(m, changes[i].key, UINT64_MAX));
        for (size_t j = 0; j < i; j++)
            if (changes[j].key == changes[i].key)
                old = 0; /* the first of the same key had it */
        if (old == 0 || now <= old || now - old > 64)
            growth += now - old;
    }
    return growth > 0;
}

/* ---- generating, and what the model says ---- */

static struct store_guard make_guard(struct model *m, int *out_status)
{
    int key = (int)model_draw(m, MODEL_KEYS);
    const struct model_change *c = model_present(m, key, UINT64_MAX);
    uint64_t revision = c != NULL ? c->revision : 0;
    struct store_guard g = { .key = str_from(model_keys[key]) };
    bool holds = true;
    switch (model_draw(m, 4)) {
    case 0:
        g.type = STORE_GUARD_EXISTS;
        holds = c != NULL;
        break;
    case 1: {
        const char *prefix = model_prefixes[1 + model_draw(m, 7)];
        g.type = STORE_GUARD_EMPTY;
        g.key = str_from(prefix);
        for (int k = 0; k < MODEL_KEYS; k++)
            if (str_starts(str_from(model_keys[k]), g.key) && model_present(m, k, UINT64_MAX))
                holds = false;
        break;
    }
    case 2: {
        int counter = (int)model_draw(m, MODEL_COUNTERS);
        g.type = STORE_GUARD_COUNTER;
        g.key = str_from(counter == 0 ? "c0" : "c1");
        g.amount = (int64_t)model_draw(m, 10);
        holds = m->limits[counter] < 0 || m->counters[counter] + g.amount <= m->limits[counter];
        break;
    }
    default:
        g.type = STORE_GUARD_MOD;
        g.revision = model_draw(m, 4) > 0 ? revision : model_draw(m, m->revision + 2);
        holds = g.revision == revision;
    }
    if (!holds)
        *out_status = -ERR_CONFLICT;
    return g;
}

static struct store_op make_op(struct model *m, struct arena *arena, int key,
                               struct model_change *out)
{
    struct store_op op = { .type = STORE_OP_DELETE, .key = str_from(model_keys[key]) };
    *out = (struct model_change){ .key = key, .term = MODEL_NO_TERM, .deleted = true };
    if (model_draw(m, 4) == 0)
        return op;
    out->deleted = false;
    out->value = m->next_value++;
    op.type = STORE_OP_PUT;
    op.value = str_printf(arena, "value-%d", out->value);
    if (model_draw(m, 2) == 0) {
        struct store_term *term = arena_new(arena, struct store_term);
        out->term = (int)model_draw(m, MODEL_TERMS);
        *term = (struct store_term){ 7, str_from(model_terms[out->term]) };
        op.terms = term;
        op.terms_count = 1;
    }
    if (model_draw(m, 2) == 0) {
        struct store_charge *charge = arena_new(arena, struct store_charge);
        out->charged = true;
        out->counter = (int)model_draw(m, MODEL_COUNTERS);
        out->charge = (int64_t)model_draw(m, 9) - 3;
        charge->counter = str_from(out->counter == 0 ? "c0" : "c1");
        charge->amount = out->charge;
        op.charges = charge;
        op.charges_count = 1;
    }
    if (model_draw(m, 3) == 0)
        op.expires_ms = out->expires = m->clock + 1 + model_draw(m, 200);
    return op;
}

/* Returns whether something was written. */
static bool write_change(struct model *m, struct model_change c)
{
    const struct model_change *old = model_present(m, c.key, UINT64_MAX);
    if (c.deleted && old == NULL)
        return false;
    c.revision = m->revision + 1;
    c.created = old != NULL ? old->created : c.revision;
    c.version = old != NULL ? old->version + 1 : 1;
    if (old != NULL)
        m->counters[old->counter] -= old->charge;
    m->counters[c.counter] += c.charge;
    assert_true(m->changes_count < MODEL_CHANGES_MAX);
    m->changes[m->changes_count++] = c;
    m->deadlines[c.key] = c.expires;
    return true;
}

/* The key that expires first at this time, -1: none does. */
static int model_due(const struct model *m, uint64_t now)
{
    int due = -1;
    for (int key = 0; key < MODEL_KEYS; key++) {
        uint64_t deadline = m->deadlines[key];
        bool sooner = due < 0 || deadline < m->deadlines[due] ||
                      (deadline == m->deadlines[due] &&
                       str_cmp(str_from(model_keys[key]), str_from(model_keys[due])) < 0);
        if (deadline > 0 && deadline <= now && sooner)
            due = key;
    }
    return due;
}

static bool model_tick(struct model *m, uint64_t now)
{
    bool wrote = false;
    if (now > m->clock)
        m->clock = now;
    for (int key = model_due(m, now); key >= 0; key = model_due(m, now))
        wrote =
            write_change(
                m, (struct model_change){ .key = key, .term = MODEL_NO_TERM, .deleted = true }) ||
            wrote;
    for (int i = 0; i < MODEL_PRODUCERS; i++)
        if (m->producers[i].deadline > 0 && m->producers[i].deadline <= now)
            m->producers[i] = (struct model_producer){ 0 };
    return wrote;
}

static void count_timer(uint64_t deadline, uint64_t *timers, uint64_t *first)
{
    *timers += deadline > 0 ? 1 : 0;
    if (deadline > 0 && (*first == 0 || deadline < *first))
        *first = deadline;
}

uint64_t model_timers(const struct model *m, uint64_t *out_first)
{
    uint64_t timers = 0;
    *out_first = 0;
    for (int key = 0; key < MODEL_KEYS; key++)
        count_timer(m->deadlines[key], &timers, out_first);
    for (int i = 0; i < MODEL_PRODUCERS; i++)
        count_timer(m->producers[i].deadline, &timers, out_first);
    return timers;
}

/* The deadlines here are far less than an hour apart: a producer's is never moved on. */
static void model_append(const struct store_op *op, struct model_producer *p)
{
    if (p->known && op->producer_sequence <= p->sequence)
        return;
    p->known = true;
    p->sequence = op->producer_sequence;
    if (op->expires_ms == 0 || p->deadline == 0 || op->expires_ms < p->deadline)
        p->deadline = op->expires_ms;
}

/* Rows and streams: the digest tells whether members agree on them. */
static void make_plain(struct model *m, struct store_op *op)
{
    static const char *const rows[] = { "row/a", "row/b" };
    static const char *const producers[MODEL_PRODUCERS] = { "p0", "p1" };
    int which = (int)model_draw(m, 2);
    switch (model_draw(m, 5)) {
    case 0:
        *op = (struct store_op){ .type = STORE_OP_ROW_DELETE, .key = str_from(rows[which]) };
        break;
    case 1:
        *op = (struct store_op){ .type = STORE_OP_ROW_PUT,
                                 .key = str_from(rows[which]),
                                 .value = str_from(model_terms[model_draw(m, MODEL_TERMS)]) };
        break;
    case 2:
        *op = (struct store_op){ .type = STORE_OP_TRIM,
                                 .key = STR("stream"),
                                 .revision = model_draw(m, 20) };
        break;
    default:
        *op = (struct store_op){ .type = STORE_OP_APPEND,
                                 .key = STR("stream"),
                                 .value = str_from(rows[which]),
                                 .producer = str_from(producers[which]),
                                 .producer_sequence =
                                     m->producers[which].sequence + model_draw(m, 3) };
        if (model_draw(m, 3) > 0)
            op->expires_ms = m->clock + 1 + model_draw(m, 200);
        model_append(op, &m->producers[which]);
    }
}

static void model_timer(struct model *m, int key, uint64_t revision, uint64_t deadline)
{
    const struct model_change *c = model_present(m, key, UINT64_MAX);
    if (c != NULL && (revision == 0 || c->revision == revision))
        m->deadlines[key] = deadline;
}

/* Returns whether something was written. */
static bool make_timed(struct model *m, struct store_op *op)
{
    int key = (int)model_draw(m, MODEL_KEYS);
    const struct model_change *c = model_at(m, key, UINT64_MAX);
    switch (model_draw(m, 4)) {
    case 0:
        *op = (struct store_op){ .type = STORE_OP_ALARM,
                                 .revision = 1 + model_draw(m, MODEL_ALARMED),
                                 .amount = model_draw(m, 3) == 0 ? STORE_ALARM_DISK : 0 };
        m->alarms[op->revision - 1] = op->amount;
        return false;
    case 1:
        *op = (struct store_op){
            .type = STORE_OP_TIMER,
            .key = str_from(model_keys[key]),
            .revision = c != NULL && model_draw(m, 2) == 0 ? c->revision : model_draw(m, 3),
            .expires_ms = model_draw(m, 4) == 0 ? 0 : m->clock + model_draw(m, 100) + 1
        };
        model_timer(m, key, op->revision, op->expires_ms);
        return false;
    default: /* a clock that goes forward, and at times back */
        *op = (struct store_op){ .type = STORE_OP_TICK,
                                 .expires_ms = m->clock + model_draw(m, 60) + 1 };
        if (model_draw(m, 4) == 0)
            op->expires_ms = 1 + model_draw(m, m->clock + 1);
        return model_tick(m, op->expires_ms);
    }
}

static void make_special(struct model *m, struct store_op *op)
{
    int counter = (int)model_draw(m, MODEL_COUNTERS);
    switch (model_draw(m, 3)) {
    case 0:
        *op = (struct store_op){ .type = STORE_OP_SET_LIMIT,
                                 .key = str_from(counter == 0 ? "c0" : "c1"),
                                 .amount = (int64_t)model_draw(m, 30) - 5 };
        m->limits[counter] = op->amount >= 0 ? op->amount : -1;
        break;
    case 1:
        *op = (struct store_op){ .type = STORE_OP_COMPACT,
                                 .revision = model_draw(m, m->revision + 1) };
        if (op->revision > m->compacted)
            m->compacted = op->revision;
        break;
    default:
        *op = (struct store_op){ .type = STORE_OP_COMPACT,
                                 .key = STR("lease/"),
                                 .revision = model_draw(m, m->revision + 1) };
        if (op->revision > m->lease_compacted)
            m->lease_compacted = op->revision;
    }
}

void model_txn(struct model *m, struct arena *arena, struct store_txn *out,
               struct model_expected *expected)
{
    struct store_guard *guards = arena_array(arena, 2, sizeof *guards);
    struct store_op *ops = arena_array(arena, 4, sizeof *ops);
    *out = (struct store_txn){ .guards = guards, .ops = ops };
    expected->status = 0;
    bool wrote = false;
    if (model_draw(m, 40) == 0) {
        make_special(m, &ops[out->ops_count++]);
    } else if (m->alarms[0] == 0 && m->alarms[1] == 0 && model_draw(m, 10) == 0) {
        make_plain(m, &ops[out->ops_count++]);
    } else if (model_draw(m, 8) == 0) {
        wrote = make_timed(m, &ops[out->ops_count++]);
    } else {
        struct model_change changes[4];
        out->guards_count = model_draw(m, 3);
        for (size_t i = 0; i < out->guards_count; i++)
            guards[i] = make_guard(m, &expected->status);
        out->ops_count = 1 + model_draw(m, 3);
        for (size_t i = 0; i < out->ops_count; i++)
            ops[i] = make_op(m, arena, (int)model_draw(m, MODEL_KEYS), &changes[i]);
        if (expected->status == 0 && model_refuses(m, changes, out->ops_count))
            expected->status = -ERR_NO_SPACE;
        for (size_t i = 0; i < out->ops_count && expected->status == 0; i++)
            wrote = write_change(m, changes[i]) || wrote;
    }
    m->revision += wrote ? 1 : 0;
    expected->revision = m->revision;
}
