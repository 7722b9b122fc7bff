/*
 * A wrong history is made weaker as long as it stays wrong.
 *
 * Weaker is: to forget what came before a point (the register is then anything at all), and to
 * forget an answer (a read is then gone, a write may have been done). Neither makes a right history
 * wrong, so what is left at the end is wrong by itself.
 */
#include "tests/lincheck/witness.h"

#include <string.h>

#include "base/arena.h"
#include "tests/lincheck/search.h"

enum strength { WHOLE, VAGUE, GONE };

struct witness {
    const struct lincheck_op *ops;
    size_t count;
    bool from_anything;
    unsigned char *strength;
    unsigned char *tried;
    struct lincheck_op *weaker;
};

static bool still_wrong(struct witness *w, const unsigned char *strength, bool from_anything)
{
    size_t n = 0;
    size_t op;
    size_t most;

    for (size_t i = 0; i < w->count; i++) {
        if (strength[i] == GONE)
            continue;
        w->weaker[n] = w->ops[i];
        if (strength[i] == VAGUE)
            w->weaker[n].outcome = LINCHECK_UNKNOWN;
        n++;
    }
    return search_key(w->weaker, n, from_anything, &op, &most) == LINCHECK_VIOLATION;
}

static unsigned char weaken(const struct lincheck_op *op)
{
    return op->kind == LINCHECK_WRITE && op->outcome != LINCHECK_FAILED ? VAGUE : GONE;
}

/* What had returned before the first of the rest is behind "anything"; what was still open may
 * have been done later. */
static void forget_before(const struct witness *w, size_t first, unsigned char *strength)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct lincheck_op *op = &w->ops[i];
        bool before = op->outcome == LINCHECK_OK && op->returned < w->ops[first].invoked;

        strength[i] = i >= first ? WHOLE : before ? GONE : weaken(op);
    }
}

static void forget_beginning(struct witness *w)
{
    size_t low = 0; /* from here it is wrong */
    size_t high = w->count;

    forget_before(w, 0, w->tried);
    if (!still_wrong(w, w->tried, true))
        return;
    w->from_anything = true;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        forget_before(w, middle, w->tried);
        if (still_wrong(w, w->tried, true))
            low = middle;
        else
            high = middle;
    }
    forget_before(w, low, w->strength);
}

static bool forget_range(struct witness *w, size_t from, size_t to)
{
    bool any = false;

    memcpy(w->tried, w->strength, w->count);
    for (size_t i = from; i < to && i < w->count; i++) {
        any = any || w->tried[i] == WHOLE;
        if (w->tried[i] == WHOLE)
            w->tried[i] = weaken(&w->ops[i]);
    }
    if (!any || !still_wrong(w, w->tried, w->from_anything))
        return false;
    memcpy(w->strength, w->tried, w->count);
    return true;
}

static void forget_answers(struct witness *w)
{
    size_t step = w->count / 2 > 0 ? w->count / 2 : 1;

    for (;;) {
        for (size_t i = 0; i < w->count; i += step)
            (void)forget_range(w, i, i + step); /* what cannot be forgotten stays */
        if (step == 1)
            return;
        step /= 2;
    }
}

/* Of what may have been done, only what somebody saw helps to understand. */
static bool worth_showing(const struct witness *w, size_t i)
{
    if (w->strength[i] != VAGUE)
        return w->strength[i] == WHOLE;
    for (size_t k = 0; k < w->count; k++) {
        const struct lincheck_op *op = &w->ops[k];

        if (w->strength[k] == WHOLE && op->kind == LINCHECK_READ && op->value == w->ops[i].value)
            return true;
    }
    return false;
}

void witness_find(const struct lincheck_op *ops, const uint32_t *index, size_t count, size_t wrong,
                  struct lincheck_result *result)
{
    struct witness w = { .ops = ops };

    while (w.count < count && ops[w.count].invoked <= ops[wrong].returned)
        w.count++;
    w.strength = mem_alloc(w.count);
    w.tried = mem_alloc(w.count);
    w.weaker = mem_alloc(w.count * sizeof(*w.weaker));
    forget_beginning(&w);
    forget_answers(&w);
    result->witness_count = 0;
    for (size_t i = 0; i < w.count && result->witness_count < LINCHECK_WITNESS_MAX; i++) {
        if (!worth_showing(&w, i))
            continue;
        result->witness[result->witness_count] = index[i];
        result->vague[result->witness_count++] = w.strength[i] == VAGUE;
    }
    mem_free(w.strength);
    mem_free(w.tried);
    mem_free(w.weaker);
}
