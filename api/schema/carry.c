/*
 * Unknown protobuf fields across a way that cannot hold them: JSON, YAML, a patch.
 *
 * The old message gives its unknown fields to the new one, message by message. Items of a list are
 * the same object when their list keys agree, else their merge key; of a list without keys, when
 * all that the schema knows of them agrees. The k-th of several such items stands for the k-th.
 * Both sides are sorted by what identifies them, so that long lists cost no square. A value that is
 * no JSON object (a time, a quantity) keeps its fields only while it stays as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "api/schema/pack.h"
#include "base/arena.h"
#include "base/buf.h"

/* An item and what tells it from others. */
struct slot {
    struct str identity;
    size_t index;
    void *item;
};

enum identity { BY_KEYS, BY_CONTENT, BY_ENTRY_KEY };

static bool has_unknown(const struct schema *s, const void *message);

static void *item_of(const struct schema_field *f, void *const *items, size_t i)
{
    void *item = items[i];
    if (f->card == SCHEMA_MAP)
        memcpy(&item, (const char *)items[i] + f->entry_value, sizeof(item));
    return item;
}

static bool field_has_unknown(const struct schema_field *f, const void *message)
{
    if (f->card == SCHEMA_ONE)
        return has_unknown(f->message, field_pointer(message, f));
    void *const *items = field_pointer(message, f);
    for (size_t i = 0; i < field_count(message, f); i++) {
        if (has_unknown(f->message, item_of(f, items, i)))
            return true;
    }
    return false;
}

static bool has_unknown(const struct schema *s, const void *message)
{
    const ProtobufCMessage *base = message;
    if (base == NULL)
        return false;
    if (base->n_unknown_fields > 0)
        return true;
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if (f->type == SCHEMA_MESSAGE && field_has_unknown(f, message))
            return true;
    }
    return false;
}

/* ---- identity ---- */

/* Appends a key's value so that no two lists of values give the same bytes. */
static bool append_key(struct buf *b, const struct schema_field *f, const void *item)
{
    int64_t wide = 0;
    if (f == NULL || f->card != SCHEMA_ONE || f->type >= SCHEMA_BYTES)
        return false;
    if (f->type == SCHEMA_STRING) {
        const char *text = field_pointer(item, f);
        buf_put_bytes(b, text == NULL ? str_lit("") : str_from(text));
        return true;
    }
    memcpy(&wide, field_at_const(item, f), type_size(f->type));
    buf_append(b, &wide, sizeof(wide));
    return true;
}

static bool key_identity(struct arena *a, const struct schema_field *f, const char *const *keys,
                         const void *item, struct str *out)
{
    struct buf b;
    bool whole = true;
    buf_init(&b);
    for (; *keys != NULL && whole; keys++)
        whole = append_key(&b, schema_find_field(f->message, str_from(*keys)), item);
    *out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return whole;
}

static bool identify(struct arena *a, const struct schema_field *f, const char *const *keys,
                     enum identity by, const void *element, const void *item, struct str *out)
{
    const char *key;
    switch (by) {
    case BY_KEYS:
        return key_identity(a, f, keys, item, out);
    case BY_ENTRY_KEY:
        memcpy(&key, (const char *)element + f->entry_key, sizeof(key));
        *out = key == NULL ? str_lit("") : str_from(key);
        return true;
    case BY_CONTENT:
    default:
        *out = pack_known(a, f->message, item);
        return true;
    }
}

