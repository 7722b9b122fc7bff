/* Specs under upstream's names. The texts are what upstream's own structs print. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "controlplane/resources/pod_shown.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static const char old_spec[] =
    "{'containers':[{'name':'c','image':'i','env':[{'name':'A','value':'<1>"
    "'}],'livenessProbe':{'httpGet':{'port':'web'}},'resources':{'requests'"
    ":{'cpu':'1500m','memory':'1Gi'}}}],'hostNetwork':true,'volumes':[{'nam"
    "e':'v','rbd':{'monitors':['m'],'image':'r'}},{'name':'c','ephemeral':{"
    "'volumeClaimTemplate':{'metadata':{'labels':{'x':'y'}},'spec':{'resour"
    "ces':{}}}}}]}";

static const char new_spec[] =
    "{'containers':[{'name':'c','image':'i','env':[{'name':'A','value':'2'}"
    "],'livenessProbe':{'tcpSocket':{'port':80}},'resources':{'requests':{'"
    "cpu':'1500m','memory':'2Gi'}}}],'shareProcessNamespace':true,'security"
    "Context':{'fsGroup':4},'volumes':[{'name':'v','rbd':{'monitors':['m'],"
    "'image':'s','user':'u'}},{'name':'c','ephemeral':{'volumeClaimTemplate"
    "':{'metadata':{'labels':{'x':'z'}},'spec':{'resources':{},'selector':{"
    "'matchLabels':{'a':'b'}}}}}}],'setHostnameAsFQDN':true,'overhead':{'cp"
    "u':'1'}}";

static const char difference[] = "what\n"
                                 "@@ -16,10 +16,10 @@\n"
                                 "     \"CephMonitors\": [\n"
                                 "      \"m\"\n"
                                 "     ],\n"
                                 "-    \"RBDImage\": \"r\",\n"
                                 "+    \"RBDImage\": \"s\",\n"
                                 "     \"FSType\": \"\",\n"
                                 "     \"RBDPool\": \"\",\n"
                                 "-    \"RadosUser\": \"\",\n"
                                 "+    \"RadosUser\": \"u\",\n"
                                 "     \"Keyring\": \"\",\n"
                                 "     \"SecretRef\": null,\n"
                                 "     \"ReadOnly\": false\n"
                                 "@@ -77,11 +77,15 @@\n"
                                 "    \"Ephemeral\": {\n"
                                 "     \"VolumeClaimTemplate\": {\n"
                                 "      \"labels\": {\n"
                                 "-      \"x\": \"y\"\n"
                                 "+      \"x\": \"z\"\n"
                                 "      },\n"
                                 "      \"Spec\": {\n"
                                 "       \"AccessModes\": null,\n"
                                 "-      \"Selector\": null,\n"
                                 "+      \"Selector\": {\n"
                                 "+       \"matchLabels\": {\n"
                                 "+        \"a\": \"b\"\n"
                                 "+       }\n"
                                 "+      },\n"
                                 "       \"Resources\": {\n"
                                 "        \"Limits\": null,\n"
                                 "        \"Requests\": null\n"
                                 "@@ -111,7 +115,7 @@\n"
                                 "    \"Env\": [\n"
                                 "     {\n"
                                 "      \"Name\": \"A\",\n"
                                 "-     \"Value\": \"\\u003c1\\u003e\",\n"
                                 "+     \"Value\": \"2\",\n"
                                 "      \"ValueFrom\": null\n"
                                 "     }\n"
                                 "    ],\n"
                                 "@@ -119,7 +123,7 @@\n"
                                 "     \"Limits\": null,\n"
                                 "     \"Requests\": {\n"
                                 "      \"cpu\": \"1500m\",\n"
                                 "-     \"memory\": \"1Gi\"\n"
                                 "+     \"memory\": \"2Gi\"\n"
                                 "     },\n"
                                 "     \"Claims\": null\n"
                                 "    },\n"
                                 "@@ -130,14 +134,11 @@\n"
                                 "    \"VolumeDevices\": null,\n"
                                 "    \"LivenessProbe\": {\n"
                                 "     \"Exec\": null,\n"
                                 "-    \"HTTPGet\": {\n"
                                 "-     \"Path\": \"\",\n"
                                 "-     \"Port\": \"web\",\n"
                                 "-     \"Host\": \"\",\n"
                                 "-     \"Scheme\": \"\",\n"
                                 "-     \"HTTPHeaders\": null\n"
                                 "+    \"HTTPGet\": null,\n"
                                 "+    \"TCPSocket\": {\n"
                                 "+     \"Port\": 80,\n"
                                 "+     \"Host\": \"\"\n"
                                 "     },\n"
                                 "-    \"TCPSocket\": null,\n"
                                 "     \"GRPC\": null,\n"
                                 "     \"InitialDelaySeconds\": 0,\n"
                                 "     \"TimeoutSeconds\": 0,\n"
                                 "@@ -168,10 +169,10 @@\n"
                                 "  \"AutomountServiceAccountToken\": null,\n"
                                 "  \"NodeName\": \"\",\n"
                                 "  \"SecurityContext\": {\n"
                                 "-  \"HostNetwork\": true,\n"
                                 "+  \"HostNetwork\": false,\n"
                                 "   \"HostPID\": false,\n"
                                 "   \"HostIPC\": false,\n"
                                 "-  \"ShareProcessNamespace\": null,\n"
                                 "+  \"ShareProcessNamespace\": true,\n"
                                 "   \"HostUsers\": null,\n"
                                 "   \"SELinuxOptions\": null,\n"
                                 "   \"WindowsOptions\": null,\n"
                                 "@@ -180,7 +181,7 @@\n"
                                 "   \"RunAsNonRoot\": null,\n"
                                 "   \"SupplementalGroups\": null,\n"
                                 "   \"SupplementalGroupsPolicy\": null,\n"
                                 "-  \"FSGroup\": null,\n"
                                 "+  \"FSGroup\": 4,\n"
                                 "   \"FSGroupChangePolicy\": null,\n"
                                 "   \"Sysctls\": null,\n"
                                 "   \"SeccompProfile\": null,\n"
                                 "@@ -190,7 +191,7 @@\n"
                                 "  \"ImagePullSecrets\": null,\n"
                                 "  \"Hostname\": \"\",\n"
                                 "  \"Subdomain\": \"\",\n"
                                 "- \"SetHostnameAsFQDN\": null,\n"
                                 "+ \"SetHostnameAsFQDN\": true,\n"
                                 "  \"Affinity\": null,\n"
                                 "  \"SchedulerName\": \"\",\n"
                                 "  \"Tolerations\": null,\n"
                                 "@@ -201,7 +202,9 @@\n"
                                 "  \"DNSConfig\": null,\n"
                                 "  \"ReadinessGates\": null,\n"
                                 "  \"RuntimeClassName\": null,\n"
                                 "- \"Overhead\": null,\n"
                                 "+ \"Overhead\": {\n"
                                 "+  \"cpu\": \"1\"\n"
                                 "+ },\n"
                                 "  \"EnableServiceLinks\": null,\n"
                                 "  \"TopologySpreadConstraints\": null,\n"
                                 "  \"OS\": null,\n";

static const Pod *pod(struct fixture *f, const char *spec)
{
    return fixture_decode(f, KIND_POD, str_printf(&f->arena, "{'spec':%s}", spec).data);
}

static const char *difference_of(struct fixture *f, const Pod *was, const Pod *is, size_t *steps)
{
    return pod_shown_difference(&f->arena, "what", &schema_PodSpec, was->spec, is->spec, steps);
}

static void test_names(void **state)
{
    struct fixture f;
    size_t steps = POD_SHOWN_STEPS_MAX;
    (void)state;
    fixture_init(&f);
    assert_string_equal(difference_of(&f, pod(&f, old_spec), pod(&f, new_spec), &steps),
                        difference);
    assert_true(steps < POD_SHOWN_STEPS_MAX);
    fixture_deinit(&f);
}

static void test_bounds(void **state)
{
    struct fixture f;
    size_t steps = 10;
    (void)state;
    fixture_init(&f);
    const Pod *was = pod(&f, old_spec);
    const Pod *is = pod(&f, new_spec);
    assert_string_equal(difference_of(&f, was, is, &steps), "what");
    steps = POD_SHOWN_STEPS_MAX;
    char *text = arena_alloc(&f.arena, POD_SHOWN_BYTES_MAX + 1);
    for (size_t i = 0; i < POD_SHOWN_BYTES_MAX; i++)
        text[i] = 'x';
    is->spec->containers[0]->env[0]->value = text;
    assert_string_equal(difference_of(&f, was, is, &steps), "what");
    assert_int_equal(steps, POD_SHOWN_STEPS_MAX);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names),
                                        cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
