/*
 * JSON tree → struct, the shape: objects, lists, maps, unknown and duplicate fields.
 *
 * One pass over the members as they came; each is looked up by name. The guess that fields come in
 * struct order (ours always do) is tried first. A later duplicate wins, as upstream has it. After a
 * value of another type it reads on, as Go does: what a type of its own cannot read ends
 * everything, and is what the client is told.
 */
#include "api/schema/decode.h"

#include <stdlib.h>
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

/* Own fields by index, inline ones behind them by name. */
#define NAME_WORDS   ((3 * SCHEMA_FIELDS_MAX + 63) / 64)
#define FIELDS_AHEAD 8
/* So many fields are looked at for what to say of them; most say the same. */
#define WARNED_MAX 10000

static int decode_object(struct decoder *d, const struct schema *s, const struct json *j,
                         const struct path *path, int depth, void *message);

/* ---- warnings ---- */

/* Each text once, as upstream has it. */
static void warn(struct decoder *d, const char *what, const struct path *path)
{
    struct schema_warnings *w = d->warnings;
    struct buf path_text;
    struct buf text;
    if (d->strictness == SCHEMA_IGNORE || w->count >= SCHEMA_WARNINGS_MAX ||
        d->warned++ >= WARNED_MAX)
        return;
    buf_init(&path_text);
    buf_init(&text);
    path_write(&path_text, path, true);
    buf_printf(&text, "%s field ", what);
    quote_write(&text, buf_str(&path_text));
    bool seen = false;
    for (size_t i = 0; i < w->count && !seen; i++)
        seen = str_eq_c(buf_str(&text), w->texts[i]);
    if (w->texts == NULL)
        w->texts = arena_array(d->arena, SCHEMA_WARNINGS_MAX, sizeof(*w->texts));
    if (!seen)
        w->texts[w->count++] = str_dup(d->arena, buf_str(&text));
    buf_deinit(&path_text);
    buf_deinit(&text);
}

static int refuse(struct decoder *d)
{
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < d->warnings->count; i++)
        buf_printf(&text, "%s%s", i == 0 ? "" : ", ", d->warnings->texts[i]);
    int rc =
        err_set(d->e, ERR_INVALID_ARGUMENT, "strict decoding error: %.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    return rc;
}

/* ---- values ---- */

static int decode_message(struct decoder *d, const struct schema *owner,
                          const struct schema_field *f, const struct json *j,
                          const struct path *path, int depth, void **out)
{
    const struct schema *s = f->message;
    void *message = *out == NULL ? schema_new(d->arena, s) : *out;
    *out = message;
    if (j->type == JSON_NULL)
        return 0;
    if (s->form != SCHEMA_FORM_OBJECT)
        return decode_form(d, owner, s, j, path, message);
    if (j->type != JSON_OBJECT)
        return decode_type_error(d, owner, f, SCHEMA_ONE, j, path);
    return decode_object(d, s, j, path, depth + 1, message);
}

static int decode_one(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                      const struct json *j, const struct path *path, int depth, void *message)
{
    if (j->type == JSON_NULL)
        return 0;
    if (f->type == SCHEMA_MESSAGE) {
        /* A duplicate is decoded over what the first one left, as Go does. */
        void *child = f->message->form == SCHEMA_FORM_OBJECT ? field_pointer(message, f) : NULL;
        int rc = decode_message(d, owner, f, j, path, depth, &child);
        if (rc == 0)
            field_set_pointer(message, f, child);
        return rc;
    }
    int rc = decode_scalar(d, owner, f, j, path, field_at(message, f));
    if (rc == 0 && f->quantifier != 0)
        field_set_has(message, f);
    return rc;
}

static int decode_list(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                       const struct json *j, const struct path *path, int depth, void *message)
{
    size_t size = type_size(f->type);
    if (j->type == JSON_NULL) {
        field_set_count(message, f, 0);
        return 0;
    }
    if (j->type != JSON_ARRAY)
        return decode_type_error(d, owner, f, SCHEMA_LIST, j, path);
    char *items = arena_array(d->arena, j->count, size);
    for (size_t i = 0; i < j->count; i++) {
        const struct json *item = &j->u.items[i];
        struct path at = { .up = path, .index = (ptrdiff_t)i };
        int rc = 0;
        if (f->type == SCHEMA_MESSAGE)
            rc = decode_message(d, owner, f, item, &at, depth, (void **)(void *)(items + i * size));
        else if (item->type != JSON_NULL)
            rc = decode_scalar(d, owner, f, item, &at, items + i * size);
        else if (f->type == SCHEMA_STRING)
            memcpy(items + i * size, &(char *){ str_dup(d->arena, (struct str){ 0 }) }, size);
        if (rc != 0)
            return rc;
    }
    field_set_pointer(message, f, items);
    field_set_count(message, f, j->count);
    return 0;
}

