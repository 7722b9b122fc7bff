/* Histories known to be right or wrong, and what the witness of the wrong ones shows. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/lincheck/lincheck.h"
#include "tests/unit/unit.h"

#define OPS_MAX 8

#define R(k, v, rev, from, to)                                                                     \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_READ, .value = (v), .revision = (rev), .invoked = (from),     \
        .returned = (to)                                                                           \
    }
#define W(k, v, rev, from, to)                                                                     \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .value = (v), .revision = (rev), .invoked = (from),    \
        .returned = (to)                                                                           \
    }
#define CAS(k, g, v, rev, from, to)                                                                \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_REVISION, .guard_revision = (g),  \
        .value = (v), .revision = (rev), .invoked = (from), .returned = (to)                       \
    }
#define CREATE(k, v, rev, from, to)                                                                \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_ABSENT, .value = (v),             \
        .revision = (rev), .invoked = (from), .returned = (to)                                     \
    }
#define DELETE(k, from, to)                                                                        \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_PRESENT, .invoked = (from),       \
        .returned = (to)                                                                           \
    }
/* Without an answer; refused. */
#define LOST_W(k, v, from)                                                                         \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .value = (v), .invoked = (from),                       \
        .outcome = LINCHECK_UNKNOWN                                                                \
    }
#define LOST_CAS(k, g, v, from)                                                                    \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_REVISION, .guard_revision = (g),  \
        .value = (v), .invoked = (from), .outcome = LINCHECK_UNKNOWN                               \
    }
#define NOT_CAS(k, g, from, to)                                                                    \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_REVISION, .guard_revision = (g),  \
        .value = 99, .invoked = (from), .returned = (to), .outcome = LINCHECK_FAILED               \
    }
#define NOT_CREATE(k, from, to)                                                                    \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_ABSENT, .value = 99,              \
        .invoked = (from), .returned = (to), .outcome = LINCHECK_FAILED                            \
    }
#define NOT_DELETE(k, from, to)                                                                    \
    {                                                                                              \
        .key = (k), .kind = LINCHECK_WRITE, .guard = LINCHECK_IF_PRESENT, .invoked = (from),       \
        .returned = (to), .outcome = LINCHECK_FAILED                                               \
    }

struct history {
    const char *name;
    struct lincheck_op ops[OPS_MAX];
    size_t witness; /* operations in it; 0: the history is right */
    enum lincheck_reason reason;
};

