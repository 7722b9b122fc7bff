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
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"b\",\"image\":\"i\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\",\"image\":\"i\"},{\"name\":\"a\"}]}}" },
    { .name = "what a new item has stays as it is, for the decoder to name",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"b\",\"$retainKeys\":[\"name\"],\"image\":"
               "null}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\",\"$retainKeys\":[\"name\"],\"image\":"
              "null},{\"name\":\"a\"}]}}" },
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
    { .name = "where nothing was, $patch takes its object away; other directives stay to be named",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"volumes\":[{\"$patch\":\"delete\",\"name\":\"a\"},"
               "{\"name\":\"b\",\"$retainKeys\":[\"name\"],\"emptyDir\":null}]}}",
      .want = "{\"spec\":{\"volumes\":[{\"name\":\"b\",\"$retainKeys\":[\"name\"]}]}}" },
    { .name = "a map that deletes itself",
      .object = "{\"spec\":{\"securityContext\":{\"runAsUser\":1},\"nodeName\":\"n\"}}",
      .patch = "{\"spec\":{\"securityContext\":{\"$patch\":\"delete\"}}}",
      .want = "{\"spec\":{\"securityContext\":{},\"nodeName\":\"n\"}}" },
    { .name = "replace drops what the patch does not name, and keeps its nulls",
      .object = "{\"spec\":{\"nodeSelector\":{\"a\":\"1\"}}}",
      .patch = "{\"spec\":{\"nodeSelector\":{\"$patch\":\"replace\",\"b\":\"2\",\"c\":null}}}",
      .want = "{\"spec\":{\"nodeSelector\":{\"b\":\"2\",\"c\":null}}}" },
    { .name = "replace where nothing was",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"nodeSelector\":{\"$patch\":\"replace\",\"b\":\"2\"}}}",
      .want = "{\"spec\":{}}" },
    { .name = "items of one key all stay",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":53,"
                "\"protocol\":\"UDP\"},{\"containerPort\":53,\"protocol\":\"TCP\"}]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":53,"
               "\"name\":\"dns\"}]}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":53,"
              "\"protocol\":\"UDP\",\"name\":\"dns\"},{\"containerPort\":53,\"protocol\":\"TCP\"}]"
              "}]}}" },
    { .name = "values to delete where no list is",
      .object = "{\"metadata\":{\"finalizers\":[\"a\"]}}",
      .patch = "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":\"a\","
               "\"$deleteFromPrimitiveList/labels\":[\"b\"]}}",
      .want = "{\"metadata\":{\"finalizers\":[\"a\"]}}" },
    { .name = "null for the values to delete is null for the list",
      .object = "{\"metadata\":{\"finalizers\":[\"a\"]}}",
      .patch = "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":null}}",
      .want = "{\"metadata\":{}}" },
    { .name = "values leave an atomic list",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"x\",\"y\"]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"$deleteFromPrimitiveList/args\":"
               "[\"x\"]}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"y\"]}]}}" },
    { .name = "null of what is not there",
      .object = "{\"spec\":{\"nodeName\":\"n\"}}",
      .patch = "{\"spec\":{\"hostname\":null,\"tolerations\":null}}",
      .want = "{\"spec\":{\"nodeName\":\"n\"}}" },
    { .name = "an empty list of a merging list changes nothing",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}" },
    { .name = "an empty atomic list empties",
      .object = "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}",
      .patch = "{\"spec\":{\"tolerations\":[]}}",
      .want = "{\"spec\":{\"tolerations\":[]}}" },
    { .name = "a merging list that is nulled goes",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}],\"nodeName\":\"n\"}}",
      .patch = "{\"spec\":{\"containers\":null}}",
      .want = "{\"spec\":{\"nodeName\":\"n\"}}" },
    { .name = "delete what is not there",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"$patch\":\"delete\",\"name\":\"x\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}" },
    { .name = "delete and add in one patch",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/"
               "containers\":[{\"name\":\"b\"},{\"name\":\"c\"}],\"containers\":[{\"name\":\"c\","
               "\"image\":\"i\"},{\"$patch\":\"delete\",\"name\":\"a\"}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"c\",\"image\":\"i\"}]}}" },
    { .name = "an item replaced as a whole",
      .object =
          "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"command\":[\"c\"]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\",\"command\":null}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]}}" },
    { .name = "values leave a set that is not there",
      .object = "{\"metadata\":{}}",
      .patch = "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}}",
      .want = "{\"metadata\":{}}" },
    { .name = "values leave and come in order",
      .object = "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"]}}",
      .patch = "{\"metadata\":{\"$setElementOrder/"
               "finalizers\":[\"d\",\"c\",\"a\"],\"$deleteFromPrimitiveList/"
               "finalizers\":[\"b\"],\"finalizers\":[\"d\"]}}",
      .want = "{\"metadata\":{\"finalizers\":[\"d\",\"c\",\"a\"]}}" },
    { .name = "owner references merge by uid",
      .object = "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\",\"name\":\"a\"}]}}",
      .patch = "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\",\"controller\":true}]}}",
      .want = "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\",\"name\":\"a\",\"controller\":"
              "true}]}}" },
    { .name = "ports merge by a number",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80},{"
                "\"containerPort\":81}]}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,"
               "\"name\":\"h\"},{\"$patch\":\"delete\",\"containerPort\":81}]}]}}",
      .want = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"ports\":[{\"containerPort\":80,"
              "\"name\":\"h\"}]}]}}" },
    { .name = "a scalar where a map was",
      .object = "{\"spec\":{\"securityContext\":{\"runAsUser\":1}}}",
      .patch = "{\"spec\":{\"securityContext\":3}}",
      .want = "{\"spec\":{\"securityContext\":3}}" },
    { .name = "unknown fields pass for the decoder to name",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"frob\":{\"a\":1}}}",
      .want = "{\"spec\":{\"frob\":{\"a\":1}}}" },
    { .name = "no merge key",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"image\":\"x\",\"command\":[\"a\",null]}]}}",
      .error = ERR_INTERNAL,
      .message = "map: map[command:[a <nil>] image:x] does not contain declared merge key: name" },
    { .name = "bad directive",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$patch\":\"frob\",\"a\":1}}",
      .error = ERR_INTERNAL,
      .message = "unknown patch type: frob in map: map[$patch:frob a:1]" },
    { .name = "bad directive of an item",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"containers\":[{\"$patch\":\"frob\",\"name\":\"a\"}]}}",
      .error = ERR_INTERNAL,
      .message = "unknown patch type: frob in map: map[$patch:frob name:a]" },
    { .name = "order without its items",
      .object = "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"a\"}],"
               "\"containers\":[{\"name\":\"b\"}]}}",
      .error = ERR_INTERNAL,
      .message = "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder "
                 "list:\n[map[name:a]]\n" },
    { .name = "order of an unknown field",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$setElementOrder/frobs\":[]}}",
      .error = ERR_INTERNAL,
      .message = "unable to find api field in struct PodSpec for the json field \"frobs\"" },
    { .name = "no order list",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":{}}}",
      .error = ERR_INTERNAL,
      .message = "expected a []interface {}, but received a map[string]interface {}" },
    { .name = "an order of what is empty",
      .object = "{\"spec\":{\"containers\":[]}}",
      .patch = "{\"spec\":{\"$setElementOrder/containers\":[]}}",
      .error = ERR_INTERNAL,
      .message = "no elements in any of the given slices" },
    { .name = "an order without a field",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$setElementOrder\":[]}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "invalid patch format of setElementOrder list" },
    { .name = "values to delete without a field",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$deleteFromPrimitiveListX/a\":[]}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "invalid patch format of primitive list" },
    { .name = "objects to delete from a list without a key",
      .object = "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}",
      .patch = "{\"spec\":{\"$deleteFromPrimitiveList/tolerations\":[{\"key\":\"a\"}]}}",
      .error = ERR_INTERNAL,
      .message = "cannot merge lists without merge key for struct" },
    { .name = "retain keys that do not name the patch's",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$retainKeys\":[\"a\"],\"nodeName\":\"b\"}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "invalid patch format of retainKeys" },
    { .name = "retain keys that are no list",
      .object = "{\"spec\":{}}",
      .patch = "{\"spec\":{\"$retainKeys\":\"a\"}}",
      .error = ERR_INVALID_ARGUMENT,
      .message = "invalid patch format of retainKeys" },
    { .name = "lists of lists",
      .object = "{\"metadata\":{\"finalizers\":[\"a\"]}}",
      .patch = "{\"metadata\":{\"finalizers\":[[\"a\"]]}}",
      .error = ERR_INTERNAL,
      .message = "list element types are not identical: [[a] [[a]]]" },
    { .name = "only lists of lists",
      .object = "{\"metadata\":{\"finalizers\":[]}}",
      .patch = "{\"metadata\":{\"finalizers\":[[\"a\"]]}}",
      .error = ERR_INVALID,
      .message = "lists of lists are not supported" },
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
