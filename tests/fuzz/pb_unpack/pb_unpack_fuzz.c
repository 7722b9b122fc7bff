/* Any bytes: a Pod unpacks or is refused; what unpacks packs to a fixed point and prints as JSON.
 */
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(struct arena *a, const struct schema *s, struct str bytes)
{
    struct err e = { 0 };
    struct buf b;
    void *first;
    void *second;
    if (schema_unpack(a, s, bytes, &first, &e) != 0)
        return;
    struct str once = schema_pack_arena(a, s, first);
    ASSERT(schema_unpack(a, s, once, &second, &e) == 0);
    ASSERT(str_eq(once, schema_pack_arena(a, s, second)));
    struct encoding encoding = { .kind = str_lit("K"),
                                 .api_version = str_lit("v"),
                                 .resource_version = str_lit("7") };
    buf_init(&b);
    ASSERT(schema_encode_json(&b, s, once, &encoding, &e) == 0);
    ASSERT(json_check(buf_str(&b), &e) == 0);
    buf_clear(&b);
    envelope_write(&b, s, once, &encoding);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct envelope envelope;
    struct str bytes = str_of(data, len);
    arena_init(&a);
    check(&a, &schema_Pod, bytes);
    if (envelope_open(bytes, &envelope, NULL) == 0) {
        check(&a, &schema_Pod, envelope.raw);
        check(&a, &schema_ConfigMap, envelope.raw);
        check(&a, &schema_Table, envelope.raw);
    }
    arena_deinit(&a);
    return 0;
}
