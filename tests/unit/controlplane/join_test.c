/* The joining machine's side, against a server that says what a test wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env_uv.h"
#include "controlplane/identity.h"
#include "controlplane/join.h"
#include "net/server.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

struct fixture {
    struct env *env;
    struct env_loop *loop;
    struct http_server *server;
    struct tls_context *tls;
    struct arena arena;
    struct pki_pair ca;
    struct env_msg msg;
    char folder[64];
    char url[64];
    char hash[IDENTITY_CA_HASH_BYTES];
    int status;
    const char *answer_name;
    const char *error;
    struct str other_ca;
    unsigned asked;
    struct buf out;
    struct err e;
};

/* Signs whatever it is sent, as the members' API would. */
static void on_end(struct http_exchange *x, int status)
{
    struct fixture *f = x->user;
    const struct json *body;
    struct pki_request request;
    struct str certificate = { 0 };
    struct buf b;
    (void)status;
    f->asked++;
    buf_init(&b);
    identity_member_request(&x->arena, str_from(f->answer_name), str_lit("127.0.0.1"),
                            str_of("", 0), env_wall_ns(f->env) / ENV_S, &request);
    if (json_parse(&x->arena, buf_str(&x->body), &body, NULL) == 0)
        (void)pki_sign_csr(&x->arena, &f->ca, json_str(json_get_c(body, "csr")), &request,
                           &certificate, NULL); /* then empty */
    buf_printf(&b, "{\"error\":\"%s\",\"name\":\"%s\",\"certificate\":", f->error, f->answer_name);
    json_write_string(&b, certificate, false);
    buf_append_c(&b, ",\"ca\":");
    json_write_string(&b, f->other_ca.len > 0 ? f->other_ca : f->ca.certificate_pem, false);
    buf_append_c(&b, ",\"clusterConf\":\"cluster c1\\nmember 1 m1 tcp:10.0.0.1:2380 "
                     "tcp:10.0.0.1:2381\\nmember 4 m4 tcp:10.0.0.4:2380 tcp:10.0.0.4:2381\\n\"}");
    http_reply(x, f->status, "application/json", buf_str(&b));
    buf_deinit(&b);
}

static void on_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void serve(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .end = on_end, .closed = on_closed };
    x->events = &events;
    x->user = ctx;
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct pki_request request;
    struct pki_pair pair;
    uint64_t now;
    f->env = env_uv_new();
    now = env_wall_ns(f->env) / ENV_S;
    arena_init(&f->arena);
    buf_init(&f->out);
    f->answer_name = "m4";
    f->error = "";
    f->status = 200;
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/join-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(pki_make_ca(&f->arena, str_lit("ca"), now, 9, &f->ca, NULL), 0);
    assert_int_equal(identity_ca_hash(f->ca.certificate_pem, f->hash, NULL), 0);
    identity_member_request(&f->arena, str_lit("m1"), str_lit("127.0.0.1"), str_of("", 0), now,
                            &request);
    assert_int_equal(pki_issue(&f->arena, &f->ca, &request, &pair, NULL), 0);
    struct tls_options tls = { .certificate_pem = str_printf(&f->arena, "%.*s\n%.*s",
                                                             STR_ARG(pair.certificate_pem),
                                                             STR_ARG(f->ca.certificate_pem)),
                               .key_pem = pair.key_pem };
    f->tls = tls_server_context_new(&tls, NULL);
    f->loop = env_loop_new(f->env, "server");
    struct http_server_options o = {
        .address = "tcp:127.0.0.1:0", .tls = f->tls, .handler = serve, .ctx = f
    };
    assert_int_equal(http_server_open(f->loop, &o, &f->server, NULL), 0);
    (void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%d", http_server_port(f->server));
    env_loop_start(f->loop);
    *state = f;
    return 0;
}

static void on_server_closed(void *ctx)
{
    env_loop_stop(((struct fixture *)ctx)->loop);
}

static void close_server(struct env_msg *m)
{
    struct fixture *f = container_of(m, struct fixture, msg);
    http_server_close(f->server, 0, on_server_closed, f);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    env_post(f->loop, &f->msg, close_server);
    env_loop_join(f->loop);
    env_loop_free(f->loop);
    tls_context_unref(f->tls);
    (void)env_remove_tree(f->env, f->folder, NULL); /* only a temporary folder */
    buf_deinit(&f->out);
    arena_deinit(&f->arena);
    env_uv_free(f->env);
    mem_free(f);
    return 0;
}

static const char *path(struct fixture *f, const char *file)
{
    return str_printf(&f->arena, "%s/%s", f->folder, file).data;
}

static int join(struct fixture *f, const char *hash, const char *address)
{
    const char *args[] = { "--server", f->url,       "--token",   "t",         "--ca-hash",
                           hash,       "--name",     "m4",        "--cluster", path(f, "c"),
                           "--data",   path(f, "d"), "--address", address };
    buf_clear(&f->out);
    f->e = (struct err){ 0 };
    return join_command(f->env, address != NULL ? 14 : 12, (char **)(uintptr_t)args, &f->out,
                        &f->e);
}

static struct str file(struct fixture *f, const char *name)
{
    struct str text;
    assert_int_equal(env_file_read(f->env, &f->arena, path(f, name), 1 << 16, &text, NULL), 0);
    return text;
}

