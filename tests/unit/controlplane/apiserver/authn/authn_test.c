/* Identities from connections. */
#include "base/arena.h"
#include "controlplane/apiserver/authn/authn.h"
#include "net/http.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

static void test_certificate(void **state)
{
    (void)state;
    struct arena a;
    struct err e;
    struct identity id;
    struct str groups[] = { str_lit("system:masters"), str_lit("ops") };
    struct tls_identity shown = { .verified = true,
                                  .shown = true,
                                  .common_name = str_lit("ann"),
                                  .organizations = groups,
                                  .organization_count = 2,
                                  .certificate_sha256 = { 0xab, [31] = 0x0c } };
    struct http_peer peer = { .tls = true, .identity = &shown };
    arena_init(&a);
    assert_int_equal(authn_identify(&a, &peer, NULL, &id, &e), 0);
    assert_true(str_eq_c(id.user, "ann"));
    assert_int_equal(id.groups_count, 3);
    assert_true(str_eq_c(id.groups[0], "system:masters"));
    assert_true(str_eq_c(id.groups[2], "system:authenticated"));
    assert_int_equal(id.extras_count, 1);
    assert_true(str_eq_c(id.extras[0].key, "authentication.kubernetes.io/credential-id"));
    assert_int_equal(id.extras[0].values_count, 1);
    assert_true(
        str_eq_c(id.extras[0].values[0],
                 "X509SHA256=ab0000000000000000000000000000000000000000000000000000000000000c"));
    shown.verified = false;
    assert_int_equal(authn_identify(&a, &peer, "plain", &id, &e), -ERR_UNAUTHENTICATED);
    assert_string_equal(e.msg, "Unauthorized");
    shown.verified = true;
    shown.common_name = str_lit("");
    assert_int_equal(authn_identify(&a, &peer, "plain", &id, &e), -ERR_UNAUTHENTICATED);
    arena_deinit(&a);
}

static void test_plain(void **state)
{
    (void)state;
    struct arena a;
    struct err e;
    struct identity id;
    struct http_peer peer = { .tls = false, .identity = &tls_identity_none };
    arena_init(&a);
    assert_int_equal(authn_identify(&a, &peer, NULL, &id, &e), -ERR_UNAUTHENTICATED);
    assert_int_equal(authn_identify(&a, &peer, "root", &id, &e), 0);
    assert_true(str_eq_c(id.user, "root"));
    arena_deinit(&a);
}

static void test_tokens(void **state)
{
#define TOKEN "base64url.bearer.authorization.k8s.io.c2VjcmV0"
    struct http_header rows[] = {
        { STR("sec-websocket-protocol"), STR(TOKEN) },
        { STR("authorization"), STR("") },
        { STR("sec-websocket-protocol"), STR("a," TOKEN " ,b," TOKEN) },
        { STR("sec-websocket-protocol"), STR("base64url.bearer.authorization.k8s.io") },
    };
    struct http_headers h = { .items = rows, .count = 4, .capacity = 4 };
    struct arena a;
    (void)state;
    arena_init(&a);
    authn_forget_tokens(&a, &h);
    assert_int_equal(h.count, 3);
    assert_true(str_eq_c(h.items[0].name, "authorization"));
    assert_true(str_eq_c(h.items[1].value, "a, b"));
    assert_true(str_eq_c(h.items[2].value, "base64url.bearer.authorization.k8s.io"));
    arena_deinit(&a);
#undef TOKEN
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
