/* Three sources of labels behind one get. */
#include "api/meta/labels.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/peek.h"
#include "base/arena.h"

/* Up to here two nested loops beat sorting. */
#define FEW_ENTRIES 16

/* Every map<string, string> entry protobuf-c generates has this layout; its fields are read
 * through their own types (char *), so no struct is reinterpreted. */
struct map_entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};

static char *entry_member(const void *entries, size_t i, size_t offset)
{
    const char *entry = ((const char *const *)entries)[i];
    char *member;
    memcpy(&member, entry + offset, sizeof(member));
    return member;
}

const char *entries_key(const void *entries, size_t i)
{
    const char *key = entry_member(entries, i, offsetof(struct map_entry, key));
    return key == NULL ? "" : key;
}

const char *entries_value(const void *entries, size_t i)
{
    const char *value = entry_member(entries, i, offsetof(struct map_entry, value));
    return value == NULL ? "" : value;
}

const char *entries_get(const void *entries, size_t count, const char *key)
{
    const char *value = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries_key(entries, i), key) == 0)
            value = entries_value(entries, i);
    }
    return value;
}

static int entry_cmp(const void *x, const void *y)
{
    return strcmp(entries_key(x, 0), entries_key(y, 0));
}

/* Both in the order of their keys: one walk over the two. */
static bool sorted_contain(const void *have, size_t have_count, const void *want, size_t want_count)
{
    const void **a = mem_dup(have, have_count * sizeof(*a));
    const void **b = mem_dup(want, want_count * sizeof(*b));
    size_t at = 0;
    bool all = true;
    qsort(a, have_count, sizeof(*a), entry_cmp);
    qsort(b, want_count, sizeof(*b), entry_cmp);
    for (size_t i = 0; i < want_count && all; i++) {
        while (at < have_count && entry_cmp(&a[at], &b[i]) < 0)
            at++;
        all = at < have_count && entry_cmp(&a[at], &b[i]) == 0 &&
              strcmp(entries_value(a, at), entries_value(b, i)) == 0;
    }
    mem_free(a);
    mem_free(b);
    return all;
}

bool entries_contain(const void *have, size_t have_count, const void *want, size_t want_count)
{
    if (have_count > FEW_ENTRIES && want_count > FEW_ENTRIES)
        return sorted_contain(have, have_count, want, want_count);
    for (size_t i = 0; i < want_count; i++) {
        const char *value = entries_get(have, have_count, entries_key(want, i));
        if (value == NULL || strcmp(value, entries_value(want, i)) != 0)
            return false;
    }
    return true;
}

static bool get_none(const struct labels *l, struct str key, struct str *out_value)
{
    (void)l;
    (void)key;
    (void)out_value;
    return false;
}

struct labels labels_none(void)
{
    return (struct labels){ .get = get_none };
}

static bool get_pair(const struct labels *l, struct str key, struct str *out_value)
{
    const struct label *pairs = l->data;
    for (size_t i = 0; i < l->count; i++) {
        if (str_eq(pairs[i].key, key)) {
            *out_value = pairs[i].value;
            return true;
        }
    }
    return false;
}

struct labels labels_of_pairs(const struct label *pairs, size_t count)
{
    return (struct labels){ .get = get_pair, .data = pairs, .count = count };
}

static bool get_entry(const struct labels *l, struct str key, struct str *out_value)
{
    for (size_t i = 0; i < l->count; i++) {
        if (str_eq_c(key, entries_key(l->data, i))) {
            *out_value = str_from(entries_value(l->data, i));
            return true;
        }
    }
    return false;
}

struct labels labels_of_entries(const void *entries, size_t count)
{
    return (struct labels){ .get = get_entry, .data = entries, .count = count };
}

static bool get_packed(const struct labels *l, struct str key, struct str *out_value)
{
    struct peek_field field;
    struct peek_field part;
    size_t at = 0;
    bool found = false;
    while (peek_next(l->bytes, &at, &field)) {
        if (field.number != l->field || field.wire != PEEK_BYTES)
            continue;
        struct str name = peek_field(field.bytes, 1, &part) ? part.bytes : (struct str){ 0 };
        if (!str_eq(name, key))
            continue;
        *out_value = peek_field(field.bytes, 2, &part) ? part.bytes : (struct str){ 0 };
        found = true;
    }
    return found;
}

struct labels labels_of_message(struct str message, unsigned field)
{
    return (struct labels){ .get = get_packed, .bytes = message, .field = field };
}

bool labels_get(const struct labels *l, struct str key, struct str *out_value)
{
    return l->get(l, key, out_value);
}
