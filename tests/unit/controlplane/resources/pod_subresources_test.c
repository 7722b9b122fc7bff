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
          "removed" },
        { old, POD("'containers':[],'ephemeralContainers':[{'name':'e','image':'k'}]"),
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be "
          "changed" }
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
        { old,
          RESOURCES("'requests':{'cpu':'1','ephemeral-storage':'2Gi'},'limits':{'memory':'1Gi'}"),
          "spec: Forbidden: only cpu and memory resources are mutable" },
        { old,
          RESOURCES("'requests':{'cpu':'1','ephemeral-storage':'1Gi','a.b/c':'1'},'limits':{"
                    "'memory':'1Gi','a.b/c':'1'}"),
          "spec: Forbidden: only cpu and memory resources are mutable" },
        { RESOURCES(""), RESOURCES("'requests':{'cpu':'1'}"),
          "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of "
          "resizing" }
    };
    (void)state;
    check(pod_take_resize, pod_validate_resize, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ephemeral),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
