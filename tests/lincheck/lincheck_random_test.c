/*
 * Histories of a simulated register are right, whatever is forgotten of the answers; the same
 * register broken in one way is found out; a history of 10^5 operations is quick.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/lincheck/lincheck.h"
#include "tests/unit/unit.h"

#define CLIENTS_MAX 24
#define KEYS_MAX    50

enum breakage { SOUND, STALE_READ, LOST_WRITE, TWICE, NO_GUARD };

struct client {
    bool busy;
    bool applied;
    size_t op; /* index, while busy */
    uint64_t until;
};

struct model {
    uint64_t rng;
    uint64_t now;
    uint64_t revision;
    uint64_t next_value;
    unsigned clients_count;
    unsigned keys_count;
    unsigned lost_in; /* one answer in so many is lost */
    enum breakage breakage;
    unsigned broken; /* how often it showed */
    struct client clients[CLIENTS_MAX];
    uint64_t values[KEYS_MAX];
    uint64_t revisions[KEYS_MAX];
    uint64_t old_values[KEYS_MAX];
    uint64_t old_revisions[KEYS_MAX];
    uint64_t seen[CLIENTS_MAX][KEYS_MAX]; /* revision a client last saw */
    struct lincheck_op *ops;
    size_t count;
};

static uint64_t draw(struct model *m, uint64_t below)
{
    m->rng ^= m->rng << 13;
    m->rng ^= m->rng >> 7;
    m->rng ^= m->rng << 17;
    return m->rng % below;
}

static void begin(struct model *m, unsigned c)
{
    struct lincheck_op *op = &m->ops[m->count];
    unsigned key = (unsigned)draw(m, m->keys_count);

    *op = (struct lincheck_op){ .client = c, .key = key, .invoked = m->now };
    switch (draw(m, 8)) {
    case 0:
        op->kind = LINCHECK_WRITE;
        op->guard = LINCHECK_IF_PRESENT;
        break;
    case 1:
        op->kind = LINCHECK_WRITE;
        op->guard = LINCHECK_IF_ABSENT;
        op->value = m->next_value++;
        break;
    case 2:
        op->kind = LINCHECK_WRITE;
        op->value = m->next_value++;
        break;
    case 3:
    case 4:
        op->kind = LINCHECK_WRITE;
        op->guard = LINCHECK_IF_REVISION;
        op->guard_revision = m->seen[c][key];
        op->value = m->next_value++;
        break;
    default:
        op->kind = LINCHECK_READ;
    }
    m->clients[c] = (struct client){ .busy = true, .op = m->count++, .until = m->now };
}

static bool holds(const struct model *m, const struct lincheck_op *op)
{
    uint64_t value = m->values[op->key];

    switch (op->guard) {
    case LINCHECK_ALWAYS:
        return true;
    case LINCHECK_IF_ABSENT:
        return value == 0;
    case LINCHECK_IF_PRESENT:
        return value != 0;
    case LINCHECK_IF_REVISION:
        return value != 0 && m->revisions[op->key] == op->guard_revision;
    }
    return false;
}

static void apply_read(struct model *m, struct lincheck_op *op)
{
    bool stale = m->breakage == STALE_READ && draw(m, 50) == 0;

    m->broken += stale && m->old_revisions[op->key] != m->revisions[op->key];
    op->value = stale ? m->old_values[op->key] : m->values[op->key];
    op->revision = stale ? m->old_revisions[op->key] : m->revisions[op->key];
    if (op->value == 0)
        op->revision = 0;
}

static void apply(struct model *m, struct lincheck_op *op)
{
    bool held = holds(m, op);
    bool forced = !held && m->breakage == NO_GUARD && op->guard == LINCHECK_IF_REVISION;

    if (op->kind == LINCHECK_READ) {
        apply_read(m, op);
        return;
    }
    op->outcome = held || forced ? LINCHECK_OK : LINCHECK_FAILED;
    if (op->outcome == LINCHECK_FAILED)
        return;
    m->broken += forced;
    op->revision = ++m->revision;
    if (m->breakage == LOST_WRITE && draw(m, 50) == 0) {
        m->broken++;
        return;
    }
    m->old_values[op->key] = m->values[op->key];
    m->old_revisions[op->key] = m->revisions[op->key];
    m->values[op->key] = op->value;
    m->revisions[op->key] = op->revision;
    if (m->breakage == TWICE && draw(m, 20) == 0) {
        m->revisions[op->key] = ++m->revision;
        m->broken += op->value != 0;
    }
}

