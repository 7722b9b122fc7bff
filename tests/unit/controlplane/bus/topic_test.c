/* Names, rows and records of the bus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/arena.h"
#include "controlplane/bus/topic.h"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool topic;
        bool channel;
    } cases[] = {
        { "orders", true, true },
        { "cluster.queue", true, true },
        { "a_b-C.9", true, true },
        { "", false, false },
        { "#ephemeral", false, false },
        { "tail#ephemeral", false, true },
        { "tail#other", false, false },
        { "with/slash", false, false },
        { "with space", false, false },
        { "0123456789012345678901234567890123456789012345678901234567890123", true, true },
        { "01234567890123456789012345678901234567890123456789012345678901234", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(topic_name_valid(str_from(cases[i].name)), cases[i].topic);
        assert_int_equal(channel_name_valid(str_from(cases[i].name)), cases[i].channel);
    }
    assert_true(channel_is_ephemeral(str_lit("tail#ephemeral")));
    assert_true(topic_is_system(str_lit("cluster.queue")));
    assert_false(topic_is_system(str_lit("orders")));
}

static void test_records(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    uint64_t wall = 0;
    struct str body;
    topic_record_read(topic_record(&a, 123456789, str_lit("hello")), &wall, &body);
    assert_int_equal(wall, 123456789);
    assert_true(str_eq_c(body, "hello"));
    topic_record_read(str_lit("short"), &wall, &body);
    assert_int_equal(wall, 0);
    assert_int_equal(body.len, 0);
    assert_true(str_eq_c(topic_row_key(&a, str_lit("t")), "topic/t"));
    assert_true(str_eq_c(channel_row_key(&a, str_lit("t"), str_lit("c")), "channel/t/c"));
    assert_true(str_eq_c(channel_row_prefix(&a, str_lit("t")), "channel/t/"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
