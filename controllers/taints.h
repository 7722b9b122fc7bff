/* Taints and tolerations, for node lifecycle and the scheduler. */
#ifndef CONTROLLERS_TAINTS_H
#define CONTROLLERS_TAINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/client/lister.h"
#include "api/proto/core.pb-c.h"

/* One toleration against one taint. */
bool toleration_matches(const Toleration *t, const char *key, const char *value,
                        const char *effect);

/* False: not tolerated. *out_seconds: for how long, the shortest of the tolerations that match; -1:
 * forever. */
bool taint_tolerated_for(const PodSpec *spec, const Taint *taint, int64_t *out_seconds);

/* Do two states of a node (old may be NULL) have different spec.taints? Compares bytes. */
bool taints_differ(const struct lister_item *old, const struct lister_item *now);

#endif
