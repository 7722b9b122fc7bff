/*
 * Just-in-time linearization of one key's operations; see the header and lincheck.h.
 *
 * An invocation takes a slot and is then open. At a return every configuration must have let the
 * operation take effect: those that have not are extended by open operations, in every order, until
 * it has; those that never can are dropped. When none is left the answer has no explanation. Then
 * the slot is free again. An operation without an answer keeps its slot until it cannot matter any
 * more: it took effect in every configuration, or the revision of its guard is in the past of all.
 *
 * What is known of writes without an answer is used first: one whose value was read has the
 * revision that was read with it, and those whose value nobody read differ only in their guard.
 */
#include "tests/lincheck/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define WORDS       (LINCHECK_OPEN_MAX / 64)
#define NO_SLOT     (-1)
#define SWEEP_EVERY 32 /* invocations between sweeps of slots */

struct config {
    struct search_register reg;
    uint32_t next; /* in its hash chain, + 1 */
    uint64_t done[WORDS];
};

struct set {
    struct config *configs;
    size_t count;
    size_t capacity;
    uint32_t *heads; /* hash table: index + 1 */
    size_t heads_count;
};

struct moment {
    uint64_t at;
    uint32_t op;
    bool is_return;
};

struct search {
    struct lincheck_op *ops;
    uint32_t slots[LINCHECK_OPEN_MAX]; /* op + 1; 0: free */
    int twins[LINCHECK_OPEN_MAX];      /* an older unknown operation with the same effect */
    int *slot_of;                      /* by op */
    uint64_t unknown[WORDS];
    int slots_end; /* slots at and above were never used */
    struct set now;
    struct set next;
    size_t most;
    size_t since_sweep;
};

/* ---- the register ---- */

static bool below(const struct search_register *r, uint64_t revision)
{
    return r->revision < revision;
}

static bool guard_holds(const struct lincheck_op *op, struct search_register *r)
{
    bool absent = r->value_known && r->value == 0;

    switch (op->guard) {
    case LINCHECK_ALWAYS:
        return true;
    case LINCHECK_IF_ABSENT:
        return absent || !r->value_known;
    case LINCHECK_IF_PRESENT:
        return !absent;
    case LINCHECK_IF_REVISION:
        if (absent ||
            (r->revision_known ? r->revision != op->guard_revision : !below(r, op->guard_revision)))
            return false;
        r->revision = op->guard_revision;
        return true;
    }
    return false;
}

/* Could the guard have failed? What is not known could be either. */
static bool guard_may_fail(const struct lincheck_op *op, struct search_register *r)
{
    bool absent = r->value_known && r->value == 0;
    bool present = r->value_known && r->value != 0;

    switch (op->guard) {
    case LINCHECK_ALWAYS:
        return false;
    case LINCHECK_IF_ABSENT:
        return !absent;
    case LINCHECK_IF_PRESENT:
        return !present;
    case LINCHECK_IF_REVISION:
        return !(present && r->revision_known && r->revision == op->guard_revision);
    }
    return false;
}

static bool apply_read(const struct lincheck_op *op, struct search_register *r)
{
    if (r->value_known && r->value != op->value)
        return false;
    if (op->value != 0 && op->revision != 0) {
        if (r->revision_known ? r->revision != op->revision : !below(r, op->revision))
            return false;
        r->revision = op->revision;
        r->revision_known = true;
    }
    r->value = op->value;
    r->value_known = true;
    return true;
}

bool search_apply(const struct lincheck_op *op, struct search_register *r)
{
    if (op->kind == LINCHECK_READ)
        return apply_read(op, r);
    if (op->outcome == LINCHECK_FAILED)
        return guard_may_fail(op, r);
    if (!guard_holds(op, r))
        return false;
    r->value = op->value;
    r->value_known = true;
    r->revision_known = op->revision != 0;
    if (!r->revision_known)
        return true;
    if (!below(r, op->revision))
        return false;
    r->revision = op->revision;
    return true;
}

/* ---- sets of configurations ---- */

static void set_clear(struct set *s)
{
    s->count = 0;
    memset(s->heads, 0, s->heads_count * sizeof(*s->heads));
}

