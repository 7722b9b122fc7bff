/* Field labels and index terms read from stored bytes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_selectors(void **state)
{
    static const struct {
        enum kind kind;
        const char *json;
        const char *selector;
        bool matches;
    } cases[] = {
        { KIND_POD, "{'metadata':{'name':'p','namespace':'d'}}", "metadata.name=p", true },
        { KIND_POD, "{'metadata':{'name':'p','namespace':'d'}}", "metadata.namespace!=d", false },
        { KIND_POD, "{'spec':{'nodeName':'n'}}", "spec.nodeName=n", true },
        { KIND_POD, "{'spec':{'nodeName':'n'}}", "spec.host=n", true },
        { KIND_POD, "{}", "spec.nodeName=", true },
        { KIND_POD, "{'spec':{'hostNetwork':true}}", "spec.hostNetwork=true", true },
        { KIND_POD, "{}", "spec.hostNetwork=false", true },
        { KIND_POD, "{'spec':{'schedulerName':'s','serviceAccountName':'a'}}",
          "spec.schedulerName=s,spec.serviceAccountName=a", true },
        { KIND_POD, "{'status':{'phase':'Running','podIP':'1.2.3.4','nominatedNodeName':'x'}}",
          "status.phase=Running,status.podIP=1.2.3.4,status.nominatedNodeName=x", true },
        { KIND_POD, "{'status':{'phase':'Failed'}}", "status.phase!=Succeeded,status.phase!=Failed",
          false },
        { KIND_POD, "{'spec':{'restartPolicy':'Never'}}", "spec.restartPolicy=Never", true },
        { KIND_NODE, "{'spec':{'unschedulable':true}}", "spec.unschedulable=true", true },
        { KIND_NAMESPACE, "{'metadata':{'name':'d'},'status':{'phase':'Active'}}",
          "metadata.name=d,status.phase=Active", true },
        { KIND_SECRET, "{'type':'Opaque'}", "type=Opaque", true },
        { KIND_SERVICE, "{'spec':{'type':'ClusterIP','clusterIP':'None'}}",
          "spec.clusterIP=None,spec.type=ClusterIP", true },
        { KIND_REPLICA_SET, "{'status':{'replicas':12}}", "status.replicas=12", true },
        { KIND_REPLICA_SET, "{'status':{'replicas':12}}", "status.replicas!=12", false },
        { KIND_EVENT,
          "{'involvedObject':{'kind':'Pod','namespace':'d','name':'p','uid':'u','apiVersion':'v1',"
          "'resourceVersion':'7','fieldPath':'x'},'reason':'r','type':'Normal','source':"
          "{'component':'k'},'reportingComponent':'c'}",
          "involvedObject.kind=Pod,involvedObject.namespace=d,involvedObject.name=p,involvedObject."
          "uid=u,involvedObject.apiVersion=v1,involvedObject.resourceVersion=7,involvedObject."
          "fieldPath=x,reason=r,type=Normal,source=k,reportingComponent=c",
          true },
        { KIND_EVENT, "{'reportingComponent':'c'}", "source=c", true },
        { KIND_EVENT, "{'source':{'component':'k'},'reportingComponent':'c'}", "source=c", false }
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct field_selector s;
        struct err e = { 0 };
        const struct resource *r = resource_of(cases[i].kind);
        struct str payload =
            fixture_payload(&f, cases[i].kind, fixture_decode(&f, cases[i].kind, cases[i].json));
        assert_int_equal(field_selector_parse(&f.arena, str_from(cases[i].selector), &s, &e), 0);
        if (resource_check_fields(r, &s, &e) != 0)
            fail_msg("%s", e.msg);
        if (resource_matches_fields(r, &s, payload) != cases[i].matches)
            fail_msg("case %zu: %s", i, cases[i].selector);
    }
    fixture_deinit(&f);
}

/* Upstream takes this label and gives it no value. */
static void test_pod_ips(void **state)
{
    struct fixture f;
    struct field_selector s;
    struct err e = { 0 };
    const struct resource *pods = resource_of(KIND_POD);
    (void)state;
    fixture_init(&f);
    struct str payload = fixture_payload(
        &f, KIND_POD,
        fixture_object(&f, KIND_POD,
                       "{'status':{'podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'}]}}"));
    assert_int_equal(field_selector_parse(&f.arena, str_lit("status.podIPs=10.0.0.1"), &s, &e), 0);
    assert_int_equal(resource_check_fields(pods, &s, &e), 0);
    assert_false(resource_matches_fields(pods, &s, payload));
    assert_int_equal(field_selector_parse(&f.arena, str_lit("status.podIP=10.0.0.1"), &s, &e), 0);
    assert_true(resource_matches_fields(pods, &s, payload));
    fixture_deinit(&f);
}

static void test_unknown(void **state)
{
    static const struct {
        enum kind kind;
        const char *selector;
        const char *text;
    } cases[] = { { KIND_POD, "spec.odd=1", "field label not supported: spec.odd" },
                  { KIND_NODE, "metadata.namespace=d",
                    "field label not supported: metadata.namespace" },
                  { KIND_NAMESPACE, "name=d", "field label not supported: name" },
                  { KIND_CONFIG_MAP, "type=x",
                    "\"type\" is not a known field selector: only \"metadata.name\", "
                    "\"metadata.namespace\"" } };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct field_selector s;
        struct err e = { 0 };
        assert_int_equal(field_selector_parse(&f.arena, str_from(cases[i].selector), &s, &e), 0);
        assert_int_equal(resource_check_fields(resource_of(cases[i].kind), &s, &e),
                         -ERR_INVALID_ARGUMENT);
        assert_string_equal(e.msg, cases[i].text);
    }
    fixture_deinit(&f);
}

static void test_terms(void **state)
{
    struct fixture f;
    struct store_term terms[RESOURCE_TERMS_MAX];
    struct store_term pinned;
    struct field_selector s;
    const struct resource *pods = resource_of(KIND_POD);
    (void)state;
    fixture_init(&f);
    struct str payload = fixture_payload(
        &f, KIND_POD,
        fixture_decode(&f, KIND_POD,
                       "{'metadata':{'ownerReferences':[{'uid':'u1'},{'uid':'u2'}]},"
                       "'spec':{'nodeName':'n'}}"));
    assert_int_equal(resource_terms(pods, payload, terms), 3);
    assert_int_equal(terms[0].index, RESOURCE_INDEX_NODE_NAME);
    assert_true(str_eq_c(terms[0].bytes, "n"));
    assert_int_equal(terms[2].index, RESOURCE_INDEX_OWNER_UID);
    assert_true(str_eq_c(terms[2].bytes, "u2"));
    payload = fixture_payload(&f, KIND_CONFIG_MAP, fixture_decode(&f, KIND_CONFIG_MAP, "{}"));
    assert_int_equal(resource_terms(resource_of(KIND_CONFIG_MAP), payload, terms), 0);

    assert_int_equal(
        field_selector_parse(&f.arena, str_lit("status.phase!=Failed,spec.nodeName=n"), &s, NULL),
        0);
    assert_true(resource_index_for(pods, &s, &pinned));
    assert_int_equal(pinned.index, RESOURCE_INDEX_NODE_NAME);
    assert_true(str_eq_c(pinned.bytes, "n"));
    assert_int_equal(field_selector_parse(&f.arena, str_lit("spec.nodeName!=n"), &s, NULL), 0);
    assert_false(resource_index_for(pods, &s, &pinned));
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_selectors),
                                        cmocka_unit_test(test_pod_ips),
                                        cmocka_unit_test(test_unknown),
                                        cmocka_unit_test(test_terms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
