/*
 * The checks over a whole history (revisions, values from nowhere), then each key's search; and the
 * verdict as text.
 */
#include "tests/lincheck/lincheck.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/lincheck/search.h"
#include "tests/lincheck/witness.h"

struct sorted {
    const struct lincheck_op *op;
    uint32_t index;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_key_and_time(const void *a, const void *b)
{
    const struct sorted *x = a;
    const struct sorted *y = b;

    if (x->op->key != y->op->key)
        return compare_u64(x->op->key, y->op->key);
    if (x->op->invoked != y->op->invoked)
        return compare_u64(x->op->invoked, y->op->invoked);
    return compare_u64(x->index, y->index);
}

static int by_revision(const void *a, const void *b)
{
    return compare_u64(((const struct sorted *)a)->op->revision,
                       ((const struct sorted *)b)->op->revision);
}

static int by_invocation(const void *a, const void *b)
{
    return compare_u64(((const struct sorted *)a)->op->invoked,
                       ((const struct sorted *)b)->op->invoked);
}

static int by_return(const void *a, const void *b)
{
    return compare_u64(((const struct sorted *)a)->op->returned,
                       ((const struct sorted *)b)->op->returned);
}

static int by_key_and_value(const void *a, const void *b)
{
    const struct lincheck_op *x = ((const struct sorted *)a)->op;
    const struct lincheck_op *y = ((const struct sorted *)b)->op;

    if (x->key != y->key)
        return compare_u64(x->key, y->key);
    if (x->value != y->value)
        return compare_u64(x->value, y->value);
    return compare_u64(x->invoked, y->invoked);
}

static enum lincheck_verdict wrong(struct lincheck_result *out, enum lincheck_reason reason,
                                   uint32_t op, uint32_t other)
{
    out->verdict = LINCHECK_VIOLATION;
    out->reason = reason;
    out->op = op;
    out->other = other;
    out->witness[0] = other;
    out->witness[1] = op;
    out->witness_count = op == other ? 1 : 2;
    return out->verdict;
}

static bool wrote_revision(const struct lincheck_op *op)
{
    return op->kind == LINCHECK_WRITE && op->outcome == LINCHECK_OK && op->revision != 0;
}

static enum lincheck_verdict check_unique(struct sorted *writes, size_t count,
                                          struct lincheck_result *out)
{
    qsort(writes, count, sizeof(*writes), by_revision);
    for (size_t i = 1; i < count; i++)
        if (writes[i].op->revision == writes[i - 1].op->revision)
            return wrong(out, LINCHECK_REVISION_TWICE, writes[i].index, writes[i - 1].index);
    return LINCHECK_LINEARIZABLE;
}

/* Walks invocations in order and keeps the greatest revision that had returned before. */
static enum lincheck_verdict check_forward(struct sorted *writes, size_t count,
                                           struct lincheck_result *out)
{
    struct sorted *returns = mem_dup(writes, count * sizeof(*writes));
    const struct sorted *greatest = NULL;
    enum lincheck_verdict verdict = LINCHECK_LINEARIZABLE;
    size_t r = 0;

    qsort(writes, count, sizeof(*writes), by_invocation);
    qsort(returns, count, sizeof(*returns), by_return);
    for (size_t i = 0; i < count && verdict == LINCHECK_LINEARIZABLE; i++) {
        for (; r < count && returns[r].op->returned < writes[i].op->invoked; r++)
            if (greatest == NULL || returns[r].op->revision > greatest->op->revision)
                greatest = &returns[r];
        if (greatest != NULL && greatest->op->revision > writes[i].op->revision)
            verdict = wrong(out, LINCHECK_REVISION_BACKWARD, writes[i].index, greatest->index);
    }
    mem_free(returns);
    return verdict;
}

static enum lincheck_verdict check_revisions(const struct sorted *all, size_t count,
                                             struct lincheck_result *out)
{
    struct sorted *writes = mem_alloc((count + 1) * sizeof(*writes));
    enum lincheck_verdict verdict;
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (wrote_revision(all[i].op))
            writes[n++] = all[i];
    verdict = check_unique(writes, n, out);
    if (verdict == LINCHECK_LINEARIZABLE)
        verdict = check_forward(writes, n, out);
    mem_free(writes);
    return verdict;
}

/* The first write of this value to this key, or NULL. */
static const struct sorted *first_write(const struct sorted *writes, size_t count,
                                        const struct lincheck_op *read)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct lincheck_op *w = writes[middle].op;

        if (w->key < read->key || (w->key == read->key && w->value < read->value))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || writes[low].op->key != read->key || writes[low].op->value != read->value)
        return NULL;
    return &writes[low];
}

static enum lincheck_verdict check_values(const struct sorted *all, size_t count,
                                          struct lincheck_result *out)
{
    struct sorted *writes = mem_alloc((count + 1) * sizeof(*writes));
    enum lincheck_verdict verdict = LINCHECK_LINEARIZABLE;
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (all[i].op->kind == LINCHECK_WRITE && all[i].op->outcome != LINCHECK_FAILED)
            writes[n++] = all[i];
    qsort(writes, n, sizeof(*writes), by_key_and_value);
    for (size_t i = 0; i < count && verdict == LINCHECK_LINEARIZABLE; i++) {
        const struct lincheck_op *op = all[i].op;
        const struct sorted *w;

        if (op->kind != LINCHECK_READ || op->outcome != LINCHECK_OK || op->value == 0)
            continue;
        w = first_write(writes, n, op);
        if (w == NULL || w->op->invoked > op->returned)
            verdict = wrong(out, LINCHECK_NEVER_WRITTEN, all[i].index, all[i].index);
    }
    mem_free(writes);
    return verdict;
}

