/* What --for may say, and which objects are so. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "cli/wait_for.h"
#include "tests/unit/unit.h"

#define OBJECT                                                                                     \
    "{\"metadata\":{\"generation\":2},\"status\":{\"observedGeneration\":2,\"phase\":\"Running\"," \
    "\"n\":3,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},{\"type\":\"Old\","          \
    "\"status\":\"True\",\"observedGeneration\":1}]}}"

static void test_met(void **state)
{
    static const struct {
        const char *text;
        int met; /* -1: an error */
        const char *says;
    } cases[] = {
        { "condition=Ready", 1, "" },
        { "condition=ready=TRUE", 1, "" },
        { "condition=Ready=False", 0, "" },
        { "condition=None", 0, "" },
        { "condition=Old", 0, "" },
        { "jsonpath={.status.phase}=Running", 1, "" },
        { "jsonpath=.status.phase='Running'", 1, "" },
        { "jsonpath={.status.n}=3", 1, "" },
        { "jsonpath={.status.n}", 1, "" },
        { "jsonpath={.status.none}", 0, "" },
        { "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True", 1, "" },
        { "jsonpath={.status}=x", -1,
          "jsonpath leads to a nested object or list which is not supported" },
        { "jsonpath={.status.conditions[*].type}=x", -1,
          "given jsonpath expression matches more than one value" },
        { "jsonpath={.a}=", -1,
          "jsonpath wait has to have a value after equal sign, like "
          "--for=jsonpath='{.status.readyReplicas}'=3" },
        { "jsonpath={.a}=b=c", -1,
          "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
          "--for=jsonpath='{.status.readyReplicas}'" },
        { "jsonpath=", -1, "jsonpath expression cannot be empty" },
        { "foo", -1, "unrecognized condition: \"foo\"" },
        { "", -1, "unrecognized condition: \"\"" },
    };
    struct arena a;
    const struct json *object;
    (void)state;
    arena_init(&a);
    assert_int_equal(json_parse(&a, str_lit(OBJECT), &object, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wait_for w;
        struct err e = { 0 };
        bool met = false;
        int rc = wait_for_parse(&a, str_from(cases[i].text), &w, &e);
        if (rc == 0)
            rc = wait_for_met(&a, &w, object, &met, &e);
        assert_int_equal(rc != 0 ? -1 : met, cases[i].met);
        if (rc != 0 && cases[i].says[0] != '\0')
            assert_string_equal(e.msg, cases[i].says);
    }
    arena_deinit(&a);
}

static void test_plain(void **state)
{
    struct wait_for w;
    (void)state;
    assert_int_equal(wait_for_parse(NULL, str_lit("Delete"), &w, NULL), 0);
    assert_int_equal(w.kind, WAIT_DELETE);
    assert_int_equal(wait_for_parse(NULL, str_lit("create"), &w, NULL), 0);
    assert_int_equal(w.kind, WAIT_CREATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_met), cmocka_unit_test(test_plain) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
