/*
 * The one shape of a controller: a pure function from what is observed to a list of actions.
 *
 *   const struct controller replicaset_controller = {
 *       .name = "replicaset", .watches = replicaset_watches, .reconcile = replicaset_reconcile };
 *
 * reconcile looks at the world for one key and appends what should be done, in order. It makes no
 * calls, sees no callbacks, keeps no state, and reads no clock but world.wall_ns, which may be
 * wrong and jump; how long something has not changed it asks the world (world_unchanged_ms). The
 * runtime performs the actions, retries, backs off, and runs the key again when something changed;
 * never before it can read its own writes. So a decision may rely on seeing what the last one did.
 *
 * Everything a reconcile reads or makes lives in world.arena until its actions are done.
 */
#ifndef CONTROLLERS_RUNTIME_CONTROLLER_H
#define CONTROLLERS_RUNTIME_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client/client.h"
#include "api/client/index.h"
#include "api/client/lister.h"
#include "api/meta/key.h"
#include "base/err.h"
#include "base/str.h"

struct ObjectMeta;
struct arena;
struct memory;
struct selector;

/* What an operator may set; see controllers_flags_default. */
struct controllers_flags {
    uint64_t node_grace_ms;         /* a lease not renewed for so long: the node is lost */
    uint64_t node_startup_grace_ms; /* the same for a node that never had a lease */
    uint64_t orphan_quarantine_ms;  /* pods of a node that is gone live so long */
    uint64_t terminated_pods_max;   /* more finished pods than this: the oldest go */
    struct str root_ca_pem;         /* data of kube-root-ca.crt; empty: none is published */
};

/* ---- what a controller sees ---- */

struct world {
    struct arena *arena;
    uint64_t wall_ns;
    uint64_t now_ns;               /* of a clock that nobody sets */
    struct memory *memory;         /* the controller's, from look to look */
    struct lister *const *listers; /* by kind; NULL: this process does not watch the kind */
    const struct controllers_flags *flags;
    /* What this key's last attempt failed on, with the kind of that action; NULL: it went well. */
    const struct err *last_error;
    enum kind last_error_kind;
    /* First error of a read below. The runtime throws the actions away and tries again later. */
    struct err read_error;
};

/* The object, or NULL. Const, decoded into the arena: a controller that changes one makes a shallow
 * copy of the parts it changes (arena_copy). */
const void *world_get(struct world *w, enum kind kind, struct str namespace, struct str name);
/* selector NULL: all. Ordered by namespace, name. */
size_t world_list(struct world *w, enum kind kind, struct str namespace,
                  const struct selector *selector, const void ***out);
size_t world_by_index(struct world *w, enum kind kind, enum index_id index, struct str term,
                      const void ***out);

/* How long `value` has been what this controller was shown under `name`; 0: it is another one, or
 * the first. A new leader begins anew. */
uint64_t world_unchanged_ms(struct world *w, struct str name, uint64_t value);
void world_forget(struct world *w, struct str name);

/* ---- what a controller decides ---- */

enum action_type {
    ACTION_CREATE,
    ACTION_UPDATE,
    ACTION_PATCH,
    ACTION_DELETE,
    ACTION_EVENT,
    ACTION_DELETE_COLLECTION, /* all objects of a kind in a namespace */
    /* These ask the API, not the cache. */
    ACTION_CONFIRM_ABSENT, /* ends the list when the object (by uid, if given) is there */
    ACTION_CONFIRM_EMPTY   /* ends the list when the namespace holds an object of the kind */
};

/* An event about an object, written when its action succeeded (or failed). */
struct action_note {
    const char *type; /* "Normal", "Warning" */
    const char *reason;
    struct str message; /* the created object's name is appended when append_name */
    bool append_name;
    enum kind kind; /* what it is about */
    const struct ObjectMeta *about;
};

#define ACTION_NO_GRACE (-1)

