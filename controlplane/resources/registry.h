/*
 * The registry: THE table of kinds this API server serves, one constant row each.
 *
 * A row says everything the generic request path needs about a kind: subresources, index terms,
 * field labels, table columns, and a strategy (hooks for what no schema can say). Kinds with rules
 * have one small file beside this one. Adding a kind is one message, one row in api/meta/kinds and
 * one row here.
 *
 * Hooks are pure and synchronous. Objects are protobuf-c structs unpacked into the request's arena
 * (`Pod *` as void *), of a view (api/meta/view.h) those of the stored kind; whatever a hook adds
 * lives in that arena too. Strings absent from the wire are NULL or "" alike. Rows are constant:
 * any thread.
 *
 * Order of calls. Create: defaults, prepare_create, (admission), validate. Update of the main
 * resource: defaults, prepare_update, (admission), validate, validate_update. Update of /status:
 * defaults, prepare_status, validate_status. Metadata rules (names, labels, owners, immutability)
 * are generic: resource_validate_meta and resource_validate_meta_update in metadata.h; the
 * resource_* functions below call them first.
 */
#ifndef CONTROLPLANE_RESOURCES_REGISTRY_H
#define CONTROLPLANE_RESOURCES_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/kinds.h"
#include "api/meta/selector.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct arena;
struct err_list;
struct name_messages;
struct ObjectMeta;

/* What a hook may know about the request. */
struct resource_context {
    struct arena *arena;
    uint64_t now_wall_ns;
};

/* Texts of one object's Warning headers, in the request's arena. */
#define RESOURCE_WARNINGS_MAX 64

struct resource_warnings {
    const char *texts[RESOURCE_WARNINGS_MAX];
    size_t count;
};

/* Bits of resource.subresources. */
enum resource_subresource {
    SUBRESOURCE_STATUS = 1 << 0,
    SUBRESOURCE_SCALE = 1 << 1,
    SUBRESOURCE_BINDING = 1 << 2,
    SUBRESOURCE_LOG = 1 << 3,
    SUBRESOURCE_FINALIZE = 1 << 4,
    SUBRESOURCE_STREAMS = 1 << 5, /* exec, attach, portforward */
    SUBRESOURCE_PROXY = 1 << 6,
    SUBRESOURCE_EVICTION = 1 << 7,
    SUBRESOURCE_EPHEMERAL_CONTAINERS = 1 << 8,
    SUBRESOURCE_RESIZE = 1 << 9
};

/* Index numbers of the store: never reused, never renumbered (they are in every member's rows). */
enum resource_index {
    RESOURCE_INDEX_NODE_NAME = 1,   /* pods: spec.nodeName ("" for pending pods is indexed too) */
    RESOURCE_INDEX_OWNER_UID = 2,   /* every stored kind: each ownerReference's uid */
    RESOURCE_INDEX_INVOLVED_UID = 3 /* events: involvedObject.uid */
};

struct resource_strategy {
    void (*defaults)(struct arena *a, void *object);
    void (*prepare_create)(const struct resource_context *c, void *object);
    /* Puts back what the main resource may not change (status). */
    void (*prepare_update)(const struct resource_context *c, void *object, const void *old);
    /* Puts back what /status may not change (spec, and metadata the kind freezes). */
    void (*prepare_status)(const struct resource_context *c, void *object, const void *old);
    void (*validate)(const struct resource_context *c, const void *object, struct err_list *out);
    void (*validate_create)(const struct resource_context *c, const void *object,
                            struct err_list *out); /* beside validate, of a new object only */
    void (*validate_update)(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out);
    void (*validate_status)(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out);
    /* Fields of metadata that prepare_status puts back too, as rows of names ended by NULL, the
     * rows ended by NULL: /status never owns them. May be NULL. */
    const char *const *const *status_keeps;
    /* True when generation must grow (called only for rows that track it). */
    bool (*generation_changed)(const void *object, const void *old);
    /* What a valid object (of the main resource; old: NULL when it is new) deserves to be told of
     * itself. Never refuses. May be NULL. */
    void (*warnings)(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out);
};