static int slot_cmp(const void *x, const void *y)
{
    const struct slot *a = x;
    const struct slot *b = y;
    int order = str_cmp(a->identity, b->identity);
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* ---- lists and maps ---- */

/* One side of a list or map: its items, and those that found their other. */
struct side {
    void *const *items;
    size_t count;
    bool *done;
};

static struct slot *slots_of(struct arena *a, const struct schema_field *f, const char *const *keys,
                             enum identity by, const struct side *side, size_t *out_count)
{
    struct slot *slots = arena_array(a, side->count, sizeof(*slots));
    size_t count = 0;
    for (size_t i = 0; i < side->count; i++) {
        struct slot *slot = &slots[count];
        slot->index = i;
        slot->item = item_of(f, side->items, i);
        if (!side->done[i] && slot->item != NULL &&
            identify(a, f, keys, by, side->items[i], slot->item, &slot->identity))
            count++;
    }
    qsort(slots, count, sizeof(*slots), slot_cmp);
    *out_count = count;
    return slots;
}

static void carry_message(struct arena *a, const struct schema *s, const void *from, void *to);

/* The k-th of some identity gives to the k-th of the same. */
static void carry_pairs(struct arena *a, const struct schema_field *f, const char *const *keys,
                        enum identity by, struct side *old, struct side *new)
{
    size_t old_count;
    size_t new_count;
    struct slot *x = slots_of(a, f, keys, by, old, &old_count);
    struct slot *y = slots_of(a, f, keys, by, new, &new_count);
    size_t i = 0;
    size_t k = 0;
    while (i < old_count && k < new_count) {
        int order = str_cmp(x[i].identity, y[k].identity);
        if (order == 0) {
            carry_message(a, f->message, x[i].item, y[k].item);
            old->done[x[i].index] = new->done[y[k].index] = true;
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static void carry_items(struct arena *a, const struct schema_field *f, const void *from, void *to)
{
    const char *const merge_key[] = { f->merge_key, NULL };
    struct side old = { .items = field_pointer(from, f), .count = field_count(from, f) };
    struct side new = { .items = field_pointer(to, f), .count = field_count(to, f) };
    if (new.count == 0 || !field_has_unknown(f, from))
        return;
    old.done = arena_array(a, old.count, sizeof(*old.done));
    new.done = arena_array(a, new.count, sizeof(*new.done));
    if (f->card == SCHEMA_MAP) {
        carry_pairs(a, f, NULL, BY_ENTRY_KEY, &old, &new);
        return;
    }
    if (f->list_keys != NULL)
        carry_pairs(a, f, f->list_keys, BY_KEYS, &old, &new);
    if (f->merge_key != NULL)
        carry_pairs(a, f, merge_key, BY_KEYS, &old, &new);
    if (f->list_keys == NULL && f->merge_key == NULL)
        carry_pairs(a, f, NULL, BY_CONTENT, &old, &new);
}

/* ---- messages ---- */

static void take(struct arena *a, const ProtobufCMessage *old, ProtobufCMessage *new)
{
    if (old->n_unknown_fields == 0 || new->n_unknown_fields > 0)
        return;
    new->n_unknown_fields = old->n_unknown_fields;
    new->unknown_fields =
        arena_copy(a, old->unknown_fields, old->n_unknown_fields * sizeof(*old->unknown_fields));
    for (unsigned i = 0; i < new->n_unknown_fields; i++)
        new->unknown_fields[i].data =
            arena_copy(a, new->unknown_fields[i].data, new->unknown_fields[i].len);
}

static bool same_content(struct arena *a, const struct schema *s, const void *x, const void *y)
{
    return str_eq(pack_known(a, s, x), pack_known(a, s, y));
}

/* A member that is no list. JSON leaves out a value that is zero: it is there all the same. */
static void carry_one(struct arena *a, const struct schema_field *f, const void *from, void *to)
{
    const void *x = field_pointer(from, f);
    void *y = field_pointer(to, f);
    if (x == NULL ||
        (y == NULL && ((f->flags & SCHEMA_POINTER) != 0 || !has_unknown(f->message, x))))
        return;
    if (f->message->form != SCHEMA_FORM_OBJECT && !same_content(a, f->message, x, y))
        return;
    if (y == NULL) {
        y = schema_new(a, f->message);
        field_set_pointer(to, f, y);
    }
    carry_message(a, f->message, x, y);
}

static void carry_message(struct arena *a, const struct schema *s, const void *from, void *to)
{
    if (s->form != SCHEMA_FORM_OBJECT && !same_content(a, s, from, to))
        return;
    take(a, from, to);
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if (f->type != SCHEMA_MESSAGE)
            continue;
        if (f->card == SCHEMA_ONE)
            carry_one(a, f, from, to);
        else
            carry_items(a, f, from, to);
    }
}

void schema_carry_unknown(struct arena *a, const struct schema *s, const void *from, void *to)
{
    if (has_unknown(s, from))
        carry_message(a, s, from, to);
}