static enum lincheck_verdict check_key(const struct sorted *sorted, size_t count,
                                       struct lincheck_result *out)
{
    struct lincheck_op *ops = mem_alloc(count * sizeof(*ops));
    uint32_t *index = mem_alloc(count * sizeof(*index));
    enum lincheck_verdict verdict;
    size_t op = 0;
    size_t most = 0;

    for (size_t i = 0; i < count; i++) {
        ops[i] = *sorted[i].op;
        index[i] = sorted[i].index;
    }
    verdict = search_key(ops, count, false, &op, &most);
    if (most > out->configurations_max)
        out->configurations_max = most;
    if (verdict != LINCHECK_LINEARIZABLE) {
        out->verdict = verdict;
        out->reason = LINCHECK_NO_ORDER;
        out->op = out->other = index[op];
    }
    if (verdict == LINCHECK_VIOLATION)
        witness_find(ops, index, count, op, out);
    mem_free(ops);
    mem_free(index);
    return verdict;
}

static enum lincheck_verdict check_keys(const struct sorted *all, size_t count,
                                        struct lincheck_result *out)
{
    enum lincheck_verdict worst = LINCHECK_LINEARIZABLE;

    for (size_t from = 0; from < count;) {
        enum lincheck_verdict verdict;
        size_t to = from;

        while (to < count && all[to].op->key == all[from].op->key)
            to++;
        verdict = check_key(&all[from], to - from, out);
        if (verdict == LINCHECK_VIOLATION)
            return verdict;
        if (verdict == LINCHECK_TOO_HARD)
            worst = verdict;
        from = to;
    }
    return worst;
}

enum lincheck_verdict lincheck(const struct lincheck_op *ops, size_t count,
                               struct lincheck_result *out)
{
    struct sorted *all = mem_alloc((count + 1) * sizeof(*all));

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < count; i++)
        all[i] = (struct sorted){ .op = &ops[i], .index = (uint32_t)i };
    qsort(all, count, sizeof(*all), by_key_and_time);
    out->verdict = check_revisions(all, count, out);
    if (out->verdict == LINCHECK_LINEARIZABLE)
        out->verdict = check_values(all, count, out);
    if (out->verdict == LINCHECK_LINEARIZABLE)
        out->verdict = check_keys(all, count, out);
    mem_free(all);
    return out->verdict;
}

/* ---- the verdict as text ---- */

static void print_guard(struct buf *out, const struct lincheck_op *op)
{
    if (op->guard == LINCHECK_IF_ABSENT)
        buf_append_c(out, " if absent");
    if (op->guard == LINCHECK_IF_PRESENT)
        buf_append_c(out, " if present");
    if (op->guard == LINCHECK_IF_REVISION)
        buf_printf(out, " if at revision %" PRIu64, op->guard_revision);
}

static void print_op(struct buf *out, const struct lincheck_op *op, uint64_t base, bool vague)
{
    bool unknown = op->outcome == LINCHECK_UNKNOWN;

    buf_printf(out, "  client %-3u key %u  [%" PRIu64 ", ", op->client, op->key,
               op->invoked - base);
    if (unknown)
        buf_append_c(out, "no answer)  ");
    else
        buf_printf(out, "%" PRIu64 "]  ", op->returned - base);
    if (op->kind == LINCHECK_READ)
        buf_append_c(out, op->value == 0 ? "read: absent" : "read: value");
    else
        buf_append_c(out, op->value == 0 ? "delete" : "write value");
    if (op->value != 0)
        buf_printf(out, " %" PRIu64, op->value);
    print_guard(out, op);
    if (op->outcome == LINCHECK_FAILED)
        buf_append_c(out, ": refused, the guard did not hold");
    if (!unknown && op->revision != 0)
        buf_printf(out, "  revision %" PRIu64, op->revision);
    buf_append_c(out, vague ? "  (its answer is not needed)\n" : "\n");
}

void lincheck_print(struct buf *out, const struct lincheck_op *ops, const struct lincheck_result *r)
{
    static const char *const reasons[] = {
        [LINCHECK_NO_ORDER] = "no order of these operations explains every answer",
        [LINCHECK_NEVER_WRITTEN] = "a value was read that nobody had begun to write",
        [LINCHECK_REVISION_TWICE] = "two writes got the same revision",
        [LINCHECK_REVISION_BACKWARD] = "a later write got a smaller revision"
    };
    uint64_t base;

    if (r->verdict == LINCHECK_LINEARIZABLE) {
        buf_printf(out, "linearizable (%zu configurations at most)\n", r->configurations_max);
        return;
    }
    if (r->verdict == LINCHECK_TOO_HARD) {
        buf_printf(out, "too hard: key %u at operation %zu\n", ops[r->op].key, r->op);
        return;
    }
    buf_printf(out, "NOT LINEARIZABLE: %s\n", reasons[r->reason]);
    base = ops[r->witness[0]].invoked;
    for (size_t i = 1; i < r->witness_count; i++)
        if (ops[r->witness[i]].invoked < base)
            base = ops[r->witness[i]].invoked;
    for (size_t i = 0; i < r->witness_count; i++)
        print_op(out, &ops[r->witness[i]], base, r->vague[i] != 0);
}
