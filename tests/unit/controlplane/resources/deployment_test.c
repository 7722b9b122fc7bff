/* Deployments: what is refused, what is filled in, what moves generation. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define META "'metadata':{'name':'web','namespace':'d'}"
#define TEMPLATE                                                                                   \
    "'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}" \
    "}"
#define SELECTOR     "'selector':{'matchLabels':{'a':'b'}}"
#define VALID        "{" META ",'spec':{" SELECTOR "," TEMPLATE "}}"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_create(void **state)
{
    static const struct create_case cases[] = {
        { VALID, "" },
        { "{" META ",'spec':{'replicas':-1," SELECTOR "," TEMPLATE "}}",
          "spec.replicas: Invalid value: -1: must be greater than or equal to 0" },
        { "{" META ",'spec':{" TEMPLATE "}}",
          "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
          "{\"a\":\"b\"}: `selector` does not match template `labels`]" },
        { "{" META ",'spec':{'selector':{'matchLabels':{'a':'c'}}," TEMPLATE "}}",
          "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match "
          "template `labels`" },
        { "{" META ",'spec':{'selector':{}," TEMPLATE "}}",
          "spec.selector: Invalid value: {}: empty selector is invalid for deployment" },
        { "{" META ",'spec':{" SELECTOR "," TEMPLATE
          ",'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':0,'maxUnavailable':0}}}"
          "}",
          "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when "
          "`maxSurge` is 0" },
        { "{" META ",'spec':{" SELECTOR "," TEMPLATE
          ",'strategy':{'rollingUpdate':{'maxUnavailable':'101%'}}}}",
          "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"101%\": must not be "
          "greater "
          "than 100%" },
        { "{" META ",'spec':{" SELECTOR "," TEMPLATE ",'strategy':{'type':'Odd'}}}",
          "spec.strategy.type: Unsupported value: \"Odd\": supported values: \"Recreate\", "
          "\"RollingUpdate\"" },
        { "{" META ",'spec':{" SELECTOR "," TEMPLATE
          ",'strategy':{'type':'Recreate','rollingUpdate':{}}}}",
          "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
          "'Recreate'" },
        { "{" META ",'spec':{" SELECTOR "," TEMPLATE ",'minReadySeconds':600}}",
          "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than "
          "minReadySeconds" }
    };
    (void)state;
    fixture_check_creates(KIND_DEPLOYMENT, cases, COUNT(cases));
}

static void test_defaults(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const char *json =
        fixture_json(&f, KIND_DEPLOYMENT, fixture_object(&f, KIND_DEPLOYMENT, VALID));
    static const char *const parts[] = {
        "\"replicas\":1",
        "\"revisionHistoryLimit\":10",
        "\"progressDeadlineSeconds\":600",
        "\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":\"25%\","
        "\"maxSurge\":\"25%\"}}",
        "\"restartPolicy\":\"Always\"",
        "\"imagePullPolicy\":\"Always\""
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (str_find(str_from(json), str_from(parts[i])) < 0)
            fail_msg("%s lacks %s", json, parts[i]);
    }
    fixture_deinit(&f);
}

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { VALID, VALID, "" },
        { VALID,
          "{" META ",'spec':{'selector':{'matchLabels':{'a':'b'},'matchExpressions':[{'key':'a',"
          "'operator':'Exists'}]}," TEMPLATE "}}",
          "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":"
          "[{\"key\":\"a\",\"operator\":\"Exists\"}]}: field is immutable" }
    };
    (void)state;
    fixture_check_updates(KIND_DEPLOYMENT, cases, COUNT(cases));
}

/* Generation moves with spec and annotations, not with labels; status is kept. */
static void test_generation(void **state)
{
    static const struct {
        const char *json;
        bool grows;
    } cases[] = {
        { VALID, false },
        { "{'metadata':{'name':'web','namespace':'d','labels':{'x':'y'}},'spec':{" SELECTOR
          "," TEMPLATE "}}",
          false },
        { "{'metadata':{'name':'web','namespace':'d','annotations':{'x':'y'}},'spec':{" SELECTOR
          "," TEMPLATE "}}",
          true },
        { "{" META ",'spec':{'replicas':2," SELECTOR "," TEMPLATE "}}", true }
    };
    struct fixture f;
    const struct resource *r = resource_of(KIND_DEPLOYMENT);
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *old = fixture_object(&f, KIND_DEPLOYMENT, VALID);
        void *object = fixture_object(&f, KIND_DEPLOYMENT, cases[i].json);
        resource_prepare_create(r, &f.context, old);
        resource_prepare_update(r, &f.context, object, old);
        const char *json = fixture_json(&f, KIND_DEPLOYMENT, object);
        const char *want = cases[i].grows ? "\"generation\":2" : "\"generation\":1";
        if (str_find(str_from(json), str_from(want)) < 0)
            fail_msg("case %zu: %s", i, json);
    }
    fixture_deinit(&f);
}

static void test_counts(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':2,'"
          "updatedReplicas':2,'readyReplicas':2,'availableReplicas':2,'unavailableReplicas':3,'"
          "observedGeneration':1}}",
          "" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':2,'"
          "readyReplicas':1,'availableReplicas':2}}",
          "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'replicas':1,'"
          "updatedReplicas':2}}",
          "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "observedGeneration':-1}}",
          "status.observedGeneration: Invalid value: -1: must be greater than or equal to 0" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "collisionCount':3}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "collisionCount':2}}",
          "status.collisionCount: Invalid value: 2: cannot be decremented" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "collisionCount':3}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{}}",
          "status.collisionCount: Invalid value: 0: cannot be decremented" },
        { "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "collisionCount':3}}",
          "{'metadata':{'name':'d','namespace':'d'},'spec':{'replicas':1},'status':{'"
          "collisionCount':3}}",
          "" }
    };
    (void)state;
    fixture_check_statuses(KIND_DEPLOYMENT, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_defaults),
                                        cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_generation),
                                        cmocka_unit_test(test_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
