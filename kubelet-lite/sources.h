/*
 * The ConfigMaps and Secrets that this node's pods name: one reflector for each, held as long as a
 * pod needs it, so that a pod starts with what is cached and its files follow every change.
 * The agent's loop.
 */
#ifndef KUBELET_LITE_SOURCES_H
#define KUBELET_LITE_SOURCES_H

#include "api/meta/kinds.h"
#include "base/err.h"
#include "kubelet-lite/fields.h"

struct client;
struct sources;

/* changed: this object was read for the first time (or found missing), changed or vanished. */
struct sources *sources_new(struct client *client,
                            void (*changed)(void *ctx, enum kind kind, const char *namespace,
                                            const char *name),
                            void *ctx);
/* Everything held is dropped. NULL-safe. */
void sources_free(struct sources *s);

/* Counted; drop as often as held. */
void sources_hold(struct sources *s, enum kind kind, const char *namespace, const char *name);
void sources_drop(struct sources *s, enum kind kind, const char *namespace, const char *name);
/* As struct source's read; of held objects only (others are -ERR_AGAIN). */
int sources_read(struct sources *s, struct arena *a, enum kind kind, const char *namespace,
                 const char *name, struct source_entry **out, size_t *out_count, struct err *e);

#endif
