/*
 * For every message: random struct → pb → struct → JSON → YAML → JSON → struct → pb, bytes equal
 * and each text the same when rendered again; copies equal; unknown fields at any depth survive the
 * way through JSON; truncated bytes never crash.
 *
 * GANTRY_PROPERTY_SEED repeats a run, GANTRY_PROPERTY_ROUNDS sets the rounds of each message, and
 * GANTRY_PROPERTY_MESSAGE names the only one to look at. A failure prints all three.
 */
#include <stdlib.h>
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "tests/unit/api/schema/random_struct.h"
#include "tests/unit/unit.h"

/* About a second for all messages. */
#define ROUNDS          30
#define SEED            20261122u
#define UNKNOWN_PERCENT 30
#define SHOWN_BYTES     60

struct trip {
    struct arena arena;
    const struct schema *schema;
    uint64_t seed;
    unsigned round;
};

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value;
    if (text == NULL || str_to_u64(str_from(text), &value) != 0)
        return otherwise;
    return value;
}

static void failed(const struct trip *t, const char *step, const char *what)
{
    fail_msg("GANTRY_PROPERTY_SEED=%llu GANTRY_PROPERTY_ROUNDS=%u GANTRY_PROPERTY_MESSAGE=%s\n"
             "%s: %s",
             (unsigned long long)t->seed, t->round + 1, t->schema->name, step, what);
}

static void check(struct trip *t, int rc, const char *step, const struct err *e)
{
    if (rc != 0)
        failed(t, step, e->msg);
}

/* Fails with what stands around the first difference. */
static void assert_same(struct trip *t, const char *step, struct str got, struct str want, bool hex)
{
    size_t at = 0;
    if (str_eq(got, want))
        return;
    while (at < got.len && at < want.len && got.data[at] == want.data[at])
        at++;
    size_t from = at < SHOWN_BYTES ? 0 : at - SHOWN_BYTES;
    got = str_slice(got, from, at + SHOWN_BYTES);
    want = str_slice(want, from, at + SHOWN_BYTES);
    if (hex) {
        got = str_hex(&t->arena, got);
        want = str_hex(&t->arena, want);
    }
    failed(t, step,
           str_printf(&t->arena, "differs at byte %zu\n got %.*s\nwant %.*s", at, STR_ARG(got),
                      STR_ARG(want))
               .data);
}

static void assert_bytes(struct trip *t, const char *step, struct str got, struct str want)
{
    assert_same(t, step, got, want, true);
}

static void assert_text(struct trip *t, const char *step, struct str got, struct str want)
{
    assert_same(t, step, got, want, false);
}

static struct encoding encoding_of(const struct trip *t)
{
    if (!t->schema->type_meta)
        return (struct encoding){ 0 };
    return (struct encoding){ .api_version = str_lit("v1"), .kind = str_from(t->schema->name) };
}

/* JSON text of stored bytes, in the arena; the same by way of the struct. */
static struct str to_json(struct trip *t, struct str stored, const void *message)
{
    const struct encoding encoding = encoding_of(t);
    struct err e = { 0 };
    struct buf b;
    buf_init(&b);
    check(t, schema_encode_json(&b, t->schema, stored, &encoding, &e), "encode", &e);
    struct str out = str_copy(&t->arena, buf_str(&b));
    buf_clear(&b);
    check(t, schema_struct_to_json(&b, t->schema, message, &encoding, &e), "encode", &e);
    assert_text(t, "json of the struct", buf_str(&b), out);
    buf_deinit(&b);
    return out;
}

static struct str write_yaml(struct trip *t, const struct json *tree)
{
    struct err e = { 0 };
    struct buf b;
    buf_init(&b);
    check(t, yaml_write(&b, tree, &e), "write yaml", &e);
    struct str out = str_copy(&t->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static struct str write_json(struct trip *t, const struct json *tree)
{
    struct buf b;
    buf_init(&b);
    json_write(&b, tree, true);
    struct str out = str_copy(&t->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

/* The tree of a JSON text, having been YAML in between. */
static const struct json *through_yaml(struct trip *t, struct str json)
{
    const struct json *first;
    const struct json *tree;
    struct err e = { 0 };
    check(t, json_parse(&t->arena, json, &first, &e), "parse json", &e);
    assert_text(t, "json again", write_json(t, first), json);
    struct str yaml = write_yaml(t, first);
    check(t, yaml_parse(&t->arena, yaml, &tree, &e), "parse yaml", &e);
    if (!json_equal(first, tree))
        failed(t, "yaml changed the tree", yaml.data);
    assert_text(t, "yaml again", write_yaml(t, tree), yaml);
    check(t, json_parse(&t->arena, write_json(t, tree), &tree, &e), "parse json", &e);
    return tree;
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
    void *unpacked;
    void *decoded;
    void *message = random_struct(&t->arena, t->schema, r);
    struct str first = schema_pack_arena(&t->arena, t->schema, message);
    check(t, schema_unpack(&t->arena, t->schema, first, &unpacked, &e), "unpack", &e);
    assert_bytes(t, "unpack and pack", schema_pack_arena(&t->arena, t->schema, unpacked), first);
    struct str json = to_json(t, first, message);
    const struct json *tree = through_yaml(t, json);
    check(t, schema_decode(&t->arena, t->schema, tree, SCHEMA_STRICT, &decoded, NULL, &e), "decode",
          &e);
    schema_carry_unknown(&t->arena, t->schema, unpacked, decoded);
    struct str last = schema_pack_arena(&t->arena, t->schema, decoded);
    assert_bytes(t, "json and back", last, first);
    assert_text(t, "json once more", to_json(t, last, decoded), json);
    assert_true(schema_equal(t->schema, message, decoded));
    void *copy = schema_copy(&t->arena, t->schema, message);
    assert_bytes(t, "copy", schema_pack_arena(&t->arena, t->schema, copy), first);
    truncated(t, first);
}

static size_t run(unsigned unknown_percent)
{
    const char *only = getenv("GANTRY_PROPERTY_MESSAGE");
    unsigned rounds = (unsigned)setting("GANTRY_PROPERTY_ROUNDS", ROUNDS);
    size_t trips = 0;
    for (size_t i = 0; i < schema_all_count; i++) {
        struct trip t = { .schema = schema_all[i], .seed = setting("GANTRY_PROPERTY_SEED", SEED) };
        struct random r = { .state = t.seed, .unknown_percent = unknown_percent };
        if (t.schema->form != SCHEMA_FORM_OBJECT ||
            (only != NULL && strcmp(only, t.schema->name) != 0))
            continue;
        for (const char *c = t.schema->name; *c != '\0'; c++)
            r.state = r.state * 31 + (unsigned char)*c;
        for (t.round = 0; t.round < rounds; t.round++, trips++) {
            arena_init(&t.arena);
            round_trip(&t, &r);
            arena_deinit(&t.arena);
        }
    }
    return only != NULL ? 0 : trips / rounds;
}

static void every_message_round_trips(void **state)
{
    (void)state;
    size_t messages = run(0);
    assert_true(messages == 0 || messages > 200);
}

static void unknown_fields_survive(void **state)
{
    (void)state;
    size_t messages = run(UNKNOWN_PERCENT);
    assert_true(messages == 0 || messages > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_message_round_trips),
                                        cmocka_unit_test(unknown_fields_survive) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
