/* Certificates are made, and read back. */
#include "base/arena.h"
#include "net/pki.h"
#include "tests/unit/unit.h"

#define NOW_S 1700000000u

static void test_ca_and_leaf(void **state)
{
    static const struct str names[] = { STR("a.test"), STR("b.test") };
    static const struct str addresses[] = { STR("127.0.0.1"), STR("::1") };
    static const struct str groups[] = { STR("one"), STR("two, O=three") };
    struct arena a;
    struct pki_pair ca;
    struct pki_pair leaf;
    struct pki_info info;
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("the ca"), NOW_S, 10, &ca, NULL), 0);
    assert_int_equal(pki_parse(&a, ca.certificate_pem, &info, NULL), 0);
    assert_true(info.is_ca);
    assert_true(str_eq_c(info.common_name, "the ca"));
    struct pki_request r = { .common_name = str_lit("leaf"),
                             .organizations = groups,
                             .organization_count = 2,
                             .dns_names = names,
                             .dns_name_count = 2,
                             .addresses = addresses,
                             .address_count = 2,
                             .server = true,
                             .client = true,
                             .now_s = NOW_S,
                             .days = 3 };
    assert_int_equal(pki_issue(&a, &ca, &r, &leaf, NULL), 0);
    assert_int_equal(pki_parse(&a, leaf.certificate_pem, &info, NULL), 0);
    assert_false(info.is_ca);
    assert_true(str_eq_c(info.common_name, "leaf"));
    assert_true(str_eq_c(info.issuer_common_name, "the ca"));
    assert_int_equal(info.organization_count, 2);
    assert_true(str_eq_c(info.organizations[1], "two, O=three"));
    assert_int_equal(info.name_count, 4);
    assert_true(str_eq_c(info.names[0], "a.test"));
    assert_true(str_eq_c(info.names[2], "127.0.0.1"));
    assert_true(str_eq_c(info.names[3], "0:0:0:0:0:0:0:1"));
    assert_int_equal(info.not_after_s, NOW_S + 3 * 86400);
    assert_int_equal(info.not_before_s, NOW_S - 300);
    assert_int_equal(info.serial.len, 32);
    arena_deinit(&a);
}

static void test_bad_input_is_an_error(void **state)
{
    static const struct str addresses[] = { STR("not an address") };
    struct arena a;
    struct pki_pair ca;
    struct pki_pair leaf;
    struct pki_info info;
    struct err e;
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_parse(&a, str_lit("nonsense"), &info, &e), -ERR_PARSE);
    assert_int_equal(pki_parse(&a, str_lit(""), &info, &e), -ERR_PARSE);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 1, &ca, &e), 0);
    struct pki_request r = { .common_name = str_lit("x"),
                             .addresses = addresses,
                             .address_count = 1,
                             .now_s = NOW_S,
                             .days = 1 };
    assert_int_equal(pki_issue(&a, &ca, &r, &leaf, &e), -ERR_INVALID_ARGUMENT);
    ca.key_pem = str_lit("nonsense");
    r.address_count = 0;
    assert_int_equal(pki_issue(&a, &ca, &r, &leaf, &e), -ERR_PARSE);
    arena_deinit(&a);
}

static void test_a_key_pair(void **state)
{
    struct arena a;
    struct str private_pem;
    struct str public_pem;
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_key(&a, &private_pem, &public_pem, NULL), 0);
    assert_true(str_starts(private_pem, str_lit("-----BEGIN EC PRIVATE KEY-----")));
    assert_true(str_starts(public_pem, str_lit("-----BEGIN PUBLIC KEY-----")));
    arena_deinit(&a);
}

