/* What a TLS configuration refuses, and why. */
#include "base/arena.h"
#include "net/pki.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

static void test_bad_configurations(void **state)
{
    struct arena a;
    struct pki_pair one;
    struct pki_pair two;
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("one"), 1700000000, 1, &one, NULL), 0);
    assert_int_equal(pki_make_ca(&a, str_lit("two"), 1700000000, 1, &two, NULL), 0);
    struct tls_options good = { .certificate_pem = one.certificate_pem, .key_pem = one.key_pem };
    struct tls_context *c = tls_server_context_new(&good, &e);
    assert_non_null(c);
    tls_context_ref(c);
    tls_context_unref(c);
    tls_context_unref(c);
    tls_context_unref(NULL);
    struct tls_options o = good;
    o.key_pem = two.key_pem;
    assert_null(tls_server_context_new(&o, &e));
    assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
    o.key_pem = str_lit("nonsense");
    assert_null(tls_server_context_new(&o, &e));
    assert_int_equal(e.code, ERR_PARSE);
    o = good;
    o.ca_pem = str_lit("nonsense");
    assert_null(tls_server_context_new(&o, &e));
    assert_int_equal(e.code, ERR_PARSE);
    o = (struct tls_options){ 0 };
    assert_null(tls_server_context_new(&o, &e));
    assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
    assert_null(tls_client_context_new(&o, &e));
    assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
    /* Either a CA or anybody, not both and not neither. */
    o = (struct tls_options){ .ca_pem = one.certificate_pem, .any_server = true };
    assert_null(tls_client_context_new(&o, &e));
    assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
    o.ca_pem = (struct str){ 0 };
    c = tls_client_context_new(&o, &e);
    assert_non_null(c);
    tls_context_unref(c);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
