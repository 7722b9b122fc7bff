/* Secrets: typed keys, stringData, what never changes. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'},'data':{'a':'eA=='}}", "" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "tls','data':{'tls.crt':'eA=='}}",
          "data[tls.key]: Required value" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/basic-auth'}",
          "[data[username]: Required value, data[password]: Required value]" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "ssh-auth','stringData':{'ssh-privatekey':'x'}}",
          "" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "dockerconfigjson','stringData':{'.dockerconfigjson':'{}'}}",
          "" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "ssh-auth','stringData':{'ssh-privatekey':''}}",
          "data[ssh-privatekey]: Required value" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "dockerconfigjson','stringData':{'.dockerconfigjson':'{x'}}",
          "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid "
          "character "
          "'x' looking for beginning of object key string" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/"
          "dockercfg','stringData':{'.dockercfg':'[]'}}",
          "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": json: cannot unmarshal "
          "array into Go value of type map[string]interface {}" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/dockerconfigjson'}",
          "data[.dockerconfigjson]: Required value" },
        { "{'metadata':{'name':'m','namespace':'d'},'type':'kubernetes.io/service-account-token'}",
          "metadata.annotations[kubernetes.io/service-account.name]: Required value" }
    };
    (void)state;
    fixture_check_creates(KIND_SECRET, cases, COUNT(cases));
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'m','namespace':'d'},'type':'a'}",
          "{'metadata':{'name':'m','namespace':'d'},'type':'b'}",
          "type: Invalid value: \"b\": field is immutable" },
        { "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'stringData':{'a':'x'}}",
          "{'metadata':{'name':'m','namespace':'d'},'immutable':true,'stringData':{'a':'y'}}",
          "data: Forbidden: field is immutable when `immutable` is set" }
    };
    (void)state;
    fixture_check_updates(KIND_SECRET, cases, COUNT(cases));
}

/* stringData is written over data and is not stored. */
static void test_string_data(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const char *json = fixture_json(
        &f, KIND_SECRET,
        fixture_object(&f, KIND_SECRET,
                       "{'data':{'a':'eA==','c':'eg=='},'stringData':{'a':'y','b':'z'}}"));
    assert_string_equal(json + str_find(str_from(json), str_lit("\"data\"")),
                        "\"data\":{\"a\":\"eQ==\",\"b\":\"eg==\",\"c\":\"eg==\"},"
                        "\"type\":\"Opaque\"}");
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_string_data) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
