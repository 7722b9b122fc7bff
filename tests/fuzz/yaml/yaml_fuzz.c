/* Any bytes: YAML parses or is refused; what parses prints and parses again. */
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (64u << 10)

static void found(void *context, const char *path)
{
    (void)context;
    (void)path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct buf b;
    struct err e = { 0 };
    const struct json *tree;
    const struct json *again;
    const struct json **documents;
    size_t count;
    if (len > INPUT_BYTES_MAX)
        return 0;
    arena_init(&a);
    buf_init(&b);
    if (yaml_parse(&a, str_of(data, len), &tree, &e) == 0 && yaml_write(&b, tree, &e) == 0) {
        ASSERT(yaml_parse(&a, buf_str(&b), &again, &e) == 0);
        ASSERT(json_equal(tree, again) || json_duplicates(&a, tree, found, NULL) > 0);
    }
    (void)yaml_parse_all(&a, str_of(data, len), &documents, &count, &e); /* refusing is as good */
    buf_deinit(&b);
    arena_deinit(&a);
    return 0;
}
