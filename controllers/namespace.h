/* The namespace controller: empties Terminating namespaces. */
#ifndef CONTROLLERS_NAMESPACE_H
#define CONTROLLERS_NAMESPACE_H

#include "controllers/runtime/controller.h"

struct Namespace;

extern const struct controller namespace_controller;

/* Writes what of the namespace is on its way out into its conditions. True: there is a write. */
bool namespace_tell_remaining(struct world *w, struct actions *out, const struct Namespace *ns);

#endif
