/* Definitions, against what upstream publishes of the same types, and every one of them as JSON
 * whose references lead somewhere. */
#include "api/proto/schemas.h"
#include "api/schema/json.h"
#include "api/schema/openapi.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static struct str definition(struct arena *a, const struct schema *s, enum openapi_version v)
{
    struct buf b;
    buf_init(&b);
    openapi_write_definition(&b, s, v, NULL);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* The property of a definition, as text. */
static struct str property(struct arena *a, const struct schema *s, enum openapi_version v,
                           const char *name)
{
    const struct json *tree;
    struct err e = { 0 };
    struct buf b;
    assert_int_equal(json_parse(a, definition(a, s, v), &tree, &e), 0);
    const struct json *p = json_get_c(json_get_c(tree, "properties"), name);
    assert_non_null(p);
    buf_init(&b);
    json_write(&b, p, false);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static const struct {
    const struct schema *schema;
    enum openapi_version version;
    const char *name;
    const char *has;
} cases[] = {
    /* Lists and what merges them. */
    { &schema_Container, OPENAPI_V2, "ports",
      "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"containerPort\","
      "\"protocol\"],\"x-kubernetes-patch-strategy\":\"merge\",\"x-kubernetes-patch-merge-key\":"
      "\"containerPort\"}" },
    { &schema_PodSpec, OPENAPI_V3, "volumes",
      "\"x-kubernetes-patch-strategy\":\"merge,retainKeys\",\"x-kubernetes-patch-merge-key\":"
      "\"name\"" },
    { &schema_ObjectMeta, OPENAPI_V2, "finalizers",
      "\"x-kubernetes-list-type\":\"set\",\"x-kubernetes-patch-strategy\":\"merge\"" },
    { &schema_PodSpec, OPENAPI_V2, "tolerations", "\"x-kubernetes-list-type\":\"atomic\"" },
    { &schema_DeploymentSpec, OPENAPI_V2, "strategy",
      "{\"$ref\":\"#/definitions/io.k8s.api.apps.v1.DeploymentStrategy\",\"description\":" },
    { &schema_DeploymentSpec, OPENAPI_V2, "strategy",
      "\"x-kubernetes-patch-strategy\":\"retainKeys\"" },
    { &schema_PodSpec, OPENAPI_V2, "nodeSelector", "\"x-kubernetes-map-type\":\"atomic\"" },
    /* Version 3 wraps what has something beside it and publishes defaults. */
    { &schema_DeploymentSpec, OPENAPI_V3, "template",
      "{\"allOf\":[{\"$ref\":\"#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec\"}],"
      "\"default\":{}" },
    { &schema_ContainerPort, OPENAPI_V3, "protocol",
      "{\"type\":\"string\",\"default\":\"TCP\",\"description\":" },
    { &schema_ContainerPort, OPENAPI_V3, "protocol", "\"enum\":[\"SCTP\",\"TCP\",\"UDP\"]" },
    { &schema_ContainerPort, OPENAPI_V2, "protocol", "{\"type\":\"string\",\"description\":" },
    { &schema_ContainerPort, OPENAPI_V3, "containerPort",
      "{\"type\":\"integer\",\"format\":\"int32\",\"default\":0" },
    { &schema_ResourceRequirements, OPENAPI_V3, "limits",
      "\"additionalProperties\":{\"$ref\":\"#/components/schemas/io.k8s.apimachinery.pkg.api."
      "resource.Quantity\"}" },
    { &schema_PodSpec, OPENAPI_V3, "containers",
      "\"items\":{\"allOf\":[{\"$ref\":\"#/components/schemas/io.k8s.api.core.v1.Container\"}],"
      "\"default\":{}}" },
    /* Bytes, times, lists of strings with a name, inline messages. */
    { &schema_Secret, OPENAPI_V2, "data",
      "\"additionalProperties\":{\"type\":\"string\",\"format\":\"byte\"}" },
    { &schema_UserInfo, OPENAPI_V2, "extra",
      "\"additionalProperties\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
    { &schema_Volume, OPENAPI_V2, "emptyDir",
      "\"$ref\":\"#/definitions/io.k8s.api.core.v1.EmptyDirVolumeSource\"" },
};

static void test_properties(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct str text = property(&a, cases[i].schema, cases[i].version, cases[i].name);
        if (str_find(text, str_from(cases[i].has)) < 0)
            fail_msg("%s.%s: no %s in %.*s", cases[i].schema->name, cases[i].name, cases[i].has,
                     STR_ARG(text));
        arena_deinit(&a);
    }
}

static const struct {
    const struct schema *schema;
    enum openapi_version version;
    const char *has;
} definitions[] = {
    { &schema_IntOrString, OPENAPI_V2, "{\"type\":\"string\",\"format\":\"int-or-string\"" },
    { &schema_IntOrString, OPENAPI_V3, "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]" },
    { &schema_Quantity, OPENAPI_V3, "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]" },
    { &schema_Time, OPENAPI_V2, "{\"type\":\"string\",\"format\":\"date-time\"" },
    { &schema_MicroTime, OPENAPI_V3, "{\"type\":\"string\",\"format\":\"date-time\"" },
    { &schema_RawExtension, OPENAPI_V2, "{\"type\":\"object\"" },
    { &schema_PodSpec, OPENAPI_V2, ",\"required\":[\"containers\"]" },
    { &schema_EndpointSlice, OPENAPI_V2, ",\"required\":[\"addressType\",\"endpoints\"]" },
    { &schema_LabelSelector, OPENAPI_V2, ",\"x-kubernetes-map-type\":\"atomic\"}" },
    { &schema_SeccompProfile, OPENAPI_V2,
      ",\"x-kubernetes-unions\":[{\"discriminator\":\"type\",\"fields-to-discriminateBy\":{"
      "\"localhostProfile\":\"LocalhostProfile\"}}]}" },
};

static void test_definitions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(definitions) / sizeof(definitions[0]); i++) {
        struct arena a;
        arena_init(&a);
        struct str text = definition(&a, definitions[i].schema, definitions[i].version);
        if (str_find(text, str_from(definitions[i].has)) < 0)
            fail_msg("%s: no %s in %.*s", definitions[i].schema->name, definitions[i].has,
                     STR_ARG(text));
        arena_deinit(&a);
    }
    assert_false(openapi_has_definition(&schema_ExtraValue));
}

static bool is_model(struct str name)
{
    for (size_t i = 0; i < schema_all_count; i++) {
        if (str_eq_c(name, schema_all[i]->model))
            return true;
    }
    return false;
}

/* Every table gives JSON, and every reference in it is the name of a message. */
static void test_every_message(void **state)
{
    static const char head[] = "\"$ref\":\"#/definitions/";
    (void)state;
    for (size_t i = 0; i < schema_all_count; i++) {
        struct arena a;
        struct err e = { 0 };
        arena_init(&a);
        struct str text = definition(&a, schema_all[i], OPENAPI_V2);
        assert_int_equal(json_check(text, &e), 0);
        assert_int_equal(json_check(definition(&a, schema_all[i], OPENAPI_V3), &e), 0);
        for (ptrdiff_t at; (at = str_find(text, str_lit(head))) >= 0;) {
            text = str_slice(text, (size_t)at + sizeof(head) - 1, text.len);
            assert_true(is_model(str_slice(text, 0, (size_t)str_find_char(text, '"', 0))));
        }
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(schema_all[i]->model, schema_all[j]->model);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_properties),
                                        cmocka_unit_test(test_definitions),
                                        cmocka_unit_test(test_every_message) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
