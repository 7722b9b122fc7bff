/* The table agrees with itself, and every stored kind is served. */
#include <string.h>

#include "base/buf.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        const struct resource *r = resource_of(k);
        if (!kind_info(k)->stored)
            continue;
        assert_non_null(r);
        assert_non_null(r->strategy);
        assert_non_null(r->name);
        assert_true(r->columns_count > 0 && r->columns_count <= TABLE_COLUMNS_MAX);
        assert_true(str_eq_c(str_from(kind_info(k)->plural), "events") ||
                    str_eq_c(str_from(r->columns[0].name), "Name"));
        assert_int_equal((r->subresources & SUBRESOURCE_STATUS) != 0,
                         r->strategy->prepare_status != NULL);
        assert_int_equal(r->generation_tracked, r->strategy->generation_changed != NULL);
    }
    assert_null(resource_of(KIND_SCALE));
    for (size_t i = 0; i < resource_count(); i++)
        assert_ptr_equal(resource_of(resource_at(i)->kind), resource_at(i));
    fixture_deinit(&f);
}

/* An empty object of every kind passes through every hook without a fault, and is refused. */
static void test_empty_objects(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < resource_count(); i++) {
        const struct resource *r = resource_at(i);
        assert_string_not_equal(fixture_create_errors(&f, r->kind, "{}"), "");
        assert_string_not_equal(fixture_update_errors(&f, r->kind, "{}", "{}"), "");
        void *object = fixture_object(&f, r->kind, "{}");
        resource_prepare_status(r, &f.context, object, fixture_object(&f, r->kind, "{}"));
        if (r->cells != NULL)
            assert_string_not_equal(fixture_cells(&f, r->kind, "{}"), "");
    }
    fixture_deinit(&f);
}

#define POD       "{'metadata':{'name':'p','namespace':'d'},'spec':{"
#define CONTAINER POD "'containers':[{'name':'c','image':'i',"
#define LAST      60000

/* Lists so long that nobody can compare each item with each: this test would take minutes. The
 * last item repeats the first. */
static const struct {
    enum kind kind;
    const char *head;
    const char *item;
    const char *tail;
    const char *error;
} long_lists[] = {
    { KIND_POD, CONTAINER "'ports':[", "{'name':'p%zu','containerPort':1}", "]}]}}",
      "spec.containers[0].ports[60000].name: Duplicate value: \"p0\"" },
    { KIND_POD, CONTAINER "'ports':[", "{'hostIP':'%zu','hostPort':1,'containerPort':1}", "]}]}}",
      "spec.containers[0].ports[60000].hostPort: Duplicate value: \"TCP/0/1\"" },
    { KIND_POD,
      POD "'volumes':[{'name':'v'}],'containers':[{'name':'c','image':'i','volumeMounts':[",
      "{'name':'v','mountPath':'/%zu'}", "]}]}}",
      "spec.containers[0].volumeMounts[60000].mountPath: Invalid value: \"/0\": must be unique" },
    { KIND_POD, POD "'containers':[{'name':'c','image':'i'}],'volumes':[",
      "{'name':'v%zu','emptyDir':{}}", "]}}", "spec.volumes[60000].name: Duplicate value: \"v0\"" },
    { KIND_POD, POD "'containers':[{'name':'c','image':'i'}],'resourceClaims':[",
      "{'name':'v%zu','resourceClaimName':'a'}", "]}}",
      "spec.resourceClaims[60000].name: Duplicate value: \"v0\"" },
    { KIND_POD, POD "'containers':[", "{'name':'c%zu','image':'i'}", "]}}",
      "spec.containers[60000].name: Duplicate value: \"c0\"" },
    { KIND_POD, POD "'containers':[{'name':'c','image':'i'}],'schedulingGates':[",
      "{'name':'a/g%zu'}", "]}}", "spec.schedulingGates[60000]: Duplicate value: \"a/g0\"" },
    { KIND_POD, POD "'containers':[{'name':'c','image':'i'}],'securityContext':{'sysctls':[",
      "{'name':'a.g%zu'}", "]}}}",
      "spec.securityContext.sysctls[60000].name: Duplicate value: \"a.g0\"" },
    { KIND_POD, POD "'containers':[{'name':'c','image':'i'}],'topologySpreadConstraints':[",
      "{'topologyKey':'k%zu','maxSkew':1,'whenUnsatisfiable':'DoNotSchedule'}", "]}}",
      "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{k0, "
      "DoNotSchedule}\"" },
    { KIND_SERVICE, "{'metadata':{'name':'p','namespace':'d'},'spec':{'ports':[",
      "{'name':'p%zu','port':1,'protocol':'TCP'}", "]}}",
      "spec.ports[60000].name: Duplicate value: \"p0\"" },
    { KIND_NODE, "{'metadata':{'name':'p'},'spec':{'taints':[",
      "{'key':'k%zu','effect':'NoExecute'}", "]}}",
      "metadata.taints[60000]: Duplicate value: "
      "{\"Key\":\"k0\",\"Value\":\"\",\"Effect\":\"NoExecute\","
      "\"TimeAdded\":null}: taints must be unique by key and effect pair" },
    { KIND_LIMIT_RANGE, "{'metadata':{'name':'p','namespace':'d'},'spec':{'limits':[",
      "{'type':'a/k%zu'}", "]}}", "spec.limits[60000].type: Duplicate value: \"a/k0\"" },
};

static void test_long_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(long_lists) / sizeof(long_lists[0]); i++) {
        struct fixture f;
        struct buf b;
        fixture_init(&f);
        buf_init(&b);
        buf_append_c(&b, long_lists[i].head);
        for (size_t k = 0; k <= LAST; k++) {
            buf_append_c(&b, k > 0 ? "," : "");
            buf_printf(&b, long_lists[i].item, k % LAST);
        }
        buf_append_c(&b, long_lists[i].tail);
        const char *json = str_dup(&f.arena, buf_str(&b));
        const char *errors = fixture_create_errors(&f, long_lists[i].kind, json);
        if (strstr(errors, long_lists[i].error) == NULL)
            fail_msg("%s: %.300s", long_lists[i].error, errors);
        buf_deinit(&b);
        fixture_deinit(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
                                        cmocka_unit_test(test_empty_objects),
                                        cmocka_unit_test(test_long_lists) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
