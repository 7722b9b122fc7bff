/* protobuf-c gives every map its own entry type; all map<string, bytes> entries share one layout.
 */
#include "controlplane/resources/config_data.h"

#include <protobuf-c/protobuf-c.h>
#include <string.h>

struct bytes_entry {
    ProtobufCMessage base;
    char *key;
    protobuf_c_boolean has_value;
    ProtobufCBinaryData value;
};

static const char *entry_at(const void *entries, size_t i)
{
    return ((const char *const *)entries)[i];
}

const char *config_key(const void *entries, size_t i)
{
    char *key;
    memcpy(&key, entry_at(entries, i) + offsetof(struct bytes_entry, key), sizeof(key));
    return text_of(key);
}

struct str config_value(const void *entries, size_t i)
{
    ProtobufCBinaryData value;
    memcpy(&value, entry_at(entries, i) + offsetof(struct bytes_entry, value), sizeof(value));
    return str_of(value.data, value.len);
}

bool config_get(const void *entries, size_t count, const char *key, struct str *out)
{
    for (size_t i = 0; i < count; i++) {
        if (text_eq(config_key(entries, i), key)) {
            *out = config_value(entries, i);
            return true;
        }
    }
    return false;
}

struct keys config_names(struct arena *a, const void *entries, size_t count)
{
    struct keys names = keys_new(a, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&names, (struct key){ .text = config_key(entries, i) });
    keys_sort(&names);
    return names;
}

bool config_equal(struct arena *arena, const void *a, size_t a_count, const void *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    const struct keys names = config_names(arena, b, b_count);
    for (size_t i = 0; i < a_count; i++) {
        ptrdiff_t at = keys_find(&names, (struct key){ .text = config_key(a, i) });
        if (at < 0 || !str_eq(config_value(b, (size_t)at), config_value(a, i)))
            return false;
    }
    return true;
}

size_t config_validate_keys(const void *entries, size_t count, const struct field_path *path,
                            struct err_list *out)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const char *key = config_key(entries, i);
        struct field_path p = path_key(path, key);
        (void)check_name(out, &p, key, name_config_key);
        total += config_value(entries, i).len;
    }
    return total;
}
