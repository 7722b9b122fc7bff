/* Unknown fields find their message again: by keys, by content, in maps, in values. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static Pod *pod_of(struct arena *a, const char *text)
{
    const struct json *j;
    void *message = NULL;
    struct err e = { 0 };
    if (json_parse(a, str_from(text), &j, &e) != 0 ||
        schema_decode(a, &schema_Pod, j, SCHEMA_STRICT, &message, NULL, &e) != 0)
        fail_msg("%s: %s", text, e.msg);
    return message;
}

/* Gives the message one unknown field: number 9000, varint mark. */
static void mark(struct arena *a, void *message, uint8_t mark_byte)
{
    ProtobufCMessage *m = message;
    m->n_unknown_fields = 1;
    m->unknown_fields = arena_array(a, 1, sizeof(*m->unknown_fields));
    m->unknown_fields->tag = 9000;
    m->unknown_fields->wire_type = PROTOBUF_C_WIRE_TYPE_VARINT;
    m->unknown_fields->len = 1;
    m->unknown_fields->data = arena_copy(a, &mark_byte, 1);
}

/* 0: none. */
static uint8_t mark_of(const void *message)
{
    const ProtobufCMessage *m = message;
    return m == NULL || m->n_unknown_fields == 0 ? 0 : m->unknown_fields[0].data[0];
}

static void carry(struct arena *a, const Pod *from, Pod *to)
{
    schema_carry_unknown(a, &schema_Pod, from, to);
}

#define CONTAINERS(items) "{\"spec\":{\"containers\":[" items "]}}"
#define NAMED(name, rest) "{\"name\":\"" name "\"" rest "}"

static void by_merge_key(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *old = pod_of(&a, CONTAINERS(NAMED("a", "") "," NAMED("b", "") "," NAMED("c", "")));
    for (uint8_t i = 0; i < 3; i++)
        mark(&a, old->spec->containers[i], (uint8_t)(i + 1));
    Pod *new = pod_of(
        &a, CONTAINERS(NAMED("x", "") "," NAMED("c", ",\"image\":\"new\"") "," NAMED("a", "")));
    carry(&a, old, new);
    assert_int_equal(mark_of(new->spec->containers[0]), 0);
    assert_int_equal(mark_of(new->spec->containers[1]), 3);
    assert_int_equal(mark_of(new->spec->containers[2]), 1);
    arena_deinit(&a);
}

#define PORTS(items) CONTAINERS("{\"name\":\"a\",\"ports\":[" items "]}")

/* Numbers are keys too; the list keys come first, the merge key for what they leave over. */
static void by_list_keys(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *old = pod_of(&a, PORTS("{\"containerPort\":53,\"protocol\":\"TCP\"},"
                                "{\"containerPort\":53,\"protocol\":\"UDP\"},"
                                "{\"containerPort\":80,\"protocol\":\"TCP\"}"));
    for (uint8_t i = 0; i < 3; i++)
        mark(&a, old->spec->containers[0]->ports[i], (uint8_t)(i + 1));
    Pod *new = pod_of(&a, PORTS("{\"containerPort\":53,\"protocol\":\"UDP\"},"
                                "{\"containerPort\":80},{\"containerPort\":81}"));
    carry(&a, old, new);
    assert_int_equal(mark_of(new->spec->containers[0]->ports[0]), 2);
    assert_int_equal(mark_of(new->spec->containers[0]->ports[1]), 3);
    assert_int_equal(mark_of(new->spec->containers[0]->ports[2]), 0);
    arena_deinit(&a);
}

#define TOLERATIONS(items) "{\"spec\":{\"containers\":[],\"tolerations\":[" items "]}}"

