/* What Go's converter from maps to structs makes of a tree that the decoder refused. */
#include <math.h>

#include "api/schema/codec.h"
#include "base/arena.h"

struct restorer {
    struct arena *arena;
    struct str why;
    bool changed;
};

static bool restore(struct restorer *r, const struct schema_field *f, uint8_t card,
                    const struct json *in, struct json *out);

/* reflect.Kind and reflect.Type of what JSON has. */
static const char *kind_of(const struct json *j)
{
    static const char *const kinds[] = { "invalid", "bool",  "int64", "float64",
                                         "string",  "slice", "map" };
    return kinds[j->type];
}

static bool refuse(struct restorer *r, const char *format, const char *text)
{
    r->why = str_printf(r->arena, format, text);
    return false;
}

/* ---- containers ---- */

static bool restore_items(struct restorer *r, const struct schema_field *f, const struct json *in,
                          struct json *out)
{
    struct json *items = arena_array(r->arena, in->count, sizeof(*items));
    for (size_t i = 0; i < in->count; i++) {
        if (!restore(r, f, SCHEMA_ONE, &in->u.items[i], &items[i]))
            return false;
    }
    *out = json_array(items, in->count);
    return true;
}

/* s NULL: f's map, else the struct. What the struct does not know stays. */
static bool restore_members(struct restorer *r, const struct schema *s,
                            const struct schema_field *f, const struct json *in, struct json *out)
{
    struct json_member *members = arena_array(r->arena, in->count, sizeof(*members));
    for (size_t i = 0; i < in->count; i++) {
        const struct json_member *m = &in->u.members[i];
        const struct schema_field *member = s == NULL ? f : schema_find_field(s, m->key);
        members[i] = *m;
        if (member != NULL && !restore(r, member, s == NULL ? (uint8_t)SCHEMA_ONE : member->card,
                                       &m->value, &members[i].value))
            return false;
    }
    *out = json_object(members, in->count);
    return true;
}

/* ---- scalars ---- */

static bool restore_integer(struct restorer *r, const char *type, const struct json *in,
                            struct json *out)
{
    if (in->type == JSON_INT)
        return true;
    if (in->type != JSON_DOUBLE)
        return refuse(r, "unrecognized type: %s", type);
    double number = in->u.number;
    if (number != trunc(number) || fabs(number) >= 0x1p63)
        return refuse(r, "cannot convert float64 to %s", type);
    *out = json_int((int64_t)number);
    r->changed = true;
    return true;
}

static bool restore_scalar(struct restorer *r, const struct schema_field *f, const struct json *in,
                           struct json *out)
{
    switch (f->type) {
    case SCHEMA_BOOL:
        return in->type == JSON_BOOL || refuse(r, "unrecognized type: %s", "bool");
    case SCHEMA_INT32:
        return restore_integer(r, "int32", in, out);
    case SCHEMA_INT64:
        return restore_integer(r, "int64", in, out);
    case SCHEMA_STRING:
    case SCHEMA_TEXT_BYTES:
        if (in->type == JSON_INT)
            return refuse(r, "cannot convert int64 to %s", "string");
        return in->type == JSON_STRING || refuse(r, "unrecognized type: %s", "string");
    case SCHEMA_BYTES:
        if (in->type == JSON_STRING || in->type == JSON_ARRAY)
            return true; /* the decoder's to judge */
        return refuse(r, "cannot restore slice from %s", kind_of(in));
    default:
        return true;
    }
}

static bool restore(struct restorer *r, const struct schema_field *f, uint8_t card,
                    const struct json *in, struct json *out)
{
    *out = *in;
    if (in->type == JSON_NULL)
        return true;
    if (card == SCHEMA_LIST)
        return in->type == JSON_ARRAY ? restore_items(r, f, in, out)
                                      : refuse(r, "cannot restore slice from %s", kind_of(in));
    if (card == SCHEMA_MAP)
        return in->type == JSON_OBJECT ? restore_members(r, NULL, f, in, out)
                                       : refuse(r, "cannot restore map from %s", kind_of(in));
    if (f->message == NULL)
        return restore_scalar(r, f, in, out);
    if (f->message->form != SCHEMA_FORM_OBJECT)
        return true; /* it reads itself, and the decoder has its words */
    return in->type == JSON_OBJECT ? restore_members(r, f->message, NULL, in, out)
                                   : refuse(r, "cannot restore struct from: %s", kind_of(in));
}

bool schema_restore(struct arena *a, const struct schema *s, const struct json *j,
                    const struct json **out, struct str *why)
{
    struct restorer r = { .arena = a };
    struct json root;
    *out = j;
    if (j->type != JSON_OBJECT)
        return true;
    if (!restore_members(&r, s, NULL, j, &root)) {
        *why = r.why;
        return false;
    }
    if (r.changed)
        *out = arena_copy(a, &root, sizeof(root));
    return true;
}
