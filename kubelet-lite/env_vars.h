/* A container's environment and its expansion, as upstream builds them. Pure. */
#ifndef KUBELET_LITE_ENV_VARS_H
#define KUBELET_LITE_ENV_VARS_H

#include <stddef.h>

#include "kubelet-lite/fields.h"

struct env_var {
    struct str name;
    struct str value; /* may hold any bytes but NUL */
};

struct env_vars {
    struct env_var *items; /* in order; a name occurs once */
    size_t count;
    size_t capacity;
};

/*
 * envFrom first, then env, later ones winning. -ERR_NOT_FOUND with upstream's text when something
 * that is not optional is missing, -ERR_AGAIN when a source is not known yet.
 */
int container_env(struct arena *a, const struct Pod *pod, const struct Container *c,
                  const struct pod_facts *facts, struct source *source, struct env_vars *out,
                  struct err *e);

/* $(NAME) by vars; $$ is a dollar; what is unknown stays as it is. */
struct str env_expand(struct arena *a, struct str text, const struct env_vars *vars);

#endif
