/* The bus's life: it comes and goes over the same store, and takes up where it was. */
#include "tests/unit/controlplane/bus/harness.h"
#include "tests/unit/unit.h"

static struct subscriber one;

static void test_restart(void **state)
{
    struct harness *h = *state;
    assert_string_equal(bus_service(h->bus)->name, "gantry.bus.v1.Bus");
    (void)harness_publish(h, "t", "", 0, "m", 3, NULL);
    harness_restart(h);
    assert_int_equal(harness_publish(h, "t", "", 0, "n", 1, NULL), 4);
    one.ack = true;
    harness_subscribe(h, &one, "t", "c", 10, 0);
    harness_expect_rows(&one, 4, 20);
    harness_subscribe_close(&one);
}

static void test_free_of_nothing(void **state)
{
    (void)state;
    bus_free(NULL);
    bus_publisher_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_free_of_nothing),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
