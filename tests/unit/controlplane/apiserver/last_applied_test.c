/* From client-side apply to server-side apply and back: kubectl's annotation. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static struct reply apply(struct harness *h, const char *target, const char *json)
{
    return harness_send(h, "PATCH", target, "Content-Type: application/apply-patch+yaml\r\n", json);
}

/* An object that kubectl applied from the client, with an a of 1 and a b that moved since. */
static void make(struct harness *h, const char *name)
{
    struct str body =
        str_printf(&h->arena,
                   "{\"metadata\":{\"name\":\"%s\",\"annotations\":{\"kubectl.kubernetes.io/"
                   "last-applied-configuration\":\"{\\\"apiVersion\\\":\\\"v1\\\",\\\"kind\\\":"
                   "\\\"ConfigMap\\\",\\\"data\\\":{\\\"a\\\":\\\"1\\\",\\\"b\\\":\\\"1\\\"}}\"}},"
                   "\"data\":{\"a\":\"1\",\"b\":\"2\"}}",
                   name);
    struct reply r = harness_send(h, "POST", MAPS "?fieldManager=kubectl-client-side-apply",
                                  "Content-Type: application/json\r\n", body.data);
    harness_expect(&r, 201);
}

#define CONFIG(name, data)                                                                         \
    "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name "\"},\"data\":{" data                 \
    "},\"apiVersion\":\"v1\"}"

static void test_takes_over(void **state)
{
    struct harness *h = *state;
    make(h, "k");
    /* Another manager has no such right, and kubectl has it only for what stands as it was set. */
    struct reply r = apply(h, MAPS "/k?fieldManager=x", CONFIG("k", "\"a\":\"3\""));
    harness_expect(&r, 409);
    r = apply(h, MAPS "/k?fieldManager=kubectl", CONFIG("k", "\"a\":\"3\",\"b\":\"3\""));
    harness_expect(&r, 409);
    harness_contains(&r, "Apply failed with 1 conflict: conflict with "
                         "\\\"kubectl-client-side-apply\\\" using v1: .data.b\"");
    r = apply(h, MAPS "/k?fieldManager=kubectl", CONFIG("k", "\"a\":\"3\""));
    harness_expect(&r, 200);
    /* The annotation says what was applied now, by key. */
    harness_contains(&r, "last-applied-configuration\":\"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data"
                         "\\\":{\\\"a\\\":\\\"3\\\"},\\\"kind\\\":\\\"ConfigMap\\\","
                         "\\\"metadata\\\":{\\\"name\\\":\\\"k\\\"}}\\n\"");
}

static void test_left_alone(void **state)
{
    struct harness *h = *state;
    make(h, "l");
    struct reply r = apply(h, MAPS "/l?fieldManager=x&force=true", CONFIG("l", "\"a\":\"3\""));
    harness_expect(&r, 200);
    harness_contains(&r, "\\\"data\\\":{\\\"a\\\":\\\"1\\\",\\\"b\\\":\\\"1\\\"}");
    r = apply(h, MAPS "/m?fieldManager=kubectl", CONFIG("m", "\"a\":\"3\""));
    harness_expect(&r, 201);
    harness_lacks(&r, "last-applied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_over),
        cmocka_unit_test(test_left_alone),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
