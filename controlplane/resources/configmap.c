/* ConfigMaps: keys, size, and what `immutable` freezes. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/config_data.h"
#include "controlplane/resources/strategies.h"

static void duplicates(const void *entries, size_t count, const struct keys *others,
                       const struct field_path *path, const char *detail, struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = config_key(entries, i);
        struct field_path p = path_key(path, key);
        if (keys_have(others, key))
            rule_invalid_text(out, &p, key, detail);
    }
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ConfigMap *map = object;
    struct field_path data = path_field(NULL, "data");
    struct field_path binary = path_field(NULL, "binaryData");
    struct field_path whole = path_key(NULL, ""); /* upstream's path of the object: "[]" */
    const struct keys names = config_names(c->arena, map->data, map->n_data);
    const struct keys binary_names = config_names(c->arena, map->binary_data, map->n_binary_data);
    size_t total = config_validate_keys(map->data, map->n_data, &data, out);
    duplicates(map->data, map->n_data, &binary_names, &data,
               "duplicate of key present in binaryData", out);
    total += config_validate_keys(map->binary_data, map->n_binary_data, &binary, out);
    duplicates(map->binary_data, map->n_binary_data, &names, &binary,
               "duplicate of key present in data", out);
    if (total > CONFIG_DATA_BYTES_MAX)
        rule_too_long(out, &whole, CONFIG_DATA_BYTES_MAX);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    static const char frozen[] = "field is immutable when `immutable` is set";
    const ConfigMap *map = object;
    const ConfigMap *was = old;
    struct field_path immutable = path_field(NULL, "immutable");
    struct field_path data = path_field(NULL, "data");
    struct field_path binary = path_field(NULL, "binaryData");
    if (!was->immutable)
        return;
    if (!map->immutable)
        rule_forbidden(out, &immutable, frozen);
    if (!config_equal(c->arena, map->data, map->n_data, was->data, was->n_data))
        rule_forbidden(out, &data, frozen);
    if (!config_equal(c->arena, map->binary_data, map->n_binary_data, was->binary_data,
                      was->n_binary_data))
        rule_forbidden(out, &binary, frozen);
}

const struct resource_strategy configmap_strategy = { .validate = validate,
                                                      .validate_update = validate_update };
