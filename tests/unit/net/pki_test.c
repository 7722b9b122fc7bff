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
    assert_true(str_starts(private_pem, str_lit("-----BEGIN PRIVATE KEY-----")));
    assert_true(str_starts(public_pem, str_lit("-----BEGIN PUBLIC KEY-----")));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ca_and_leaf),
        cmocka_unit_test(test_bad_input_is_an_error),
        cmocka_unit_test(test_a_key_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