static void set_init(struct set *s)
{
    s->capacity = 64;
    s->configs = mem_alloc(s->capacity * sizeof(*s->configs));
    s->heads_count = 256;
    s->heads = mem_alloc(s->heads_count * sizeof(*s->heads));
    s->count = 0;
}

static void set_deinit(struct set *s)
{
    mem_free(s->configs);
    mem_free(s->heads);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 29);
}

/* Over the register and the known operations: of these only the unknown ones may differ. */
static size_t chain_of(const struct search *s, const struct set *set, const struct config *c)
{
    uint64_t h = mix(c->reg.value, c->reg.revision);

    h = mix(h, (uint64_t)c->reg.value_known * 2 + c->reg.revision_known);
    for (int w = 0; w < WORDS; w++)
        h = mix(h, c->done[w] & ~s->unknown[w]);
    return (size_t)(h & (set->heads_count - 1));
}

static bool same_register(const struct search_register *a, const struct search_register *b)
{
    return a->value == b->value && a->revision == b->revision && a->value_known == b->value_known &&
           a->revision_known == b->revision_known;
}

/* a can do all that b can: the same register and known operations, and no more unknown ones. */
static bool covers(const struct search *s, const struct config *a, const struct config *b)
{
    if (!same_register(&a->reg, &b->reg))
        return false;
    for (int w = 0; w < WORDS; w++) {
        if ((a->done[w] & ~b->done[w]) != 0)
            return false;
        if ((b->done[w] & ~a->done[w] & ~s->unknown[w]) != 0)
            return false;
    }
    return true;
}

static void set_rehash(const struct search *s, struct set *set)
{
    memset(set->heads, 0, set->heads_count * sizeof(*set->heads));
    for (size_t i = 0; i < set->count; i++) {
        size_t chain = chain_of(s, set, &set->configs[i]);

        set->configs[i].next = set->heads[chain];
        set->heads[chain] = (uint32_t)i + 1;
    }
}

static void set_add(const struct search *s, struct set *set, const struct config *c)
{
    size_t chain = chain_of(s, set, c);

    for (uint32_t i = set->heads[chain]; i != 0; i = set->configs[i - 1].next)
        if (covers(s, &set->configs[i - 1], c))
            return;
    if (set->count == set->capacity) {
        set->capacity *= 2;
        set->configs = mem_realloc(set->configs, set->capacity * sizeof(*set->configs));
    }
    set->configs[set->count] = *c;
    set->configs[set->count].next = set->heads[chain];
    set->heads[chain] = (uint32_t)++set->count;
    if (set->count <= set->heads_count)
        return;
    set->heads_count *= 4;
    set->heads = mem_realloc(set->heads, set->heads_count * sizeof(*set->heads));
    set_rehash(s, set);
}

/* ---- slots ---- */

static bool bit(const uint64_t *words, int slot)
{
    return (words[slot / 64] >> (slot % 64) & 1) != 0;
}

static void bit_set(uint64_t *words, int slot)
{
    words[slot / 64] |= 1ull << (slot % 64);
}

static void bit_clear(uint64_t *words, int slot)
{
    words[slot / 64] &= ~(1ull << (slot % 64));
}

static void slot_free(struct search *s, int slot)
{
    s->slots[slot] = 0;
    bit_clear(s->unknown, slot);
    for (int i = 0; i < s->slots_end; i++)
        if (s->twins[i] == slot)
            s->twins[i] = s->twins[slot];
    for (size_t i = 0; i < s->now.count; i++)
        bit_clear(s->now.configs[i].done, slot);
}

/* Can the operation of no answer still change anything in this configuration? */
static bool still_matters(const struct search *s, const struct config *c, int slot)
{
    const struct lincheck_op *op = &s->ops[s->slots[slot] - 1];

    if (bit(c->done, slot))
        return false;
    if (op->guard != LINCHECK_IF_REVISION)
        return true;
    return c->reg.revision_known ? c->reg.revision <= op->guard_revision
                                 : c->reg.revision < op->guard_revision;
}

