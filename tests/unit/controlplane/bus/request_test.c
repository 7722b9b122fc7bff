/* The two request messages: what is taken and what is refused, without a bus. */
#include <string.h>

#include "controlplane/bus/request.h"
#include "tests/unit/unit.h"

static void test_publish(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *words; /* NULL: taken */
    } cases[] = {
        { STR("\x0a\x01t\x12\x02hi"), NULL },
        { STR("\x0a\x01t\x12\x00\x1a\x01p\x20\x05"), NULL }, /* an empty body */
        { STR("\x0a\x01t\x12\x02hi\x1a\x01p"), "begin at 1" },
        { STR("\x12\x02hi"), "topic must be" },
        { STR("\x0a\x03t t\x12\x02hi"), "topic must be" },
        { STR("\x0a\x01t"), "1 to 200 bodies" },
        { STR("\x0a\x7f"), "not a gantry.bus.v1.PublishRequest" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Gantry__Bus__V1__PublishRequest *r = NULL;
        size_t bytes = 99;
        struct err e = { 0 };
        int rc = request_publish(cases[i].bytes, &r, &bytes, &e);
        if (cases[i].words == NULL) {
            assert_int_equal(rc, 0);
            assert_int_equal(bytes, i == 0 ? 2 : 0);
            gantry__bus__v1__publish_request__free_unpacked(r, NULL);
        } else {
            assert_int_equal(rc, -ERR_INVALID_ARGUMENT);
            assert_non_null(strstr(e.msg, cases[i].words));
        }
    }
}

static void test_subscribe(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        bool started;
        const char *words;
    } cases[] = {
        { STR("\x0a\x08\x0a\x01t\x12\x01\x63\x18\x07"), false, NULL },
        { STR("\x0a\x08\x0a\x01t\x12\x01\x63\x18\x07"), true, "start was sent already" },
        { STR("\x0a\x0c\x0a\x01t\x12\x05#ephe"), false, "not a gantry" },
        { STR("\x0a\x10\x0a\x01t\x12\x0b\x63#ephemeral"), false, NULL },
        { STR("\x0a\x0f\x0a\x01t\x12\x0a#ephemeral"), false, "topic and channel" },
        { STR("\x12\x02\x08\x01"), false, "send start first" },
        { STR("\x12\x02\x08\x01"), true, NULL },
        { STR(""), true, "an empty request" },
        { STR("\x1a\x03\x0a\x01\x05"), true, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Gantry__Bus__V1__SubscribeRequest *r = NULL;
        struct err e = { 0 };
        int rc = request_subscribe(cases[i].bytes, cases[i].started, &r, &e);
        if (cases[i].words == NULL) {
            assert_int_equal(rc, 0);
            gantry__bus__v1__subscribe_request__free_unpacked(r, NULL);
        } else {
            assert_int_equal(rc, -ERR_INVALID_ARGUMENT);
            assert_non_null(strstr(e.msg, cases[i].words));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_subscribe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
