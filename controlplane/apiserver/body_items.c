/* The answer to what api/schema/items.h counts, as a rule of the kind would word it. */
#include "controlplane/apiserver/body_items.h"

#include "api/schema/err_list.h"
#include "api/schema/items.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/request.h"

static int too_many(struct request *r, const struct body_type *type, struct str name, size_t most,
                    const struct schema_surplus *found)
{
    const struct kind_info *k =
        type->api_version == NULL ? NULL
                                  : kind_by_type(str_from(type->api_version), str_from(type->kind));
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    err_list_addf(&errors, str_dup(&r->arena, found->path), FIELD_TOO_MANY,
                  "%zu: must have at most %zu items", found->count, most);
    return status_invalid(&r->arena, &r->status, k == NULL ? r->kind : k, name, &errors);
}

int body_check_items(struct request *r, const struct body_type *type, const struct json *stored,
                     const struct json *tree)
{
    struct schema_surplus found;
    struct str name = json_str(json_get_c(json_get_c(tree, "metadata"), "name"));
    if (schema_items_fit(&r->arena, type->schema, tree, SCHEMA_ITEMS_MAX, &found)) {
        return 0;
    }
    size_t most = stored == NULL ? 0 : schema_items_count(type->schema, stored);
    most = most < SCHEMA_ITEMS_MAX ? SCHEMA_ITEMS_MAX : most;
    return schema_items_fit(&r->arena, type->schema, tree, most, &found)
               ? 0
               : too_many(r, type, name, most, &found);
}

int body_check_items_wire(struct request *r, const struct body_type *type, struct str message)
{
    struct schema_surplus found;
    return schema_items_fit_wire(&r->arena, type->schema, message, &found)
               ? 0
               : too_many(r, type, r->route.name, SCHEMA_ITEMS_MAX, &found);
}