/* A list without keys: an item is itself while what is known of it stays. */
static void by_content(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *old = pod_of(&a, TOLERATIONS("{\"key\":\"a\"},{\"key\":\"a\"},{\"key\":\"b\"},"
                                      "{\"key\":\"c\"}"));
    for (uint8_t i = 0; i < 4; i++)
        mark(&a, old->spec->tolerations[i], (uint8_t)(i + 1));
    Pod *new = pod_of(&a, TOLERATIONS("{\"key\":\"c\"},{\"key\":\"a\"},{\"key\":\"a\"},"
                                      "{\"key\":\"b\",\"value\":\"other\"}"));
    carry(&a, old, new);
    assert_int_equal(mark_of(new->spec->tolerations[0]), 4);
    assert_int_equal(mark_of(new->spec->tolerations[1]), 1);
    assert_int_equal(mark_of(new->spec->tolerations[2]), 2);
    assert_int_equal(mark_of(new->spec->tolerations[3]), 0);
    arena_deinit(&a);
}

#define LIMITS(items) CONTAINERS("{\"name\":\"a\",\"resources\":{\"limits\":{" items "}}}")

/* Quantities in a map, a time, and a message that JSON does not show because it is zero. */
static void values(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *old = pod_of(&a, LIMITS("\"cpu\":\"1\",\"memory\":\"1Gi\""));
    ResourceRequirements *limits = old->spec->containers[0]->resources;
    mark(&a, limits->limits[0]->value, 1);
    mark(&a, limits->limits[1]->value, 2);
    mark(&a, limits, 3);
    old->status = schema_new(&a, &schema_PodStatus);
    mark(&a, old->status, 4);
    Pod *new = pod_of(&a, LIMITS("\"memory\":\"1Gi\",\"cpu\":\"2\""));
    carry(&a, old, new);
    limits = new->spec->containers[0]->resources;
    assert_string_equal(limits->limits[0]->key, "cpu");
    assert_int_equal(mark_of(limits->limits[0]->value), 0); /* another quantity */
    assert_int_equal(mark_of(limits->limits[1]->value), 2);
    assert_int_equal(mark_of(limits), 3);
    assert_int_equal(mark_of(new->status), 4);
    arena_deinit(&a);
}

static void removed_and_own(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *old = pod_of(&a, "{\"spec\":{\"containers\":[],\"securityContext\":{\"runAsUser\":1}}}");
    mark(&a, old->spec->security_context, 1);
    mark(&a, old->spec, 2);
    mark(&a, old, 3);
    Pod *new = pod_of(&a, "{\"spec\":{\"containers\":[]}}");
    mark(&a, new, 9);
    carry(&a, old, new);
    assert_null(new->spec->security_context); /* taken away as a whole */
    assert_int_equal(mark_of(new->spec), 2);
    assert_int_equal(mark_of(new), 9); /* its own stay */
    arena_deinit(&a);
}

static void long_lists_cost_no_square(void **state)
{
    (void)state;
    struct arena a;
    enum { COUNT = 200000 };
    arena_init(&a);
    Pod *old = pod_of(&a, TOLERATIONS(""));
    Pod *new = pod_of(&a, TOLERATIONS(""));
    Pod *const sides[] = { old, new };
    for (size_t side = 0; side < 2; side++) {
        PodSpec *spec = sides[side]->spec;
        spec->tolerations = arena_array(&a, COUNT, sizeof(*spec->tolerations));
        spec->n_tolerations = COUNT;
        for (size_t i = 0; i < COUNT; i++)
            spec->tolerations[i] = schema_new(&a, &schema_Toleration);
    }
    mark(&a, old->spec->tolerations[COUNT - 1], 7);
    carry(&a, old, new);
    assert_int_equal(mark_of(new->spec->tolerations[COUNT - 1]), 7);
    assert_int_equal(mark_of(new->spec->tolerations[0]), 0);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_merge_key),    cmocka_unit_test(by_list_keys),
        cmocka_unit_test(by_content),      cmocka_unit_test(values),
        cmocka_unit_test(removed_and_own), cmocka_unit_test(long_lists_cost_no_square)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
