/*
 * Where a selector reads labels: one small view over three representations, so that matching is
 * written once. A view borrows; it is passed by value or const pointer and never owns.
 */
#ifndef API_META_LABELS_H
#define API_META_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

struct label {
    struct str key;
    struct str value;
};

struct labels {
    bool (*get)(const struct labels *l, struct str key, struct str *out_value);
    const void *data;
    size_t count;
    struct str bytes;
    unsigned field;
};

/* No labels at all. */
struct labels labels_none(void);
/* An array of pairs. */
struct labels labels_of_pairs(const struct label *pairs, size_t count);
/*
 * The entries of a protobuf-c map<string, string> field, e.g.
 * labels_of_entries(meta->labels, meta->n_labels): every such entry message has the layout
 * {ProtobufCMessage base; char *key; char *value}.
 */
struct labels labels_of_entries(const void *entries, size_t count);
/* Map field `field` of the protobuf message `message`, read in place. */
struct labels labels_of_message(struct str message, unsigned field);

/* True and *out_value (which may be empty) when the key is there. */
bool labels_get(const struct labels *l, struct str key, struct str *out_value);

/* Lookup in protobuf-c map<string, string> entries: the value, or NULL. */
const char *entries_get(const void *entries, size_t count, const char *key);
/* Key and value of the i-th entry. */
const char *entries_key(const void *entries, size_t i);
const char *entries_value(const void *entries, size_t i);
/* True when every pair of `want` is in `have` (both protobuf-c map<string, string> entries). */
bool entries_contain(const void *have, size_t have_count, const void *want, size_t want_count);

#endif
