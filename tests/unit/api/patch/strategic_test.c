/* Strategic merge over PodSpec and friends: keys, directives, order. */
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/patch_cases.h"

static int pod(struct arena *a, const struct json *object, const struct json *patch,
               const struct json **out, struct err *e)
{
    return patch_strategic(a, &schema_Pod, object, patch, out, e);
}

static int deployment(struct arena *a, const struct json *object, const struct json *patch,
                      const struct json **out, struct err *e)
{
    return patch_strategic(a, &schema_Deployment, object, patch, out, e);
}

static const struct patch_case pods[] = {
    { .name = "containers merge by name",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\"},{\"name\":\"b\"}]}}" },
    { .name = "new containers stand before those they do not know",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"b\",\"$retainKeys\":[\"name\"]}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}" },
    { .name = "element order",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"s\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"c\"},"
               "{\"name\":\"a\"}],\"containers\":[{\"name\":\"c\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"s\"},{\"name\":\"b\"},{\"name\":\"c\"},"
              "{\"name\":\"a\"}]}}" },
    { .name = "element order alone",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"a\"}]}}" },
    { .name = "delete an item",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"$patch\":\"delete\",\"name\":\"a\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\"}]}}" },
    { .name = "replace a list",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"c\"},{\"$patch\":\"replace\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}" },
    { .name = "atomic lists replace",
      .object = "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}",
      .patch = "{\"spec\":{\"tolerations\":[{\"key\":\"b\"}]}}",
      .want = "{\"spec\":{\"tolerations\":[{\"key\":\"b\"}]}}" },
    { .name = "null removes, maps merge",
      .object =
          "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"annotations\":{\"x\":\"y\"}}}",
      .patch = "{\"metadata\":{\"labels\":{\"a\":null,\"c\":\"3\"},\"annotations\":null}}",
      .want = "{\"metadata\":{\"labels\":{\"b\":\"2\",\"c\":\"3\"}}}" },
    { .name = "finalizers are a set",
      .object = "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
      .patch = "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"],"
               "\"finalizers\":[\"c\",\"b\"]}}",
      .want = "{\"metadata\":{\"finalizers\":[\"c\",\"b\"]}}" },
    { .name = "volumes retain keys",
      .object = "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}}",
      .patch = "{\"spec\":{\"volumes\":[{\"$retainKeys\":[\"name\",\"hostPath\"],\"name\":\"v\","
               "\"hostPath\":{\"path\":\"/x\"}}]}}",
      .want = "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/x\"}}]}}" },
    { .name = "replace an object",
      .object = "{\"spec\":{\"securityContext\":{\"runAsUser\":1,\"fsGroup\":2}}}",
      .patch = "{\"spec\":{\"securityContext\":{\"$patch\":\"replace\",\"runAsUser\":3}}}",
      .want = "{\"spec\":{\"securityContext\":{\"runAsUser\":3}}}" },
    { .name = "nested merge",
      .object =
          "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"x\",\"value\":\"1\"},"
          "{\"name\":\"y\",\"value\":\"2\"}]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"$patch\":\"delete\","
               "\"name\":\"x\"},{\"name\":\"y\",\"value\":\"3\"}]}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"y\",\"value\":\"3\"}"
              "]}]}}" },
    { .name = "directives do not survive where nothing was",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"volumes\":[{\"$patch\":\"delete\",\"name\":\"a\"},"
               "{\"name\":\"b\",\"$retainKeys\":[\"name\"],\"emptyDir\":null}]}}",
      .want = "{\"spec\":{\"volumes\":[{\"name\":\"b\"}]}}" },
    { .name = "unknown fields pass for the decoder to name",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"frob\":{\"a\":1}}}",
      .want = "{\"spec\":{\"frob\":{\"a\":1}}}" },
    { .name = "no merge key",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"image\":\"x\"}]}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "does not contain declared merge key: name" },
    { .name = "bad directive",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$patch\":\"frob\"}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "unknown patch type found: frob" },
    { .name = "order without its items",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"a\"}],"
               "\"containers\":[{\"name\":\"b\"}]}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "doesn't match $setElementOrder" },
    { .name = "retain keys that do not name the patch's",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$retainKeys\":[\"a\"],\"nodeName\":\"b\"}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "$retainKeys list does not name the field nodeName" },
    { .name = "no object",
      .object = "{}",
      .patch = "[]",
      .error = ERR_INVALID_ARGUMENT,
      .message = "is an object" }
};

static const struct patch_case deployments[] = {
    { .name = "template containers",
      .object = "{\"spec\":{\"replicas\":1,\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\","
                "\"ports\":[{\"containerPort\":80,\"name\":\"p\"}]}]}}}}",
      .patch = "{\"spec\":{\"replicas\":2,\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\","
               "\"ports\":[{\"containerPort\":80,\"protocol\":\"UDP\"}]}]}}}}",
      .want = "{\"spec\":{\"replicas\":2,\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\","
              "\"ports\":[{\"containerPort\":80,\"name\":\"p\",\"protocol\":\"UDP\"}]}]}}}}" },
    { .name = "strategy drops what the type does not keep",
      .object = "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{}}}}",
      .patch = "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}",
      .want = "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}" },
    { .name = "conditions merge by type",
      .object = "{\"status\":{\"conditions\":[{\"type\":\"Available\",\"status\":\"False\"}]}}",
      .patch = "{\"status\":{\"conditions\":[{\"type\":\"Available\",\"status\":\"True\"},"
               "{\"type\":\"Progressing\"}]}}",
      .want = "{\"status\":{\"conditions\":[{\"type\":\"Available\",\"status\":\"True\"},"
              "{\"type\":\"Progressing\"}]}}" }
};

static void pod_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
        run_patch_case(&pods[i], pod);
}

static void deployment_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(deployments) / sizeof(deployments[0]); i++)
        run_patch_case(&deployments[i], deployment);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pod_table),
                                        cmocka_unit_test(deployment_table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
