/* Cluster addresses of Services, given once, kept, and given back. */
#include "controlplane/resources/service_ranges.h"
#include "store/store.h"
#include "tests/unit/controlplane/apiserver/service_calls.h"
#include "tests/unit/unit.h"

#define PORTS "\"ports\":[{\"port\":80}]"

/* The text behind "clusterIP":" of an answer. */
static struct str ip_of(const struct reply *r)
{
    static const char name[] = "\"clusterIP\":\"";
    ptrdiff_t at = str_find(r->body, str_lit(name));
    assert_true(at >= 0);
    struct str rest =
        str_of(r->body.data + at + sizeof(name) - 1, r->body.len - (size_t)at - sizeof(name) + 1);
    struct str ip;
    assert_true(str_split(&rest, '"', &ip));
    return ip;
}

static void test_given(void **state)
{
    struct harness *h = *state;
    struct reply r = service_create(h, "a", "\"selector\":{\"a\":\"b\"}," PORTS);
    harness_expect(&r, 201);
    struct str ip = ip_of(&r);
    assert_true(str_starts(ip, str_lit("10.")));
    harness_contains(&r, str_printf(&h->arena, "\"clusterIPs\":[\"%.*s\"]", STR_ARG(ip)).data);
    harness_contains(&r, "\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\"");
    /* What leaves it out keeps it. */
    r = harness_send(h, "PUT", SERVICES "/a", "Content-Type: application/json\r\n",
                     "{\"metadata\":{\"name\":\"a\"},\"spec\":{" PORTS ",\"type\":\"NodePort\"}}");
    harness_expect(&r, 200);
    assert_true(str_eq(ip_of(&r), ip));
    harness_contains(&r, "\"ipFamilyPolicy\":\"SingleStack\"");
    /* Nobody else has it. */
    r = service_create(h, "b",
                       str_printf(&h->arena, PORTS ",\"clusterIP\":\"%.*s\"", STR_ARG(ip)).data);
    harness_expect(&r, 422);
    harness_contains(&r, str_printf(&h->arena,
                                    "spec.clusterIPs: Invalid value: [\\\"%.*s\\\"]: failed to "
                                    "allocate IP %.*s: provided IP is already allocated",
                                    STR_ARG(ip), STR_ARG(ip))
                             .data);
    service_remove(h, "a");
    r = service_create(h, "b",
                       str_printf(&h->arena, PORTS ",\"clusterIP\":\"%.*s\"", STR_ARG(ip)).data);
    harness_expect(&r, 201);
    service_remove(h, "b");
}

static void test_asked_for(void **state)
{
    struct harness *h = *state;
    struct reply r = service_create(h, "c", PORTS ",\"clusterIP\":\"10.96.0.10\"");
    harness_expect(&r, 201);
    /* The list follows the one address, not the other way round. */
    r = service_patch(h, "c", "{\"spec\":{\"clusterIP\":\"10.96.0.11\"}}");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.clusterIPs[0]: Invalid value: [\\\"10.96.0.11\\\"]: may not change "
                         "once set");
    r = service_patch(h, "c", "{\"spec\":{\"clusterIP\":null,\"clusterIPs\":null}}");
    harness_expect(&r, 200);
    assert_true(str_eq_c(ip_of(&r), "10.96.0.10"));
    r = service_create(h, "d", PORTS ",\"clusterIPs\":[\"10.96.0.11\"]");
    harness_expect(&r, 422);
    harness_contains(&r, "must be empty when `clusterIP` is not specified");
    r = service_create(h, "d", PORTS ",\"clusterIP\":\"192.0.2.1\"");
    harness_expect(&r, 422);
    harness_contains(&r, "failed to allocate IP 192.0.2.1: the provided network does not match "
                         "the current range");
    r = service_create(h, "d", PORTS ",\"clusterIP\":\"None\",\"selector\":{\"a\":\"b\"}");
    harness_expect(&r, 201);
    assert_true(str_eq_c(ip_of(&r), "None"));
    r = service_create(h, "e", PORTS ",\"clusterIP\":\"None\"");
    harness_expect(&r, 201);
    harness_contains(&r, "\"ipFamilies\":[\"IPv4\",\"IPv6\"],\"ipFamilyPolicy\":"
                         "\"RequireDualStack\"");
    r = service_create(h, "f", PORTS ",\"ipFamilies\":[\"IPv6\"]");
    harness_expect(&r, 422);
    harness_contains(&r, "spec.ipFamilies[0]: Invalid value: \\\"IPv6\\\": not configured on "
                         "this cluster");
    service_remove(h, "c");
    service_remove(h, "d");
    service_remove(h, "e");
}

