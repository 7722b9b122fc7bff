/* Names, addresses, hashes and cluster.conf. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "controlplane/identity.h"
#include "tests/unit/unit.h"

static void test_hosts(void **state)
{
    static const struct {
        const char *address;
        const char *host; /* NULL: absent */
        bool numeric;
    } cases[] = {
        { "tcp:10.0.0.1:2380", "10.0.0.1", true },
        { "tcp:[fd00::1]:2380", "fd00::1", true },
        { "tcp:m1.example:1", "m1.example", false },
        { "tcp::1", NULL, false },
        { "tcp:10.0.0.1", NULL, false },
        { "unix:/x", NULL, false },
        { "tcp:[::1", NULL, false },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str host = identity_host(str_from(cases[i].address));
        if (!str_eq(host, str_from(cases[i].host)) || identity_is_numeric(host) != cases[i].numeric)
            fail_msg("%s: %.*s", cases[i].address, STR_ARG(host));
    }
    assert_true(str_eq_c(identity_address(&a, str_lit("10.0.0.1"), 7), "tcp:10.0.0.1:7"));
    assert_true(str_eq_c(identity_address(&a, str_lit("fd00::1"), 7), "tcp:[fd00::1]:7"));
    assert_true(str_eq_c(identity_authority(&a, str_lit("10.0.0.1"), 7), "10.0.0.1:7"));
    assert_true(str_eq_c(identity_authority(&a, str_lit("fd00::1"), 7), "[fd00::1]:7"));
    arena_deinit(&a);
}

static bool has(const struct str *all, size_t count, const char *one)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(all[i], one))
            return true;
    return false;
}

static void test_a_member_request(void **state)
{
    struct pki_request r;
    struct arena a;
    (void)state;
    arena_init(&a);
    identity_member_request(&a, str_lit("m4"), str_lit("m4.example"), str_lit("fd00::4"), 99, &r);
    assert_true(str_eq_c(r.common_name, "gantry-member-m4"));
    assert_true(str_eq_c(r.dns_names[0], "gantry-member-m4"));
    assert_true(has(r.dns_names, r.dns_name_count, "m4.example"));
    assert_true(has(r.dns_names, r.dns_name_count, "kubernetes.default.svc"));
    assert_true(has(r.addresses, r.address_count, "fd00::4"));
    assert_true(has(r.addresses, r.address_count, "127.0.0.1"));
    assert_false(has(r.addresses, r.address_count, "m4.example"));
    assert_true(r.server && r.client);
    assert_int_equal(r.now_s, 99);
    arena_deinit(&a);
}

static void test_ca_hashes(void **state)
{
    struct arena a;
    struct pki_pair ca;
    uint8_t hash[PKI_SHA256_BYTES];
    uint8_t parsed[PKI_SHA256_BYTES];
    char text[IDENTITY_CA_HASH_BYTES];
    struct err e;
    (void)state;
    arena_init(&a);
    assert_int_equal(pki_make_ca(&a, str_lit("ca"), 1700000000, 9, &ca, NULL), 0);
    assert_int_equal(pki_key_sha256(ca.certificate_pem, hash, NULL), 0);
    assert_int_equal(identity_ca_hash(ca.certificate_pem, text, &e), 0);
    assert_int_equal(identity_ca_hash_parse(str_from(text), parsed, &e), 0);
    assert_memory_equal(hash, parsed, sizeof hash);
    text[70] = 'g';
    assert_int_equal(identity_ca_hash_parse(str_from(text), parsed, &e), -ERR_INVALID_ARGUMENT);
    text[70] = '\0';
    assert_int_equal(identity_ca_hash_parse(str_from(text), parsed, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(identity_ca_hash_parse(str_lit(""), parsed, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(identity_ca_hash(str_lit("x"), text, &e), -ERR_PARSE);
    arena_deinit(&a);
}

static void test_conf(void **state)
{
    struct store_member members[] = {
        { .id = 7, .name = "m7", .peer_address = "tcp:a:1", .raft_address = "tcp:a:2" }
    };
    struct buf b;
    (void)state;
    buf_init(&b);
    identity_conf_write(&b, str_lit("c1"), members, 1);
    assert_true(str_eq_c(buf_str(&b), "cluster c1\nmember 7 m7 tcp:a:1 tcp:a:2\n"));
    buf_deinit(&b); /* reading it back: init_test */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts),
                                        cmocka_unit_test(test_a_member_request),
                                        cmocka_unit_test(test_ca_hashes),
                                        cmocka_unit_test(test_conf) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