enum table_cell_type { CELL_STRING, CELL_INTEGER, CELL_BOOLEAN };

struct table_cell {
    enum table_cell_type type;
    struct str text;
    int64_t number;
};

#define TABLE_COLUMNS_MAX 16

struct table_column {
    const char *name;
    const char *type;   /* "string", "integer", "date" */
    const char *format; /* "name" or "" */
    const char *description;
    int priority; /* 0: always shown, 1: -o wide */
};

/* Reads an unpacked object, fills one cell per column. Strings live in c->arena. */
typedef void table_cells_fn(const struct resource_context *c, const void *object,
                            struct table_cell *out);

/* A field label: where its text lies in the stored protobuf, as a path of numbers ended by 0. */
struct resource_field {
    const char *label;
    uint8_t path[6];
    uint8_t instead[6];      /* where it lies when there is no text at path; may be empty */
    const char *alias_of;    /* another label; then path is empty */
    bool boolean;            /* printed as "true" or "false" */
    bool number;             /* compared as a number */
    const char *when_absent; /* text of an absent value; NULL: "" (or "false", "0") */
};

enum resource_delete_form {
    DELETE_RETURNS_STATUS, /* Status{Success, details} */
    DELETE_RETURNS_OBJECT  /* the object's last state */
};

/* What becomes of dependents when a delete does not say. */
enum resource_dependents {
    DEPENDENTS_DELETED,
    DEPENDENTS_ORPHANED, /* as it was before there was a garbage collector */
    DEPENDENTS_NONE      /* no policy ever applies */
};

struct resource {
    enum kind kind;
    unsigned subresources;
    bool generation_tracked;
    bool unconditional_update; /* PUT without resourceVersion is allowed */
    bool create_on_update;     /* PUT of an absent name creates it */
    bool no_delete_collection;
    enum resource_delete_form delete_form;
    enum resource_dependents dependents;
    bool graceful; /* resource_delete_grace decides; others go at once */
    bool (*name)(struct str value, struct name_messages *m); /* syntax of metadata.name */
    const struct resource_strategy *strategy;
    const struct resource_field *fields;
    size_t fields_count;
    const struct table_column *columns;
    size_t columns_count;
    table_cells_fn *cells;
    /* True when the table row carries the condition "Completed". May be NULL. */
    bool (*completed)(const void *object);
};

/* The row of a kind, or NULL for one that is not served as a resource (Scale). */
const struct resource *resource_of(enum kind kind);
/* What a Table of the kind shows: its row, or for Scale, an answer only, one with nothing else in
 * it. NULL: no table can be made. */
const struct resource *resource_table_of(enum kind kind);
/* Rows in discovery order. */
const struct resource *resource_at(size_t i);
size_t resource_count(void);

/* ---- what clients are told of the table ---- */

/* Verbs of the resource itself, space separated. */
const char *resource_verbs(const struct resource *r);

struct subresource {
    unsigned bit; /* of resource.subresources */
    const char *name;
    enum kind kind;    /* of bodies and answers; KIND_NONE: the parent's */
    const char *verbs; /* space separated */
    /* Of a stream: what the kind that discovery names has behind the parent's name; it is only
     * ever a query. NULL of others. */
    const char *options;
};

/* Sorted by name. */
extern const struct subresource subresource_table[];
extern const size_t subresource_count;

#define GROUPS_MAX 32

struct group_version {
    const char *group; /* "" core */
    const char *version;
};

/* Distinct groups and versions in the table's order, core first; out: GROUPS_MAX slots. */
size_t resource_groups(struct group_version *out);

/* metadata of any unpacked object (field 1 of every kind). */
struct ObjectMeta *resource_meta(void *object);
const struct ObjectMeta *resource_meta_const(const void *object);

