/* Fields of a tree, and what makes a configuration ill typed. */
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "base/buf.h"
#include "tests/unit/api/patch/trees.h"

static const struct {
    const char *tree;
    const char *fields;
    const char *named; /* NULL: the same */
} cases[] = {
    { "{}", "{}", NULL },
    { "{'spec':{}}", "{'f:spec':{}}", NULL },
    { "{'spec':{'hostname':'x'}}", "{'f:spec':{'f:hostname':{}}}",
      "{'f:spec':{'.':{},'f:hostname':{}}}" },
    { "{'metadata':{'labels':{'a':'1'},'annotations':{}}}",
      "{'f:metadata':{'f:annotations':{},'f:labels':{'f:a':{}}}}",
      "{'f:metadata':{'.':{},'f:annotations':{},'f:labels':{'.':{},'f:a':{}}}}" },
    { "{'metadata':{'finalizers':['b','a','b']}}",
      "{'f:metadata':{'f:finalizers':{'v:\\'a\\'':{},'v:\\'b\\'':{}}}}",
      "{'f:metadata':{'.':{},'f:finalizers':{'.':{},'v:\\'a\\'':{},'v:\\'b\\'':{}}}}" },
    { "{'spec':{'containers':[{'name':'c','image':'i','env':[]}],'nodeSelector':{'a':'b'},"
      "'hostname':null}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'c\\'}':{'.':{},'f:image':{},'f:name':{}}},"
      "'f:hostname':{},'f:nodeSelector':{}}}",
      "{'f:spec':{'.':{},'f:containers':{'.':{},'k:{\\'name\\':\\'c\\'}':{'.':{},'f:image':{},"
      "'f:name':{}}},'f:hostname':{},'f:nodeSelector':{}}}" },
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct field_set s = typed_fields(&a, &schema_Pod, tree(&a, cases[i].tree));
        assert_set(cases[i].tree, &s, &a, cases[i].fields);
        s = typed_named(&a, &schema_Pod, &s);
        assert_set(cases[i].tree, &s, &a,
                   cases[i].named == NULL ? cases[i].fields : cases[i].named);
        arena_deinit(&a);
    }
}

static void test_check(void **state)
{
    static const struct {
        const char *tree;
        const char *error; /* NULL: fine */
    } checks[] = {
        { "{'spec':{'containers':[{'name':'c','resources':{'limits':{'cpu':1}}}]}}", NULL },
        { "{'metadata':{'labels':null,'creationTimestamp':null}}", NULL },
        { "{'spec':{'foo':1}}", ".spec.foo: field not declared in schema" },
        { "{'spec':{'priority':'1'}}",
          ".spec.priority: expected numeric (int or float), got string" },
        { "{'spec':{'hostname':1}}",
          ".spec.hostname: expected string, got &value.valueUnstructured{Value:1}" },
        { "{'spec':{'hostIPC':'yes'}}", ".spec.hostIPC: expected boolean, got &{yes}" },
        { "{'spec':{'containers':{}}}", ".spec.containers: expected list, got &{map[]}" },
        { "{'spec':[]}", ".spec: expected map, got &{[]}" },
        { "{'spec':{'containers':{'b':[1,null,'x'],'a':{'c':true}}}}",
          ".spec.containers: expected list, got &{map[a:map[c:true] b:[1 <nil> x]]}" },
        { "{'spec':{'containers':[{'name':'c','image':{}}]}}",
          ".spec.containers[name=\"c\"].image: expected string, got &value.valueUnstructured{Value:"
          "map[string]interface {}{}}" },
        { "{'spec':{'containers':[{'image':'i'}]}}", NULL },
        { "{'spec':{'containers':[null,{'foo':1}]}}",
          ".spec.containers: element 0: associative list with keys may not have a null element" },
        { "{'spec':{'containers':[{'name':'c'},{'name':'c'}]}}",
          ".spec.containers: duplicate entries for key [name=\"c\"]" },
        { "{'spec':{'foo':1,'containers':[{'name':'c','image':1},{'name':'c','bar':2},"
          "{'name':'c'}],'bar':{},'activeDeadlineSeconds':true},'statu':{}}",
          "errors:\n"
          "  .spec.foo: field not declared in schema\n"
          "  .spec.containers[name=\"c\"].image: expected string, got "
          "&value.valueUnstructured{Value:1}\n"
          "  .spec.containers: duplicate entries for key [name=\"c\"]\n"
          "  .spec.containers[name=\"c\"].bar: field not declared in schema\n"
          "  .spec.containers: duplicate entries for key [name=\"c\"]\n"
          "  .spec.bar: field not declared in schema\n"
          "  .spec.activeDeadlineSeconds: expected numeric (int or float), got bool\n"
          "  .statu: field not declared in schema" },
        { "{'metadata':{'creationTimestamp':{}},'spec':{'overhead':{'cpu':[1]}}}",
          "errors:\n"
          "  .metadata.creationTimestamp: expected any scalar, got &{map[]}\n"
          "  .spec.overhead.cpu: expected any scalar, got &{[1]}" },
        { "{'spec':{'tolerations':[{'key':'a'},{'kye':'b'}]}}",
          ".spec.tolerations[1].kye: field not declared in schema" },
        { "{'spec':{'nodeSelector':{'a':1}}}",
          ".spec.nodeSelector.a: expected string, got &value.valueUnstructured{Value:1}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct arena a;
        struct str why = { 0 };
        arena_init(&a);
        int rc = typed_check(&a, &schema_Pod, tree(&a, checks[i].tree), &why);
        assert_int_equal(rc, checks[i].error == NULL ? 0 : -ERR_INVALID_ARGUMENT);
        if (rc != 0)
            assert_string_equal(str_dup(&a, why), checks[i].error);
        arena_deinit(&a);
    }
}

/* Items that all have one key: each is told of, as far as a message goes, and compared with its
 * neighbour alone; with all of them it would take minutes. */
static void test_many_duplicates(void **state)
{
    struct arena a;
    struct str why = { 0 };
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "{'spec':{'containers':[{'name':'c'}");
    for (size_t i = 0; i < 100000; i++)
        buf_append_c(&b, ",{'name':'c'}");
    buf_append_c(&b, "]}}");
    const char *text = str_dup(&a, buf_str(&b));
    buf_deinit(&b);
    assert_int_equal(typed_check(&a, &schema_Pod, tree(&a, text), &why), -ERR_INVALID_ARGUMENT);
    assert_true(
        str_starts(why, str_lit("errors:\n  .spec.containers: duplicate entries for key ")));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_many_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
