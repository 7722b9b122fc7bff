/* store_events: from the ring and from rev the same, in pages, up to 410. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/store/store_fixture.h"
#include "tests/unit/unit.h"

#define EVENTS 1500

struct seen {
    uint64_t last;
    uint64_t sum;
    int left;
};

static bool on_event(void *ctx, const struct store_event *event)
{
    struct seen *s = ctx;
    if (s->left-- == 0)
        return false;
    assert_true(event->revision == s->last + 1);
    s->last = event->revision;
    s->sum = s->sum * 31 + event->revision + event->old_revision * 7 + event->created * 3 +
             event->value.len + event->old_value.len * 5 + (event->deleted ? 11 : 0) +
             event->terms_count * 13 + event->old_terms_count * 17;
    return true;
}

static void fill(struct store_fixture *f)
{
    static struct store_op ops[300];
    static struct store_txn txns[300];
    static char names[300][16];
    static const struct store_term term[] = { { 1, STR("t") } };
    for (int done = 0; done < EVENTS; done += 300) {
        for (int i = 0; i < 300; i++) {
            snprintf(names[i], sizeof names[i], "k%d", i % 7);
            bool gone = i % 11 == 0 && i > 0;
            ops[i] = (struct store_op){ .type = gone ? STORE_OP_DELETE : STORE_OP_PUT,
                                        .key = str_from(names[i]),
                                        .value = gone ? str_of("", 0) : str_of(names[0], 2),
                                        .terms = term,
                                        .terms_count = i % 2 == 0 && !gone ? 1 : 0 };
            txns[i] = (struct store_txn){ .ops = &ops[i], .ops_count = 1 };
        }
        fixture_apply(f, txns, 300);
    }
    assert_int_equal(store_published(f->group), EVENTS);
}

static uint64_t walk(struct store_fixture *f, int page, int *out_calls)
{
    struct seen s = { .last = 0 };
    for (*out_calls = 0; s.last < EVENTS; ++*out_calls) {
        uint64_t last = 0;
        s.left = page;
        assert_int_equal(store_events(f->group, s.last, on_event, &s, &last), 0);
        assert_int_equal(last, s.last);
    }
    return s.sum;
}

static void test_same(void **state)
{
    (void)state;
    struct store_fixture wide;
    struct store_fixture narrow;
    int calls;
    fixture_init(&wide, 0);
    fixture_init(&narrow, 1); /* holds the last commit only */
    fill(&wide);
    fill(&narrow);
    uint64_t sum = walk(&wide, EVENTS, &calls);
    assert_int_equal(calls, 1); /* all from the ring */
    assert_true(walk(&narrow, EVENTS, &calls) == sum);
    assert_true(calls >= 2); /* rev in bounded reads, then the ring */
    assert_true(walk(&narrow, 17, &calls) == sum);
    assert_true(walk(&wide, 17, &calls) == sum);
    fixture_reopen(&wide); /* an empty ring */
    assert_true(walk(&wide, 100, &calls) == sum);
    fixture_deinit(&wide);
    fixture_deinit(&narrow);
}

static void test_edges(void **state)
{
    (void)state;
    struct store_fixture f;
    struct seen s = { .last = 0 };
    uint64_t last = 0;
    fixture_init(&f, 0);
    assert_int_equal(store_events(f.group, 0, on_event, &s, &last), 0);
    assert_int_equal(last, 0);
    fill(&f);
    assert_int_equal(store_events(f.group, EVENTS + 5, on_event, &s, &last), 0);
    assert_int_equal(last, EVENTS + 5); /* nothing yet */
    fixture_op(&f, (struct store_op){ .type = STORE_OP_COMPACT, .revision = 700 });
    assert_int_equal(store_events(f.group, 699, on_event, &s, &last), -ERR_EXPIRED);
    s = (struct seen){ .last = 700, .left = 3 };
    assert_int_equal(store_events(f.group, 700, on_event, &s, &last), 0);
    assert_int_equal(last, 703);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
