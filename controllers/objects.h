/*
 * Small questions about decoded objects, and making changed copies of them. Shared by the
 * controllers; nothing here knows a controller. Everything made lives in the arena given.
 */
#ifndef CONTROLLERS_OBJECTS_H
#define CONTROLLERS_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/text.h"
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/str.h"

/* A shallow copy to change: fields are still shared with the const original. */
#define changed_copy(a, object) arena_copy((a), (object), sizeof(*(object)))

int64_t wall_seconds(uint64_t wall_ns);
Time *time_make(struct arena *a, uint64_t wall_ns);

/*
 * map<string, string> entries with one pair set or taken away: a new array of *count entries, made
 * with the entry's descriptor. The result is a void pointer to an array of entry pointers.
 */
void *entries_set(struct arena *a, const ProtobufCMessageDescriptor *entry, const void *entries,
                  size_t *count, const char *key, const char *value);
void *entries_drop(struct arena *a, const void *entries, size_t *count, const char *key);

/* On a copy of metadata that may be changed. */
void meta_set_annotation(struct arena *a, ObjectMeta *meta, const char *key, const char *value);
const char *meta_annotation(const ObjectMeta *meta, const char *key); /* NULL when absent */
bool meta_deleting(const ObjectMeta *meta);
int64_t meta_created(const ObjectMeta *meta);
struct str meta_namespace(const ObjectMeta *meta);

/* ---- pods ---- */

bool pod_finished(const Pod *pod); /* Succeeded or Failed */
bool pod_active(const Pod *pod);   /* neither finished nor terminating */
bool pod_ready(const Pod *pod);
/* Since when ready, in seconds; 0 when not ready. */
int64_t pod_ready_since(const Pod *pod);
/* Ready for min_ready seconds. */
bool pod_available(const Pod *pod, int32_t min_ready_seconds, int64_t now_seconds);
const char *pod_phase(const Pod *pod); /* never NULL */
const char *pod_node(const Pod *pod);  /* "" when unassigned */

/* IntOrString as upstream resolves it: a percentage of total rounded up or down. absent: fallback.
 */
int32_t int_or_percent(const IntOrString *v, int32_t total, bool round_up, int32_t fallback);

/* ---- patches of ownership ---- */

/* {"metadata":{"uid":U,"ownerReferences":[ref]}} for a strategic merge: adopts. */
struct str patch_adopt(struct arena *a, const ObjectMeta *object, const OwnerReference *ref);
/* Takes the reference to owner_uid away. */
struct str patch_release(struct arena *a, const ObjectMeta *object, const char *owner_uid);

#endif
