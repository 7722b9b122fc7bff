/* What differs: added, modified and removed, by shape. */
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/trees.h"

static const struct {
    const char *old;
    const char *new;
    const char *added;
    const char *modified;
    const char *removed;
} cases[] = {
    { "{'spec':{'hostname':'a'}}", "{'spec':{'hostname':'a'}}", "{}", "{}", "{}" },
    { "{'spec':{'hostname':'a'}}", "{'spec':{'hostname':'b','subdomain':'s'}}",
      "{'f:spec':{'f:subdomain':{}}}", "{'f:spec':{'f:hostname':{}}}", "{}" },
    { "{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{}}", "{}", "{}",
      "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}" },
    { "{'metadata':{}}", "{'metadata':{'labels':{'a':'1'}}}",
      "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}", "{}", "{}" },
    { "{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':null}}", "{}", "{}",
      "{'f:metadata':{'f:labels':{'f:a':{}}}}" },
    { "{'metadata':{'labels':{}}}", "{'metadata':{'labels':null}}", "{}",
      "{'f:metadata':{'f:labels':{}}}", "{}" },
    { "{'spec':{'nodeSelector':{'a':'1'}}}", "{'spec':{'nodeSelector':{'a':'1','b':'2'}}}", "{}",
      "{'f:spec':{'f:nodeSelector':{}}}", "{}" },
    { "{'spec':{'containers':[{'name':'a','image':'x'},{'name':'b'}]}}",
      "{'spec':{'containers':[{'name':'c'},{'name':'a','image':'y'}]}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'c\\'}':{'.':{},'f:name':{}}}}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'f:image':{}}}}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'b\\'}':{'.':{},'f:name':{}}}}}" },
    { "{'spec':{'containers':null}}", "{'spec':{'containers':[{'name':'c'}]}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'c\\'}':{'.':{},'f:name':{}}}}}", "{}", "{}" },
    { "{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'finalizers':['b','c']}}",
      "{'f:metadata':{'f:finalizers':{'v:\\'c\\'':{}}}}", "{}",
      "{'f:metadata':{'f:finalizers':{'v:\\'a\\'':{}}}}" },
    /* What comes twice is only a place: it cannot be told apart inside. */
    { "{'spec':{'containers':[{'name':'a'},{'name':'a','image':'x'}]}}",
      "{'spec':{'containers':[{'name':'a'},{'name':'a','image':'y'}]}}", "{}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{}}}}", "{}" },
    { "{'spec':{'containers':[{'name':'a'}]}}",
      "{'spec':{'containers':[{'name':'a'},{'name':'a'}]}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{}}}}", "{}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'.':{},'f:name':{}}}}}" },
    { "{'spec':{'priority':1}}", "{'spec':{'priority':1.0}}", "{}", "{}", "{}" },
};

static void test_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct field_changes c =
            typed_compare(&a, &schema_Pod, tree(&a, cases[i].old), tree(&a, cases[i].new));
        assert_set(cases[i].new, &c.added, &a, cases[i].added);
        assert_set(cases[i].new, &c.modified, &a, cases[i].modified);
        assert_set(cases[i].new, &c.removed, &a, cases[i].removed);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_compare) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
