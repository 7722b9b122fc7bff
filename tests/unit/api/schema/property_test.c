/*
 * For every message: random struct → pb → struct → JSON → YAML → JSON → struct → pb, bytes equal;
 * copies equal; unknown fields survive; truncated bytes never crash.
 */
#include <stdlib.h>
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/api/schema/random_struct.h"
#include "tests/unit/unit.h"

#define ROUNDS 30

struct trip {
    struct arena arena;
    const struct schema *schema;
    unsigned round;
};

static void check(struct trip *t, int rc, const char *step, const struct err *e)
{
    if (rc != 0)
        fail_msg("%s, round %u: %s: %s", t->schema->name, t->round, step, e->msg);
}

static void assert_bytes(struct trip *t, const char *step, struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("%s, round %u: %s: bytes differ\n got %.*s\nwant %.*s", t->schema->name, t->round,
                 step, STR_ARG(str_hex(&t->arena, got)), STR_ARG(str_hex(&t->arena, want)));
}

/* JSON text of stored bytes, in the arena. */
static struct str to_json(struct trip *t, struct str stored)
{
    struct encoding encoding = { 0 };
    struct err e = { 0 };
    struct buf b;
    buf_init(&b);
    if (t->schema->type_meta)
        encoding =
            (struct encoding){ .api_version = str_lit("v1"), .kind = str_from(t->schema->name) };
    check(t, schema_encode_json(&b, t->schema, stored, &encoding, &e), "encode", &e);
    struct str out = str_copy(&t->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static struct str through_yaml(struct trip *t, struct str json)
{
    const struct json *tree;
    struct err e = { 0 };
    struct buf b;
    buf_init(&b);
    check(t, json_parse(&t->arena, json, &tree, &e), "parse json", &e);
    check(t, yaml_write(&b, tree, &e), "write yaml", &e);
    const struct json *first = tree;
    struct str yaml = str_copy(&t->arena, buf_str(&b));
    check(t, yaml_parse(&t->arena, yaml, &tree, &e), "parse yaml", &e);
    if (!json_equal(first, tree))
        fail_msg("%s, round %u: yaml changed the tree\n%.*s", t->schema->name, t->round,
                 STR_ARG(yaml));
    buf_clear(&b);
    json_write(&b, tree, true);
    struct str out = str_copy(&t->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static void truncated(struct trip *t, struct str stored)
{
    struct err e = { 0 };
    void *message;
    for (size_t i = 0; i < 8 && stored.len > 0; i++)
        (void)schema_unpack(&t->arena, t->schema, str_slice(stored, 0, (size_t)i * stored.len / 8),
                            &message, &e);
}

static void round_trip(struct trip *t, struct random *r)
{
    struct err e = { 0 };
    const struct json *tree;
    void *unpacked;
    void *decoded;
    void *message = random_struct(&t->arena, t->schema, r);
    struct str first = schema_pack_arena(&t->arena, t->schema, message);
    check(t, schema_unpack(&t->arena, t->schema, first, &unpacked, &e), "unpack", &e);
    struct str second = schema_pack_arena(&t->arena, t->schema, unpacked);
    assert_bytes(t, "unpack and pack", second, first);
    struct str json = through_yaml(t, to_json(t, second));
    check(t, json_parse(&t->arena, json, &tree, &e), "parse", &e);
    check(t, schema_decode(&t->arena, t->schema, tree, SCHEMA_STRICT, &decoded, NULL, &e), "decode",
          &e);
    assert_bytes(t, "json and back", schema_pack_arena(&t->arena, t->schema, decoded), first);
    assert_true(schema_equal(t->schema, message, decoded));
    void *copy = schema_copy(&t->arena, t->schema, message);
    assert_bytes(t, "copy", schema_pack_arena(&t->arena, t->schema, copy), first);
    truncated(t, first);
}

static void every_message_round_trips(void **state)
{
    (void)state;
    struct random r = { .state = 20261122 };
    size_t trips = 0;
    for (size_t i = 0; i < schema_all_count; i++) {
        struct trip t = { .schema = schema_all[i] };
        if (t.schema->form != SCHEMA_FORM_OBJECT)
            continue;
        for (t.round = 0; t.round < ROUNDS; t.round++, trips++) {
            arena_init(&t.arena);
            round_trip(&t, &r);
            arena_deinit(&t.arena);
        }
    }
    assert_true(trips > 200 * ROUNDS);
}

static void unknown_fields_survive(void **state)
{
    (void)state;
    struct trip t = { .schema = &schema_Pod };
    struct err e = { 0 };
    void *message;
    void *other;
    /* metadata{name "x", 1000: 7}, 1001: "new" */
    struct str stored = str_lit("\x0a\x06\x0a\x01x\xc0\x3e\x07\xca\x3e\x03new");
    arena_init(&t.arena);
    check(&t, schema_unpack(&t.arena, t.schema, stored, &message, &e), "unpack", &e);
    struct str packed = schema_pack_arena(&t.arena, t.schema, message);
    assert_true(str_find(packed, str_lit("\xc0\x3e\x07")) >= 0);
    assert_true(str_find(packed, str_lit("\xca\x3e\x03new")) >= 0);
    check(&t, schema_unpack(&t.arena, t.schema, str_lit("\x0a\x03\x0a\x01y"), &other, &e), "unpack",
          &e);
    schema_carry_unknown(&t.arena, t.schema, message, other);
    packed = schema_pack_arena(&t.arena, t.schema, other);
    assert_true(str_find(packed, str_lit("\xc0\x3e\x07")) >= 0);
    assert_true(str_find(packed, str_lit("\xca\x3e\x03new")) >= 0);
    arena_deinit(&t.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_message_round_trips),
                                        cmocka_unit_test(unknown_fields_survive) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
