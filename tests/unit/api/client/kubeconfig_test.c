/* kubeconfig texts: what is read, and what is refused with its name. */
#include <string.h>

#include "api/client/kubeconfig.h"
#include "base/arena.h"
#include "base/env_sim.h"
#include "tests/unit/unit.h"

#define HEAD "apiVersion: v1\nkind: Config\ncurrent-context: two\n"
#define TAIL                                                                                       \
    "clusters:\n"                                                                                  \
    "- name: c1\n  cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: Q0E=}\n"   \
    "- name: c2\n  cluster: {server: 'https://127.0.0.1:2', certificate-authority-data: Q0E=, "    \
    "tls-server-name: api}\n"                                                                      \
    "contexts:\n"                                                                                  \
    "- name: one\n  context: {cluster: c1, user: u, namespace: ns}\n"                              \
    "- name: two\n  context: {cluster: c2, user: u}\n"                                             \
    "- name: bad\n  context: {cluster: c1, user: token}\n"                                         \
    "- name: half\n  context: {cluster: c1, user: half}\n"                                         \
    "- name: none\n  context: {cluster: c9, user: u}\n"                                            \
    "users:\n"                                                                                     \
    "- name: u\n  user: {client-certificate-data: Q1JU, client-key-data: S0VZ}\n"                  \
    "- name: half\n  user: {client-certificate-data: Q1JU}\n"                                      \
    "- name: token\n  user: {token: abc}\n"

static const struct row {
    const char *context;
    const char *server; /* NULL: refused */
    const char *message;
} rows[] = { { "", "https://127.0.0.1:2", "" },
             { "one", "https://127.0.0.1:1", "" },
             { "*", "https://127.0.0.1:2,https://127.0.0.1:1", "" },
             { "bad", NULL, "user.token is not supported" },
             { "half", NULL, "belong together" },
             { "none", NULL, "no cluster \"c9\"" },
             { "absent", NULL, "no context \"absent\"" } };

static void test_rows(void **state)
{
    struct env *env = env_sim_new(1);
    struct arena a;

    (void)state; /* no shared fixture */
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kubeconfig k;
        struct err e = { 0 };
        int rc =
            kubeconfig_parse(env, &a, str_lit(HEAD TAIL), ".", str_from(rows[i].context), &k, &e);

        assert_int_equal(rc == 0, rows[i].server != NULL);
        if (rc != 0) {
            assert_non_null(strstr(e.msg, rows[i].message));
            continue;
        }
        assert_true(str_eq_c(k.server, rows[i].server));
        assert_true(str_eq_c(k.ca_pem, "CA"));
        assert_true(str_eq_c(k.client_cert_pem, "CRT"));
        assert_true(str_eq_c(k.client_key_pem, "KEY"));
    }
    arena_deinit(&a);
    env_sim_free(env);
}

static void test_broken(void **state)
{
    static const char *const texts[] = { "", "[]", "a: [", "contexts: 5\ncurrent-context: x" };
    struct env *env = env_sim_new(1);
    struct arena a;

    (void)state; /* no shared fixture */
    arena_init(&a);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct kubeconfig k;
        struct err e = { 0 };

        assert_int_not_equal(
            kubeconfig_parse(env, &a, str_from(texts[i]), ".", str_of(NULL, 0), &k, &e), 0);
        assert_true(e.msg[0] != 0);
    }
    arena_deinit(&a);
    env_sim_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_broken) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
