/* Metadata: names, labels, annotations, owners, finalizers. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'}}", "" },
        { "{'metadata':{'namespace':'d'}}",
          "metadata.name: Required value: name or generateName is required" },
        { "{'metadata':{'name':'m'}}", "metadata.namespace: Required value" },
        { "{'metadata':{'name':'A','namespace':'d'}}",
          "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of "
          "lower case alphanumeric characters, '-' or '.', and must start and end with an "
          "alphanumeric character (e.g. 'example.com', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
        { "{'metadata':{'name':'m','generateName':'m-','namespace':'d'}}", "" },
        { "{'metadata':{'name':'m','generateName':'M-','namespace':'d'}}",
          "metadata.generateName: Invalid value: \"M-\": a lowercase RFC 1123 subdomain must "
          "consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
          "an alphanumeric character (e.g. 'example.com', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
        { "{'metadata':{'name':'m','namespace':'D'}}",
          "metadata.namespace: Invalid value: \"D\": a lowercase RFC 1123 label must consist of "
          "lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
          "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')" },
        { "{'metadata':{'name':'m','namespace':'d','labels':{'-x':'y'}}}",
          "metadata.labels: Invalid value: \"-x\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
          "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
        { "{'metadata':{'name':'m','namespace':'d','annotations':{'Example.com/x':'any text at "
          "all'}}}",
          "" },
        { "{'metadata':{'name':'m','namespace':'d','annotations':{'a b':''}}}",
          "metadata.annotations: Invalid value: \"a b\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
          "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
        { "{'metadata':{'name':'m','namespace':'d','ownerReferences':[{'apiVersion':'v1','kind':'"
          "Pod','name':'p','uid':''}]}}",
          "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty" },
        { "{'metadata':{'name':'m','namespace':'d','ownerReferences':[{'apiVersion':'v1','kind':'A'"
          ",'name':'p','uid':'1','controller':true},{'apiVersion':'v1','kind':'B','name':'q','uid':"
          "'2','controller':true}]}}",
          "metadata.ownerReferences: Invalid value: "
          "[{\"apiVersion\":\"v1\",\"kind\":\"A\",\"name\":"
          "\"p\",\"uid\":\"1\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"B\",\"name\":"
          "\"q\",\"uid\":\"2\",\"controller\":true}]: Only one reference can have Controller set "
          "to "
          "true. Found \"true\" in references for A/p and B/q" },
        { "{'metadata':{'name':'m','namespace':'d','ownerReferences':[{'apiVersion':'v1','kind':'"
          "Event','name':'e','uid':'1'}]}}",
          "metadata.ownerReferences: Invalid value: {\"apiVersion\":\"v1\",\"kind\":\"Event\","
          "\"name\":\"e\",\"uid\":\"1\"}: /v1, Kind=Event is disallowed from being an owner" },
        { "{'metadata':{'name':'m','namespace':'d','finalizers':['kubernetes','a.b/c','odd']}}",
          "metadata.finalizers[2]: Invalid value: \"odd\": name is neither a standard finalizer "
          "name "
          "nor is it fully qualified" },
        { "{'metadata':{'name':'m','namespace':'d','finalizers':['a b']}}",
          "[metadata.finalizers: Invalid value: \"a b\": name part must consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
          "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.finalizers[0]: Invalid value: \"a "
          "b\": name is neither a standard finalizer name nor is it fully qualified]" },
        { "{'metadata':{'name':'m','namespace':'d','finalizers':['orphan','foregroundDeletion']}}",
          "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer "
          "orphan and foregroundDeletion "
          "cannot be both set" }
    };
    (void)state;
    fixture_check_creates(KIND_CONFIG_MAP, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'}}", "{'metadata':{'name':'m','namespace':'d'}}",
          "" },
        { "{'metadata':{'name':'m','namespace':'d'}}", "{'metadata':{'name':'n','namespace':'d'}}",
          "metadata.name: Invalid value: \"n\": field is immutable" },
        { "{'metadata':{'name':'m','namespace':'d','uid':'1'}}",
          "{'metadata':{'name':'m','namespace':'d','uid':'2'}}",
          "metadata.uid: Invalid value: \"2\": field is immutable" },
        { "{'metadata':{'name':'m','namespace':'d'}}",
          "{'metadata':{'name':'m','namespace':'d','deletionTimestamp':'2023-11-14T22:13:20Z','"
          "deletionGracePeriodSeconds':5}}",
          "[metadata.deletionTimestamp: Invalid value: \"2023-11-14T22:13:20Z\": field is "
          "immutable, metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable]" },
        { "{'metadata':{'name':'m','namespace':'d','deletionTimestamp':'2023-11-14T22:13:20Z','"
          "finalizers':['a.b/c']}}",
          "{'metadata':{'name':'m','namespace':'d'}}", "" },
        { "{'metadata':{'name':'m','namespace':'d','deletionTimestamp':'2023-11-14T22:13:20Z','"
          "finalizers':['a.b/c']}}",
          "{'metadata':{'name':'m','namespace':'d','finalizers':['a.b/c','x.y/z']}}",
          "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
          "deleted, found new finalizers []string{\"x.y/z\"}" }
    };
    (void)state;
    fixture_check_updates(KIND_CONFIG_MAP, cases, COUNT(cases));
}

static void test_scope(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'n','namespace':'d'}}",
          "metadata.namespace: Forbidden: not allowed on this type" }
    };
    (void)state;
    fixture_check_creates(KIND_NODE, cases, COUNT(cases));
}

/* 256 KiB of annotations are too many. */
static void test_too_long(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    char *json = arena_alloc(&f.arena, 300000);
    const char *head = "{'metadata':{'name':'m','namespace':'d','annotations':{'a':'";
    size_t len = 0;
    for (const char *c = head; *c != '\0'; c++)
        json[len++] = *c;
    for (size_t i = 0; i < 262144; i++)
        json[len++] = 'x';
    for (const char *c = "'}}}"; *c != '\0'; c++)
        json[len++] = *c;
    assert_string_equal(fixture_create_errors(&f, KIND_CONFIG_MAP, json),
                        "metadata.annotations: Too long: may not be more than 262144 bytes");
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update), cmocka_unit_test(test_scope),
                                        cmocka_unit_test(test_too_long) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