static void test_joins(void **state)
{
    struct fixture *f = *state;
    struct pki_info info;
    struct env_stat stat;
    assert_int_equal(join(f, f->hash, NULL), 0);
    assert_int_equal(pki_parse(&f->arena, file(f, "c/members/m4/tls.crt"), &info, NULL), 0);
    assert_true(str_eq_c(info.common_name, "gantry-member-m4"));
    assert_true(str_eq(file(f, "c/ca.crt"), f->ca.certificate_pem));
    assert_true(str_find(file(f, "c/cluster.conf"), str_lit("member 4 m4 tcp:10.0.0.4:2380")) > 0);
    assert_true(env_path_exists(f->env, path(f, "d/" MEMBER_JOINED_FILE)));
    assert_int_equal(env_path_stat(f->env, path(f, "c/members/m4/tls.key"), &stat, NULL), 0);
    assert_int_equal(stat.mode & 0777, 0600);
    assert_true(str_find(buf_str(&f->out), str_lit("gantryd run --cluster ")) > 0);
    /* Twice: nothing is asked for again. */
    assert_int_equal(join(f, f->hash, NULL), -ERR_ALREADY_EXISTS);
    assert_int_equal(f->asked, 1);
}

static void test_at_another_address(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(join(f, f->hash, "fd00::4"), 0);
    assert_true(str_eq_c(file(f, "c/cluster.conf"),
                         "cluster c1\nmember 1 m1 tcp:10.0.0.1:2380 tcp:10.0.0.1:2381\n"
                         "member 4 m4 tcp:[fd00::4]:2380 tcp:[fd00::4]:2381\n"));
    assert_true(str_find(buf_str(&f->out), str_lit("--listen tcp:[fd00::4]:6443\n")) > 0);
}

static void test_nothing_is_said_to_a_stranger(void **state)
{
    struct fixture *f = *state;
    char wrong[IDENTITY_CA_HASH_BYTES];
    memcpy(wrong, f->hash, sizeof wrong);
    wrong[40] = wrong[40] == '0' ? '1' : '0';
    assert_int_equal(join(f, wrong, NULL), -ERR_UNAUTHENTICATED);
    assert_non_null(strstr(f->e.msg, "does not prove"));
    assert_int_equal(f->asked, 0);
    assert_false(env_path_exists(f->env, path(f, "c/members/m4/tls.key")));
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct pki_pair other;
    f->status = 403;
    f->error = "the token is not good";
    assert_int_equal(join(f, f->hash, NULL), -ERR_FORBIDDEN);
    assert_non_null(strstr(f->e.msg, "the token is not good"));
    f->status = 200;
    f->answer_name = "m5";
    assert_int_equal(join(f, f->hash, NULL), -ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->e.msg, "is for member 'm5'"));
    f->answer_name = "m4";
    assert_int_equal(pki_make_ca(&f->arena, str_lit("ca"), 1700000000, 9, &other, NULL), 0);
    f->other_ca = other.certificate_pem;
    assert_int_equal(join(f, f->hash, NULL), -ERR_UNAUTHENTICATED);
    assert_false(env_path_exists(f->env, path(f, "d/" MEMBER_JOINED_FILE)));
}

/* What `run` would refuse is refused before the token is spent. (That it runs: ipv6_test.sh.) */
static void test_run_flags(void **state)
{
    struct fixture *f = *state;
    const char *args[80] = { "--server", f->url,       "--token", "t",         "--ca-hash",
                             f->hash,    "--name",     "m4",      "--cluster", path(f, "c"),
                             "--data",   path(f, "d"), "--run" };
    static const struct {
        const char *flag;
        const char *value;
        int count;
        const char *words;
    } cases[] = { { "--nonsense", "x", 15, "unknown flag '--nonsense'" },
                  { "--listen", NULL, 14, "--listen needs a value" },
                  { "--api-loops", "9", 15, "--api-loops" },
                  { "--name", "m4", 80, "more than 58 words" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        args[13] = cases[i].flag;
        args[14] = cases[i].value;
        f->e = (struct err){ 0 };
        int rc = join_command(f->env, cases[i].count, (char **)(uintptr_t)args, &f->out, &f->e);
        if (rc != -ERR_INVALID_ARGUMENT || strstr(f->e.msg, cases[i].words) == NULL)
            fail_msg("case %zu: %d %s", i, rc, f->e.msg);
    }
    assert_int_equal(f->asked, 0);
    assert_false(env_path_exists(f->env, path(f, "c")));
}

static void test_flags(void **state)
{
    static const struct {
        const char *args[4];
        int count;
        const char *words;
    } cases[] = { { { NULL }, 0, "--server is needed" },
                  { { "--server" }, 1, "needs a value" },
                  { { "--else", "x" }, 2, "unknown flag '--else'" },
                  { { "--server", "https://a:1", "--token", "x" }, 4, "--ca-hash is needed" } };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        int rc =
            join_command(f->env, cases[i].count, (char **)(uintptr_t)cases[i].args, &f->out, &e);
        if (rc != -ERR_INVALID_ARGUMENT || strstr(e.msg, cases[i].words) == NULL)
            fail_msg("case %zu: %d %s", i, rc, e.msg);
    }
    assert_int_equal(join(f, "sha256:00", NULL), -ERR_INVALID_ARGUMENT);
    assert_int_equal(join(f, f->hash, "m4.example"), -ERR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_joins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_another_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_said_to_a_stranger, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
