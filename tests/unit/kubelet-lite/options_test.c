/* The command line. */
#include <string.h>

#include "kubelet-lite/options.h"
#include "tests/unit/unit.h"

#define NEEDED                                                                                     \
    "kubelet-lite", "--node-name", "n", "--node-ip", "10.0.0.1", "--kubeconfig", "k",              \
        "--client-ca", "ca", "--tls-cert", "crt", "--tls-key", "key", "--cri-socket", "unix:/s",   \
        "--root", "/r"

static void test_whole(void **state)
{
    (void)state;
    char *argv[] = { NEEDED, "--max-pods", "20", "--cgroup-root", "/g" };
    struct options o;
    struct err e = { 0 };
    assert_int_equal(options_parse((int)(sizeof argv / sizeof argv[0]), argv, &o, &e), 0);
    assert_string_equal(o.node_name, "n");
    assert_string_equal(o.cgroup_root, "/g");
    assert_int_equal(o.max_pods, 20);
    assert_int_equal(o.lease_duration_s, 40);
    assert_null(o.listen);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        const char *value;
        const char *message;
    } rows[] = { { "--max-pods", "0", "--max-pods: '0' is no number from 1 to 1000000" },
                 { "--max-pods", "many", "--max-pods: 'many' is no number from 1 to 1000000" },
                 { "--nonsense", "1", "unknown flag '--nonsense'; --help shows all" },
                 { "--root", NULL, "--root needs a value" },
                 { "--log-level", "loud", "--log-level: 'loud' is no level" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[] = { NEEDED, (char *)rows[i].flag, (char *)rows[i].value };
        int argc = (int)(sizeof argv / sizeof argv[0]) - (rows[i].value == NULL);
        struct options o;
        struct err e = { 0 };
        assert_int_equal(options_parse(argc, argv, &o, &e), -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, rows[i].message);
    }
}

static void test_missing(void **state)
{
    (void)state;
    char *argv[] = { "kubelet-lite", "--node-name", "n" };
    char *help[] = { "kubelet-lite", "--help" };
    struct options o;
    struct err e = { 0 };
    assert_int_equal(options_parse(3, argv, &o, &e), -ERR_INVALID_ARGUMENT);
    assert_string_equal(e.msg, "--node-ip is needed; --help shows all");
    assert_int_equal(options_parse(2, help, &o, &e), 0);
    assert_true(o.help);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_missing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
