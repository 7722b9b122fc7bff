/*
 * Managed fields: who owns which field of an object, and server-side apply.
 *
 * An object's entries say per manager which fields it set last. An entry is told apart by manager,
 * operation, subresource and, for updates, API version. Updates take what they change; an apply
 * takes what it names, is refused where that changes another's field, and drops what the manager
 * applied before and nobody else has. Trees are objects without kind, apiVersion and managedFields.
 *
 * Pure functions over an arena; sets and texts of the results live there and borrow from the
 * entries and trees given. An entry whose set did not change keeps its text.
 */
#ifndef API_PATCH_MANAGED_H
#define API_PATCH_MANAGED_H

#include <stdint.h>

#include "api/patch/changes.h"
#include "api/patch/field_set.h"
#include "api/schema/schema.h"

/* Entries of updates kept apart; older ones become one, of this manager. Upstream's number. */
#define MANAGED_UPDATES_MAX     10
#define MANAGED_ANCIENT_MANAGER "ancient-changes"
/* Who owns what stood in an object before anyone applied. */
#define MANAGED_BEFORE_APPLY_MANAGER "before-first-apply"
/* Entries of one object; appliers come without upstream's bound, so this is ours. */
#define MANAGED_ENTRIES_MAX 512

struct managed_entry {
    struct str manager;
    struct str api_version;
    struct str subresource;
    bool applied;
    bool has_time;
    int64_t time_s;
    struct str text; /* FieldsV1 of the set as field_set_write has it; empty: write it anew */
    bool unread;     /* the set is in the text alone; managed_read makes it */
    struct field_set set;
    const void *origin; /* the caller's: what the entry was made of, NULL when it is new */
};

struct managed {
    struct managed_entry *entries;
    size_t count;
    size_t capacity;
};

struct managed_operation {
    const struct schema *schema;
    struct str manager;
    struct str api_version;
    struct str twin_version;  /* other entries whose names are this version's; may be empty */
    struct str subresource;   /* empty: the object itself */
    const struct json *empty; /* an apply: an object of the kind with nothing set */
    struct field_set ignored; /* an apply: what it cannot set: nobody gains or loses it */
    int64_t now_s;
};

/* -ERR_INVALID_ARGUMENT: the text is no field set; the entry is empty then. */
int managed_read(struct arena *a, struct managed_entry *e);
void managed_add(struct arena *a, struct managed *m, const struct managed_entry *entry);

/* An object without kind and apiVersion, as all trees here are. */
struct json managed_plain(struct arena *a, const struct json *object);

/* The entries after op changed an object so by POST, PUT or another patch. */
void managed_update(struct arena *a, struct managed *m, const struct managed_operation *op,
                    const struct field_changes *changes);

struct managed_conflict {
    const struct managed_entry *entry;
    struct field_set set; /* the fields in question */
};

struct managed_conflicts {
    struct managed_conflict *at;
    size_t count;
};

/* One apply. */
struct managed_apply {
    const struct json *live;
    const struct json *config;
    bool force;
    /* Fields whose conflicts are passed over: what client-side apply set before. */
    struct field_set allowed;
    /* Out. */
    struct json object;                 /* what is to be stored, before defaults */
    bool same;                          /* it is live, unchanged */
    struct managed_conflicts conflicts; /* of -ERR_CONFLICT */
    struct str problems;                /* of -ERR_INVALID_ARGUMENT: upstream's text */
};

/* -ERR_INVALID_ARGUMENT: the configuration does not fit the schema. -ERR_CONFLICT: see above.
 * -ERR_LIMIT: too many managers. m is unchanged then. An object without entries gets one for what
 * stands in it. */
int managed_apply(struct arena *a, struct managed *m, const struct managed_operation *op,
                  struct managed_apply *apply, struct err *e);

/* Upstream's message for conflicts: "Apply failed with 1 conflict: ..." */
void managed_conflict_message(struct buf *out, const struct managed_conflicts *conflicts);
/* "helm" with subresource "scale" using apps/v1 */
void managed_show_manager(struct buf *out, const struct managed_entry *e);
/* Fields that a last-applied configuration set and that still have its values; an empty set when
 * the text is none for this schema and version. */
struct field_set managed_last_applied(struct arena *a, const struct managed_operation *op,
                                      struct str text, const struct json *live);

/* Upstream's order of entries. */
void managed_sort(struct managed *m);

#endif
