/* Namespaces: finalizer, phase, name label. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'d'}}", "" },
        { "{'metadata':{'name':'d'},'spec':{'finalizers':['a.b/c','orphan']}}", "" },
        { "{'metadata':{'name':'d'},'spec':{'finalizers':['odd']}}",
          "spec.finalizers: Invalid value: \"odd\": name is neither a standard finalizer name nor "
          "is "
          "it fully qualified" },
        { "{'metadata':{'name':'a.b'}}",
          "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower "
          "case alphanumeric characters or '-', and must start and end with an alphanumeric "
          "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" }
    };
    (void)state;
    fixture_check_creates(KIND_NAMESPACE, cases, COUNT(cases));
}

static void test_lifecycle(void **state)
{
    struct fixture f;
    const struct resource *r = resource_of(KIND_NAMESPACE);
    (void)state;
    fixture_init(&f);
    void *old = fixture_object(&f, KIND_NAMESPACE,
                               "{'metadata':{'name':'d'},'status':{'phase':'Terminating'}}");
    resource_prepare_create(r, &f.context, old);
    const char *json = fixture_json(&f, KIND_NAMESPACE, old);
    assert_true(str_find(str_from(json), str_lit("\"spec\":{\"finalizers\":[\"kubernetes\"]},"
                                                 "\"status\":{\"phase\":\"Active\"}")) >= 0);
    assert_true(str_find(str_from(json),
                         str_lit("\"labels\":{\"kubernetes.io/metadata.name\":\"d\"}")) >= 0);

    /* The main resource moves neither finalizers nor phase. */
    static const char emptied[] =
        "{'metadata':{'name':'d'},'spec':{'finalizers':[]},'status':{'phase':'Terminating'}}";
    void *object = fixture_object(&f, KIND_NAMESPACE, emptied);
    resource_prepare_update(r, &f.context, object, old);
    json = fixture_json(&f, KIND_NAMESPACE, object);
    assert_true(str_find(str_from(json), str_lit("[\"kubernetes\"]")) >= 0);
    assert_true(str_find(str_from(json), str_lit("Active")) >= 0);
    object = fixture_object(&f, KIND_NAMESPACE, emptied);
    resource_prepare_status(r, &f.context, object, old);
    json = fixture_json(&f, KIND_NAMESPACE, object);
    assert_true(str_find(str_from(json), str_lit("[\"kubernetes\"]")) >= 0);
    assert_true(str_find(str_from(json), str_lit("Terminating")) >= 0);
    fixture_deinit(&f);
}

static void test_status(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'d'},'status':{'phase':'Active'}}",
          "{'metadata':{'name':'d'},'status':{'phase':'Active'}}", "" },
        { "{'metadata':{'name':'d'},'status':{'phase':'Active'}}",
          "{'metadata':{'name':'d'},'status':{'phase':'Terminating'}}",
          "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
          "`deletionTimestamp` is empty" },
        { "{'metadata':{'name':'d'},'status':{'phase':'Active'}}", "{'metadata':{'name':'d'}}",
          "" },
        { "{'metadata':{'name':'d','deletionTimestamp':'2023-11-14T22:12:15Z'},'status':{'phase':'"
          "Terminating'}}",
          "{'metadata':{'name':'d'},'status':{'phase':'Terminating'}}", "" },
        { "{'metadata':{'name':'d','deletionTimestamp':'2023-11-14T22:12:15Z'},'status':{'phase':'"
          "Terminating'}}",
          "{'metadata':{'name':'d'},'status':{'phase':'Active'}}",
          "status.Phase: Invalid value: \"Active\": may only be 'Terminating' if "
          "`deletionTimestamp` is not empty" }
    };
    (void)state;
    fixture_check_statuses(KIND_NAMESPACE, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_lifecycle),
                                        cmocka_unit_test(test_status) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