static void test_other_types(void **state)
{
    struct harness *h = *state;
    struct reply r =
        service_create(h, "x", "\"type\":\"ExternalName\",\"externalName\":\"a.example\"");
    harness_expect(&r, 201);
    harness_lacks(&r, "clusterIP");
    r = service_patch(h, "x",
                      "{\"spec\":{\"type\":\"ClusterIP\",\"externalName\":null," PORTS "}}");
    harness_expect(&r, 200);
    struct str ip = ip_of(&r);
    assert_true(str_starts(ip, str_lit("10.")));
    r = service_patch(h, "x",
                      "{\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"a.example\"}}");
    harness_expect(&r, 200);
    harness_lacks(&r, "clusterIP");
    r = service_create(h, "y",
                       str_printf(&h->arena, PORTS ",\"clusterIP\":\"%.*s\"", STR_ARG(ip)).data);
    harness_expect(&r, 201); /* it was given back */
    service_remove(h, "x");
    service_remove(h, "y");
}

static void test_dry_run(void **state)
{
    struct harness *h = *state;
    static const char body[] = "{\"metadata\":{\"name\":\"dry\"},\"spec\":{" PORTS "}}";
    struct reply r = harness_post(h, SERVICES "?dryRun=All", body);
    harness_expect(&r, 201);
    assert_true(str_eq_c(ip_of(&r), "10.96.0.0"));
    r = harness_post(h, SERVICES, body);
    harness_expect(&r, 201);
    struct str ip = ip_of(&r);
    r = harness_send(h, "DELETE", SERVICES "/dry?dryRun=All", NULL, NULL);
    harness_expect(&r, 200);
    r = service_create(h, "other",
                       str_printf(&h->arena, PORTS ",\"clusterIP\":\"%.*s\"", STR_ARG(ip)).data);
    harness_expect(&r, 422); /* still taken */
    service_remove(h, "dry");
}

/* A finalizer keeps the address as long as the Service. */
static void test_finalizer(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(h, SERVICES,
                                  "{\"metadata\":{\"name\":\"kept\",\"finalizers\":[\"a.b/c\"]},"
                                  "\"spec\":{" PORTS ",\"clusterIP\":\"10.96.0.77\"}}");
    harness_expect(&r, 201);
    service_remove(h, "kept");
    r = service_create(h, "next", PORTS ",\"clusterIP\":\"10.96.0.77\"");
    harness_expect(&r, 422);
    r = service_patch(h, "kept", "{\"metadata\":{\"finalizers\":null}}");
    harness_expect(&r, 200);
    r = service_create(h, "next", PORTS ",\"clusterIP\":\"10.96.0.77\"");
    harness_expect(&r, 201);
    r = harness_send(h, "DELETE", SERVICES, NULL, NULL);
    harness_expect(&r, 200);
    r = service_create(h, "next", PORTS ",\"clusterIP\":\"10.96.0.77\"");
    harness_expect(&r, 201);
    service_remove(h, "next");
}

/* ---- a small cluster of two families ---- */

static int setup_small(void **state)
{
    struct service_ranges ranges;
    assert_int_equal(service_ranges_parse(&ranges, "10.96.0.0/29,fd00:0:0:5::/64", NULL, NULL), 0);
    return harness_setup_services(state, &ranges);
}

