/*
 * Conditions of unpacked objects.
 *
 * Every API type has its own condition message with the fields type, status, reason, message and
 * lastTransitionTime (and some more); the functions here work on the protobuf-c descriptor, so one
 * find and one set serve all of them. A condition's transition time moves only when its status
 * does.
 */
#ifndef API_META_CONDITION_H
#define API_META_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* conditions: an array of protobuf-c messages that have a field `type`. NULL when absent. */
void *condition_find(const void *conditions, size_t count, const char *type);
/* "True", "False", "Unknown"; NULL when the condition is absent. */
const char *condition_status(const void *conditions, size_t count, const char *type);
bool condition_is_true(const void *conditions, size_t count, const char *type);

struct condition_value {
    const char *type;
    const char *status;
    const char *reason;
    const char *message;
    int64_t generation; /* of the object it was found at, where the type says that; 0: not said */
};

/*
 * Sets or appends a condition. `message` is any struct with a conditions field at
 * (*conditions, *count): pass &status->conditions and &status->n_conditions; descriptor is the
 * element's protobuf-c descriptor. New elements and arrays live in the arena; an existing element
 * is replaced by a changed copy, never written in place. Returns true when anything changed.
 */
bool condition_set(struct arena *a, const void *descriptor, void *conditions, size_t *count,
                   const struct condition_value *value, uint64_t now_wall_ns);

#endif
