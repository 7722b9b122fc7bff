/* Configurations over live objects, and objects without some fields. */
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/trees.h"

#define LIST(items) "{'spec':{'containers':[" items "]}}"
#define NAME(n)     "{'name':'" n "'}"

static const struct {
    const char *live;
    const char *config;
    const char *want;
} merges[] = {
    { "{'spec':{'hostname':'a','priority':1}}", "{'spec':{'hostname':'b'}}",
      "{'spec':{'hostname':'b','priority':1}}" },
    { "{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':{'b':'2'}}}",
      "{'metadata':{'labels':{'a':'1','b':'2'}}}" },
    { "{'spec':{'nodeSelector':{'a':'1'}}}", "{'spec':{'nodeSelector':{'b':'2'}}}",
      "{'spec':{'nodeSelector':{'b':'2'}}}" },
    { "{'spec':{'tolerations':[{'key':'a'}]}}", "{'spec':{'tolerations':[]}}",
      "{'spec':{'tolerations':[]}}" },
    { "{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':null}}",
      "{'metadata':{'labels':{'a':'1'}}}" },
    { "{'spec':{'hostname':'a'}}", "{'spec':{'hostname':null}}", "{'spec':{'hostname':null}}" },
    { "{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'finalizers':['c','a']}}",
      "{'metadata':{'finalizers':['c','a','b']}}" },
    { LIST("{'name':'a','image':'x','tty':true}"), LIST("{'name':'a','image':'y'}"),
      LIST("{'image':'y','name':'a','tty':true}") },
    /* Order: the configuration's for what both have, the live one's around it. */
    { LIST(NAME("a") "," NAME("b") "," NAME("c")), LIST(NAME("c") "," NAME("a")),
      LIST(NAME("b") "," NAME("c") "," NAME("a")) },
    { LIST(NAME("a") "," NAME("b")), LIST(NAME("n") "," NAME("a")),
      LIST(NAME("n") "," NAME("a") "," NAME("b")) },
    { LIST(NAME("s") "," NAME("a")), LIST(NAME("a") "," NAME("n")),
      LIST(NAME("s") "," NAME("a") "," NAME("n")) },
    { LIST(NAME("a")), LIST(NAME("n")), LIST(NAME("a") "," NAME("n")) },
    { LIST(NAME("a") "," NAME("s") "," NAME("b")), LIST(NAME("a") "," NAME("n") "," NAME("b")),
      LIST(NAME("a") "," NAME("s") "," NAME("n") "," NAME("b")) },
    { "{'spec':{}}", LIST(NAME("a")), LIST(NAME("a")) },
};

static void test_merge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct json out =
            typed_merge(&a, &schema_Pod, tree(&a, merges[i].live), tree(&a, merges[i].config));
        assert_tree(merges[i].config, &out, &a, merges[i].want);
        arena_deinit(&a);
    }
}

static const struct {
    const char *tree;
    const char *set;
    const char *want;
} removals[] = {
    { "{'spec':{'hostname':'a','priority':1}}", "{'f:spec':{'f:priority':{}}}",
      "{'spec':{'hostname':'a'}}" },
    { "{'spec':{'hostname':'a'}}", "{'f:spec':{'f:hostname':{}}}", "{'spec':null}" },
    { "{'spec':{'hostname':'a'}}", "{'f:spec':{}}", "{}" },
    { LIST(NAME("a") "," NAME("b")), "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{}}}}",
      LIST(NAME("b")) },
    { LIST("{'name':'a','image':'x'}"),
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'f:image':{}}}}}", LIST(NAME("a")) },
    { "{'metadata':{'finalizers':['a','b']}}", "{'f:metadata':{'f:finalizers':{'v:\\'a\\'':{}}}}",
      "{'metadata':{'finalizers':['b']}}" },
    { "{'spec':{'nodeSelector':{'a':'1'}}}", "{'f:spec':{'f:nodeSelector':{'f:a':{}}}}",
      "{'spec':{'nodeSelector':{'a':'1'}}}" },
};

static void test_remove(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(removals) / sizeof(removals[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct field_set s = set(&a, removals[i].set);
        struct json out = typed_remove(&a, &schema_Pod, tree(&a, removals[i].tree), &s);
        assert_tree(removals[i].set, &out, &a, removals[i].want);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
