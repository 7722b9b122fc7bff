/* The k8s\0 envelope and the resourceVersion splice in protobuf. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

/* What kubectl sends for `create namespace foo`. */
static const char captured[] = "k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x1b\x0a\x13\x0a\x03"
                               "foo\x12\0\x1a\0\"\0*\0002\08\0B\0\x12\0\x1a\x02\x0a\0\x1a\0\"";

static void kubectls_body_opens(void **state)
{
    (void)state;
    struct arena a;
    struct envelope envelope;
    struct err e = { 0 };
    void *message;
    struct str body = str_of(captured, sizeof(captured)); /* its NUL is the last byte */
    arena_init(&a);
    assert_true(envelope_is(body));
    assert_int_equal(envelope_open(body, &envelope, &e), 0);
    assert_true(str_eq_c(envelope.kind, "Namespace"));
    assert_true(str_eq_c(envelope.api_version, "v1"));
    assert_int_equal(schema_unpack(&a, &schema_Namespace, envelope.raw, &message, &e), 0);
    Namespace *namespace = message;
    assert_string_equal(namespace->metadata->name, "foo");
    /* And we would have sent the same. */
    struct buf b;
    buf_init(&b);
    struct encoding encoding = { .kind = envelope.kind, .api_version = envelope.api_version };
    envelope_write(&b, &schema_Namespace, schema_pack_arena(&a, &schema_Namespace, namespace),
                   &encoding);
    assert_int_equal(b.len, body.len);
    assert_memory_equal(b.data, body.data, body.len);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void assert_version(struct arena *a, struct str stored, const char *want)
{
    struct err e = { 0 };
    void *message;
    assert_int_equal(schema_unpack(a, &schema_Pod, stored, &message, &e), 0);
    Pod *pod = message;
    assert_string_equal(pod->metadata->resource_version, want);
    assert_string_equal(pod->metadata->name, "x");
    assert_string_equal(pod->spec->node_name, "n");
}

/* The bytes of the one field that b holds. */
static struct str item_of(const struct buf *b, uint32_t number)
{
    struct reader r;
    reader_init(&r, buf_str(b));
    assert_int_equal(reader_varint(&r), number << 3 | 2);
    struct str item = reader_bytes(&r);
    assert_int_equal(reader_left(&r), 0);
    return item;
}

static void versions_are_spliced(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    struct envelope envelope;
    struct str stored = str_lit("\x0a\x06\x0a\x01x\x32\x01"
                                "7\x12\x03\x52\x01n");
    struct str without = str_lit("\x0a\x03\x0a\x01x\x12\x03\x52\x01n");
    struct encoding encoding = { .resource_version = str_lit("123456789") };
    arena_init(&a);
    buf_init(&b);
    schema_splice_item(&b, 2, &schema_Pod, stored, str_lit("42"));
    assert_version(&a, item_of(&b, 2), "42");
    buf_clear(&b);
    schema_splice_item(&b, 2, &schema_Pod, without, str_lit("42"));
    assert_version(&a, item_of(&b, 2), "42");
    buf_clear(&b);
    schema_splice_item(&b, 3, &schema_Pod, stored, str_lit(""));
    assert_true(str_eq(item_of(&b, 3), stored));
    buf_clear(&b);
    envelope_write(&b, &schema_Pod, stored, &encoding);
    assert_int_equal(envelope_open(buf_str(&b), &envelope, NULL), 0);
    assert_version(&a, envelope.raw, "123456789");
    buf_deinit(&b);
    arena_deinit(&a);
}

static void broken_envelopes_are_refused(void **state)
{
    (void)state;
    struct envelope envelope;
    struct err e = { 0 };
    assert_int_equal(envelope_open(str_lit("{}"), &envelope, &e), -ERR_INVALID_ARGUMENT);
    assert_int_equal(envelope_open(str_of("k8s\0\x0a\x7f", 6), &envelope, &e),
                     -ERR_INVALID_ARGUMENT);
    assert_int_equal(envelope_open(str_of("k8s\0\x0a\x02\x0a\x09", 8), &envelope, &e),
                     -ERR_INVALID_ARGUMENT);
    assert_int_equal(envelope_open(str_of("k8s\0", 4), &envelope, &e), 0);
    assert_int_equal(envelope.raw.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(kubectls_body_opens),
                                        cmocka_unit_test(versions_are_spliced),
                                        cmocka_unit_test(broken_envelopes_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
