/* fieldRef and resourceFieldRef. */
#include <string.h>

#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const struct pod_facts facts = { "10.0.0.9", "10.0.0.1", 2000, 1 << 30 };

static void test_fields(void **state)
{
    struct fixture *f = *state;
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p','namespace':'n','uid':'u','labels':{'b':'2','a':'x\\\"y'},"
           "'annotations':{'note':'line1\\nline2'}},'spec':{'nodeName':'node-1',"
           "'serviceAccountName':'sa','containers':[{'name':'c'}]}}");
    static const struct {
        const char *path;
        const char *value; /* NULL: refused */
    } rows[] = { { "metadata.name", "p" },
                 { "metadata.namespace", "n" },
                 { "metadata.uid", "u" },
                 { "spec.nodeName", "node-1" },
                 { "spec.serviceAccountName", "sa" },
                 { "status.hostIP", "10.0.0.1" },
                 { "status.podIP", "10.0.0.9" },
                 { "status.podIPs", "10.0.0.9" },
                 { "metadata.labels", "a=\"x\\\"y\"\nb=\"2\"" },
                 { "metadata.labels['b']", "2" },
                 { "metadata.labels['none']", "" },
                 { "metadata.annotations", "note=\"line1\\nline2\"" },
                 { "metadata.annotations['note']", "line1\nline2" },
                 { "spec.containers", NULL },
                 { "metadata.labels[b]", NULL } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ObjectFieldSelector ref = OBJECT_FIELD_SELECTOR__INIT;
        struct str out;
        struct err e;
        ref.field_path = (char *)rows[i].path;
        int rc = field_value(&f->a, pod, &facts, &ref, &out, &e);
        assert_int_equal(rc, rows[i].value != NULL ? 0 : -ERR_INVALID_ARGUMENT);
        if (rows[i].value != NULL)
            assert_string_equal(str_dup(&f->a, out), rows[i].value);
    }
}

static void test_resources(void **state)
{
    struct fixture *f = *state;
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','resources':{'limits':{"
           "'cpu':'1500m'},'requests':{'memory':'100Mi'}}}]}}");
    static const struct {
        const char *container;
        const char *resource;
        const char *divisor;
        const char *value;
    } rows[] = {
        { NULL, "limits.cpu", NULL, "2" },         { NULL, "limits.cpu", "1m", "1500" },
        { NULL, "requests.cpu", "1m", "1500" },    { NULL, "limits.memory", NULL, "1073741824" },
        { NULL, "requests.memory", "1Mi", "100" }, { "c", "requests.memory", "1Gi", "1" },
        { "d", "requests.memory", NULL, NULL },    { NULL, "limits.magic", NULL, NULL }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ResourceFieldSelector ref = RESOURCE_FIELD_SELECTOR__INIT;
        Quantity divisor = QUANTITY__INIT;
        struct str out;
        struct err e;
        ref.container_name = (char *)rows[i].container;
        ref.resource = (char *)rows[i].resource;
        divisor.string = (char *)rows[i].divisor;
        ref.divisor = rows[i].divisor != NULL ? &divisor : NULL;
        int rc = resource_field_value(&f->a, pod, &facts, pod->spec->containers[0], &ref, &out, &e);
        assert_int_equal(rc, rows[i].value != NULL ? 0 : -ERR_INVALID_ARGUMENT);
        if (rows[i].value != NULL)
            assert_string_equal(str_dup(&f->a, out), rows[i].value);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_fields), T(test_resources) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