/* ---- maps ---- */

struct slot {
    const struct json_member *member;
};

static int slot_cmp(const void *x, const void *y)
{
    const struct slot *a = x;
    const struct slot *b = y;
    int order = str_cmp(a->member->key, b->member->key);
    if (order != 0)
        return order;
    return a->member < b->member ? -1 : a->member > b->member;
}

static bool strictly_sorted(const struct json *j)
{
    for (size_t i = 1; i < j->count; i++) {
        if (str_cmp(j->u.members[i - 1].key, j->u.members[i].key) >= 0)
            return false;
    }
    return true;
}

/* In the order of the text. */
static void warn_duplicate_keys(struct decoder *d, const struct json *j, const struct slot *slots,
                                const struct path *path)
{
    bool *again = NULL;
    for (size_t i = 1; i < j->count; i++) {
        if (!str_eq(slots[i - 1].member->key, slots[i].member->key))
            continue;
        if (again == NULL)
            again = arena_array(d->arena, j->count, sizeof(*again));
        again[slots[i].member - j->u.members] = true;
    }
    for (size_t i = 0; again != NULL && i < j->count; i++) {
        if (again[i])
            warn(d, "duplicate",
                 &(struct path){ .up = path, .name = j->u.members[i].key, .index = -1 });
    }
}

static int decode_entry(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                        const struct json_member *m, const struct path *path, int depth,
                        char *entry)
{
    struct path at = { .up = path, .name = m->key, .index = -1 };
    char *key = str_dup(d->arena, m->key);
    if (m->key.len > 0 && memchr(m->key.data, 0, m->key.len) != NULL)
        return err_set(d->e, ERR_INVALID_ARGUMENT, "a key may not contain NUL");
    memcpy(entry + f->entry_key, &key, sizeof(key));
    /* Go's type errors end at the map. */
    if (f->type == SCHEMA_MESSAGE)
        return decode_message(d, owner, f, &m->value,
                              f->message->form == SCHEMA_FORM_OBJECT ? &at : path, depth,
                              (void **)(void *)(entry + f->entry_value));
    if (m->value.type == JSON_NULL)
        return 0;
    if (f->entry_has != 0)
        *(protobuf_c_boolean *)(entry + f->entry_has) = 1;
    bool fits = m->value.type == JSON_STRING;
    return decode_scalar(d, owner, f, &m->value, fits ? &at : path, entry + f->entry_value);
}

static int decode_map(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                      const struct json *j, const struct path *path, int depth, void *message)
{
    if (j->type == JSON_NULL) {
        field_set_count(message, f, 0);
        return 0;
    }
    if (j->type != JSON_OBJECT)
        return decode_type_error(d, owner, f, SCHEMA_MAP, j, path);
    struct slot *slots = arena_array(d->arena, j->count, sizeof(*slots));
    void **entries = arena_array(d->arena, j->count, sizeof(*entries));
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++)
        slots[i].member = &j->u.members[i];
    if (!strictly_sorted(j)) {
        qsort(slots, j->count, sizeof(*slots), slot_cmp);
        warn_duplicate_keys(d, j, slots, path);
    }
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = slots[i].member;
        if (i + 1 < j->count && str_eq(slots[i + 1].member->key, m->key))
            continue; /* the last one wins */
        ProtobufCMessage *entry = arena_alloc(d->arena, f->entry->sizeof_message);
        entry->descriptor = f->entry;
        int rc = decode_entry(d, owner, f, m, path, depth, (char *)entry);
        if (rc != 0)
            return rc;
        entries[count++] = entry;
    }
    field_set_pointer(message, f, entries);
    field_set_count(message, f, count);
    return 0;
}

/* ---- objects ---- */

static bool is_type_meta(const struct schema *s, struct str key)
{
    return s->type_meta && (str_eq_c(key, "kind") || str_eq_c(key, "apiVersion"));
}

/* The struct that holds a field: message itself, or its inline member, made when missing. */
static void *holder(struct decoder *d, const struct schema_field *via, void *message)
{
    if (via == NULL)
        return message;
    void *inner = field_pointer(message, via);
    if (inner == NULL) {
        inner = schema_new(d->arena, via->message);
        field_set_pointer(message, via, inner);
    }
    return inner;
}