static const struct history histories[] = {
    { "nothing at all", { { 0 } }, 0, 0 },
    { "one after the other", { W(1, 1, 5, 1, 2), R(1, 1, 5, 3, 4), W(1, 2, 6, 5, 6) }, 0, 0 },
    { "a read beside a write sees the old", { W(1, 1, 5, 1, 9), R(1, 0, 0, 2, 3) }, 0, 0 },
    { "or the new", { W(1, 1, 5, 1, 9), R(1, 1, 5, 2, 3) }, 0, 0 },
    { "but not the new, then the old",
      { W(1, 1, 5, 1, 2), W(1, 2, 6, 3, 9), R(1, 2, 6, 4, 5), R(1, 1, 5, 6, 7) },
      2,
      LINCHECK_NO_ORDER },
    { "a stale read",
      { W(1, 1, 5, 1, 2), W(1, 2, 6, 3, 4), R(1, 1, 5, 5, 6) },
      2,
      LINCHECK_NO_ORDER },
    { "a stale read, without revisions",
      { W(1, 1, 0, 1, 2), W(1, 2, 0, 3, 4), R(1, 1, 0, 5, 6) },
      2,
      LINCHECK_NO_ORDER },
    { "a lost write", { W(1, 1, 5, 1, 2), R(1, 0, 0, 3, 4) }, 2, LINCHECK_NO_ORDER },
    { "a lost write, seen by a creation",
      { CREATE(1, 1, 5, 1, 2), CREATE(1, 2, 6, 3, 4) },
      2,
      LINCHECK_NO_ORDER },
    { "two from one revision",
      { W(1, 1, 5, 1, 2), CAS(1, 5, 2, 6, 3, 9), CAS(1, 5, 3, 7, 4, 8) },
      2,
      LINCHECK_NO_ORDER },
    { "of two from one revision one is refused",
      { W(1, 1, 5, 1, 2), CAS(1, 5, 2, 6, 3, 9), NOT_CAS(1, 5, 4, 8) },
      0,
      0 },
    { "refused though nothing had changed",
      { W(1, 1, 5, 1, 2), NOT_CAS(1, 5, 3, 4) },
      2,
      LINCHECK_NO_ORDER },
    { "no answer, and done", { W(1, 1, 5, 1, 2), LOST_W(1, 2, 3), R(1, 2, 6, 5, 6) }, 0, 0 },
    { "no answer, and not done", { W(1, 1, 5, 1, 2), LOST_W(1, 2, 3), R(1, 1, 5, 5, 6) }, 0, 0 },
    { "no answer, and done late",
      { W(1, 1, 5, 1, 2), LOST_W(1, 2, 3), R(1, 1, 5, 5, 6), R(1, 2, 6, 7, 8) },
      0,
      0 },
    { "no answer, and done before it was asked",
      { W(1, 1, 5, 1, 2), R(1, 2, 6, 3, 4), LOST_W(1, 2, 5) },
      1,
      LINCHECK_NEVER_WRITTEN },
    { "no answer, done, undone, done again",
      { W(1, 1, 5, 1, 2), LOST_W(1, 2, 3), R(1, 2, 6, 5, 6), W(1, 3, 7, 7, 8), R(1, 2, 8, 9, 10) },
      3,
      LINCHECK_NO_ORDER },
    { "no answer, a guard that held",
      { W(1, 1, 5, 1, 2), LOST_CAS(1, 5, 2, 3), R(1, 2, 6, 5, 6) },
      0,
      0 },
    { "no answer, a guard that could not hold any more",
      { W(1, 1, 5, 1, 2), W(1, 3, 6, 3, 4), LOST_CAS(1, 5, 2, 5), R(1, 2, 7, 6, 7) },
      2,
      LINCHECK_NO_ORDER },
    { "a guard refused because of a write without an answer",
      { W(1, 1, 5, 1, 2), LOST_W(1, 2, 3), NOT_CAS(1, 5, 5, 6), W(1, 3, 9, 7, 8) },
      0,
      0 },
    { "applied twice",
      { W(1, 1, 5, 1, 2), R(1, 1, 5, 3, 4), R(1, 1, 6, 5, 6) },
      2,
      LINCHECK_NO_ORDER },
    { "one revision twice", { W(1, 1, 5, 1, 9), W(2, 2, 5, 2, 8) }, 2, LINCHECK_REVISION_TWICE },
    { "a later write with a smaller revision",
      { W(1, 1, 6, 1, 2), W(2, 2, 5, 3, 4) },
      2,
      LINCHECK_REVISION_BACKWARD },
    { "beside each other any order of revisions", { W(1, 1, 6, 1, 9), W(2, 2, 5, 3, 4) }, 0, 0 },
    { "a value from nowhere", { W(1, 1, 5, 1, 2), R(1, 7, 6, 3, 4) }, 1, LINCHECK_NEVER_WRITTEN },
    { "a value of another key", { W(1, 1, 5, 1, 2), R(2, 1, 5, 3, 4) }, 1, LINCHECK_NEVER_WRITTEN },
    { "deleted and created again",
      { CREATE(1, 1, 5, 1, 2), DELETE(1, 3, 4), R(1, 0, 0, 5, 6), CREATE(1, 2, 7, 7, 8) },
      0,
      0 },
    { "deleted and still there",
      { CREATE(1, 1, 5, 1, 2), DELETE(1, 3, 4), R(1, 1, 5, 5, 6) },
      2,
      LINCHECK_NO_ORDER },
    { "deleted what was not there", { DELETE(1, 3, 4) }, 1, LINCHECK_NO_ORDER },
    { "told that it is not there, though it is",
      { CREATE(1, 1, 5, 1, 2), NOT_DELETE(1, 3, 4) },
      2,
      LINCHECK_NO_ORDER },
    { "told that it is there, though it is not", { NOT_CREATE(1, 3, 4) }, 1, LINCHECK_NO_ORDER },
    { "told that it is there while it comes",
      { NOT_CREATE(1, 3, 8), CREATE(1, 1, 5, 4, 6) },
      0,
      0 },
    { "three writers and a reader that sees all",
      { W(1, 1, 5, 1, 20), W(1, 2, 6, 2, 20), W(1, 3, 7, 3, 20), R(1, 1, 5, 4, 5), R(1, 2, 6, 6, 7),
        R(1, 3, 7, 8, 9) },
      0,
      0 },
    { "two readers that see two writes in two orders",
      { W(1, 1, 0, 1, 20), W(1, 2, 0, 2, 20), R(1, 1, 0, 4, 5), R(1, 2, 0, 6, 7),
        R(1, 1, 0, 8, 9) },
      3,
      LINCHECK_NO_ORDER },
};

