/* Counts and durations of requests, by verb; one table, shared by all loops. */
#ifndef CONTROLPLANE_APISERVER_REQUEST_METRICS_H
#define CONTROLPLANE_APISERVER_REQUEST_METRICS_H

#include <stdint.h>

#include "controlplane/apiserver/route.h"

/* Registers the table; once per process, before threads run. */
void request_metrics_register(void);
/* A request was answered. status: of HTTP; verb VERB_NONE: a plain path. */
void request_metrics_answered(enum verb verb, int status, uint64_t took_ns);
void request_metrics_stream(int change); /* +1: a watch or log began, -1: it ended */

#endif