static void test_dual(void **state)
{
    struct harness *h = *state;
    struct reply r =
        service_create(h, "two",
                       PORTS ",\"ipFamilyPolicy\":\"RequireDualStack\",\"clusterIPs\":["
                             "\"10.96.0.3\",\"fd00:0:0:5::a\"],\"clusterIP\":\"10.96.0.3\"");
    harness_expect(&r, 201);
    harness_contains(&r, "\"ipFamilies\":[\"IPv4\",\"IPv6\"]");
    r = service_create(h, "six",
                       PORTS ",\"ipFamilies\":[\"IPv6\"],\"clusterIP\":\"fd00:0:0:5::a\"");
    harness_expect(&r, 422);
    harness_contains(&r, "provided IP is already allocated");
    /* One family less gives its address back. */
    r = service_patch(h, "two", "{\"spec\":{\"ipFamilyPolicy\":\"SingleStack\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"clusterIPs\":[\"10.96.0.3\"]");
    harness_contains(&r, "\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\"");
    r = service_create(h, "six",
                       PORTS ",\"ipFamilies\":[\"IPv6\"],\"clusterIP\":\"fd00:0:0:5::a\"");
    harness_expect(&r, 201);
    service_remove(h, "six");
    r = service_patch(h, "two", "{\"spec\":{\"ipFamilyPolicy\":\"PreferDualStack\"}}");
    harness_expect(&r, 200);
    harness_contains(&r, "\"clusterIPs\":[\"10.96.0.3\",\"fd00::5:");
    r = service_create(h, "any", PORTS ",\"ipFamilyPolicy\":\"PreferDualStack\"");
    harness_expect(&r, 201);
    harness_contains(&r, ",\"fd00::5:");
    service_remove(h, "any");
    service_remove(h, "two");
}

/* All that there are, and no more; what came back is given again. */
static void test_full(void **state)
{
    struct harness *h = *state;
    struct reply r;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 6; i++) {
            r = service_create(h, str_printf(&h->arena, "n%d", i).data, PORTS);
            harness_expect(&r, 201);
        }
        r = service_create(h, "more", PORTS);
        harness_expect(&r, 500);
        harness_contains(&r, "Internal error occurred: failed to allocate a serviceIP: range is "
                             "full");
        for (int i = 0; i < 6; i++)
            service_remove(h, str_printf(&h->arena, "n%d", i).data);
    }
}

/* A Service of an earlier release has no row. Its next update makes one. */
static void test_no_row(void **state)
{
    struct harness *h = *state;
    const struct store_op ops[] = {
        { .type = STORE_OP_ROW_DELETE, .key = STR("service/ip/10.96.0.4") },
        { .type = STORE_OP_PUT, .key = STR("nobody's/key") }, /* a revision to wait for */
    };
    const struct store_txn txn = { .ops = ops, .ops_count = 2 };
    struct reply r = service_create(h, "old", PORTS ",\"clusterIP\":\"10.96.0.4\"");
    harness_expect(&r, 201);
    harness_commit(h, &txn);
    r = service_create(h, "new", PORTS ",\"clusterIP\":\"10.96.0.4\"");
    harness_expect(&r, 201); /* that is what is wrong with them */
    service_remove(h, "new");
    r = harness_get(h, SERVICES); /* sees what was written */
    harness_expect(&r, 200);
    r = service_patch(h, "old", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    harness_expect(&r, 200);
    r = service_create(h, "new", PORTS ",\"clusterIP\":\"10.96.0.4\"");
    harness_expect(&r, 422);
    service_remove(h, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given),       cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_other_types), cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_finalizer),
    };
    const struct CMUnitTest small[] = {
        cmocka_unit_test(test_dual),
        cmocka_unit_test(test_no_row),
        cmocka_unit_test(test_full),
    };
    int failed = cmocka_run_group_tests(tests, harness_setup, harness_teardown);
    return failed + cmocka_run_group_tests(small, setup_small, harness_teardown);
}
