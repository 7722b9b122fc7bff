/* What remains after a page is exact, also when it takes several reads to count it. */
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS  "/api/v1/namespaces/many/configmaps"
#define COUNT (2 * STORE_READ_ROWS_MAX + 300)

static int setup(void **state)
{
    int rc = harness_setup(state);
    struct harness *h = *state;
    struct reply r = harness_post(h, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"many\"}}");
    harness_expect(&r, 201);
    for (int i = 0; i < COUNT; i++) {
        r = harness_post(h, MAPS,
                         str_printf(&h->arena, "{\"metadata\":{\"name\":\"m%05d\"}}", i).data);
        harness_expect(&r, 201);
    }
    return rc;
}

static void contains_remaining(struct harness *h, const struct reply *r, int count)
{
    harness_contains(r, str_printf(&h->arena, "\"remainingItemCount\":%d}", count).data);
}

static void test_list(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?limit=100");
    harness_expect(&r, 200);
    contains_remaining(h, &r, COUNT - 100);
    /* The next page knows, whatever happened meanwhile and whatever its size. */
    struct reply gone = harness_send(h, "DELETE", MAPS "/m02299", NULL, NULL);
    harness_expect(&gone, 200);
    r = harness_get(h, str_printf(&h->arena, MAPS "?limit=10&continue=%.*s",
                                  STR_ARG(harness_member(h, &r, "continue")))
                           .data);
    harness_expect(&r, 200);
    contains_remaining(h, &r, COUNT - 110);
}

/* A token of another server's making does not say: it is counted. */
static void test_plain_token(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?limit=1");
    struct str rv = harness_member(h, &r, "resourceVersion");
    struct str token = str_base64url(
        &h->arena,
        str_printf(&h->arena, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%.*s,\"start\":\"m00009\\u0000\"}",
                   STR_ARG(rv)));
    r = harness_get(h, str_printf(&h->arena, MAPS "?limit=10&continue=%.*s", STR_ARG(token)).data);
    harness_expect(&r, 200);
    contains_remaining(h, &r, COUNT - 1 - 20);
}

static void test_delete(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_send(h, "DELETE", MAPS "?limit=2", NULL, NULL);
    harness_expect(&r, 200);
    contains_remaining(h, &r, COUNT - 1 - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_list),
                                        cmocka_unit_test(test_plain_token),
                                        cmocka_unit_test(test_delete) };
    return cmocka_run_group_tests(tests, setup, harness_teardown);
}
