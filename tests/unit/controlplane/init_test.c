/* gantryd init: what it makes can be read back, holds the right names, and is never overwritten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "controlplane/identity.h"
#include "controlplane/init.h"
#include "net/pki.h"
#include "store/store.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct arena arena;
    char parent[64];
    char out[96];
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    f->env = env_uv_new();
    arena_init(&f->arena);
    (void)snprintf(f->parent, sizeof f->parent, "/tmp/init-test-XXXXXX");
    assert_non_null(mkdtemp(f->parent));
    (void)snprintf(f->out, sizeof f->out, "%s/cluster", f->parent);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (void)env_remove_tree(f->env, f->parent, NULL); /* only a temporary folder */
    arena_deinit(&f->arena);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static int init(struct fixture *f, int argc, const char *const *args, struct err *e)
{
    char *argv[32];
    assert_true(argc <= 32);
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)(strcmp(args[i], "OUT") == 0 ? f->out : args[i]);
    return init_command(f->env, argc, argv, e);
}

static const char *const good[] = { "--out",    "OUT",         "--member",        "m1=10.1.0.1",
                                    "--member", "m2=10.1.0.2", "--member-server", "m2=https://h:77",
                                    "--node",   "n1=10.1.0.9" };
#define GOOD ((int)(sizeof good / sizeof good[0]))

static struct str read_out(struct fixture *f, const char *file)
{
    struct err e;
    struct str text;
    const char *path = str_printf(&f->arena, "%s/%s", f->out, file).data;
    if (env_file_read(f->env, &f->arena, path, 1u << 20, &text, &e) != 0)
        fail_msg("%s", e.msg);
    return text;
}

static bool has_name(const struct pki_info *info, const char *name)
{
    for (size_t i = 0; i < info->name_count; i++) {
        if (str_eq_c(info->names[i], name))
            return true;
    }
    return false;
}

static void test_certificates(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    assert_int_equal(init(f, GOOD, good, &e), 0);
    static const struct {
        const char *file;
        const char *common_name;
        const char *organization;
        const char *names[4];
    } cases[] = {
        { "ca.crt", "gantry-ca", NULL, { NULL } },
        { "members/m1/tls.crt",
          "gantry-member-m1",
          "system:masters",
          { "gantry-member-m1", "10.1.0.1", "127.0.0.1", "kubernetes.default.svc" } },
        { "members/m2/tls.crt",
          "gantry-member-m2",
          "system:masters",
          { "gantry-member-m2", "10.1.0.2", "10.96.0.1", "localhost" } },
        { "nodes/n1/tls.crt", "system:node:n1", "system:nodes", { "n1", "10.1.0.9" } },
        { "admin.crt", "kubernetes-admin", "system:masters", { NULL } },
    };
    uint64_t now = env_wall_ns(f->env) / ENV_S;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pki_info info;
        assert_int_equal(pki_parse(&f->arena, read_out(f, cases[i].file), &info, &e), 0);
        assert_true(str_eq_c(info.common_name, cases[i].common_name));
        assert_true(str_eq_c(info.issuer_common_name, "gantry-ca"));
        assert_int_equal(info.is_ca, i == 0);
        assert_true(info.not_before_s <= now && info.not_after_s > now + 300 * 86400);
        if (cases[i].organization != NULL) {
            assert_int_equal(info.organization_count, 1);
            assert_true(str_eq_c(info.organizations[0], cases[i].organization));
        }
        for (size_t k = 0; k < 4 && cases[i].names[k] != NULL; k++)
            assert_true(has_name(&info, cases[i].names[k]));
    }
    static const char *const keys[] = {
        "ca.key",           "admin.key",        "members/m1/tls.key",
        "nodes/n1/tls.key", "admin.kubeconfig", "nodes/n1/kubeconfig"
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct env_stat stat;
        const char *path = str_printf(&f->arena, "%s/%s", f->out, keys[i]).data;
        assert_int_equal(env_path_stat(f->env, path, &stat, &e), 0);
        assert_int_equal(stat.mode & 0777, 0600);
    }
}

static void test_conf_and_kubeconfig(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct store_config config = { 0 };
    char cluster[IDENTITY_CLUSTER_BYTES];
    assert_int_equal(init(f, GOOD, good, &e), 0);
    assert_int_equal(identity_conf_read(f->env, &f->arena, f->out, &config, cluster, &e), 0);
    assert_int_equal(config.members_count, 2);
    assert_int_equal(config.members[1].id, 2);
    assert_string_equal(config.members[1].name, "m2");
    assert_string_equal(config.members[1].peer_address, "tcp:10.1.0.2:2380");
    struct str admin = read_out(f, "admin.kubeconfig");
    assert_true(str_find(admin, str_lit("server: https://10.1.0.1:6443")) > 0);
    assert_true(str_find(admin, str_lit("server: https://h:77")) > 0);
    assert_true(str_find(admin, str_lit("current-context: m1")) > 0);
    /* A node reaches members by their own addresses. */
    struct str node = read_out(f, "nodes/n1/kubeconfig");
    assert_true(str_find(node, str_lit("server: https://10.1.0.2:6443")) > 0);
}

