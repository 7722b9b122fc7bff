/*
 * Event objects about pods and the node: created once, then counted. A bounded queue that never
 * holds anything up: when it is full, or the API does not answer, events are lost, as upstream's
 * are. The agent's loop.
 */
#ifndef KUBELET_LITE_EVENTS_H
#define KUBELET_LITE_EVENTS_H

#include <stdbool.h>

struct client;
struct events;

/* Events waiting to be sent. */
#define EVENTS_QUEUE_MAX 256
/* Events remembered so that the next equal one only counts; then the memory starts anew. */
#define EVENTS_KNOWN_MAX 1024

struct event_subject {
    const char *kind; /* "Pod", "Node" */
    const char *namespace;
    const char *name;
    const char *uid;
    const char *field_path; /* "spec.containers{httpd}", or "" */
};

struct events *events_new(struct client *client, const char *node);
/* With a call still open the memory goes when it ended. */
void events_free(struct events *e);
void events_record(struct events *e, const struct event_subject *about, bool warning,
                   const char *reason, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
