/*
 * Four lines: a live pod, a configuration, what its manager applied before, what another owns.
 * Nothing faults, field sets survive their text and are found in it, the set laws hold, the same
 * apply once more changes nothing, and changes are the same between structs as between trees.
 */
#include "api/patch/managed.h"
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (64u << 10)

static void check_text(struct arena *a, const struct field_set *s)
{
    struct buf text;
    struct buf again;
    struct field_set back;
    struct err e = { 0 };
    buf_init(&text);
    buf_init(&again);
    field_set_write(&text, s);
    ASSERT(field_set_parse(a, buf_str(&text), &back, &e) == 0);
    ASSERT(field_set_equal(s, &back));
    field_set_write(&again, &back);
    ASSERT(str_eq(buf_str(&text), buf_str(&again)));
    buf_deinit(&text);
    buf_deinit(&again);
}

static void check_laws(struct arena *a, const struct field_set *x, const struct field_set *y)
{
    struct field_set both = field_set_union(a, x, y);
    struct field_set other = field_set_union(a, y, x);
    struct field_set common = field_set_intersection(a, x, y);
    struct field_set only = field_set_difference(a, x, y);
    struct field_set joined = field_set_union(a, &only, &common);
    ASSERT(field_set_equal(&both, &other));
    ASSERT(field_set_equal(&joined, x));
    common = field_set_intersection(a, &only, y);
    ASSERT(common.count == 0);
    check_text(a, &both);
}

static void check_found(struct arena *a, const struct field_set *x, const struct field_set *y)
{
    struct buf text;
    struct field_set common = field_set_intersection(a, x, y);
    buf_init(&text);
    field_set_write(&text, x);
    enum field_text found = field_text_has(buf_str(&text), y);
    enum field_text want = common.count == 0             ? FIELD_TEXT_NONE
                           : field_set_equal(&common, y) ? FIELD_TEXT_ALL
                                                         : FIELD_TEXT_SOME;
    ASSERT(found == want || found == FIELD_TEXT_UNSURE);
    buf_deinit(&text);
}

/* NULL when the tree is no pod. */
static const void *pod_of(struct arena *a, const struct json *tree)
{
    struct err e = { 0 };
    void *pod = NULL;
    return schema_decode(a, &schema_Pod, tree, SCHEMA_IGNORE, &pod, NULL, &e) == 0 ? pod : NULL;
}

static const struct json *tree_of(struct arena *a, const void *pod)
{
    struct err e = { 0 };
    const struct json *tree = NULL;
    ASSERT(schema_to_dom(a, &schema_Pod, schema_pack_arena(a, &schema_Pod, pod), NULL, &tree, &e) ==
           0);
    return tree;
}

static void check_changes(struct arena *a, const struct json *live, const struct json *config)
{
    const struct field_set none = { 0 };
    const void *old = pod_of(a, live);
    const void *new = pod_of(a, config);
    if (old == NULL || new == NULL)
        return;
    struct field_changes got = changes_find(a, &schema_Pod, old, new, &none);
    struct field_changes want = typed_compare(a, &schema_Pod, tree_of(a, old), tree_of(a, new));
    ASSERT(field_set_equal(&got.added, &want.added));
    ASSERT(field_set_equal(&got.modified, &want.modified));
    ASSERT(field_set_equal(&got.removed, &want.removed));
}

static void add(struct arena *a, struct managed *m, const char *manager, bool applied,
                const struct field_set *set)
{
    const struct managed_entry e = {
        .manager = str_from(manager), .api_version = str_lit("v1"), .applied = applied, .set = *set
    };
    if (set->count > 0)
        managed_add(a, m, &e);
}

static void apply(struct arena *a, const struct json *live, const struct json *config,
                  const struct field_set *last, const struct field_set *others)
{
    const struct json empty = json_object(NULL, 0);
    const struct managed_operation op = { .schema = &schema_Pod,
                                          .manager = str_lit("me"),
                                          .api_version = str_lit("v1"),
                                          .empty = &empty,
                                          .now_s = 1 };
    struct managed m = { 0 };
    struct managed_apply first = { .live = live, .config = config };
    struct err e = { 0 };
    add(a, &m, "me", true, last);
    add(a, &m, "other", false, others);
    int rc = managed_apply(a, &m, &op, &first, &e);
    if (rc == -ERR_CONFLICT) {
        struct buf text;
        buf_init(&text);
        managed_conflict_message(&text, &first.conflicts);
        ASSERT(text.len > 0);
        buf_deinit(&text);
        first.force = true;
        rc = managed_apply(a, &m, &op, &first, &e);
        ASSERT(rc == 0);
    }
    if (rc != 0)
        return;
    struct managed_apply second = { .live = &first.object, .config = config };
    ASSERT(managed_apply(a, &m, &op, &second, &e) == 0);
    /* Live objects come from the encoder: only drawn ones have fields of no schema. */
    ASSERT(second.same || typed_check(a, &schema_Pod, live, NULL) != 0);
}

static bool take_line(struct str *text, struct str *out)
{
    return str_split(text, '\n', out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct err e = { 0 };
    struct str text = str_of(data, len);
    struct str lines[4];
    const struct json *live;
    const struct json *config;
    struct field_set last;
    struct field_set others;
    if (len > INPUT_BYTES_MAX)
        return 0;
    for (int i = 0; i < 4; i++) {
        if (!take_line(&text, &lines[i]))
            return 0;
    }
    arena_init(&a);
    if (field_set_parse(&a, lines[2], &last, &e) == 0 &&
        field_set_parse(&a, lines[3], &others, &e) == 0) {
        check_laws(&a, &last, &others);
        check_found(&a, &last, &others);
        if (json_parse(&a, lines[0], &live, &e) == 0 && live->type == JSON_OBJECT &&
            json_parse(&a, lines[1], &config, &e) == 0 && config->type == JSON_OBJECT) {
            check_changes(&a, live, config);
            apply(&a, live, config, &last, &others);
        }
    }
    arena_deinit(&a);
    return 0;
}