/* Each step moves one client: begins, takes effect, or returns. Without an answer an operation may
 * never take effect, or do so long after its client has gone on. */
static void step(struct model *m)
{
    unsigned c = (unsigned)draw(m, m->clients_count);
    struct client *client = &m->clients[c];
    struct lincheck_op *op = &m->ops[client->op];

    m->now += draw(m, 2);
    if (!client->busy) {
        begin(m, c);
        return;
    }
    if (!client->applied) {
        apply(m, op);
        client->applied = true;
        return;
    }
    client->busy = false;
    if (m->lost_in != 0 && draw(m, m->lost_in) == 0) {
        op->outcome = LINCHECK_UNKNOWN;
        op->revision = 0;
        return;
    }
    op->returned = m->now;
    m->seen[c][op->key] = op->revision;
}

static void model_run(struct model *m, size_t ops)
{
    m->ops = mem_alloc((ops + 1) * sizeof(*m->ops));
    m->next_value = 1;
    m->now = 1;
    while (m->count < ops)
        step(m);
    /* What is open never got an answer. */
    for (unsigned c = 0; c < m->clients_count; c++)
        if (m->clients[c].busy)
            m->ops[m->clients[c].op].outcome = LINCHECK_UNKNOWN;
}

static enum lincheck_verdict verdict_of(const struct model *m)
{
    struct lincheck_result r;
    enum lincheck_verdict v = lincheck(m->ops, m->count, &r);

    if (v != LINCHECK_LINEARIZABLE && m->breakage == SOUND) {
        struct buf text;

        buf_init(&text);
        lincheck_print(&text, m->ops, &r);
        print_error("%.*s", (int)text.len, (const char *)text.data);
        buf_deinit(&text);
    }
    return v;
}

static void test_sound_register_is_accepted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct model m = { .rng = seed * 0x9e3779b97f4a7c15ull,
                           .clients_count = 1 + (unsigned)(seed % 10),
                           .keys_count = 1 + (unsigned)(seed % 3),
                           .lost_in = (unsigned)(seed % 4) * 10 };

        model_run(&m, 600);
        if (verdict_of(&m) != LINCHECK_LINEARIZABLE)
            fail_msg("seed %llu", (unsigned long long)seed);
        mem_free(m.ops);
    }
}

/* Not every breakage shows to somebody; nearly every one that happened a few times does. */
static void test_broken_register_is_found(void **state)
{
    static const char *const names[] = { "sound", "stale read", "lost write", "applied twice",
                                         "guard not looked at" };

    (void)state;
    for (int breakage = STALE_READ; breakage <= NO_GUARD; breakage++) {
        unsigned broken = 0;
        unsigned found = 0;

        for (uint64_t seed = 1; seed <= 60; seed++) {
            struct model m = { .rng = seed * 0x9e3779b97f4a7c15ull,
                               .clients_count = 4,
                               .keys_count = 2,
                               .lost_in = 25,
                               .breakage = breakage };

            model_run(&m, 600);
            if (m.broken >= 3) {
                broken++;
                found += verdict_of(&m) == LINCHECK_VIOLATION;
            }
            mem_free(m.ops);
        }
        print_message("%s: found in %u of %u histories\n", names[breakage], found, broken);
        assert_true(broken > 20);
        assert_true(found * 10 >= broken * 9);
    }
}

static void test_large_history(void **state)
{
    struct model m = {
        .rng = 7, .clients_count = CLIENTS_MAX, .keys_count = KEYS_MAX, .lost_in = 200
    };

    (void)state;
    model_run(&m, 100000);
    assert_int_equal(verdict_of(&m), LINCHECK_LINEARIZABLE);
    mem_free(m.ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_register_is_accepted),
        cmocka_unit_test(test_broken_register_is_found),
        cmocka_unit_test(test_large_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
