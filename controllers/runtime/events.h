/*
 * Events (core/v1) about objects, written behind the caller's back.
 *
 * An event that repeats (same object, type, reason and message) becomes a higher count on the
 * object that is there already. Events are written one after the other; they may be lost when
 * more than EVENTS_PENDING_MAX wait or when a write is refused: they tell, they do not decide.
 */
#ifndef CONTROLLERS_RUNTIME_EVENTS_H
#define CONTROLLERS_RUNTIME_EVENTS_H

#include <stdint.h>

#include "api/client/client.h"

struct event_recorder;

#define EVENTS_PENDING_MAX 1024
/* Known events kept for counting; beyond, the memory starts anew. */
#define EVENTS_KNOWN_MAX 4096
/* Upstream's bound on the text. */
#define EVENT_MESSAGE_BYTES_MAX 1024

struct event_about {
    enum kind kind;
    struct str namespace;
    struct str name;
    struct str uid;
    struct str resource_version;
};

/* instance: reportingInstance; copied. */
struct event_recorder *event_recorder_new(struct client *client, const char *instance,
                                          uint64_t term);
/* Everything is copied. */
void event_record(struct event_recorder *r, const char *component, const struct event_about *about,
                  const char *type, const char *reason, struct str message);
/* Nothing is written any more; memory goes when what is in flight has ended. */
void event_recorder_free(struct event_recorder *r);
/* Events given, written and dropped, for tests and figures. */
void event_recorder_counts(const struct event_recorder *r, uint64_t *out_given,
                           uint64_t *out_written, uint64_t *out_dropped);

#endif
