/* What every operation takes from headers and query: how long a body may take. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

/* A body that never comes ends when the client meant to wait no longer. */
static void test_a_late_body(void **state)
{
    struct harness *h = *state;
    struct stream s = { 0 };
    stream_start(h, &s, "POST", MAPS "?timeout=200ms",
                 "Content-Type: application/json\r\nContent-Length: 50\r\n");
    while (stream_more(&s))
        ;
    struct str raw = buf_str(&s.raw);
    assert_true(str_starts(raw, str_lit("HTTP/1.1 504 ")));
    assert_true(str_find(raw, str_lit("\"message\":\"Timeout: request did not complete within the "
                                      "allotted timeout\",\"reason\":\"Timeout\"")) > 0);
    assert_true(str_find(raw, str_lit("connection: close\r\n")) > 0);
    stream_close(&s);
}

static void test_timeouts(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?timeout=soon");
    harness_expect(&r, 400);
    harness_contains(&r, "invalid timeout specified in the request URL - time: invalid duration "
                         "\\\"soon\\\"");
    static const char *const good[] = { "0", "0s", "1h", "34s", "-1s", "1ns", "" };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *target = str_printf(&h->arena, MAPS "?timeout=%s", good[i]).data;
        r = harness_get(h, target);
        harness_expect(&r, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_late_body),
        cmocka_unit_test(test_timeouts),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
