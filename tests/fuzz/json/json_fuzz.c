/* Any bytes: JSON parses or is refused; what parses prints and parses to the same tree again, and
 * decoding it as a Pod never faults. */
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void found(void *context, const char *path)
{
    (void)context;
    (void)path;
}

static void print_and_parse(struct arena *a, const struct json *tree)
{
    struct buf compact;
    struct buf pretty;
    struct buf again;
    struct err e = { 0 };
    const struct json *second;
    buf_init(&compact);
    buf_init(&pretty);
    buf_init(&again);
    json_write(&compact, tree, true);
    ASSERT(json_check(buf_str(&compact), &e) == 0);
    ASSERT(json_parse(a, buf_str(&compact), &second, &e) == 0);
    ASSERT(json_equal(tree, second) || json_duplicates(a, tree, found, NULL) > 0);
    json_indent(&pretty, buf_str(&compact));
    json_compact(&again, buf_str(&pretty), true);
    ASSERT(str_eq(buf_str(&compact), buf_str(&again)));
    buf_deinit(&compact);
    buf_deinit(&pretty);
    buf_deinit(&again);
}

static void decode(struct arena *a, const struct json *tree)
{
    struct err e = { 0 };
    struct buf b;
    void *pod;
    if (schema_decode(a, &schema_Pod, tree, SCHEMA_IGNORE, &pod, NULL, &e) != 0)
        return;
    buf_init(&b);
    schema_default(a, &schema_Pod, pod);
    ASSERT(schema_struct_to_json(&b, &schema_Pod, pod, NULL, &e) == 0);
    ASSERT(json_check(buf_str(&b), &e) == 0);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct err e = { 0 };
    const struct json *tree;
    struct str text = str_of(data, len);
    arena_init(&a);
    int rc = json_parse(&a, text, &tree, &e);
    ASSERT((json_check(text, &e) == 0) == (rc == 0));
    if (rc == 0) {
        print_and_parse(&a, tree);
        decode(&a, tree);
    }
    arena_deinit(&a);
    return 0;
}
