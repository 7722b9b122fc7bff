/*
 * pod_plan: what is to be done next for one pod. Pure: desired pod, what the runtime has, what this
 * process did so far and the time go in; a short list of actions comes out, to be done in order. An
 * action that fails ends the list; after the last one the pod is looked at and planned again, so a
 * plan never has to be complete, only right.
 *
 * Life of a pod: PREPARE (folders, cgroup), VOLUMES, RUN_SANDBOX; then per container IMAGE, CREATE,
 * START; init containers one after the other before the rest. When it is to go: STOP (all at once),
 * STOP_SANDBOX, REMOVE_SANDBOX, CLEAN, FINISH. A pod whose containers are done keeps them, for
 * their logs, until it is deleted.
 */
#ifndef KUBELET_LITE_PLAN_H
#define KUBELET_LITE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kubelet-lite/view.h"

struct Container;
struct Pod;

/* CrashLoopBackOff as upstream: the first restart at once, then this doubled up to the maximum; a
 * container that ran for PLAN_BACKOFF_RESET_S begins anew. */
#define PLAN_BACKOFF_MIN_S   10
#define PLAN_BACKOFF_MAX_S   300
#define PLAN_BACKOFF_RESET_S 600
/* A longer list goes on in the next plan. */
#define PLAN_ACTIONS_MAX 32

enum plan_kind {
    PLAN_PREPARE,
    PLAN_VOLUMES,
    PLAN_RUN_SANDBOX,
    PLAN_IMAGE,
    PLAN_CREATE,
    PLAN_START,
    PLAN_STOP, /* consecutive ones are done at the same time */
    PLAN_REMOVE,
    PLAN_STOP_SANDBOX,
    PLAN_REMOVE_SANDBOX,
    PLAN_CLEAN, /* volumes, folders, cgroup */
    PLAN_FINISH /* the pod object goes for good, or this node forgets a pod that is gone */
};

struct plan_action {
    enum plan_kind kind;
    const char *id;                    /* container or sandbox; NULL for START after CREATE */
    const struct Container *container; /* IMAGE, CREATE, START; NULL when only the id is known */
    uint32_t attempt;                  /* CREATE, RUN_SANDBOX */
    uint32_t backoff_level;            /* CREATE */
    int64_t grace_s;                   /* STOP */
};

/* Something failed: not again before until_ns. name: a container's, or "" for the whole pod. */
struct pod_hold {
    const char *name;
    const char *reason; /* shown as the container's waiting reason */
    const char *message;
    uint64_t until_ns; /* wall clock */
};

struct pod_input {
    const struct Pod *pod; /* NULL: nothing but its remains in the runtime is known */
    bool known;            /* the API has it */
    const char *refused;   /* a field this node does not support; NULL: none */
    const struct pod_view *view;
    bool prepared; /* PREPARE was done by this process */
    bool mounted;  /* VOLUMES was done by this process and nothing changed since */
    bool cleaned;  /* CLEAN was done */
    const struct pod_hold *holds;
    size_t hold_count;
    uint64_t now_ns; /* wall clock */
};

struct plan {
    struct plan_action actions[PLAN_ACTIONS_MAX];
    size_t count;
    uint64_t wake_ns; /* plan again at this time at the latest; 0: only when something happens */
    bool going;       /* the pod is on its way out */
};

void pod_plan(const struct pod_input *in, struct plan *out);

/* Is the pod done: containers ended and none will be started again? */
bool pod_finished(const struct Pod *pod, const struct pod_view *view);
/* Has every init container done its work? */
bool pod_initialized(const struct Pod *pod, const struct pod_view *view);
/* Does the pod name such a container, of whichever kind: its own, an init, an ephemeral one? */
bool pod_has_container(const struct Pod *pod, const char *name);
/* May this ended container run again under the pod's restart policy? */
bool pod_restarts(const struct Pod *pod, const struct seen_container *ended, bool init);
/* When a container that ended may start again (wall clock); *out_delay_s is its back-off. */
uint64_t pod_restart_ns(const struct seen_container *ended, uint32_t *out_delay_s);
/* The hold of this name that has not run out, or NULL. */
const struct pod_hold *pod_hold(const struct pod_input *in, const char *name);
/* Text that changes when a running container must be replaced: of name and image. */
#define CONTAINER_HASH_BYTES 17
void container_hash(const struct Container *c, char out[CONTAINER_HASH_BYTES]);

#endif