struct action {
    enum action_type type;
    enum kind kind;
    struct str namespace;
    struct str name;
    struct str subresource;
    const void *object; /* CREATE, UPDATE: the message to send */
    enum client_content content;
    struct str body;         /* PATCH */
    struct str uid;          /* DELETE, CONFIRM_ABSENT: only this object */
    int64_t grace_seconds;   /* DELETE: ACTION_NO_GRACE or seconds */
    const char *propagation; /* DELETE: "Background", "Foreground", "Orphan"; NULL: the default */
    bool missing_ok;         /* NotFound is success (always so for DELETE) */
    struct action_note *on_success;
    struct action_note *on_failure; /* message gets ": " and the error appended */
};

/* More actions than this in one decision are a bug in the controller, except creates and deletes of
 * children: deciders cap those at ACTIONS_BURST per decision. */
#define ACTIONS_MAX   2048
#define ACTIONS_BURST 500

struct actions {
    struct arena *arena;
    struct action *items;
    size_t count;
    size_t capacity;
    uint64_t requeue_after_ms; /* 0: only when something changes; else the earliest asked for */
};

/* Each returns the action, for its optional fields. Objects and strings live in the world's arena.
 * Namespace and name of CREATE and UPDATE come from the object's metadata. A CREATE with
 * metadata.generateName gets its name from the action's request id. */
struct action *actions_create(struct actions *as, enum kind kind, const void *object);
struct action *actions_update(struct actions *as, enum kind kind, const void *object);
struct action *actions_update_status(struct actions *as, enum kind kind, const void *object);
struct action *actions_patch(struct actions *as, enum kind kind, const struct ObjectMeta *meta,
                             const char *subresource, enum client_content content, struct str body);
struct action *actions_delete(struct actions *as, enum kind kind, const struct ObjectMeta *meta);
struct action *actions_delete_collection(struct actions *as, enum kind kind, struct str namespace);
struct action *actions_confirm_empty(struct actions *as, enum kind kind, struct str namespace);
struct action *actions_confirm_absent(struct actions *as, enum kind kind, struct str namespace,
                                      struct str name, struct str uid);
void actions_event(struct actions *as, enum kind kind, const struct ObjectMeta *about,
                   const char *type, const char *reason, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void actions_requeue_after(struct actions *as, uint64_t delay_ms);
/* Makes a note for on_success or on_failure. */
struct action_note *action_note(struct arena *a, enum kind kind, const struct ObjectMeta *about,
                                const char *type, const char *reason, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* ---- what wakes a controller ---- */

struct enqueue; /* the controller's queue, for one change */

struct change {
    enum kind kind;
    const struct lister_item *old; /* NULL: new */
    const struct lister_item *now; /* the state after; of a removed object: its last one */
    bool removed;
};

typedef void enqueue_fn(struct enqueue *q, const struct change *c);

void enqueue_key(struct enqueue *q, enum kind kind, struct str namespace, struct str name);
/* The same after a while; an earlier time asked for stays. */
void enqueue_key_after(struct enqueue *q, enum kind kind, struct str namespace, struct str name,
                       uint64_t delay_ms);
const struct controllers_flags *enqueue_flags(const struct enqueue *q);
/* Listers for mappings that must look around; NULL as in world. */
struct lister *enqueue_lister(struct enqueue *q, enum kind kind);

/* The object itself. */
enqueue_fn enqueue_self;
/* The object's controller (ownerReferences), if its kind is the controller's; both the old and the
 * new one when it changed. */
enqueue_fn enqueue_owner;

struct watch {
    enum kind kind; /* KIND_NONE ends the table */
    enqueue_fn *enqueue;
};

struct controller {
    const char *name;
    const char *component; /* of its events: "deployment-controller" */
    enum kind kind;        /* of its keys, for enqueue_owner; KIND_NONE: several kinds */
    const struct watch *watches;
    /* Does it read more of this object, of a kind it watches, than who and whose it is
     * (object_put_identity)? NULL: of every one. What no controller reads is not kept in memory. */
    bool (*reads)(enum kind kind, const struct lister_item *item);
    /* 0, or -ERR_X with e set: the key is tried again after its back-off, actions are dropped. */
    int (*reconcile)(struct world *w, const struct key *k, struct actions *out, struct err *e);
    uint32_t concurrency; /* keys in work at once; 0: CONTROLLER_CONCURRENCY */
};

#define CONTROLLER_CONCURRENCY 8

#endif
