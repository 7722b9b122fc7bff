/* What the subresources of a pod take of it, and what they refuse. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/buf.h"
#include "controlplane/resources/pod_subresources.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define POD(spec)    "{'metadata':{'name':'p','namespace':'d'},'spec':{" spec "}}"

typedef Pod *take_fn(struct arena *a, const Pod *pod, const Pod *old);
typedef void validate_fn(const Pod *pod, const Pod *old, struct err_list *out);

static void check(take_fn *take, validate_fn *validate, const struct update_case *cases,
                  size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++) {
        const Pod *old = fixture_object(&f, KIND_POD, cases[i].old);
        const Pod *pod = take(&f.arena, fixture_object(&f, KIND_POD, cases[i].json), old);
        struct err_list errors;
        struct buf b;
        err_list_init(&errors, &f.arena);
        buf_init(&b);
        validate(pod, old, &errors);
        err_list_write(&errors, &b);
        print_message("case %zu\n", i);
        assert_string_equal(errors.count == 0 ? "" : str_dup(&f.arena, buf_str(&b)),
                            cases[i].errors);
        buf_deinit(&b);
    }
    fixture_deinit(&f);
}

static void test_ephemeral(void **state)
{
    static const char old[] =
        POD("'containers':[{'name':'c','image':'i'}],'ephemeralContainers':[{'name':'e','image':'j'"
            "}]");
    static const struct update_case cases[] = {
        { old,
          POD("'containers':[],'ephemeralContainers':[{'name':'x','image':'k'},{'name':'e','image':"
              "'j'}]"),
          "" },
        { old, POD("'containers':[]"),
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be "
          "removed\n" },
        { old, POD("'containers':[],'ephemeralContainers':[{'name':'e','image':'k'}]"),
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be "
          "changed\n"
          "@@ -1,6 +1,6 @@\n"
          " {\n"
          "  \"Name\": \"e\",\n"
          "- \"Image\": \"j\",\n"
          "+ \"Image\": \"k\",\n"
          "  \"Command\": null,\n"
          "  \"Args\": null,\n"
          "  \"WorkingDir\": \"\",\n" }
    };
    (void)state;
    check(pod_take_ephemeral, pod_validate_ephemeral, cases, COUNT(cases));
}

/* Everything but the part is the old pod's. */
static void test_taken(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const Pod *old = fixture_object(&f, KIND_POD, POD("'containers':[{'name':'c','image':'i'}]"));
    const Pod *pod = fixture_object(
        &f, KIND_POD,
        "{'metadata':{'name':'p','namespace':'d','uid':'u','labels':{'a':'b'}},'spec':{"
        "'nodeName':'n','containers':[{'name':'c','image':'other','resources':{'limits':{'cpu':1"
        "}}}],'ephemeralContainers':[{'name':'e','image':'j'}]}}");
    Pod *made = pod_take_ephemeral(&f.arena, pod, old);
    assert_string_equal(made->metadata->uid, "u");
    assert_int_equal(made->metadata->n_labels, 0);
    assert_int_equal(made->spec->n_ephemeral_containers, 1);
    assert_string_equal(made->spec->containers[0]->image, "i");
    made = pod_take_resize(&f.arena, pod, old);
    assert_int_equal(made->spec->n_ephemeral_containers, 0);
    assert_string_equal(made->spec->containers[0]->image, "i");
    assert_int_equal(made->spec->containers[0]->resources->n_limits, 1);
    assert_int_equal(old->spec->containers[0]->resources->n_limits, 0);
    fixture_deinit(&f);
}

#define RESOURCES(text) POD("'containers':[{'name':'c','image':'i','resources':{" text "}}]")
/* And what else the container has. */
#define RESOURCES_AND(text, more)                                                                  \
    POD("'containers':[{'name':'c','image':'i'," more ",'resources':{" text "}}]")