/* A member's field and where it stands; bit tells fields apart, inline ones included. */
struct target {
    const struct schema_field *field; /* NULL: unknown */
    const struct schema_field *via;
    size_t bit;
};

/* Struct order first: a few fields ahead of the last one, then by name. */
static struct target find_target(const struct schema *s, struct str key, size_t *next)
{
    size_t end = *next + FIELDS_AHEAD < s->field_count ? *next + FIELDS_AHEAD : s->field_count;
    for (size_t i = *next; i < end; i++) {
        const struct schema_field *f = &s->fields[i];
        if (f->name.len == key.len && key.len > 0 && memcmp(f->name.data, key.data, key.len) == 0) {
            *next = i + 1;
            return (struct target){ .field = f, .bit = i };
        }
    }
    const struct schema_name *name = schema_find_name(s, key);
    if (name == NULL)
        return (struct target){ 0 };
    if (name->via != NULL)
        return (struct target){ .field = name->field,
                                .via = name->via,
                                .bit = SCHEMA_FIELDS_MAX + (size_t)(name - s->names) };
    size_t index = (size_t)(name->field - s->fields);
    *next = index + 1;
    return (struct target){ .field = name->field, .bit = index };
}

static int decode_member(struct decoder *d, const struct schema *s, const struct target *t,
                         const struct json_member *m, const struct path *path, int depth,
                         void *message)
{
    const struct schema_field *f = t->field;
    void *at = holder(d, t->via, message);
    if (f->card == SCHEMA_LIST)
        return decode_list(d, s, f, &m->value, path, depth, at);
    if (f->card == SCHEMA_MAP)
        return decode_map(d, s, f, &m->value, path, depth, at);
    return decode_one(d, s, f, &m->value, path, depth, at);
}

static int decode_object(struct decoder *d, const struct schema *s, const struct json *j,
                         const struct path *up, int depth, void *message)
{
    uint64_t seen[NAME_WORDS] = { 0 };
    int meta_seen = 0;
    size_t next = 0;
    if (depth > SCHEMA_DEPTH_MAX)
        return err_set(d->e, ERR_LIMIT, "objects nest deeper than %d", SCHEMA_DEPTH_MAX);
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        struct path path = { .up = up, .name = m->key, .index = -1 };
        struct target t = find_target(s, m->key, &next);
        if (t.field == NULL && is_type_meta(s, m->key)) {
            int bit = m->key.data[0] == 'k' ? 1 : 2;
            if ((meta_seen & bit) != 0)
                warn(d, "duplicate", &path);
            meta_seen |= bit;
            continue;
        }
        if (t.field == NULL) {
            warn(d, "unknown", &path);
            continue;
        }
        if ((seen[t.bit / 64] & 1ull << t.bit % 64) != 0)
            warn(d, "duplicate", &path);
        seen[t.bit / 64] |= 1ull << t.bit % 64;
        struct path embedded = { .up = up, .index = -1, .embedded = true };
        if (t.via != NULL) {
            embedded.name = str_from(schema_kind(t.via->message));
            path.up = &embedded;
        }
        int rc = decode_member(d, s, &t, m, &path, depth, message);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int schema_decode(struct arena *a, const struct schema *s, const struct json *j,
                  enum schema_strictness strictness, void **out, struct schema_warnings *warnings,
                  struct err *e)
{
    struct schema_warnings own = { 0 };
    struct decoder d = {
        .arena = a, .strictness = strictness, .warnings = warnings == NULL ? &own : warnings, .e = e
    };
    struct path root = PATH_ROOT;
    ASSERT(s->form == SCHEMA_FORM_OBJECT);
    *d.warnings = (struct schema_warnings){ 0 };
    if (j->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "json: cannot unmarshal %s into Go value of type v1.%s",
                       j->type == JSON_ARRAY    ? "array"
                       : j->type == JSON_STRING ? "string"
                       : j->type == JSON_BOOL   ? "bool"
                       : j->type == JSON_NULL   ? "null"
                                                : "number",
                       s->name);
    void *message = schema_new(a, s);
    int rc = decode_object(&d, s, j, &root, 0, message);
    if (rc == 0 && d.soft.code != ERR_NONE)
        rc = err_set(e, d.soft.code, "%s", d.soft.msg);
    if (rc == 0 && strictness == SCHEMA_STRICT && d.warnings->count > 0)
        rc = refuse(&d);
    if (rc == 0)
        *out = message;
    return rc;
}
