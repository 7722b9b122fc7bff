/*
 * The members' API over a real store of one member, asked over HTTP: calls that wait. The rows are
 * what a test writes.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_MEMBERS_WORLD_H
#define TESTS_UNIT_CONTROLPLANE_MEMBERS_WORLD_H

#include "api/schema/json.h"
#include "base/arena.h"
#include "controlplane/members_op.h"
#include "net/client.h"
#include "net/pki.h"
#include "store/roster.h"
#include "tests/unit/controlplane/bus/harness.h"

struct members_world {
    struct harness *h;
    struct members_api *api;
    struct http_server *server;
    struct http_request request;
    const char *method;
    const char *target;
    const char *body;
    bool verified;
    bool done;
    int status;
    const struct json *answer; /* NULL: none, or no JSON */
    struct arena arena;
    struct pki_pair ca;
    /* A test's own verbs, before the API's; may be NULL. */
    bool (*also)(struct members_world *w, struct http_exchange *x);
    char folder[96]; /* the cluster's */
};

int members_world_setup(void **state);
int members_world_teardown(void **state);

/* The HTTP status; 0: not ours. */
int members_world_call(struct members_world *w, const char *method, const char *target,
                       const char *body);
struct str members_world_text(const struct members_world *w, const char *field);
/* member 1, "solo", votes; the next id is 2. */
void members_world_first_row(struct members_world *w);
struct roster members_world_roster(struct members_world *w);

#endif
