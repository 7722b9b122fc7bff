/* A token and a signing request become a certificate, once. */
#include <string.h>

#include "base/buf.h"
#include "tests/unit/controlplane/members_world.h"
#include "tests/unit/unit.h"

static const char *add(struct members_world *w, const char *name)
{
    const char *body = str_printf(&w->arena,
                                  "{\"name\":\"%s\",\"raftAddress\":\"tcp:10.0.0.2:2381\","
                                  "\"peerAddress\":\"tcp:10.0.0.2:2380\"}",
                                  name)
                           .data;
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members", body), 201);
    return str_dup(&w->arena, members_world_text(w, "token"));
}

static int join(struct members_world *w, const char *token, struct str csr, const char *address)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "{\"token\":\"%s\",\"address\":\"%s\",\"csr\":", token, address);
    json_write_string(&b, csr, false);
    buf_append_c(&b, "}");
    const char *body = str_copy(&w->arena, buf_str(&b)).data;
    buf_deinit(&b);
    w->verified = false;
    int status = members_world_call(w, "POST", "/gantry/v1/join", body);
    w->verified = true;
    return status;
}

static void give_ca_key(struct members_world *w)
{
    const char *path = str_printf(&w->arena, "%s/ca.key", w->folder).data;
    assert_int_equal(env_file_write(w->h->env, path, w->ca.key_pem, 0600, NULL), 0);
}

static void test_join(void **state)
{
    struct members_world *w = *state;
    struct pki_info info;
    struct str key;
    struct str csr;
    const char *token;
    bool address = false;
    members_world_first_row(w);
    assert_int_equal(pki_make_csr(&w->arena, str_lit("system:masters"), &key, &csr, NULL), 0);
    token = add(w, "m2");
    assert_int_equal(join(w, token, csr, ""), 501);
    give_ca_key(w);
    assert_int_equal(join(w, token, str_lit("nonsense"), ""), 400);
    assert_int_equal(join(w, token, csr, "host.example"), 400);
    assert_int_equal(join(w, "0123456789ab.0123456789abcdef0123456789abcdef", csr, ""), 403);
    assert_int_equal(join(w, "", csr, ""), 403);
    /* None of that has used it up. */
    assert_int_equal(join(w, token, csr, "10.0.0.22"), 200);
    assert_true(str_eq_c(members_world_text(w, "name"), "m2"));
    assert_true(str_eq(members_world_text(w, "ca"), w->ca.certificate_pem));
    assert_int_equal(pki_parse(&w->arena, members_world_text(w, "certificate"), &info, NULL), 0);
    /* The token's name, not the request's. */
    assert_true(str_eq_c(info.common_name, "gantry-member-m2"));
    assert_true(str_eq_c(info.names[0], "gantry-member-m2"));
    for (size_t i = 0; i < info.name_count; i++)
        address = address || str_eq_c(info.names[i], "10.0.0.22");
    assert_true(address);
    assert_true(str_eq_c(members_world_text(w, "clusterConf"),
                         "cluster c0ffee\n"
                         "member 2 m2 tcp:10.0.0.2:2380 tcp:10.0.0.2:2381\n"
                         "member 1 solo tcp:10.0.0.1:2380 tcp:10.0.0.1:2381\n"));
    assert_int_equal(join(w, token, csr, ""), 403);
}

/* One certificate for a member, however many tokens: a second machine would be a second voter. */
static void test_two_tokens(void **state)
{
    struct members_world *w = *state;
    struct str key;
    struct str csr;
    const char *first;
    const char *second;
    members_world_first_row(w);
    give_ca_key(w);
    assert_int_equal(pki_make_csr(&w->arena, str_lit("x"), &key, &csr, NULL), 0);
    first = add(w, "m2");
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members/m2/token", NULL), 200);
    second = str_dup(&w->arena, members_world_text(w, "token"));
    assert_int_equal(join(w, second, csr, ""), 200);
    assert_int_equal(join(w, first, csr, ""), 409);
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members/m2/token", NULL), 409);
}

static void test_a_member_that_was_removed(void **state)
{
    struct members_world *w = *state;
    struct str key;
    struct str csr;
    const char *token;
    members_world_first_row(w);
    give_ca_key(w);
    assert_int_equal(pki_make_csr(&w->arena, str_lit("x"), &key, &csr, NULL), 0);
    token = add(w, "m2");
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members/m2/remove", NULL), 200);
    assert_int_equal(join(w, token, csr, ""), 403);
}

static void test_tries_are_counted(void **state)
{
    struct members_world *w = *state;
    struct members_api_config config = w->api->config;
    struct members_api *api;
    unsigned taken = 0;
    config.tries_per_s = 3;
    assert_int_equal(members_api_new(&config, &api, NULL), 0);
    /* However fast: three in a second; at most one second ends meanwhile. */
    for (int i = 0; i < 1000; i++)
        taken += join_may_try(api);
    assert_in_range(taken, 3, 6);
    members_api_free(api);
    w->api->config.tries_per_s = 0;
    assert_int_equal(join(w, "x", str_lit("x"), ""), 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_join, members_world_setup, members_world_teardown),
        cmocka_unit_test_setup_teardown(test_two_tokens, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_a_member_that_was_removed, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_tries_are_counted, members_world_setup,
                                        members_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