static void test_signing_requests(void **state)
{
    static const struct str names[] = { STR("gantry-member-m4") };
    struct arena a;
    struct pki_pair ca;
    struct pki_pair other;
    struct pki_info info;
    struct str key;
    struct str csr;
    struct str leaf;
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 10, &ca, NULL), 0);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 10, &other, NULL), 0);
    assert_int_equal(pki_make_csr(&a, str_lit("anything"), &key, &csr, &e), 0);
    assert_true(str_starts(key, str_lit("-----BEGIN EC PRIVATE KEY-----")));
    struct pki_request r = { .common_name = str_lit("gantry-member-m4"),
                             .dns_names = names,
                             .dns_name_count = 1,
                             .server = true,
                             .client = true,
                             .now_s = NOW_S,
                             .days = 3 };
    assert_int_equal(pki_sign_csr(&a, &ca, csr, &r, &leaf, &e), 0);
    assert_int_equal(pki_parse(&a, leaf, &info, NULL), 0);
    /* What the request calls itself counts for nothing. */
    assert_true(str_eq_c(info.common_name, "gantry-member-m4"));
    assert_int_equal(info.name_count, 1);
    assert_false(info.is_ca);
    /* A changed byte anywhere in the body breaks the owner's signature, or the form. */
    char *broken = str_dup(&a, csr);
    broken[csr.len / 2] = broken[csr.len / 2] == 'A' ? 'B' : 'A';
    assert_int_not_equal(pki_sign_csr(&a, &ca, str_from(broken), &r, &leaf, &e), 0);
    assert_int_equal(pki_sign_csr(&a, &ca, str_lit("nonsense"), &r, &leaf, &e), -ERR_PARSE);
    assert_int_equal(
        pki_sign_csr(&a, &ca, str_of(arena_alloc(&a, PKI_CSR_BYTES_MAX + 1), PKI_CSR_BYTES_MAX + 1),
                     &r, &leaf, &e),
        -ERR_PARSE);
    /* A key that is not the CA's. */
    ca.key_pem = other.key_pem;
    assert_int_equal(pki_sign_csr(&a, &ca, csr, &r, &leaf, &e), -ERR_CORRUPT);
    arena_deinit(&a);
}

/* RSA of 1024 bits, made by hand: refused for its kind, whatever signed it. */
static const char weak_csr[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
                               "MIIBSzCBtQIBADAMMQowCAYDVQQDDAF4MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB\n"
                               "iQKBgQCaNxAXoHsU7+P/Ia+z1DJm3AmOBPDOFPyzFUjpQK4ykkKweKIclJqrBUAj\n"
                               "+W0Gyi0wfrmBzIp1tt18skptzxT9rSGLhMYrNw1ukE2WcNTRBvGG2QaNzCrZCmk+\n"
                               "XyYRUC73CqRfTp3QySZNSO1dRIVHSaWi8325RvhYaISSuHauMwIDAQABoAAwDQYJ\n"
                               "KoZIhvcNAQELBQADgYEAGj/ocRCqmMq+Tt/r0KudLqHepdjJK73sY7prDhg1m0r4\n"
                               "GqULuCBBlvpTb+zOo5Rz5O5GVfDxEnljiTag1vL4AeqEQ/r8vyk38XN8rNWP2b7M\n"
                               "t/ojZ7x2YIgyF3esOmSZcPRpcf1NGedo4g0IbGH2Nxz71PoXAJ28mFvgItMgOj8=\n"
                               "-----END CERTIFICATE REQUEST-----\n";

static void test_a_weak_key_is_refused(void **state)
{
    struct arena a;
    struct pki_pair ca;
    struct str leaf;
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 10, &ca, NULL), 0);
    struct pki_request r = { .common_name = str_lit("x"), .now_s = NOW_S, .days = 1 };
    assert_int_equal(pki_sign_csr(&a, &ca, str_from(weak_csr), &r, &leaf, &e),
                     -ERR_INVALID_ARGUMENT);
    arena_deinit(&a);
}

static void test_a_key_has_one_hash(void **state)
{
    struct arena a;
    struct pki_pair ca;
    struct pki_pair other;
    uint8_t one[PKI_SHA256_BYTES];
    uint8_t two[PKI_SHA256_BYTES];
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 10, &ca, NULL), 0);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), NOW_S, 10, &other, NULL), 0);
    assert_int_equal(pki_key_sha256(ca.certificate_pem, one, NULL), 0);
    assert_int_equal(pki_key_sha256(other.certificate_pem, two, NULL), 0);
    assert_memory_not_equal(one, two, sizeof one);
    assert_int_equal(pki_key_sha256(str_lit("nonsense"), two, NULL), -ERR_PARSE);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ca_and_leaf),
        cmocka_unit_test(test_bad_input_is_an_error),
        cmocka_unit_test(test_a_key_pair),
        cmocka_unit_test(test_signing_requests),
        cmocka_unit_test(test_a_weak_key_is_refused),
        cmocka_unit_test(test_a_key_has_one_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