/* ---- the strategy, with the generic rules around it ---- */

void resource_defaults(const struct resource *r, struct arena *a, void *object);
/* Resets what clients may not set; sets generation 1 where it is tracked. uid, creationTimestamp
 * and name generation are the caller's. */
void resource_prepare_create(const struct resource *r, const struct resource_context *c,
                             void *object);
/* Keeps uid, creationTimestamp, deletion fields and generation of old, calls the hook, bumps
 * generation when the kind says so. */
void resource_prepare_update(const struct resource *r, const struct resource_context *c,
                             void *object, const void *old);
void resource_prepare_status(const struct resource *r, const struct resource_context *c,
                             void *object, const void *old);
void resource_validate(const struct resource *r, const struct resource_context *c,
                       const void *object, struct err_list *out);
/* resource_validate, and what only a new object must obey. */
void resource_validate_create(const struct resource *r, const struct resource_context *c,
                              const void *object, struct err_list *out);
/* The rules of metadata alone: for the parts whose update carries no more of it. */
void resource_validate_meta(const struct resource *r, const void *object, struct err_list *out);
/* What no update of any part may change in metadata. */
void resource_validate_meta_update(const void *object, const void *old, struct err_list *out);
void resource_validate_update(const struct resource *r, const struct resource_context *c,
                              const void *object, const void *old, struct err_list *out);
void resource_validate_status(const struct resource *r, const struct resource_context *c,
                              const void *object, const void *old, struct err_list *out);

/* ---- graceful deletion ---- */

struct resource_grace {
    bool immediate; /* remove the row now (when there are no finalizers) */
    bool changed;   /* object's deletion fields were set or shortened; write it back if it stays */
};

/*
 * Decides a delete and, when it is graceful, writes deletionTimestamp, deletionGracePeriodSeconds
 * and generation into object. grace_seconds < 0 with has_grace reads as 1. Kinds that are not
 * graceful are always immediate. Neither immediate nor changed: it is being deleted already, and
 * nothing about that changes. Finalizers are the caller's matter: with finalizers and `immediate`,
 * call resource_mark_deleting instead of removing.
 */
struct resource_grace resource_delete_grace(const struct resource *r,
                                            const struct resource_context *c, void *object,
                                            bool has_grace, int64_t grace_seconds);
/* deletionTimestamp = now, grace 0, generation + 1; false when it was already so marked. */
bool resource_mark_deleting(const struct resource_context *c, void *object);

/* ---- indexes and selectors, over stored protobuf payloads (no header byte) ---- */

#define RESOURCE_TERMS_MAX 64

/* Index terms of an object; over 64 bytes are left out of the index (uids and node names never
 * are). Returns how many were written to out (RESOURCE_TERMS_MAX slots); bytes point into payload.
 */
size_t resource_terms(const struct resource *r, struct str payload, struct store_term *out);

/* 0 when every field of the selector is a label of this kind; else -ERR_INVALID_ARGUMENT with
 * upstream's text: one for kinds with labels of their own, one for the others. */
int resource_check_fields(const struct resource *r, const struct field_selector *s, struct err *e);
bool resource_matches_fields(const struct resource *r, const struct field_selector *s,
                             struct str payload);
/* Text of one field label; empty when unknown or absent, and for labels that are numbers (match
 * those). */
struct str resource_field_value(const struct resource *r, struct str payload, struct str label);
/* The index term a selector pins, if any: `spec.nodeName=n` gives RESOURCE_INDEX_NODE_NAME. */
bool resource_index_for(const struct resource *r, const struct field_selector *s,
                        struct store_term *out);

/* ---- tables ---- */

/* cells: TABLE_COLUMNS_MAX slots. */
void resource_cells(const struct resource *r, const struct resource_context *c, const void *object,
                    struct table_cell *cells);

#endif
