/* Inside controllers/scheduler: one generation, and what it tells its owner. */
#ifndef CONTROLLERS_SCHEDULER_SESSION_H
#define CONTROLLERS_SCHEDULER_SESSION_H

#include <stdint.h>

#include "controllers/scheduler/scheduler.h"

struct session;

/* config is borrowed from the owner, which outlives every session. */
struct session *session_start(struct scheduler *owner, struct scheduler_config *config,
                              uint64_t term);
/* The session goes by itself when nothing is in flight. */
void session_stop(struct session *s);

/* scheduler.c: the session has stopped itself; it is gone. */
void scheduler_session_fenced(struct scheduler *owner, struct session *s);
void scheduler_session_gone(struct scheduler *owner);

#endif
