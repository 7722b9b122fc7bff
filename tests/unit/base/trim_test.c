/* What lies free between what is used goes back, and only when much of it does. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/env_uv.h"
#include "base/trim.h"
#include "tests/unit/unit.h"

#define PIECE  4000
#define PIECES 30000 /* 114 MiB */
#define KEPT   100   /* one in so many is still used */

struct world {
    struct env *env;
    struct env_loop *loop;
    struct trim trim;
    void *pieces[PIECES];
};

static void flood(struct world *w)
{
    for (size_t i = 0; i < PIECES; i++) {
        w->pieces[i] = malloc(PIECE);
        memset(w->pieces[i], 1, PIECE);
    }
}

static void ebb(struct world *w, bool all)
{
    for (size_t i = 0; i < PIECES; i++)
        if (all || i % KEPT != 0) {
            free(w->pieces[i]);
            w->pieces[i] = NULL;
        }
}

static void run_until_given_back(struct world *w)
{
    for (int i = 0; i < 1000 && w->trim.after_bytes == 0; i++)
        (void)uv_run(env_uv_loop(w->loop), UV_RUN_ONCE);
    assert_true(w->trim.after_bytes != 0);
}

static void test_flood(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    size_t begin;

    (void)state;
    w->env = env_uv_new();
    w->loop = env_loop_new(w->env, "trim");
    trim_start(&w->trim, w->env, w->loop);
    begin = trim_private_bytes();
    assert_true(begin > 0);
    flood(w);
    assert_false(trim_look(&w->trim)); /* it grows */
    ebb(w, false);
    assert_true(trim_private_bytes() > begin + TRIM_GROWN_BYTES);
    assert_true(trim_look(&w->trim));
    run_until_given_back(w);
    assert_true(w->trim.after_bytes < begin + TRIM_GROWN_BYTES);
    assert_int_equal(w->trim.least_bytes, w->trim.after_bytes);
    assert_false(trim_look(&w->trim)); /* nothing grew since */
    ebb(w, true);
    env_timer_deinit(&w->trim.timer);
    env_loop_free(w->loop);
    env_uv_free(w->env);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
