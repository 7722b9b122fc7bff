/* What a new pod is told of itself. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define POD(name, meta, spec, container)                                                           \
    "{'metadata':{'name':'" name "','namespace':'d'" meta "},'spec':{" spec                        \
    "'containers':[{'name':'c','image':'i'" container "}]}}"
#define NO_LABEL                                                                                   \
    "a DNS label is recommended: [a lowercase RFC 1123 label must consist of lower case "          \
    "alphanumeric characters or '-', and must start and end with an alphanumeric character "       \
    "(e.g. 'my-name',  or '123-abc', regex used for validation is "                                \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')]"
#define TERM "'topologyKey':'z'"

static void check(const struct create_case *cases, size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(fixture_warnings(&f, KIND_POD, cases[i].json, NULL), cases[i].errors);
    fixture_deinit(&f);
}

static void test_pods(void **state)
{
    static const struct create_case cases[] = {
        { POD("p", "", "", ""), "" },
        { POD("p.q", "", "", ""),
          "metadata.name: this is used in the Pod's hostname, which can result in surprising "
          "behavior; " NO_LABEL "\n" },
        { POD("p", "", "'nodeSelector':{'beta.kubernetes.io/os':'linux'},", ""),
          "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
          "\"kubernetes.io/os\" instead\n" },
        { POD("p", "",
              "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
              "nodeSelectorTerms':[{'matchExpressions':[{'key':'beta.kubernetes.io/arch','operator'"
              ":'Exists'}]}]}},'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{"
              "'weight':1,'podAffinityTerm':{" TERM "}}]},'podAntiAffinity':{'"
              "requiredDuringSchedulingIgnoredDuringExecution':[{" TERM "}]}},",
              ""),
          "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
          "nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated "
          "since v1.14; use \"kubernetes.io/arch\" instead\n"
          "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
          "podAffinityTerm.labelSelector: a null labelSelector results in matching no pod\n"
          "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
          "labelSelector: a null labelSelector results in matching no pod\n" },
        { POD("p", "",
              "'topologySpreadConstraints':[{'maxSkew':1,'whenUnsatisfiable':'DoNotSchedule'," TERM
              "}],'volumes':[{'name':'v','gitRepo':{'repository':'r'}}],'hostAliases':[{'ip':'1.1."
              "1.1'},{'ip':'1.1.1.1'}],'imagePullSecrets':[{'name':'a'},{'name':'a'},{'name':''}],"
              "'terminationGracePeriodSeconds':-1,",
              ""),
          "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in "
          "matching no pod\n"
          "spec.volumes[0].gitRepo: deprecated in v1.11\n"
          "spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\"\n"
          "spec.imagePullSecrets[1].name: duplicate name \"a\"\n"
          "spec.imagePullSecrets[2].name: invalid empty name \"\"\n"
          "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will "
          "be treated as 1\n" },
        { POD("p",
              ",'annotations':{'scheduler.alpha.kubernetes.io/critical-pod':'','container.seccomp."
              "security.alpha.kubernetes.io/c':'x','container.apparmor.security.beta.kubernetes.io/"
              "c':'x'}",
              "", ""),
          "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in "
          "v1.16+; use the \"priorityClassName\" field instead\n"
          "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional "
          "in v1.27+; use the \"seccompProfile\" field instead\n" },
    };
    (void)state;
    check(cases, COUNT(cases));
}

static void test_containers(void **state)
{
    static const struct create_case cases[] = {
        { POD("p", "", "",
              ",'resources':{'limits':{'memory':'1500m','cpu':'1500m'}},'env':[{'name':'A','value':"
              "'x'},{'name':'A','value':'y'},{'name':'A','value':'$(A)z'},{'name':'A','value':'$(A)"
              "'}]"),
          "spec.containers[0].resources.limits[memory]: fractional byte value \"1500m\" is "
          "invalid, "
          "must be an integer\n"
          "spec.containers[0].resources.requests[memory]: fractional byte value \"1500m\" is "
          "invalid, must be an integer\n"
          "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped "
          "when "
          "using apply\n"
          "spec.containers[0].env[3]: hides previous definition of \"A\", which may be dropped "
          "when "
          "using apply\n" },
        { POD("p", "", "",
              ",'ports':[{'containerPort':80},{'containerPort':80},{'containerPort':80,'protocol':'"
              "UDP'},{'containerPort':81},{'containerPort':81,'hostPort':9},{'containerPort':82,'"
              "hostPort':8},{'containerPort':82,'hostPort':8,'hostIP':'1.1.1.1'}]"),
          "spec.containers[0].ports[1]: duplicate port definition with "
          "spec.containers[0].ports[0]\n"
          "spec.containers[0].ports[4]: overlapping port definition with "
          "spec.containers[0].ports[3]\n"
          "spec.containers[0].ports[6]: dangerously ambiguous port definition with "
          "spec.containers[0].ports[5]\n" },
    };
    (void)state;
    check(cases, COUNT(cases));
}

/* Programs update pods, and nobody reads what they are told. */
static void test_updates(void **state)
{
    static const char told[] = POD("p", "", "'terminationGracePeriodSeconds':-1,", "");
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const void *old = fixture_object(&f, KIND_POD, told);
    assert_string_equal(fixture_warnings(&f, KIND_POD, told, old), "");
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pods),
                                        cmocka_unit_test(test_containers),
                                        cmocka_unit_test(test_updates) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
