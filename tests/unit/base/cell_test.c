/* The first thread wins, and all see what it wrote. */
#include <pthread.h>

#include "base/arena.h"
#include "base/cell.h"
#include "tests/unit/unit.h"

#define THREADS 8

struct racer {
    struct cell *cell;
    int *made;
    int *seen;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    r->made = mem_alloc(sizeof(*r->made));
    *r->made = 7;
    r->seen = cell_set(r->cell, r->made);
    assert_int_equal(*r->seen, 7);
    return NULL;
}

static void test_first_wins(void **state)
{
    struct cell cell = { 0 };
    struct racer racers[THREADS];
    pthread_t threads[THREADS];
    int winners = 0;
    (void)state;
    assert_null(cell_get(&cell));
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){ .cell = &cell };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_ptr_equal(racers[i].seen, cell_get(&cell));
        winners += racers[i].made == racers[i].seen ? 1 : 0;
    }
    assert_int_equal(winners, 1);
    for (int i = 0; i < THREADS; i++)
        mem_free(racers[i].made);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_wins) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
