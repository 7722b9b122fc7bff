/* The revisions of one object: what each did, in pages, and only for what can be got. */
#include <string.h>

#include "controlplane/apiserver/history.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS    "/api/v1/namespaces/kube-public/configmaps"
#define HISTORY "/gantry/v1/history" MAPS

static void test_target(void **state)
{
    static const struct {
        const char *target;
        const char *object; /* NULL: not of a history */
    } cases[] = {
        { HISTORY "/m?limit=1", MAPS "/m?limit=1" },
        { "/gantry/v1/history/", "/" },
        { "/gantry/v1/history", NULL },
        { "/gantry/v1/historyx/api", NULL },
        { "/gantry/v1/history?x", NULL },
        { MAPS "/m", NULL },
        { "", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str target = str_from(cases[i].target);
        assert_int_equal(history_target(&target), cases[i].object != NULL);
        assert_true(str_eq_c(target, cases[i].object != NULL ? cases[i].object : cases[i].target));
    }
}

static struct str patch(struct harness *h, const char *value)
{
    struct str body = str_printf(&h->arena, "{\"data\":{\"a\":\"%s\"}}", value);
    struct reply r = harness_send(h, "PATCH", MAPS "/m",
                                  "Content-Type: application/merge-patch+json\r\n", body.data);
    harness_expect(&r, 200);
    return harness_member(h, &r, "resourceVersion");
}

static void test_history(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, MAPS, "{\"metadata\":{\"name\":\"m\"}}");
    harness_expect(&r, 201);
    struct str first = harness_member(h, &r, "resourceVersion");
    struct str time = harness_member(h, &r, "creationTimestamp");
    struct str second = patch(h, "2");
    struct str third = patch(h, "3");
    r = harness_get(h, HISTORY "/m");
    harness_expect(&r, 200);
    harness_contains(&r, "{\"kind\":\"History\",\"apiVersion\":\"gantry/v1\",\"resourceVersion\":");
    harness_contains(&r, str_printf(&h->arena,
                                    "\"versions\":[{\"revision\":\"%.*s\",\"change\":\"updated\","
                                    "\"bytes\":",
                                    STR_ARG(third))
                             .data);
    harness_contains(&r, str_printf(&h->arena,
                                    "{\"revision\":\"%.*s\",\"change\":\"created\",\"time\":"
                                    "\"%.*s\",",
                                    STR_ARG(first), STR_ARG(time))
                             .data);
    harness_lacks(&r, "next");
    /* In pages. */
    r = harness_get(h, HISTORY "/m?limit=2");
    harness_contains(&r, str_printf(&h->arena, "],\"next\":\"%.*s\"}", STR_ARG(first)).data);
    r = harness_get(h, str_printf(&h->arena, HISTORY "/m?limit=1&from=%.*s", STR_ARG(second)).data);
    harness_contains(&r, str_printf(&h->arena, "[{\"revision\":\"%.*s\"", STR_ARG(second)).data);
    harness_contains(&r, str_printf(&h->arena, "],\"next\":\"%.*s\"}", STR_ARG(first)).data);
    /* After the removal, until that is compacted. */
    r = harness_send(h, "DELETE", MAPS "/m", NULL, NULL);
    harness_expect(&r, 200);
    r = harness_get(h, HISTORY "/m?limit=1");
    harness_contains(&r, "\"change\":\"deleted\",\"bytes\":0}");
    harness_compact(h);
    r = harness_get(h, HISTORY "/m");
    harness_expect(&r, 404);
}

static void test_refused(void **state)
{
    struct harness *h = *state;
    static const struct {
        const char *method;
        const char *target;
        int status;
    } cases[] = {
        { "GET", HISTORY "/none", 404 },
        { "GET", HISTORY, 404 },
        { "GET", "/gantry/v1/history/version", 404 },
        { "GET", "/gantry/v1/history/api/v1/nope/x", 404 },
        { "GET", "/gantry/v1/history/api/v1/namespaces/kube-public/status", 404 },
        { "DELETE", HISTORY "/m", 405 },
        { "POST", HISTORY, 405 },
        { "GET", HISTORY "/m?limit=0", 400 },
        { "GET", HISTORY "/m?limit=1001", 400 },
        { "GET", HISTORY "/m?from=x", 400 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r = harness_send(h, cases[i].method, cases[i].target, NULL, NULL);
        print_message("%s %s\n", cases[i].method, cases[i].target);
        harness_expect(&r, cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
