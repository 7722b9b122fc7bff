/* Node ports of Services and their health checks'. */
#include <string.h>

#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define SERVICES "/api/v1/namespaces/default/services"

static struct reply create(struct harness *h, const char *name, const char *spec)
{
    struct str body =
        str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s}}", name, spec);
    return harness_post(h, SERVICES, body.data);
}

static struct reply patch(struct harness *h, const char *name, const char *spec)
{
    struct str body = str_printf(&h->arena, "{\"spec\":{%s}}", spec);
    return harness_send(h, "PATCH", str_printf(&h->arena, SERVICES "/%s", name).data,
                        "Content-Type: application/merge-patch+json\r\n", body.data);
}

static void remove_service(struct harness *h, const char *name)
{
    struct reply r =
        harness_send(h, "DELETE", str_printf(&h->arena, SERVICES "/%s", name).data, NULL, NULL);
    harness_expect(&r, 200);
}

/* The number behind the n-th time that this name comes. */
static uint64_t number_of(const struct reply *r, const char *name, int n)
{
    struct str rest = r->body;
    uint64_t number = 0;
    for (int i = 0; i <= n; i++) {
        ptrdiff_t at = str_find(rest, str_from(name));
        assert_true(at >= 0);
        rest = str_of(rest.data + at + strlen(name), rest.len - (size_t)at - strlen(name));
    }
    for (size_t i = 0; i < rest.len && rest.data[i] >= '0' && rest.data[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(rest.data[i] - '0');
    return number;
}

static uint64_t node_port(const struct reply *r, int n)
{
    uint64_t port = number_of(r, "\"nodePort\":", n);
    assert_in_range(port, 30000, 32767);
    return port;
}

static void test_given(void **state)
{
    struct harness *h = *state;
    struct reply r = create(h, "a",
                            "\"type\":\"NodePort\",\"ports\":[{\"name\":\"t\",\"port\":53},{"
                            "\"name\":\"u\",\"port\":53,\"protocol\":\"UDP\"},{\"name\":\"w\","
                            "\"port\":80}]");
    harness_expect(&r, 201);
    uint64_t dns = node_port(&r, 0);
    uint64_t web = node_port(&r, 2);
    assert_int_equal(node_port(&r, 1), dns); /* of one number: shared */
    assert_int_not_equal(dns, web);
    assert_true(dns >= 30086 && web >= 30086); /* the lower ones are for who asks */
    r = create(h, "b",
               str_printf(&h->arena,
                          "\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":%u}]",
                          (unsigned)web)
                   .data);
    harness_expect(&r, 422);
    harness_contains(&r, str_printf(&h->arena,
                                    "spec.ports[0].nodePort: Invalid value: %u: provided port is "
                                    "already allocated",
                                    (unsigned)web)
                             .data);
    /* What leaves them out keeps them; what no longer is one gives them back. */
    r = patch(h, "a", "\"ports\":[{\"name\":\"w\",\"port\":81}]");
    harness_expect(&r, 200);
    assert_int_equal(node_port(&r, 0), web);
    r = create(h, "b",
               str_printf(&h->arena,
                          "\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":%u}]",
                          (unsigned)dns)
                   .data);
    harness_expect(&r, 201);
    r = patch(h, "a", "\"type\":\"ClusterIP\"");
    harness_expect(&r, 200);
    harness_lacks(&r, "nodePort");
    r = patch(
        h, "b",
        str_printf(&h->arena, "\"ports\":[{\"port\":1,\"nodePort\":%u}]", (unsigned)web).data);
    harness_expect(&r, 200);
    r = patch(h, "a",
              str_printf(&h->arena,
                         "\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":%u}]",
                         (unsigned)web)
                  .data);
    harness_expect(&r, 422);
    remove_service(h, "a");
    remove_service(h, "b");
}

static void test_refused(void **state)
{
    struct harness *h = *state;
    struct reply r =
        create(h, "r", "\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":80}]");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the "
                         "valid range. The range of valid ports is 30000-32767");
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "\"type\":\"NodePort\",\"ports\":[");
    for (int i = 1; i <= 49; i++) {
        buf_printf(&b, "%s{\"name\":\"p%d\",\"port\":%d}", i > 1 ? "," : "", i, i);
    }
    buf_append_c(&b, "]");
    struct str spec = str_copy(&h->arena, buf_str(&b));
    buf_deinit(&b);
    r = create(h, "r", spec.data);
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ports: Too many: 49: must have at most 48 different node ports");
}

static void test_balanced(void **state)
{
    struct harness *h = *state;
    struct reply r = create(h, "l",
                            "\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}],"
                            "\"externalTrafficPolicy\":\"Local\","
                            "\"allocateLoadBalancerNodePorts\":false");
    harness_expect(&r, 201);
    harness_lacks(&r, "nodePort\"");
    uint64_t health = number_of(&r, "\"healthCheckNodePort\":", 0);
    assert_in_range(health, 30086, 32767);
    r = create(h, "m",
               str_printf(&h->arena,
                          "\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}],"
                          "\"externalTrafficPolicy\":\"Local\",\"healthCheckNodePort\":%u",
                          (unsigned)health)
                   .data);
    harness_expect(&r, 500);
    harness_contains(&r, str_printf(&h->arena,
                                    "failed to allocate requested HealthCheck NodePort %u: "
                                    "provided port is already allocated",
                                    (unsigned)health)
                             .data);
    /* It is given back when it is not needed, with the field. */
    r = patch(h, "l", "\"externalTrafficPolicy\":\"Cluster\",\"healthCheckNodePort\":0");
    harness_expect(&r, 200);
    r = create(h, "m",
               str_printf(&h->arena,
                          "\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}],"
                          "\"externalTrafficPolicy\":\"Local\",\"healthCheckNodePort\":%u",
                          (unsigned)health)
                   .data);
    harness_expect(&r, 201);
    (void)node_port(&r, 0);
    remove_service(h, "l");
    remove_service(h, "m");
}

/* All of a range can be given, each once, and given again. */
static void test_full(void **state)
{
    struct harness *h = *state;
    struct buf b;
    size_t services = 0;
    for (int round = 0; round < 2; round++) {
        struct reply r = { 0 };
        for (services = 0; services < 100; services++) {
            buf_init(&b);
            buf_append_c(&b, "\"type\":\"NodePort\",\"ports\":[");
            for (int i = 1; i <= 48; i++) {
                buf_printf(&b, "%s{\"name\":\"p%d\",\"port\":%d}", i > 1 ? "," : "", i, i);
            }
            buf_append_c(&b, "]");
            struct str spec = str_copy(&h->arena, buf_str(&b));
            buf_deinit(&b);
            r = create(h, str_printf(&h->arena, "full-%zu", services).data, spec.data);
            if (r.status != 201)
                break;
        }
        assert_int_equal(services, 2768 / 48);
        harness_expect(&r, 500);
        harness_contains(&r, "failed to allocate a nodePort: range is full");
        for (size_t i = 0; i < services; i++)
            remove_service(h, str_printf(&h->arena, "full-%zu", i).data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
