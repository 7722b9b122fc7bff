/*
 * A controller's decision as text: what is observed in, what it wants done out, one action a line.
 *
 *   "create Pod d/web-?"  "update Node /n1"  "update Pod d/a status"  "delete Pod d/a grace=0"
 *   "patch Pod d/a"  "event Warning SelectingAll"  "confirm-absent Node /n1"  "again 5000"
 */
#ifndef TESTS_UNIT_CONTROLLERS_DECISION_H
#define TESTS_UNIT_CONTROLLERS_DECISION_H

#include "api/client/cache.h"
#include "base/arena.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/memory.h"

/* 2001-09-09T01:46:40Z: every decision is made then. */
#define DECISION_SECONDS 1000000000ll

struct decision_case {
    struct arena arena;
    struct cache *kinds[KIND_COUNT];
    struct lister *listers[KIND_COUNT];
    struct controllers_flags flags;
    const struct err *last_error;
    enum kind last_error_kind;
    struct memory memory;
    uint64_t now_ns; /* of the next decision, by the clock that nobody sets */
    uint64_t revision;
    struct actions actions; /* of the last decision */
};

void decision_init(struct decision_case *c);
void decision_deinit(struct decision_case *c);
/* An object's JSON. uid is "uid-<name>" unless given. */
void decision_add(struct decision_case *c, enum kind kind, const char *json);
/* Decides for a key and compares. */
void decision_check(struct decision_case *c, const struct controller *controller, enum kind kind,
                    const char *namespace, const char *name, const char *want);

#endif
