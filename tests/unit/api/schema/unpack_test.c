/* What must not reach protobuf-c. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/err.h"
#include "tests/unit/unit.h"

#define BYTES(literal) str_of(literal, sizeof(literal) - 1)

static void bad_bytes_are_named(void **state)
{
    (void)state;
    const struct {
        const struct schema *schema;
        struct str bytes;
        const char *error;
    } cases[] = {
        { &schema_Pod,
          BYTES("\x0a\x05\x0a\x03"
                "a\0b"),
          "metadata.name: a string may not contain NUL" },
        { &schema_Pod, BYTES("\x0a\x03\x0a\x01\xff"), "metadata.name: a string must be UTF-8" },
        { &schema_Pod, BYTES("\x12\x05\x12\x03\x0a\x01\xff"), "spec.containers[0].name: a string" },
        { &schema_Pod, BYTES("\x0a\x10"), "proto: malformed message" },
        { &schema_Pod, BYTES("\x08\x01"), "metadata: proto: wrong wire type" },
        { &schema_Pod, BYTES("\x0b\x0c"), "proto: malformed message" },
        { &schema_Pod, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "malformed" },
        { &schema_ObjectMeta, BYTES("\x5a\x05\x0a\x01\xfe\x12\0"),
          "labels: a string must be UTF-8" },
        { &schema_ControllerRevision, BYTES("\x12\x03\x0a\x01{"), "data: unexpected end of JSON" },
        { &schema_ResourceFieldSelector, BYTES("\x1a\x03\x0a\x01x"), "divisor: quantities must" }
    };
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = { 0 };
        void *message;
        int rc = schema_unpack(&a, cases[i].schema, cases[i].bytes, &message, &e);
        if (rc != -ERR_INVALID_ARGUMENT || strstr(e.msg, cases[i].error) == NULL)
            fail_msg("case %zu: rc %d, %s", i, rc, e.msg);
    }
    arena_deinit(&a);
}

static void odd_but_valid_bytes_unpack(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    void *message;
    arena_init(&a);
    /* Users' text may hold NUL; packed and unpacked numbers mix; empty is a message. */
    assert_int_equal(schema_unpack(&a, &schema_ConfigMap,
                                   BYTES("\x12\x08\x0a\x01k\x12\x03"
                                         "a\0b"),
                                   &message, &e),
                     0);
    ConfigMap *map = message;
    assert_int_equal(map->data[0]->value.len, 3);
    assert_int_equal(schema_unpack(&a, &schema_PodSecurityContext,
                                   BYTES("\x20\x01\x22\x02\x02\x03"), &message, &e),
                     0);
    PodSecurityContext *context = message;
    assert_int_equal(context->n_supplemental_groups, 3);
    assert_int_equal(context->supplemental_groups[2], 3);
    assert_int_equal(schema_unpack(&a, &schema_Pod, BYTES(""), &message, &e), 0);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bad_bytes_are_named),
                                        cmocka_unit_test(odd_but_valid_bytes_unpack) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
