/* Nodes: taints, capacity, and who owns status. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n'}}", "" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','fd00::/64']}}", "" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDR':'bad'}}",
          "spec.podCIDRs[0]: Invalid value: \"bad\": must be a valid CIDR value, (e.g. 10.9.8.0/24 "
          "or 2001:db8::/64)" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','10.0.1.0/24']}}",
          "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more "
          "than one CIDR for each IP family" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','x']}}",
          "[spec.podCIDRs[1]: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 "
          "or "
          "2001:db8::/64), spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with "
          "dual stack with error:invalid CIDR[1]: <nil> (invalid CIDR address: x), spec.podCIDRs: "
          "Invalid value: [\"10.0.0.0/24\",\"x\"]: may specify no more than one CIDR for each IP "
          "family]" },
        { "{'metadata':{'name':'n'},'spec':{'taints':[{'key':'k','effect':'Odd'}]}}",
          "metadata.taints[0].effect: Unsupported value: \"Odd\": supported values: "
          "\"NoSchedule\", "
          "\"PreferNoSchedule\", \"NoExecute\"" },
        { "{'metadata':{'name':'n'},'spec':{'taints':[{'key':'k','effect':'NoExecute'},{'key':'k','"
          "effect':'NoExecute'}]}}",
          "metadata.taints[1]: Duplicate value: {\"Key\":\"k\",\"Value\":\"\",\"Effect\":"
          "\"NoExecute\",\"TimeAdded\":null}: taints must be unique by key and effect pair" },
        { "{'metadata':{'name':'n'},'spec':{'taints':[{'key':'k','effect':'NoExecute'},{'key':'k','"
          "effect':'NoSchedule'},{'key':'l','value':'v','effect':'NoExecute'}]}}",
          "" },
        { "{'metadata':{'name':'n'},'status':{'capacity':{'cpu':'-1'}}}",
          "[status.capacity.cpu: Invalid value: \"-1\": must be greater than or equal to 0, "
          "status.allocatable.cpu: Invalid value: \"-1\": must be greater than or equal to 0]" },
        { "{'metadata':{'name':'n'},'status':{'capacity':{'a.b/c':'1500m','cpu':'1500m'},"
          "'allocatable':{'pods':'2500m'}}}",
          "[status.capacity.a.b/c: Invalid value: \"1500m\": must be an integer, "
          "status.allocatable.pods: Invalid value: \"2500m\": must be an integer]" }
    };
    (void)state;
    fixture_check_creates(KIND_NODE, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n'},'spec':{'podCIDR':'10.0.0.0/24'}}",
          "{'metadata':{'name':'n'},'spec':{'podCIDR':'10.0.1.0/24'}}",
          "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to "
          "valid" },
        { "{'metadata':{'name':'n'}}",
          "{'metadata':{'name':'n'},'spec':{'podCIDR':'10.0.1.0/24','providerID':'x'}}", "" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','2001:db8::/64']}}",
          "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','2001:db8:1::/64']}}",
          "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to "
          "valid" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDR':'10.0.0.0/24'}}",
          "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24']}}", "" },
        { "{'metadata':{'name':'n'},'spec':{'podCIDRs':['10.0.0.0/24','2001:db8::/64']}}",
          "{'metadata':{'name':'n'}}",
          "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to "
          "valid" },
        { "{'metadata':{'name':'n'},'spec':{'providerID':'x'}}",
          "{'metadata':{'name':'n'},'spec':{'providerID':'y'}}",
          "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
          "valid" },
        { "{'metadata':{'name':'n'},'spec':{'unschedulable':true}}",
          "{'metadata':{'name':'n','labels':{'a':'b'}}}", "" },
        { "{'metadata':{'name':'n'}}", "{'metadata':{'name':'n'},'spec':{'externalID':'e'}}",
          "spec.externalID: Forbidden: may not be updated" }
    };
    (void)state;
    fixture_check_updates(KIND_NODE, cases, COUNT(cases));
}

/* A created node keeps its status; an update of the main resource does not touch it. */
static void test_status(void **state)
{
    struct fixture f;
    const struct resource *r = resource_of(KIND_NODE);
    (void)state;
    fixture_init(&f);
    void *old = fixture_object(&f, KIND_NODE,
                               "{'metadata':{'name':'n'},'status':{'capacity':{'cpu':'2'}}}");
    resource_prepare_create(r, &f.context, old);
    const char *json = fixture_json(&f, KIND_NODE, old);
    assert_true(str_find(str_from(json), str_lit("\"allocatable\":{\"cpu\":\"2\"}")) >= 0);
    void *object =
        fixture_object(&f, KIND_NODE, "{'metadata':{'name':'n'},'spec':{'unschedulable':true}}");
    resource_prepare_update(r, &f.context, object, old);
    json = fixture_json(&f, KIND_NODE, object);
    assert_true(str_find(str_from(json), str_lit("\"capacity\":{\"cpu\":\"2\"}")) >= 0);
    assert_true(str_find(str_from(json), str_lit("\"unschedulable\":true")) >= 0);
    void *status =
        fixture_object(&f, KIND_NODE, "{'metadata':{'name':'n'},'status':{'phase':'x'}}");
    resource_prepare_status(r, &f.context, status, object);
    json = fixture_json(&f, KIND_NODE, status);
    assert_true(str_find(str_from(json), str_lit("\"unschedulable\":true")) >= 0);
    assert_true(str_find(str_from(json), str_lit("\"phase\":\"x\"")) >= 0);
    fixture_deinit(&f);
}

/* What an agent may report. */
static void test_status_rules(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'n'}}",
          "{'metadata':{'name':'n'},'status':{'addresses':[{'type':'InternalIP','address':'1.1.1.1'"
          "},{'type':'Hostname','address':'1.1.1.1'}],'capacity':{'cpu':'2'}}}",
          "" },
        { "{'metadata':{'name':'n'}}",
          "{'metadata':{'name':'n'},'status':{'addresses':[{'type':'InternalIP','address':'1.1.1.1'"
          "},{'type':'InternalIP','address':'1.1.1.1'}]}}",
          "status.addresses[1]: Duplicate value: "
          "{\"Type\":\"InternalIP\",\"Address\":\"1.1.1.1\"}" },
        { "{'metadata':{'name':'n'}}",
          "{'metadata':{'name':'n'},'status':{'allocatable':{'memory':'-1Gi'}}}",
          "status.allocatable.memory: Invalid value: \"-1Gi\": must be greater than or equal to "
          "0" }
    };
    (void)state;
    fixture_check_statuses(KIND_NODE, cases, COUNT(cases));
}

/* One says what the other does. */
static void test_cidrs(void **state)
{
    static const char *const cases[][2] = {
        { "{'podCIDR':'10.0.0.0/24'}",
          "\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\"]" },
        { "{'podCIDRs':['10.0.0.0/24','fd00::/64']}",
          "\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\",\"fd00::/64\"]" },
        { "{'podCIDR':'10.0.1.0/24','podCIDRs':['10.0.0.0/24','fd00::/64']}",
          "\"podCIDR\":\"10.0.1.0/24\",\"podCIDRs\":[\"10.0.1.0/24\"]" },
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json = str_printf(&f.arena, "{'metadata':{'name':'n'},'spec':%s}", cases[i][0]);
        const char *made = fixture_json(&f, KIND_NODE, fixture_object(&f, KIND_NODE, json.data));
        assert_true(str_find(str_from(made), str_from(cases[i][1])) >= 0);
    }
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update), cmocka_unit_test(test_cidrs),
                                        cmocka_unit_test(test_status),
                                        cmocka_unit_test(test_status_rules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
