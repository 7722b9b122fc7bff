/* Ranges of addresses and node ports. */
#include <string.h>

#include "controlplane/resources/service_ranges.h"
#include "tests/unit/unit.h"

static void test_defaults(void **state)
{
    struct service_ranges s;
    char text[SERVICE_IP_TEXT_BYTES];
    (void)state;
    assert_int_equal(service_ranges_parse(&s, NULL, NULL, NULL), 0);
    assert_int_equal(s.ips_count, 1);
    assert_string_equal(s.ips[0].text, "10.96.0.0/12");
    assert_int_equal(s.ips[0].count, (1 << 20) - 2);
    assert_int_equal(s.ips[0].reserved, 256);
    assert_int_equal(s.ports_first, 30000);
    assert_int_equal(s.ports_count, 2768);
    assert_int_equal(s.ports_reserved, 86);
    assert_string_equal(s.ports_text, "30000-32767");
    const struct service_range *r = service_range_of(&s, ADDRESS_IPV4);
    assert_ptr_equal(r, &s.ips[0]);
    assert_null(service_range_of(&s, ADDRESS_IPV6));
    service_range_at(r, 0, text);
    assert_string_equal(text, "10.96.0.0");
    service_range_at(r, 257, text);
    assert_string_equal(text, "10.96.1.1");
    service_range_at(r, r->count, text);
    assert_string_equal(text, "10.111.255.254");
}

static void test_has(void **state)
{
    static const struct {
        const char *ip;
        bool has;
    } table[] = { { "10.96.0.0", false },
                  { "10.96.0.1", true },
                  { "10.111.255.254", true },
                  { "10.111.255.255", false },
                  { "10.95.0.1", false },
                  { "10.112.0.1", false },
                  { "fd00::1", false },
                  { "none", false },
                  { "", false },
                  { NULL, false } };
    struct service_ranges s;
    (void)state;
    assert_int_equal(service_ranges_parse(&s, NULL, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(service_range_has(&s.ips[0], table[i].ip), table[i].has);
}

static void test_two_families(void **state)
{
    struct service_ranges s;
    char text[SERVICE_IP_TEXT_BYTES];
    (void)state;
    assert_int_equal(service_ranges_parse(&s, "fd00:0:0:1::/64,192.168.8.0/29", "1-9", NULL), 0);
    assert_int_equal(s.ips_count, 2);
    const struct service_range *r = &s.ips[0];
    assert_int_equal(r->family, ADDRESS_IPV6);
    assert_true(r->count == UINT64_MAX);
    service_range_at(r, UINT64_MAX, text);
    assert_string_equal(text, "fd00::1:ffff:ffff:ffff:ffff");
    assert_true(service_range_has(r, "fd00:0000::1:0:0:0:a"));
    assert_false(service_range_has(r, "fd00:0:0:1::"));
    assert_false(service_range_has(r, "fd00:0:0:2::1"));
    r = service_range_of(&s, ADDRESS_IPV4);
    assert_int_equal(r->count, 6);
    assert_int_equal(r->reserved, 0);
    assert_int_equal(s.ports_count, 9);
    assert_int_equal(s.ports_reserved, 0);
    assert_int_equal(service_ranges_parse(&s, "fd00::/125", NULL, NULL), 0);
    assert_true(service_range_has(&s.ips[0], "fd00::7"));
    assert_false(service_range_has(&s.ips[0], "fd00::8"));
}

static void test_refused(void **state)
{
    static const struct {
        const char *ips;
        const char *ports;
        const char *says;
    } table[] = {
        { "", NULL, "'' is not a network" },
        { "10.96.0.0", NULL, "is not a network" },
        { "10.96.0.0/x", NULL, "is not a network" },
        { "10.96.0/12", NULL, "is not a network" },
        { "10.0.0.0/8", NULL, "/12 to /29" },
        { "10.0.0.0/30", NULL, "/12 to /29" },
        { "fd00::/63", NULL, "/64 to /125" },
        { "10.96.0.1/12", NULL, "bits behind its prefix" },
        { "fd00::1/64", NULL, "bits behind its prefix" },
        { "10.96.0.0/12,10.0.0.0/16", NULL, "one is IPv4 and one is IPv6" },
        { "10.96.0.0/12,fd00::/64,fd01::/64", NULL, "two at most" },
        { NULL, "", "is not a range" },
        { NULL, "30000", "is not a range" },
        { NULL, "0-5", "is not a range" },
        { NULL, "5-4", "is not a range" },
        { NULL, "5-65536", "is not a range" },
        { NULL, "5-6-7", "is not a range" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct service_ranges s;
        struct err e;
        assert_int_equal(service_ranges_parse(&s, table[i].ips, table[i].ports, &e),
                         -ERR_INVALID_ARGUMENT);
        if (strstr(e.msg, table[i].says) == NULL)
            fail_msg("%s", e.msg);
    }
}

static void test_usual(void **state)
{
    char text[SERVICE_IP_TEXT_BYTES];
    (void)state;
    assert_true(service_ip_usual("FD00:0000::1:0:0:0:a", text));
    assert_string_equal(text, "fd00:0:0:1::a");
    assert_true(service_ip_usual("10.96.0.1", text));
    assert_string_equal(text, "10.96.0.1");
    assert_false(service_ip_usual("None", text));
    assert_string_equal(text, "");
    assert_false(service_ip_usual(NULL, text));
}

static void test_families(void **state)
{
    (void)state;
    assert_int_equal(service_family_of("IPv4"), ADDRESS_IPV4);
    assert_int_equal(service_family_of("IPv6"), ADDRESS_IPV6);
    assert_int_equal(service_family_of("::1"), ADDRESS_IPV6);
    assert_int_equal(service_family_of("1.2.3.4"), ADDRESS_IPV4);
    assert_string_equal(service_family_name(ADDRESS_IPV4), "IPv4");
    assert_string_equal(service_family_name(ADDRESS_IPV6), "IPv6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_has),
        cmocka_unit_test(test_two_families), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_families),     cmocka_unit_test(test_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
