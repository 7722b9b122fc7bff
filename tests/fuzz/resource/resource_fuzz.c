/* Any bytes, taken for the protobuf or the JSON of every kind: what decodes goes the way of a
 * create, an update, a deletion and a table row; no rule may trust a part to be there. */
#include <string.h>

#include "api/meta/kinds.h"
#include "api/meta/view.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/resources/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void *decode(struct arena *a, const struct schema *s, struct str bytes)
{
    struct err e = { 0 };
    const struct json *tree;
    void *object = NULL;
    int rc;
    if (bytes.len > 0 && bytes.data[0] == '{')
        rc = json_parse(a, bytes, &tree, &e) != 0 ||
             schema_decode(a, s, tree, SCHEMA_IGNORE, &object, NULL, &e) != 0;
    else
        rc = schema_unpack(a, s, bytes, &object, &e);
    return rc == 0 ? object : NULL;
}

static void create(const struct resource *r, const struct resource_context *c, void *object,
                   struct err_list *errors)
{
    resource_defaults(r, c->arena, object);
    resource_prepare_create(r, c, object);
    resource_validate(r, c, object, errors);
    if (errors->count == 0 && r->strategy != NULL && r->strategy->warnings != NULL) {
        struct resource_warnings warnings = { 0 };
        r->strategy->warnings(c, object, NULL, &warnings);
    }
}

/* old: the object as stored, whose parts are all there. */
static void update(const struct resource *r, const struct resource_context *c, void *object,
                   const void *old, bool status)
{
    struct err_list errors;
    err_list_init(&errors, c->arena);
    resource_defaults(r, c->arena, object);
    if (status) {
        resource_prepare_status(r, c, object, old);
        resource_validate_status(r, c, object, old, &errors);
    } else {
        resource_prepare_update(r, c, object, old);
        resource_validate(r, c, object, &errors);
        resource_validate_update(r, c, object, old, &errors);
        if (errors.count == 0 && r->strategy != NULL && r->strategy->warnings != NULL) {
            struct resource_warnings warnings = { 0 };
            r->strategy->warnings(c, object, old, &warnings);
        }
    }
}

static void walk(const struct resource *r, struct arena *a, struct str bytes)
{
    enum kind store = kind_store(r->kind);
    const struct schema *s = kind_info(store == KIND_NONE ? r->kind : store)->schema;
    const struct resource_context c = { .arena = a, .now_wall_ns = 1 };
    struct err_list errors;
    struct err e = { 0 };
    void *object = decode(a, s, bytes);
    void *stored;
    if (object == NULL)
        return;
    err_list_init(&errors, a);
    create(r, &c, object, &errors);
    struct str packed = schema_pack_arena(a, s, object);
    if (schema_unpack(a, s, packed, &stored, &e) != 0)
        return;
    struct str shown = view_of_stored(a, r->kind, packed);
    ASSERT(schema_unpack(a, kind_info(r->kind)->schema, shown, &stored, &e) == 0);
    ASSERT(schema_unpack(a, s, view_to_stored(a, r->kind, shown), &stored, &e) == 0);
    struct store_term terms[RESOURCE_TERMS_MAX];
    ASSERT(resource_terms(r, packed, terms) <= RESOURCE_TERMS_MAX);
    if (r->cells != NULL) {
        struct table_cell cells[TABLE_COLUMNS_MAX];
        resource_cells(r, &c, stored, cells);
    }
    update(r, &c, decode(a, s, bytes), stored, false);
    update(r, &c, decode(a, s, bytes), stored, true);
    (void)resource_delete_grace(r, &c, stored, true, -1); /* whatever it decides */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < resource_count(); i++) {
        struct arena a;
        arena_init(&a);
        walk(resource_at(i), &a, str_of(data, len));
        arena_deinit(&a);
    }
    return 0;
}