static void sweep(struct search *s)
{
    s->since_sweep = 0;
    for (int slot = 0; slot < s->slots_end; slot++) {
        bool matters = false;

        if (!bit(s->unknown, slot))
            continue;
        for (size_t i = 0; i < s->now.count && !matters; i++)
            matters = still_matters(s, &s->now.configs[i], slot);
        if (!matters)
            slot_free(s, slot);
    }
    set_rehash(s, &s->now);
}

static bool same_effect(const struct lincheck_op *a, const struct lincheck_op *b)
{
    return a->value == b->value && a->guard == b->guard && a->guard_revision == b->guard_revision &&
           a->revision == b->revision;
}

static int slot_take(struct search *s, uint32_t op)
{
    int slot = 0;

    while (slot < s->slots_end && s->slots[slot] != 0)
        slot++;
    if (slot == LINCHECK_OPEN_MAX)
        return NO_SLOT;
    if (slot == s->slots_end)
        s->slots_end++;
    s->slots[slot] = op + 1;
    s->slot_of[op] = slot;
    s->twins[slot] = NO_SLOT;
    return slot;
}

/* Of operations without an answer and of the same effect, the oldest not yet used stands for all.
 * Twins make a chain; each new one points at the end of it. */
static void link_twin(struct search *s, int slot)
{
    const struct lincheck_op *op = &s->ops[s->slots[slot] - 1];
    uint32_t newest = 0;

    for (int i = 0; i < s->slots_end; i++) {
        if (i == slot || !bit(s->unknown, i) || !same_effect(&s->ops[s->slots[i] - 1], op))
            continue;
        if (s->slots[i] > newest) {
            newest = s->slots[i];
            s->twins[slot] = i;
        }
    }
}

/* ---- what reads tell about writes without an answer ---- */

/* Stands for every value that nobody read. */
#define UNSEEN UINT64_MAX

static int by_value(const void *a, const void *b)
{
    uint64_t x = (*(const struct lincheck_op *const *)a)->value;
    uint64_t y = (*(const struct lincheck_op *const *)b)->value;

    return x < y ? -1 : x > y;
}

