/* Defaults of pods and templates, by what the JSON then says. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_container(void **state)
{
    static const struct {
        const char *container;
        const char *part;
    } cases[] = {
        { "'image':'i'", "\"imagePullPolicy\":\"Always\"" },
        { "'image':'i:latest'", "\"imagePullPolicy\":\"Always\"" },
        { "'image':'i:1'", "\"imagePullPolicy\":\"IfNotPresent\"" },
        { "'image':'host:5000/i'", "\"imagePullPolicy\":\"Always\"" },
        { "'image':'host:5000/i:1'", "\"imagePullPolicy\":\"IfNotPresent\"" },
        { "'image':'i@sha256:00'", "\"imagePullPolicy\":\"IfNotPresent\"" },
        { "'image':'i','imagePullPolicy':'Never'", "\"imagePullPolicy\":\"Never\"" },
        { "'image':'i'", "\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessage"
                         "Policy\":\"File\"" },
        { "'image':'i'", "\"resources\":{}" },
        { "'ports':[{'containerPort':80}]",
          "\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]" },
        { "'livenessProbe':{'httpGet':{'port':80}}",
          "\"livenessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":80,\"scheme\":\"HTTP\"},"
          "\"timeoutSeconds\":1,\"periodSeconds\":10,\"successThreshold\":1,"
          "\"failureThreshold\":3}" },
        { "'readinessProbe':{'grpc':{'port':1},'periodSeconds':2}",
          "\"readinessProbe\":{\"grpc\":{\"port\":1,\"service\":\"\"},\"timeoutSeconds\":1,"
          "\"periodSeconds\":2," },
        { "'lifecycle':{'preStop':{'httpGet':{'port':1}}}",
          "\"preStop\":{\"httpGet\":{\"path\":\"/\",\"port\":1,\"scheme\":\"HTTP\"}}" },
        { "'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]",
          "\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}" },
        { "'resources':{'limits':{'cpu':'0.5','memory':'1Ki'},'requests':{'memory':'512'}}",
          "\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Ki\"},\"requests\":{\"cpu\":"
          "\"500m\",\"memory\":\"512\"}}" },
        { "'resources':{'limits':{'cpu':'100u'}}", "\"limits\":{\"cpu\":\"1m\"}" }
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json =
            str_printf(&f.arena, "{'spec':{'containers':[{'name':'c',%s}]}}", cases[i].container);
        const char *got =
            fixture_json(&f, KIND_POD, fixture_object(&f, KIND_POD, str_dup(&f.arena, json)));
        if (str_find(str_from(got), str_from(cases[i].part)) < 0)
            fail_msg("%s\nlacks %s", got, cases[i].part);
    }
    fixture_deinit(&f);
}

static void test_spec(void **state)
{
    static const struct {
        const char *spec;
        const char *part;
    } cases[] = {
        { "", "\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":"
              "\"ClusterFirst\"" },
        { "", "\"securityContext\":{},\"schedulerName\":\"default-scheduler\"" },
        { "", "\"enableServiceLinks\":true" },
        { "'enableServiceLinks':false", "\"enableServiceLinks\":false" },
        { "'terminationGracePeriodSeconds':0", "\"terminationGracePeriodSeconds\":0" },
        { "'serviceAccountName':'s'", "\"serviceAccountName\":\"s\",\"serviceAccount\":\"s\"" },
        { "'serviceAccount':'s'", "\"serviceAccountName\":\"s\",\"serviceAccount\":\"s\"" },
        { "'volumes':[{'name':'v'}]", "\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]" },
        { "'volumes':[{'name':'v','configMap':{'name':'m'}}]",
          "\"configMap\":{\"name\":\"m\",\"defaultMode\":420}" },
        { "'volumes':[{'name':'v','secret':{'secretName':'m','defaultMode':0}}]",
          "\"secret\":{\"secretName\":\"m\",\"defaultMode\":0}" },
        { "'volumes':[{'name':'v','hostPath':{'path':'/'}}]",
          "\"hostPath\":{\"path\":\"/\",\"type\":\"\"}" },
        { "'volumes':[{'name':'v','projected':{'sources':[{'serviceAccountToken':{'path':'t'}},"
          "{'downwardAPI':{'items':[{'path':'n','fieldRef':{'fieldPath':'metadata.name'}}]}}]}}]",
          "\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3600,"
          "\"path\":\"t\"}},{\"downwardAPI\":{\"items\":[{\"path\":\"n\",\"fieldRef\":"
          "{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}}]}}],\"defaultMode\":420}" }
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json = str_printf(&f.arena, "{'spec':{%s}}", cases[i].spec);
        const char *got =
            fixture_json(&f, KIND_POD, fixture_object(&f, KIND_POD, str_dup(&f.arena, json)));
        if (str_find(str_from(got), str_from(cases[i].part)) < 0)
            fail_msg("%s\nlacks %s", got, cases[i].part);
    }
    fixture_deinit(&f);
}

/* Defaults are a fixed point, and a template gets neither requests from limits nor links. */
static void test_fixed_point_and_template(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    void *pod = fixture_object(&f, KIND_POD,
                               "{'spec':{'hostNetwork':true,'volumes':[{'name':'v'}],'containers':"
                               "[{'image':'i','ports':[{'containerPort':80}],'resources':"
                               "{'limits':{'cpu':'1'}}}]}}");
    const char *once = fixture_json(&f, KIND_POD, pod);
    resource_defaults(resource_of(KIND_POD), &f.arena, pod);
    assert_string_equal(fixture_json(&f, KIND_POD, pod), once);
    assert_true(str_find(str_from(once), str_lit("\"hostPort\":80")) >= 0);
    assert_true(str_find(str_from(once), str_lit("\"requests\":{\"cpu\":\"1\"}")) >= 0);

    const char *set = fixture_json(
        &f, KIND_REPLICA_SET,
        fixture_object(
            &f, KIND_REPLICA_SET,
            "{'spec':{'template':{'spec':{'hostNetwork':true,'containers':[{'image':"
            "'i','ports':[{'containerPort':80}],'resources':{'limits':{'cpu':'1'}}}]}}}}"));
    assert_true(str_find(str_from(set), str_lit("hostPort")) < 0); /* its pods get them */
    assert_true(str_find(str_from(set), str_lit("\"requests\"")) < 0);
    assert_true(str_find(str_from(set), str_lit("enableServiceLinks")) < 0);
    assert_true(str_find(str_from(set), str_lit("\"replicas\":1")) >= 0);
    fixture_deinit(&f);
}

/* One address and the list of them say the same. */
static void test_addresses(void **state)
{
    static const char *const cases[][2] = {
        { "{'podIP':'10.0.0.1'}", "\"podIP\":\"10.0.0.1\",\"podIPs\":[{\"ip\":\"10.0.0.1\"}]" },
        { "{'podIPs':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}]}",
          "\"podIP\":\"10.0.0.1\",\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]" },
        { "{'podIP':'10.0.0.2','podIPs':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}]}",
          "\"podIP\":\"10.0.0.2\",\"podIPs\":[{\"ip\":\"10.0.0.2\"}]" },
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str json = str_printf(&f.arena, "{'status':%s}", cases[i][0]);
        const char *made = fixture_json(&f, KIND_POD, fixture_object(&f, KIND_POD, json.data));
        assert_true(str_find(str_from(made), str_from(cases[i][1])) >= 0);
    }
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_container),
                                        cmocka_unit_test(test_spec),
                                        cmocka_unit_test(test_addresses),
                                        cmocka_unit_test(test_fixed_point_and_template) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
