/* Reading a packed OpenAPI document by field numbers; what is not there fails the test. */
#ifndef TESTS_UNIT_CONTROLPLANE_APISERVER_OPENAPI_GNOSTIC_READ_H
#define TESTS_UNIT_CONTROLPLANE_APISERVER_OPENAPI_GNOSTIC_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The value of the entry of this name in a repeated {1: name, 2: value}. */
struct str entry_of(struct str bytes, unsigned number, const char *name);
size_t count_of(struct str bytes, unsigned number);
/* path: field numbers that end with 0. */
struct str at_path(struct str bytes, const uint8_t *path);

#endif
