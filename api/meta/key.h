/*
 * Store keys: `resource.group/namespace/name`.
 *
 * The core group has no dot: `pods/default/web`, `deployments.apps/default/web`. A cluster-scoped
 * object has an empty namespace: `nodes//n1`. So `pods/` is the prefix of every pod and
 * `pods/default/` that of one namespace's, and byte order is list order (namespace, name).
 */
#ifndef API_META_KEY_H
#define API_META_KEY_H

#include <stdbool.h>

#include "api/meta/kinds.h"
#include "base/err.h"
#include "base/str.h"

struct arena;

/* No name or namespace is longer (design.md: at most 253 bytes everywhere). */
#define KEY_NAME_BYTES_MAX 253

/* Strings are borrowed. */
struct key {
    enum kind kind;
    struct str namespace; /* empty for cluster-scoped kinds */
    struct str name;
};

/* The store key's text, in the arena. The key must be valid (kind known, name not empty). */
struct str key_text(struct arena *a, const struct key *k);
/* Prefix of all keys of a kind (namespace empty) or of one namespace. In the arena. */
struct str key_prefix(struct arena *a, enum kind kind, struct str namespace);
/* The inverse of key_text; strings point into `text`. -ERR_PARSE when it is no key of a known
 * kind. */
int key_parse(struct str text, struct key *out, struct err *e);

bool key_eq(const struct key *a, const struct key *b);
struct key key_copy(struct arena *a, const struct key *k);
/* For people: "default/web" or "n1". */
struct str key_display(struct arena *a, const struct key *k);

#endif
