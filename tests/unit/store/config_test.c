/* What a store refuses to be opened with. */
#include "store/config.h"
#include "tests/unit/unit.h"

static struct store_config good(void)
{
    return (
        struct store_config){ .ca_file = "ca.crt",
                              .member_id = 2,
                              .members_count = 2,
                              .members = { { .id = 1, .name = "m1" }, { .id = 2, .name = "m2" } } };
}

static void refused(struct store_config c, const char *why)
{
    struct err e = { 0 };

    assert_int_equal(config_check(&c, &e), -ERR_INVALID_ARGUMENT);
    assert_string_equal(e.msg, why);
}

static void test_check(void **state)
{
    struct store_config c = good();
    struct err e = { 0 };

    (void)state;
    assert_int_equal(config_check(&c, &e), 0);
    c.members_count = 0;
    refused(c, "0 members");
    c.members_count = STORE_MEMBERS_MAX + 1;
    refused(c, "9 members");
    c = good();
    c.members[1].id = 0;
    refused(c, "member 1 has no good id or name");
    c = good();
    c.members[0].name[0] = '\0';
    refused(c, "member 0 has no good id or name");
    c = good();
    c.members[1].name[1] = '1';
    refused(c, "two members are m1");
    c = good();
    c.members[0].id = 2;
    refused(c, "two members are m2");
    c = good();
    c.ca_file = NULL;
    refused(c, "members need certificates");
    c = good();
    c.member_id = 3;
    refused(c, "member id 3 is not configured");
}

static void test_self(void **state)
{
    struct store_config c = good();

    (void)state;
    assert_ptr_equal(config_self(&c), &c.members[1]);
    c.member_id = 9;
    assert_null(config_self(&c));
}

static void test_peers(void **state)
{
    struct store_config c = good();

    (void)state;
    assert_true(config_has_peers(&c));
    c.ca_file = NULL;
    assert_false(config_has_peers(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_check), cmocka_unit_test(test_self),
                                        cmocka_unit_test(test_peers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
