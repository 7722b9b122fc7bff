/* Protobuf is made from the JSON: one description of a document, two forms. */
#include "controlplane/apiserver/documents.h"

#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/apiserver/openapi/gnostic.h"
#include "net/digest.h"
#include "net/gzip.h"

static void document_free(struct document *d)
{
    if (d == NULL) {
        return;
    }
    buf_deinit(&d->packed);
    mem_free(d);
}

void document_hash(struct str bytes, char out[DOCUMENT_HASH_BYTES + 1])
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t sum[DIGEST_SHA256_BYTES];
    digest_sha256(bytes, sum);
    for (size_t i = 0; i < sizeof(sum); i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 0xf];
    }
    out[DOCUMENT_HASH_BYTES] = '\0';
}

/* Puts the bytes into the cell, unless another loop was first. */
static const struct document *keep(struct cell *cell, struct str bytes)
{
    struct document *d = mem_alloc(sizeof(*d));
    struct buf packed;
    document_hash(bytes, d->hash);
    d->plain_bytes = bytes.len;
    buf_init(&packed);
    gzip_pack(&packed, bytes);
    buf_init(&d->packed);
    buf_append(&d->packed, packed.data, packed.len); /* without the room gzip needed */
    buf_deinit(&packed);
    struct document *kept = cell_set(cell, d);
    if (kept != d) {
        document_free(d);
    }
    return kept;
}

/* json becomes what the form asks for. */
static const struct document *keep_form(struct cell *cell, struct buf *json,
                                        enum document_form form,
                                        void (*write)(struct buf *out, const struct json *document))
{
    struct arena a;
    struct buf b;
    struct err e;
    const struct json *tree;
    if (form == DOCUMENT_JSON) {
        return keep(cell, buf_str(json));
    }
    arena_init(&a);
    buf_init(&b);
    int rc = json_parse(&a, buf_str(json), &tree, &e);
    ASSERT(rc == 0); /* it is ours */
    write(&b, tree);
    const struct document *d = keep(cell, buf_str(&b));
    buf_deinit(&b);
    arena_deinit(&a);
    return d;
}

const struct document *documents_v2(struct documents *d, enum document_form form)
{
    struct cell *cell = &d->v2[form];
    const struct document *made = cell_get(cell);
    struct buf json;
    if (made != NULL) {
        return made;
    }
    buf_init(&json);
    openapi_write_v2(&json);
    made = keep_form(cell, &json, form, gnostic_write_v2);
    buf_deinit(&json);
    return made;
}

static const struct document *v3_at(struct documents *d, const struct group_version *groups,
                                    size_t at, enum document_form form)
{
    struct cell *cell = &d->v3[at][form];
    const struct document *made = cell_get(cell);
    struct buf json;
    if (made != NULL) {
        return made;
    }
    buf_init(&json);
    openapi_write_v3(&json, &groups[at]);
    made = keep_form(cell, &json, form, gnostic_write_v3);
    buf_deinit(&json);
    return made;
}

const struct document *documents_v3(struct documents *d, struct str path, enum document_form form)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    const struct document *found = NULL;
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < count && found == NULL; i++) {
        if (str_eq(path, openapi_group_path(&a, &groups[i]))) {
            found = v3_at(d, groups, i, form);
        }
    }
    arena_deinit(&a);
    return found;
}

const struct document *documents_root(struct documents *d)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    const struct document *made = cell_get(&d->root);
    struct arena a;
    struct buf b;
    if (made != NULL) {
        return made;
    }
    arena_init(&a);
    buf_init(&b);
    buf_append_c(&b, "{\"paths\":{");
    for (size_t i = 0; i < count; i++) {
        struct str path = openapi_group_path(&a, &groups[i]);
        buf_printf(&b, "%s\"%.*s\":{\"serverRelativeURL\":\"/openapi/v3/%.*s?hash=%s\"}",
                   i > 0 ? "," : "", STR_ARG(path), STR_ARG(path),
                   v3_at(d, groups, i, DOCUMENT_JSON)->hash);
    }
    buf_append_c(&b, "}}");
    made = keep(&d->root, buf_str(&b));
    buf_deinit(&b);
    arena_deinit(&a);
    return made;
}

void documents_deinit(struct documents *d)
{
    for (int form = 0; form < DOCUMENT_FORMS; form++) {
        document_free(cell_get(&d->v2[form]));
        for (size_t i = 0; i < GROUPS_MAX; i++) {
            document_free(cell_get(&d->v3[i][form]));
        }
    }
    document_free(cell_get(&d->root));
}