/* The operations on one value other than "absent". Anything may have left it there before. */
static void learn_value(struct lincheck_op **of_value, size_t count, bool from_anything)
{
    uint64_t revision = 0;
    unsigned writes = 0;
    bool read = false;

    for (size_t i = 0; i < count; i++) {
        writes += of_value[i]->kind == LINCHECK_WRITE && of_value[i]->outcome != LINCHECK_FAILED;
        if (of_value[i]->kind == LINCHECK_READ && of_value[i]->outcome == LINCHECK_OK) {
            read = true;
            revision = of_value[i]->revision;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (of_value[i]->kind != LINCHECK_WRITE || of_value[i]->outcome != LINCHECK_UNKNOWN)
            continue;
        if (!read)
            of_value[i]->value = UNSEEN;
        else if (writes == 1 && !from_anything)
            of_value[i]->revision = revision;
    }
}

static void learn(struct lincheck_op *ops, size_t count, bool from_anything)
{
    struct lincheck_op **sorted = mem_alloc((count + 1) * sizeof(struct lincheck_op *));
    size_t from = 0;

    for (size_t i = 0; i < count; i++) {
        if (ops[i].outcome == LINCHECK_UNKNOWN)
            ops[i].revision = 0;
        sorted[i] = &ops[i];
    }
    qsort(sorted, count, sizeof(struct lincheck_op *), by_value);
    while (from < count) {
        uint64_t value = sorted[from]->value;
        size_t to = from;

        while (to < count && sorted[to]->value == value)
            to++;
        if (value != 0)
            learn_value(&sorted[from], to - from, from_anything);
        from = to;
    }
    mem_free(sorted);
}

/* ---- the walk ---- */

static bool invoke(struct search *s, uint32_t op)
{
    bool unknown = s->ops[op].outcome == LINCHECK_UNKNOWN;
    int slot;

    if (unknown && s->ops[op].kind == LINCHECK_READ)
        return true; /* no answer, no effect */
    if (++s->since_sweep >= SWEEP_EVERY)
        sweep(s);
    slot = slot_take(s, op);
    if (slot == NO_SLOT)
        return false;
    if (unknown) {
        link_twin(s, slot);
        bit_set(s->unknown, slot);
    }
    return true;
}

/* Extends one configuration by every open operation. Those with `slot` done go to next. */
static void extend(struct search *s, size_t at, int slot)
{
    for (int t = 0; t < s->slots_end; t++) {
        struct config c = s->now.configs[at];

        if (s->slots[t] == 0 || bit(c.done, t))
            continue;
        if (s->twins[t] != NO_SLOT && !bit(c.done, s->twins[t]))
            continue;
        if (!search_apply(&s->ops[s->slots[t] - 1], &c.reg))
            continue;
        if (t == slot) {
            set_add(s, &s->next, &c);
        } else {
            bit_set(c.done, t);
            set_add(s, &s->now, &c);
        }
    }
}

static enum lincheck_verdict take_return(struct search *s, uint32_t op)
{
    int slot = s->slot_of[op];
    struct set swap;

    set_clear(&s->next);
    for (size_t i = 0; i < s->now.count; i++) {
        if (s->now.count + s->next.count > LINCHECK_CONFIGURATIONS_MAX)
            return LINCHECK_TOO_HARD;
        if (bit(s->now.configs[i].done, slot)) {
            struct config c = s->now.configs[i];

            bit_clear(c.done, slot);
            set_add(s, &s->next, &c);
        } else {
            extend(s, i, slot);
        }
    }
    if (s->now.count + s->next.count > s->most)
        s->most = s->now.count + s->next.count;
    if (s->next.count == 0)
        return LINCHECK_VIOLATION;
    swap = s->now;
    s->now = s->next;
    s->next = swap;
    s->slots[slot] = 0;
    return LINCHECK_LINEARIZABLE;
}

/* At one time invocations come first: what only touches counts as concurrent. */
static int moment_compare(const void *a, const void *b)
{
    const struct moment *x = a;
    const struct moment *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->is_return != y->is_return)
        return x->is_return ? 1 : -1;
    return x->op < y->op ? -1 : x->op > y->op;
}

static struct moment *moments_of(const struct lincheck_op *ops, size_t count, size_t *out_count)
{
    struct moment *moments = mem_alloc((2 * count + 1) * sizeof(*moments));
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        moments[n++] = (struct moment){ .at = ops[i].invoked, .op = (uint32_t)i };
        if (ops[i].outcome == LINCHECK_UNKNOWN)
            continue;
        ASSERT(ops[i].invoked <= ops[i].returned);
        moments[n++] =
            (struct moment){ .at = ops[i].returned, .op = (uint32_t)i, .is_return = true };
    }
    qsort(moments, n, sizeof(*moments), moment_compare);
    *out_count = n;
    return moments;
}

enum lincheck_verdict search_key(const struct lincheck_op *ops, size_t count, bool from_anything,
                                 size_t *out_op, size_t *out_most)
{
    struct search *s = mem_alloc(sizeof(*s));
    struct config first = { .reg = { .value_known = !from_anything } };
    size_t moments_count;
    struct moment *moments = moments_of(ops, count, &moments_count);
    enum lincheck_verdict verdict = LINCHECK_LINEARIZABLE;

    s->ops = mem_dup(ops, count * sizeof(*ops));
    learn(s->ops, count, from_anything);
    s->slot_of = mem_alloc((count + 1) * sizeof(*s->slot_of));
    set_init(&s->now);
    set_init(&s->next);
    set_add(s, &s->now, &first);
    for (size_t i = 0; i < moments_count && verdict == LINCHECK_LINEARIZABLE; i++) {
        uint32_t op = moments[i].op;

        if (moments[i].is_return)
            verdict = take_return(s, op);
        else if (!invoke(s, op))
            verdict = LINCHECK_TOO_HARD;
        *out_op = op;
    }
    *out_most = s->most;
    set_deinit(&s->now);
    set_deinit(&s->next);
    mem_free(s->slot_of);
    mem_free(s->ops);
    mem_free(moments);
    mem_free(s);
    return verdict;
}
