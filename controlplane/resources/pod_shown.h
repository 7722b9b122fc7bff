/*
 * How two specs of pods, or ephemeral containers, differ, as upstream adds it to a refusal: by the
 * lines of its own structs in JSON. Private to controlplane/resources.
 */
#ifndef CONTROLPLANE_RESOURCES_POD_SHOWN_H
#define CONTROLPLANE_RESOURCES_POD_SHOWN_H

#include <stddef.h>

struct arena;
struct schema;

/* What all differences of one request may cost: lines compared. */
#define POD_SHOWN_STEPS_MAX (4u << 20)
/* No spec of more than that is shown: upstream has no bound, and its answer would be as large. */
#define POD_SHOWN_BYTES_MAX (256u << 10)

/* detail, a line feed, and how `is` differs from `was`, messages of s; *steps is what is left of
 * POD_SHOWN_STEPS_MAX. The detail alone when that would be too much. */
const char *pod_shown_difference(struct arena *a, const char *detail, const struct schema *s,
                                 const void *was, const void *is, size_t *steps);

#endif