/* A URL has an IPv6 address in brackets, a certificate and a raft address' host have none. */
static void test_ipv6(void **state)
{
    static const char *const six[] = { "--out",    "OUT",        "--member", "m1=fd00::1",
                                       "--member", "m2=fd00::2", "--node",   "n1=fd00::9" };
    struct fixture *f = *state;
    struct err e = { 0 };
    struct pki_info info;
    struct store_config config = { 0 };
    char cluster[IDENTITY_CLUSTER_BYTES];
    assert_int_equal(init(f, (int)(sizeof six / sizeof six[0]), six, &e), 0);
    static const char *const files[] = { "admin.kubeconfig", "nodes/n1/kubeconfig" };
    for (size_t i = 0; i < 2; i++) {
        struct str text = read_out(f, files[i]);
        assert_true(str_find(text, str_lit("server: https://[fd00::1]:6443\n")) > 0);
        assert_true(str_find(text, str_lit("server: https://[fd00::2]:6443\n")) > 0);
    }
    assert_int_equal(identity_conf_read(f->env, &f->arena, f->out, &config, cluster, &e), 0);
    assert_string_equal(config.members[1].raft_address, "tcp:[fd00::2]:2381");
    assert_int_equal(pki_parse(&f->arena, read_out(f, "members/m1/tls.crt"), &info, &e), 0);
    assert_true(has_name(&info, "fd00:0:0:0:0:0:0:1"));
}

static void test_never_twice(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    assert_int_equal(init(f, GOOD, good, &e), 0);
    struct str before = read_out(f, "ca.crt");
    assert_int_equal(init(f, GOOD, good, &e), -ERR_ALREADY_EXISTS);
    assert_non_null(strstr(e.msg, "holds a cluster's identity already"));
    assert_true(str_eq(read_out(f, "ca.crt"), before));
}

static void test_flags(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *args[6];
        int count;
        const char *words;
    } cases[] = {
        { { NULL }, 0, "usage" },
        { { "--out", "OUT" }, 2, "usage" },
        { { "--member", "m1=10.1.0.1" }, 2, "usage" },
        { { "--out" }, 1, "--out needs a value" },
        { { "--nonsense", "x" }, 2, "unknown flag '--nonsense'" },
        { { "--out", "OUT", "--member", "m1" }, 4, "'m1' is not NAME=VALUE" },
        { { "--out", "OUT", "--member", "=10.1.0.1" }, 4, "is not NAME=VALUE" },
        { { "--out", "OUT", "--member", "m1=" }, 4, "is not NAME=VALUE" },
        { { "--out", "OUT", "--member-server", "m1=https://h:1" }, 4, "no --member m1 before it" },
        { { "--out", "OUT", "--member", "m1=10.1.0.1", "--member", "m1=10.1.0.2" },
          6,
          "named twice" },
        { { "--out", "OUT", "--member", "m/1=10.1.0.1" }, 4, "name" },
        { { "--out", "OUT", "--member", "m1=host.example" }, 4, "host.example" },
        { { "--out", "OUT", "--member", "m.1=10.1.0.1" }, 4, "m.1" },
        { { "--out", "OUT", "--member", "-m=10.1.0.1" }, 4, "-m" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        int rc = init(f, cases[i].count, cases[i].args, &e);
        if (rc != -ERR_INVALID_ARGUMENT || strstr(e.msg, cases[i].words) == NULL)
            fail_msg("case %zu: %d %s", i, rc, e.msg);
        assert_false(env_path_exists(f->env, f->out));
    }
}

static void test_bad_conf(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct store_config config = { 0 };
    char cluster[IDENTITY_CLUSTER_BYTES];
    assert_int_equal(identity_conf_read(f->env, &f->arena, f->out, &config, cluster, &e),
                     -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "gantryd init"));
    static const char *const texts[] = { "", "cluster 1\n", "member x m1 tcp:1\n", "member 1 m1\n",
                                         "member 1  tcp:1\n" };
    assert_int_equal(env_dir_make(f->env, f->out, 0700, &e), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *path = str_printf(&f->arena, "%s/cluster.conf", f->out).data;
        assert_int_equal(env_file_write(f->env, path, str_from(texts[i]), 0600, &e), 0);
        memset(&config, 0, sizeof config);
        assert_int_equal(identity_conf_read(f->env, &f->arena, f->out, &config, cluster, &e),
                         -ERR_PARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_certificates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conf_and_kubeconfig, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_conf, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
