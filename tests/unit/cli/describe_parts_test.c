/* Parts that several pages have. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_annotations(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_secret,
                "{\"metadata\":{\"name\":\"s\",\"annotations\":{\"a\":\"one\\n\",\"b\":\"two\\nli"
                "nes\",\"kubectl.kubernetes.io/last-applied-configuration\":\"x\",\"esc\":\"\\u00"
                "1b[1m\"}}}",
                NULL);
    assert_non_null(strstr(page, "Annotations:  a: one\n"
                                 "              b:\n"
                                 "                two\n"
                                 "                lines\n"
                                 "              esc: ^[[1m\n"));
}

static void tolerations(struct page *p, const struct json *tree)
{
    page_tolerations(p, "T", tree);
}

static void test_tolerations(void **state)
{
    const char *page = page_part(*state, tolerations,
                                 "[{\"key\":\"b\",\"value\":\"v\",\"tolerationSeconds\":3},"
                                 "{\"operator\":\"Exists\"}]");
    assert_string_equal(page, "T:  op=Exists\n    b=v for 3s\n");
}

static void events(struct page *p, const struct json *tree)
{
    (void)tree;
    p->events = true;
    page_events(p, true);
}

static void test_events(void **state)
{
    struct cli_world *w = *state;
    cli_world_reset(w);
    w->answers[0].status = 200;
    w->answers[0].body =
        "{\"items\":[{\"type\":\"Normal\",\"reason\":\"Late\",\"lastTimestamp\":\"2\",\"message\":"
        "\" m\\n\",\"source\":{\"component\":\"c\"},\"involvedObject\":{\"fieldPath\":\"f\"}},"
        "{\"type\":\"Warning\",\"reason\":\"Early\",\"lastTimestamp\":\"1\",\"count\":3,"
        "\"reportingComponent\":\"r\",\"message\":\"n\"}]}";
    w->asks = 0;
    const char *page =
        page_part(w, events, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"n\",\"uid\":\"u\"}}");
    assert_non_null(strstr(w->asked[0], "GET /api/v1/namespaces/n/events?limit=500&fieldSelector="
                                        "involvedObject.name%3Dx%2CinvolvedObject.namespace%3Dn"));
    assert_string_equal(page, "Events:\n"
                              "  Type     Reason  Age                            From  Message\n"
                              "  ----     ------  ----                           ----  -------\n"
                              "  Warning  Early   <unknown> (x3 over <unknown>)  r     n\n"
                              "  Normal   Late    <unknown>                      c     m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_annotations),
                                        cmocka_unit_test(test_tolerations),
                                        cmocka_unit_test(test_events) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
