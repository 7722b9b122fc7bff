/* What workloads and services are told of themselves. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DEPLOYMENT(name, replicas, container)                                                      \
    "{'metadata':{'name':'" name "','namespace':'d'},'spec':{'replicas':" replicas                 \
    ",'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':"    \
    "{'containers':[{'name':'c','image':'i'" container "}]}}}}"
#define NO_LABEL                                                                                   \
    "a DNS label is recommended: [a lowercase RFC 1123 label must consist of lower case "          \
    "alphanumeric characters or '-', and must start and end with an alphanumeric character "       \
    "(e.g. 'my-name',  or '123-abc', regex used for validation is "                                \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')]"

static void test_workloads(void **state)
{
    static const char hiding[] =
        DEPLOYMENT("w.x", "1", ",'env':[{'name':'A','value':'x'},{'name':'A','value':'y'}]");
    static const char name[] = "metadata.name: this is used in Pod names and hostnames, which can "
                               "result in surprising behavior; " NO_LABEL "\n";
    static const char env[] = "spec.template.spec.containers[0].env[1]: hides previous definition "
                              "of \"A\", which may be dropped when using apply\n";
    static const enum kind kinds[] = { KIND_DEPLOYMENT, KIND_REPLICA_SET };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char *all = str_dup(&f.arena, str_printf(&f.arena, "%s%s", name, env));
        assert_string_equal(fixture_warnings(&f, kinds[i], hiding, NULL), all);
        const void *same = fixture_object(&f, kinds[i], hiding);
        assert_string_equal(fixture_warnings(&f, kinds[i], hiding, same),
                            ""); /* its generation stands */
    }
    fixture_deinit(&f);
}

static void test_services(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'s'},'spec':{'ports':[{'port':80}]}}", "" },
        { "{'metadata':{'name':'s'},'spec':{'clusterIP':'None','sessionAffinity':'ClientIP','"
          "loadBalancerIP':'1.1.1.1','externalIPs':['1.1.1.1'],'externalName':'a.b'}}",
          "spec.loadBalancerIP is ignored for headless services\n"
          "spec.externalIPs is ignored for headless services\n"
          "spec.SessionAffinity is ignored for headless services\n"
          "spec.externalName is ignored when spec.type is not \"ExternalName\"\n" },
        { "{'metadata':{'name':'s','annotations':{'service.kubernetes.io/topology-aware-hints':'"
          "auto'}},'spec':{'type':'ExternalName','externalName':'a.b','externalIPs':['1.1.1.1']}}",
          "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
          "service.kubernetes.io/topology-mode instead\n"
          "spec.externalIPs is ignored when spec.type is \"ExternalName\"\n" },
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(fixture_warnings(&f, KIND_SERVICE, cases[i].json, NULL),
                            cases[i].errors);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_workloads),
                                        cmocka_unit_test(test_services) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