static size_t ops_of(const struct history *h)
{
    size_t n = 0;

    while (n < OPS_MAX && h->ops[n].invoked != 0)
        n++;
    return n;
}

static void test_known_histories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
        const struct history *h = &histories[i];
        struct lincheck_result r;
        enum lincheck_verdict v = lincheck(h->ops, ops_of(h), &r);
        size_t whole = 0;
        struct buf text;

        buf_init(&text);
        lincheck_print(&text, h->ops, &r);
        for (size_t k = 0; k < r.witness_count; k++)
            whole += r.vague[k] == 0;
        if ((v == LINCHECK_VIOLATION) != (h->witness != 0) || whole != h->witness ||
            (h->witness != 0 && r.reason != h->reason))
            fail_msg("%s: %.*s", h->name, (int)text.len, (const char *)text.data);
        buf_deinit(&text);
    }
}

/* The order in which the operations are given does not matter. */
static void test_order_given(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
        const struct history *h = &histories[i];
        struct lincheck_op turned[OPS_MAX];
        struct lincheck_result r;
        size_t n = ops_of(h);

        for (size_t k = 0; k < n; k++)
            turned[n - 1 - k] = h->ops[k];
        if ((lincheck(turned, n, &r) == LINCHECK_VIOLATION) != (h->witness != 0))
            fail_msg("%s, turned around", h->name);
    }
}

static void test_text_names_the_two(void **state)
{
    const struct lincheck_op ops[] = { W(3, 1, 5, 100, 200), W(3, 2, 6, 300, 400),
                                       R(3, 1, 5, 500, 600) };
    struct lincheck_result r;
    struct buf text;

    (void)state;
    assert_int_equal(lincheck(ops, 3, &r), LINCHECK_VIOLATION);
    buf_init(&text);
    lincheck_print(&text, ops, &r);
    buf_append_byte(&text, 0);
    assert_string_equal((const char *)text.data,
                        "NOT LINEARIZABLE: no order of these operations explains every answer\n"
                        "  client 0   key 3  [0, 100]  write value 2  revision 6\n"
                        "  client 0   key 3  [200, 300]  read: value 1  revision 5\n");
    buf_deinit(&text);
}

/* More writes without an answer than there is room for, each of which could still happen. */
static void test_too_hard(void **state)
{
    size_t n = LINCHECK_OPEN_MAX + 2;
    struct lincheck_op *ops = mem_alloc(n * sizeof(*ops));
    struct lincheck_result r;
    struct buf text;

    (void)state;
    for (size_t i = 0; i < n; i++)
        ops[i] = (struct lincheck_op)LOST_W(1, i + 1, i + 1);
    assert_int_equal(lincheck(ops, n, &r), LINCHECK_TOO_HARD);
    buf_init(&text);
    lincheck_print(&text, ops, &r);
    assert_true(text.len > 0);
    buf_deinit(&text);
    mem_free(ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_histories),
        cmocka_unit_test(test_order_given),
        cmocka_unit_test(test_text_names_the_two),
        cmocka_unit_test(test_too_hard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
