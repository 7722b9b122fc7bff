/* Any bytes: manifests are taken apart or refused; every object that comes out has a kind; of three
 * in a row a patch is made and applied. */
#include "api/meta/kinds.h"
#include "api/patch/patch.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"
#include "cli/manifest.h"
#include "cli/three_way.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (16u << 10)

/* What it says now is there after the patch: at the top level at least, where nothing merges. */
static void check_patch(struct arena *a, const struct json *before, const struct json *now,
                        const struct json *live)
{
    const struct kind_info *kind =
        kind_by_type(json_str(json_get_c(now, "apiVersion")), json_str(json_get_c(now, "kind")));
    const struct json *result;
    struct json patch;
    struct err e;
    if (three_way(a, NULL, before, now, live, &patch, &e) == 0 &&
        patch_merge(a, live, &patch, &result, &e) == 0)
        ASSERT(json_equal(json_get_c(result, "kind"), json_get_c(now, "kind")));
    if (kind != NULL && three_way(a, kind->schema, before, now, live, &patch, &e) == 0)
        (void)patch_strategic(a, kind->schema, live, &patch, &result, &e); /* may be refused */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct manifests m = { .arena = &a };
    if (len > INPUT_BYTES_MAX)
        return 0;
    arena_init(&a);
    manifests_parse(&m, str_of(data, len), str_lit("fuzz"));
    ASSERT(m.errors_count <= 1);
    for (size_t i = 0; i < m.count; i++) {
        struct json annotated = last_applied_write(&a, m.items[i].object);
        const struct json *again;
        ASSERT(json_str(json_get_c(m.items[i].object, "kind")).len > 0);
        ASSERT(last_applied_read(&a, &annotated, &again, NULL) == 0);
        if (i >= 2)
            check_patch(&a, m.items[i - 2].object, m.items[i - 1].object, m.items[i].object);
    }
    arena_deinit(&a);
    return 0;
}
