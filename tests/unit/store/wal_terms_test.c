/* Runs of terms against a plain array. */
#include "store/wal_terms.h"
#include "tests/unit/unit.h"

#define INDEX_MAX 3000

static void test_against_array(void **state)
{
    static uint64_t terms[INDEX_MAX + 1];
    struct wal_terms t;
    uint64_t last = 0;
    uint64_t first = 1;
    uint64_t term = 1;
    uint64_t random = 1;
    (void)state;
    wal_terms_init(&t);
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t what = random >> 33;
        if (what % 10 < 7 && last < INDEX_MAX) {
            term += what % 64 == 0;
            terms[++last] = term;
            wal_terms_add(&t, last, term);
        } else if (what % 10 == 8 && last >= first) {
            uint64_t index = first + what % (last - first + 1);
            wal_terms_cut(&t, index);
            last = index - 1;
        } else if (what % 10 == 9 && last > first) {
            first += (last - first) / 50;
            wal_terms_drop(&t, first);
        }
        if (last >= first) {
            uint64_t index = first + what % (last - first + 1);
            assert_int_equal(wal_terms_at(&t, index), terms[index]);
        }
    }
    wal_terms_cut(&t, 0);
    assert_int_equal(wal_terms_at(&t, 1), 0);
    wal_terms_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_array) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
