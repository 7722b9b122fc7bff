/* Leaves: special forms in, canonical JSON out; what they refuse. */
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

struct leaf_case {
    const struct schema *schema;
    const char *text;
    const char *want;  /* the whole object again */
    const char *error; /* or part of the message */
};

static const struct leaf_case cases[] = {
    { &schema_ResourceFieldSelector, "{\"resource\":\"r\",\"divisor\":0.5}",
      "{\"resource\":\"r\",\"divisor\":\"500m\"}", NULL },
    { &schema_ResourceFieldSelector, "{\"resource\":\"r\",\"divisor\":\" 1024Ki \"}",
      "{\"resource\":\"r\",\"divisor\":\"1Mi\"}", NULL },
    { &schema_ResourceFieldSelector, "{\"resource\":\"r\"}",
      "{\"resource\":\"r\",\"divisor\":\"0\"}", NULL },
    { &schema_ResourceFieldSelector, "{\"divisor\":\"x\"}", NULL, "quantities must match" },
    { &schema_ServicePort, "{\"port\":80,\"targetPort\":\"http\"}",
      "{\"port\":80,\"targetPort\":\"http\"}", NULL },
    { &schema_ServicePort, "{\"port\":80}", "{\"port\":80,\"targetPort\":0}", NULL },
    { &schema_ServicePort, "{\"port\":80,\"targetPort\":true}", NULL,
      "cannot unmarshal bool into Go struct field ServicePort.targetPort of type int32" },
    { &schema_ContainerStateRunning, "{\"startedAt\":\"2020-01-01T02:00:00.999+02:00\"}",
      "{\"startedAt\":\"2020-01-01T00:00:00Z\"}", NULL },
    { &schema_ContainerStateRunning, "{}", "{\"startedAt\":null}", NULL },
    { &schema_ContainerStateRunning, "{\"startedAt\":\"2020-13-01T00:00:00Z\"}", NULL,
      "parsing time \"2020-13-01T00:00:00Z\": month out of range" },
    { &schema_LeaseSpec, "{\"renewTime\":\"2020-01-01T00:00:00.000001Z\"}",
      "{\"renewTime\":\"2020-01-01T00:00:00.000001Z\"}", NULL },
    { &schema_LeaseSpec, "{\"renewTime\":\"2020-01-01T00:00:00Z\"}", NULL, "as \".000000\"" },
    { &schema_ManagedFieldsEntry, "{\"fieldsV1\":{\"f:a\": {}, \"b\":[1, \"<\"]}}",
      "{\"fieldsV1\":{\"f:a\":{},\"b\":[1,\"\\u003c\"]}}", NULL },
    { &schema_APIResource, "{\"name\":\"n\",\"verbs\":[\"get\"]}",
      "{\"name\":\"n\",\"singularName\":\"\",\"namespaced\":false,\"kind\":\"\",\"verbs\":[\"get\"]"
      "}",
      NULL },
    { &schema_APIResource, "{\"name\":\"n\"}",
      "{\"name\":\"n\",\"singularName\":\"\",\"namespaced\":false,\"kind\":\"\",\"verbs\":null}",
      NULL },
    { &schema_Secret, "{\"data\":{\"k\":\"AP8=\"},\"stringData\":{\"s\":\"a\\u0000b\"}}",
      "{\"metadata\":{},\"data\":{\"k\":\"AP8=\"},\"stringData\":{\"s\":\"a\\u0000b\"}}", NULL },
    { &schema_Secret, "{\"data\":{\"k\":\"!\"}}", NULL, "illegal base64 data" },
    { &schema_Secret, "{\"data\":{\"k\":\"\"}}", "{\"metadata\":{},\"data\":{\"k\":\"\"}}", NULL },
    { &schema_ContainerPort, "{\"containerPort\":2147483648}", NULL, "number 2147483648 into" },
    { &schema_ContainerPort, "{\"containerPort\":-1}", "{\"containerPort\":-1}", NULL },
    { &schema_Sysctl, "{\"name\":true}", NULL, "cannot unmarshal bool" },
    { &schema_PodDNSConfigOption, "{\"value\":\"\"}", "{\"value\":\"\"}", NULL }
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct leaf_case *c = &cases[i];
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        const struct json *j;
        void *message;
        arena_init(&a);
        buf_init(&b);
        assert_int_equal(json_parse(&a, str_from(c->text), &j, &e), 0);
        int rc = schema_decode(&a, c->schema, j, SCHEMA_STRICT, &message, NULL, &e);
        if (c->want == NULL) {
            if (rc != -ERR_INVALID_ARGUMENT || strstr(e.msg, c->error) == NULL)
                fail_msg("%s: rc %d, %s", c->text, rc, e.msg);
        } else {
            if (rc != 0 || schema_struct_to_json(&b, c->schema, message, NULL, &e) != 0)
                fail_msg("%s: %s", c->text, e.msg);
            buf_append_byte(&b, '\0');
            assert_string_equal((const char *)b.data, c->want);
        }
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
