/* Tokens: good once made, for one name, until they expire; nothing else is. */
#include <stdio.h>
#include <string.h>

#include "store/roster_txn.h"
#include "tests/unit/controlplane/members_world.h"
#include "tests/unit/unit.h"

static void write_txn(struct members_world *w, struct roster_txn *t)
{
    assert_int_equal(harness_write(w->h, STORE_CLUSTER, roster_txn_get(t, 0)).status, 0);
    roster_txn_deinit(t);
}

static bool check(struct members_world *w, const char *token, uint64_t now_ms, struct str *name,
                  uint64_t *revision)
{
    return join_token_check(store_group(w->h->store, STORE_CLUSTER), &w->arena, str_from(token),
                            now_ms, name, revision);
}

static void test_tokens(void **state)
{
    struct members_world *w = *state;
    uint64_t now = env_wall_ns(w->h->env) / ENV_MS;
    struct roster_txn t;
    char token[JOIN_TOKEN_BYTES];
    char other[JOIN_TOKEN_BYTES];
    char changed[JOIN_TOKEN_BYTES + 2];
    struct str name = { 0 };
    uint64_t revision = 0;
    struct store_read r;
    struct store_version v;
    struct buf key;
    roster_txn_init(&t);
    join_token_make(w->h->env, &t, str_lit("m4"), token);
    join_token_make(w->h->env, &t, str_lit("m5"), other);
    write_txn(w, &t);
    while (!check(w, other, now, &name, &revision)) /* answered is not yet read */
        harness_sleep(1);
    assert_true(str_eq_c(name, "m5"));
    assert_true(check(w, token, now, &name, &revision));
    assert_true(str_eq_c(name, "m4"));
    assert_true(revision > 0);
    /* Any other character anywhere. */
    for (size_t i = 0; i < strlen(token); i++) {
        memcpy(changed, token, sizeof token);
        changed[i] = token[i] == '0' ? '1' : '0';
        assert_false(check(w, changed, now, &name, &revision));
    }
    static const char *const bad[] = { "", ".", "x", "0123456789ab.", "0123456789ab.0123456789ab" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(check(w, bad[i], now, &name, &revision));
    (void)snprintf(changed, sizeof changed, "%s0", token);
    assert_false(check(w, changed, now, &name, &revision));
    /* One's id with the other's secret. */
    memcpy(changed, token, sizeof token);
    memcpy(changed + 13, other + 13, sizeof other - 13);
    assert_false(check(w, changed, now, &name, &revision));
    assert_true(check(w, token, now + JOIN_TOKEN_MS - 60000, &name, &revision));
    assert_false(check(w, token, now + JOIN_TOKEN_MS + 60000, &name, &revision));
    /* The secret is not in the store. */
    buf_init(&key);
    join_token_key(str_from(token), &key);
    assert_int_equal(store_read_begin(store_group(w->h->store, STORE_CLUSTER), 0, &r), 0);
    assert_int_equal(store_read_get(&r, buf_str(&key), &v), 0);
    assert_true(str_find(v.value, str_from(token + 13)) < 0);
    store_read_end(&r);
    roster_txn_init(&t);
    roster_txn_delete(&t, buf_str(&key), revision);
    write_txn(w, &t);
    while (check(w, token, now, &name, &revision))
        harness_sleep(1);
    buf_deinit(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
        test_tokens, members_world_setup, members_world_teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
