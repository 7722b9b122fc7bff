/*
 * Objects from short JSON and what the rules say about them, for the tests of this folder. JSON is
 * written with ' for ". Everything lives until fixture_deinit.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_RESOURCES_FIXTURE_H
#define TESTS_UNIT_CONTROLPLANE_RESOURCES_FIXTURE_H

#include <stddef.h>

#include "base/arena.h"
#include "controlplane/resources/registry.h"

/* 2023-11-14T22:13:20Z, the "now" of every test. */
#define FIXTURE_NOW_SECONDS 1700000000

struct fixture {
    struct arena arena;
    struct resource_context context;
};

void fixture_init(struct fixture *f);
void fixture_deinit(struct fixture *f);

/* Decoded strictly; a fault in the JSON fails the test. */
void *fixture_decode(struct fixture *f, enum kind kind, const char *json);
/* Decoded and defaulted. */
void *fixture_object(struct fixture *f, enum kind kind, const char *json);
/* The object as JSON. */
const char *fixture_json(struct fixture *f, enum kind kind, const void *object);
/* The object as the store keeps it (no header). */
struct str fixture_payload(struct fixture *f, enum kind kind, const void *object);
/* Text of all errors of a create; "" when there is none. */
const char *fixture_create_errors(struct fixture *f, enum kind kind, const char *json);
/* Text of all errors of an update from old to json, as the API server runs it. */
const char *fixture_update_errors(struct fixture *f, enum kind kind, const char *old,
                                  const char *json);
/* What a valid object is told of itself, a line each; old: NULL when it is new. */
const char *fixture_warnings(struct fixture *f, enum kind kind, const char *json, const void *old);
/* Cells joined by '|'. */
const char *fixture_cells(struct fixture *f, enum kind kind, const char *json);

/* A table of creates: each JSON must give exactly this text. */
struct create_case {
    const char *json;
    const char *errors;
};

void fixture_check_creates(enum kind kind, const struct create_case *cases, size_t count);

struct update_case {
    const char *old;
    const char *json;
    const char *errors;
};

void fixture_check_updates(enum kind kind, const struct update_case *cases, size_t count);
/* The same of writes of the status. */
void fixture_check_statuses(enum kind kind, const struct update_case *cases, size_t count);

/* As creates: the first is the object, the second its cells. */
void fixture_check_cells(enum kind kind, const struct create_case *cases, size_t count);

#endif
