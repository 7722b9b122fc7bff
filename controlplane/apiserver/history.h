/*
 * GET /gantry/v1/history/<path of an object>: the revisions of the object that can still be read,
 * newest first, removals included. For whoever may get the object.
 *
 *   {"kind":"History","apiVersion":"gantry/v1","resourceVersion":"90","oldest":"12","versions":[
 *     {"revision":"81","change":"updated","bytes":412},
 *     {"revision":"44","change":"created","time":"2026-01-02T03:04:05Z","bytes":398}],
 *    "next":"40"}
 *
 * change is created, updated, deleting (waits for finalizers or its grace period) or deleted; time
 * is there where the object itself says it. Pages: ?limit=N, then ?from= what "next" said.
 */
#ifndef CONTROLPLANE_APISERVER_HISTORY_H
#define CONTROLPLANE_APISERVER_HISTORY_H

#include <stdbool.h>

#include "base/str.h"

#define HISTORY_LIMIT     100
#define HISTORY_LIMIT_MAX 1000

/* True when the target is of a history: *target becomes that of the object. */
bool history_target(struct str *target);

#endif
