/* Lookups over schema tables. */
#include "api/schema/schema.h"

#include <string.h>

#include "base/arena.h"

const struct schema_name *schema_find_name(const struct schema *s, struct str name)
{
    size_t low = 0;
    size_t high = s->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(s->names[middle].name, name);
        if (order == 0)
            return &s->names[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct schema_field *schema_find_field(const struct schema *s, struct str name)
{
    const struct schema_name *found = schema_find_name(s, name);
    return found == NULL ? NULL : found->field;
}

const struct schema_field *schema_field_by_number(const struct schema *s, uint32_t number)
{
    if (number > s->number_max || s->number_index[number] == 0xff)
        return NULL;
    return &s->fields[s->number_index[number]];
}

void *schema_new(struct arena *a, const struct schema *s)
{
    ProtobufCMessage *message = arena_alloc(a, s->pb->sizeof_message);
    message->descriptor = s->pb;
    return message;
}

const char *schema_kind(const struct schema *s)
{
    return strrchr(s->model, '.') + 1; /* the generator puts a package in front */
}
