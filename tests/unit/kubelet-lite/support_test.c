/* What is refused, and how it is named. */
#include <string.h>

#include "kubelet-lite/support.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static void test_fields(void **state)
{
    static const struct {
        const char *spec; /* after 'containers' */
        const char *container;
        const char *field; /* NULL: supported */
    } rows[] = {
        { "", "", NULL },
        { "", ",'livenessProbe':{'tcpSocket':{'port':1}}", "spec.containers[0].livenessProbe" },
        { "", ",'readinessProbe':{'tcpSocket':{'port':1}}", "spec.containers[0].readinessProbe" },
        { "", ",'lifecycle':{'preStop':{'sleep':{'seconds':1}}}", "spec.containers[0].lifecycle" },
        { ",'initContainers':[{'name':'i','restartPolicy':'Always'}]", "",
          "spec.initContainers[0].restartPolicy" },
        { ",'activeDeadlineSeconds':1", "", "spec.activeDeadlineSeconds" },
        { ",'runtimeClassName':'x'", "", "spec.runtimeClassName" },
        { ",'imagePullSecrets':[{'name':'s'}]", "", "spec.imagePullSecrets" },
        { ",'volumes':[{'name':'v','emptyDir':{'sizeLimit':'1Mi'}}]", "",
          "spec.volumes[0].emptyDir.sizeLimit" },
        { ",'securityContext':{'supplementalGroupsPolicy':'Strict'}", "",
          "spec.securityContext.supplementalGroupsPolicy" },
        { "", ",'terminationMessagePath':'/dev/termination-log'", NULL },
        { "", ",'terminationMessagePath':'/tmp/x'", "spec.containers[0].terminationMessagePath" },
        { "", ",'terminationMessagePolicy':'FallbackToLogsOnError'",
          "spec.containers[0].terminationMessagePolicy" },
        { "", ",'volumeMounts':[{'name':'v','mountPath':'/v','recursiveReadOnly':'Enabled'}]",
          "spec.containers[0].volumeMounts[0].recursiveReadOnly" },
        { ",'volumes':[{'name':'v','emptyDir':{}},{'name':'w','nfs':{'server':'s','path':"
          "'/'}}]",
          "", "spec.volumes[1].nfs" },
        { ",'volumes':[{'name':'v','projected':{'sources':[{'configMap':{'name':'c'}},{"
          "'serviceAccountToken':{'path':'t'}}]}}]",
          "", "spec.volumes[0].projected.sources[1].serviceAccountToken" },
        { ",'volumes':[{'name':'v','emptyDir':{'medium':'Memory'}},{'name':'w',"
          "'hostPath':{'path':'/'}}]",
          "", NULL },
        { "", ",'securityContext':{'privileged':true,'runAsUser':1}", NULL },
        { "", ",'securityContext':{'seLinuxOptions':{'user':'u'}}",
          "spec.containers[0].securityContext.seLinuxOptions" },
        { "", ",'volumeMounts':[{'name':'v','mountPath':'/v','subPathExpr':'$(A)'}]",
          "spec.containers[0].volumeMounts[0].subPathExpr" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        const char *message = NULL;
        Pod *pod = fixture_pod(f, str_printf(&f->a,
                                             "{'metadata':{'name':'p'},'spec':{'containers':[{"
                                             "'name':'c'%s}]%s}}",
                                             rows[i].container, rows[i].spec)
                                      .data);
        assert_int_equal(pod_supported(&f->a, pod, &message), rows[i].field == NULL);
        if (rows[i].field != NULL)
            assert_string_equal(
                message,
                str_printf(&f->a, "%s is not supported by this node yet", rows[i].field).data);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_fields) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
