/* See the header. */
#include "tests/fuzz/patch_pair/patch_pair.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (64u << 10)

static void apply(struct arena *a, const struct json *object, const struct json *patch,
                  patch_pair_fn *run)
{
    struct err e = { 0 };
    struct buf before;
    struct buf after;
    const struct json *out;
    buf_init(&before);
    buf_init(&after);
    json_write(&before, object, false);
    int rc = run(a, object, patch, &out, &e);
    json_write(&after, object, false);
    ASSERT(str_eq(buf_str(&before), buf_str(&after)));
    if (rc == 0) {
        buf_clear(&after);
        json_write(&after, out, false);
        ASSERT(json_check(buf_str(&after), &e) == 0);
    }
    buf_deinit(&before);
    buf_deinit(&after);
}

void patch_pair(const uint8_t *data, size_t len, patch_pair_fn *run)
{
    struct arena a;
    struct err e = { 0 };
    const struct json *object;
    const struct json *patch;
    struct str text = str_of(data, len);
    ptrdiff_t line = str_find_char(text, '\n', 0);
    if (line < 0 || len > INPUT_BYTES_MAX)
        return;
    arena_init(&a);
    if (json_parse(&a, str_slice(text, 0, (size_t)line), &object, &e) == 0 &&
        json_parse(&a, str_slice(text, (size_t)line + 1, len), &patch, &e) == 0)
        apply(&a, object, patch, run);
    arena_deinit(&a);
}
