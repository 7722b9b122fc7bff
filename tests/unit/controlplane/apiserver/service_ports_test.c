/* Node ports of Services and their health checks'. */
#include <string.h>

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/err.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/service_calls.h"
#include "tests/unit/unit.h"

/* A change of the spec. */
static struct reply patch(struct harness *h, const char *name, const char *spec)
{
    return service_patch(h, name, str_printf(&h->arena, "{\"spec\":{%s}}", spec).data);
}

/* The spec of a Service with so many ports, numbered from first on; their node ports are left out
 * or, from `node` on, given. */
static const char *many(struct harness *h, int count, int first, int node)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "\"type\":\"NodePort\",\"ports\":[");
    for (int i = 0; i < count; i++) {
        buf_printf(&b, "%s{\"name\":\"p%d\",\"port\":%d", i > 0 ? "," : "", first + i, first + i);
        if (node > 0) {
            buf_printf(&b, ",\"nodePort\":%d", node + i);
        }
        buf_append_c(&b, "}");
    }
    buf_append_c(&b, "]");
    struct str spec = str_copy(&h->arena, buf_str(&b));
    buf_deinit(&b);
    return str_dup(&h->arena, spec);
}

/* With a health check at this port, 0: any; the answer of its creation. */
static struct reply balance(struct harness *h, const char *name, uint64_t health)
{
    struct str spec = str_printf(&h->arena,
                                 "\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}],"
                                 "\"externalTrafficPolicy\":\"Local\",\"healthCheckNodePort\":%u",
                                 (unsigned)health);
    return service_create(h, name, spec.data);
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
    struct reply r =
        service_create(h, "a",
                       "\"type\":\"NodePort\",\"ports\":[{\"name\":\"t\",\"port\":53},{"
                       "\"name\":\"u\",\"port\":53,\"protocol\":\"UDP\"},{\"name\":\"w\","
                       "\"port\":80}]");
    harness_expect(&r, 201);
    uint64_t dns = node_port(&r, 0);
    uint64_t web = node_port(&r, 2);
    assert_int_equal(node_port(&r, 1), dns); /* of one number: shared */
    assert_int_not_equal(dns, web);
    assert_true(dns >= 30086 && web >= 30086); /* the lower ones are for who asks */
    r = service_create(h, "b",
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
    r = service_create(h, "b",
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
    service_remove(h, "a");
    service_remove(h, "b");
}

static void test_refused(void **state)
{
    struct harness *h = *state;
    struct reply r =
        service_create(h, "r", "\"type\":\"NodePort\",\"ports\":[{\"port\":1,\"nodePort\":80}]");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the "
                         "valid range. The range of valid ports is 30000-32767");
    r = service_create(h, "r", many(h, 49, 1, 0));
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ports: Too many: 49: must have at most 48 different node ports");
}

static void test_balanced(void **state)
{
    struct harness *h = *state;
    struct reply r = service_create(h, "l",
                                    "\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}],"
                                    "\"externalTrafficPolicy\":\"Local\","
                                    "\"allocateLoadBalancerNodePorts\":false");
    harness_expect(&r, 201);
    harness_lacks(&r, "nodePort\"");
    uint64_t health = number_of(&r, "\"healthCheckNodePort\":", 0);
    assert_in_range(health, 30086, 32767);
    r = balance(h, "m", health);
    harness_expect(&r, 500);
    harness_contains(&r, str_printf(&h->arena,
                                    "failed to allocate requested HealthCheck NodePort %u: "
                                    "provided port is already allocated",
                                    (unsigned)health)
                             .data);
    /* It is given back when it is not needed, with the field. */
    r = patch(h, "l", "\"externalTrafficPolicy\":\"Cluster\",\"healthCheckNodePort\":0");
    harness_expect(&r, 200);
    r = balance(h, "m", health);
    harness_expect(&r, 201);
    (void)node_port(&r, 0);
    service_remove(h, "l");
    service_remove(h, "m");
}

/* All of a range can be given, each once, and given again. */
static void test_full(void **state)
{
    struct harness *h = *state;
    const char *spec = many(h, 48, 1, 0);
    size_t services = 0;
    for (int round = 0; round < 2; round++) {
        struct reply r = { 0 };
        for (services = 0; services < 100; services++) {
            r = service_create(h, str_printf(&h->arena, "full-%zu", services).data, spec);
            if (r.status != 201)
                break;
        }
        assert_int_equal(services, 2768 / 48);
        harness_expect(&r, 500);
        harness_contains(&r, "failed to allocate a nodePort: range is full");
        for (size_t i = 0; i < services; i++)
            service_remove(h, str_printf(&h->arena, "full-%zu", i).data);
    }
}

/* As many new ones as there may be, in place of as many. */
static void test_all_others(void **state)
{
    struct harness *h = *state;
    struct reply r = service_create(h, "all", many(h, 48, 1, 30100));
    harness_expect(&r, 201);
    r = patch(h, "all", many(h, 48, 101, 30200));
    harness_expect(&r, 200);
    r = service_create(h, "next", many(h, 48, 1, 30100));
    harness_expect(&r, 201);
    r = service_create(h, "last", many(h, 1, 1, 30247));
    harness_expect(&r, 422);
    service_remove(h, "all");
    r = service_create(h, "last", many(h, 48, 1, 30200));
    harness_expect(&r, 201);
    service_remove(h, "next");
    service_remove(h, "last");
}

/* The stored Service with so many more node ports, as an earlier release took them. */
static void store_more(struct harness *h, struct str key, size_t count, int32_t node)
{
    struct str payload;
    struct err e;
    struct buf b;
    void *object = NULL;
    assert_int_equal(object_payload(harness_stored(h, key), &payload, &e), 0);
    assert_int_equal(schema_unpack(&h->arena, &schema_Service, payload, &object, &e), 0);
    ServiceSpec *spec = ((Service *)object)->spec;
    ServicePort **ports = arena_array(&h->arena, spec->n_ports + count, sizeof(*ports));
    memcpy(ports, spec->ports, spec->n_ports * sizeof(*ports));
    for (size_t i = 0; i < count; i++) {
        ServicePort *port = arena_copy(&h->arena, ports[0], sizeof(*port));
        port->name = str_dup(&h->arena, str_printf(&h->arena, "more%zu", i));
        port->port = 2000 + (int32_t)i;
        port->node_port = node + (int32_t)i;
        ports[spec->n_ports + i] = port;
    }
    spec->ports = ports;
    spec->n_ports += count;
    buf_init(&b);
    object_put_header(&b);
    schema_pack(&b, &schema_Service, object);
    const struct store_op op = { .type = STORE_OP_PUT, .key = key, .value = buf_str(&b) };
    const struct store_txn txn = { .ops = &op, .ops_count = 1 };
    harness_commit(h, &txn);
    buf_deinit(&b);
}

/* One with more than a Service may take today can be changed, takes no more, and goes. */
static void test_more_of_old(void **state)
{
    struct harness *h = *state;
    const struct key key = { .kind = KIND_SERVICE,
                             .namespace = str_lit("default"),
                             .name = str_lit("old") };
    struct reply r = service_create(h, "old", many(h, 40, 1, 30300));
    harness_expect(&r, 201);
    store_more(h, key_text(&h->arena, &key), 120, 30400);
    for (int i = 0; i < 3; i++) {
        struct str change = str_printf(&h->arena, "{\"metadata\":{\"labels\":{\"n\":\"%d\"}}}", i);
        r = service_patch(h, "old", change.data);
        harness_expect(&r, 200);
        harness_contains(&r, "\"nodePort\":30519");
    }
    r = service_create(h, "new", many(h, 1, 1, 30407)); /* the first of them have rows now */
    harness_expect(&r, 422);
    r = patch(h, "old", many(h, 160, 5000, 31000));
    harness_expect(&r, 422);
    harness_contains(&r, "must have at most 48 different node ports");
    service_remove(h, "old");
    r = service_create(h, "new", many(h, 48, 1, 30300));
    harness_expect(&r, 201);
    service_remove(h, "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_balanced),   cmocka_unit_test(test_full),
        cmocka_unit_test(test_all_others), cmocka_unit_test(test_more_of_old),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