static void test_resize(void **state)
{
    static const char old[] = RESOURCES("'requests':{'cpu':'1','ephemeral-storage':'1Gi'},"
                                        "'limits':{'memory':'1Gi'}");
    static const struct update_case cases[] = {
        { old,
          RESOURCES(
              "'requests':{'cpu':'2','ephemeral-storage':'1024Mi'},'limits':{'memory':'2Gi'}"),
          "" },
        { old, RESOURCES("'requests':{'ephemeral-storage':'1Gi'},'limits':{'memory':'1Gi'}"),
          "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed" },
        { old, RESOURCES("'requests':{'cpu':'1'},'limits':{'memory':'1Gi'}"),
          "[spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed, "
          "spec: Forbidden: only cpu and memory resources are mutable]" },
        { old,
          RESOURCES_AND(
              "'requests':{'cpu':'1','ephemeral-storage':'1Gi'},'limits':{'memory':'1Gi'}",
              "'resizePolicy':[{'resourceName':'cpu','restartPolicy':'RestartContainer'}]"),
          "spec: Forbidden: only cpu and memory resources are mutable" },
        { old,
          RESOURCES("'requests':{'cpu':'1','ephemeral-storage':'2Gi'},'limits':{'memory':'1Gi'}"),
          "spec: Forbidden: only cpu and memory resources are mutable" },
        { old,
          RESOURCES("'requests':{'cpu':'1','ephemeral-storage':'1Gi','a.b/c':'1'},'limits':{"
                    "'memory':'1Gi','a.b/c':'1'}"),
          "spec: Forbidden: only cpu and memory resources are mutable" },
        { RESOURCES(""), RESOURCES("'requests':{'cpu':'1'}"),
          "spec: Invalid value: \"\": Pod QOS Class may not change as a result of resizing" }
    };
    (void)state;
    check(pod_take_resize, pod_validate_resize, cases, COUNT(cases));
}

#define INIT(policy, text)                                                                         \
    POD("'containers':[{'name':'c','image':'i','resources':{'requests':{'cpu':'1'}}}],"            \
        "'initContainers':[{'name':'n','image':'i'," policy "'resources':{" text "}}]")
#define SIDECAR "'restartPolicy':'Always',"

static void test_resize_init(void **state)
{
    static const char cpu[] = INIT("", "'requests':{'cpu':'1'}");
    static const char sidecar[] = INIT(SIDECAR, "'requests':{'cpu':'1','a.b/c':'1'},'limits':{'"
                                                "a.b/c':'1'}");
    static const struct update_case cases[] = {
        { cpu, INIT("", "'requests':{'cpu':'2'}"),
          "spec: Forbidden: resources for non-sidecar init containers are immutable" },
        { sidecar, INIT(SIDECAR, "'requests':{'cpu':'2','a.b/c':'1'},'limits':{'a.b/c':'1'}"), "" },
        { sidecar, INIT(SIDECAR, "'requests':{'cpu':'2','a.b/c':'2'},'limits':{'a.b/c':'2'}"),
          "spec: Forbidden: only cpu and memory resources for sidecar containers are mutable" },
        { sidecar, INIT(SIDECAR, "'requests':{'cpu':'2','a.b/c':'1'}"),
          "[spec.initContainers[0].resources.limits: Forbidden: resource limits cannot be removed, "
          "spec: Forbidden: only cpu and memory resources for sidecar containers are mutable]" }
    };
    (void)state;
    check(pod_take_resize, pod_validate_resize, cases, COUNT(cases));
}

#define MIRROR(spec)                                                                               \
    "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/config.mirror':'x'}},"  \
    "'spec':{" spec "}}"
#define ONE "'containers':[{'name':'c','image':'i'}]"
#define RUNNING(resources)                                                                         \
    "{'metadata':{'name':'p','namespace':'d'},'spec':{" ONE "},'status':{'qosClass':'BestEffort'," \
    "'containerStatuses':[{'name':'c'" resources ",'state':{'running':{}}}]}}"

/* What no pod of a kind may. */
static void test_not_at_all(void **state)
{
    static const struct update_case resizes[] = {
        { MIRROR(ONE), MIRROR(ONE), "[]: Forbidden: static pods cannot be resized" },
        { POD("'os':{'name':'windows'}," ONE), POD(ONE),
          "[]: Forbidden: windows pods cannot be resized" },
        { RUNNING(""), POD(ONE),
          "spec: Forbidden: Pod running on node without support for resize" },
        { RUNNING(",'resources':{}"), POD(ONE), "" },
        { RUNNING(",'resources':{}"), RESOURCES("'requests':{'cpu':'1'}"),
          "spec: Invalid value: \"BestEffort\": Pod QOS Class may not change as a result of "
          "resizing" }
    };
    static const struct update_case ephemeral[] = {
        { MIRROR(ONE), MIRROR(ONE ",'ephemeralContainers':[{'name':'e','image':'j'}]"),
          "[]: Forbidden: static pods do not support ephemeral containers" }
    };
    (void)state;
    check(pod_take_resize, pod_validate_resize, resizes, COUNT(resizes));
    check(pod_take_ephemeral, pod_validate_ephemeral, ephemeral, COUNT(ephemeral));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ephemeral),  cmocka_unit_test(test_taken),
        cmocka_unit_test(test_resize),     cmocka_unit_test(test_resize_init),
        cmocka_unit_test(test_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
