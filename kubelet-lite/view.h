/*
 * What the container runtime has of one pod, as the plan and the status see it: plain data built
 * from CRI lists and statuses, in one arena. The agent keeps no truth of its own: names, attempts
 * and back-off travel in the runtime's metadata, labels and annotations (the LABEL_ and ANNOTATION_
 * keys below).
 */
#ifndef KUBELET_LITE_VIEW_H
#define KUBELET_LITE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LABEL_POD_NAME       "io.kubernetes.pod.name"
#define LABEL_POD_NAMESPACE  "io.kubernetes.pod.namespace"
#define LABEL_POD_UID        "io.kubernetes.pod.uid"
#define LABEL_CONTAINER_NAME "io.kubernetes.container.name"

#define ANNOTATION_HASH      "io.kubernetes.container.hash"
#define ANNOTATION_GRACE     "io.kubernetes.pod.terminationGracePeriod"
#define ANNOTATION_BACKOFF   "gantry.io/backoff-level"

/* Grace of a pod that says none, as the API's default. */
#define VIEW_GRACE_DEFAULT_S 30

struct arena;
struct Runtime__V1__Container;
struct Runtime__V1__ContainerStatus;
struct Runtime__V1__PodSandbox;

enum seen_state { SEEN_CREATED, SEEN_RUNNING, SEEN_EXITED };

struct seen_sandbox {
    const char *id;
    const char *uid;
    const char *name;
    const char *namespace;
    uint32_t attempt;
    bool ready;
    int64_t created_ns;
    const char *ip; /* "" when not known (or host network) */
    bool ip_known;  /* a status was read while it was ready */
};

struct seen_container {
    const char *id;
    const char *sandbox_id;
    const char *name;
    uint32_t attempt;
    enum seen_state state;
    const char *hash;
    uint32_t backoff_level;
    int64_t grace_s;
    const char *image;    /* the name the runtime has it by */
    const char *image_id; /* imageID of the status */
    int64_t created_ns;   /* since 1970 */
    int64_t started_ns;
    int64_t finished_ns;
    int32_t exit_code;
    const char *reason;
    const char *message;
    bool detailed; /* a status of this state was read */
};

struct pod_view {
    struct seen_sandbox *sandboxes;
    size_t sandbox_count;
    struct seen_container *containers;
    size_t container_count;
};

/* Copies into the arena. */
void view_sandbox(struct arena *a, const struct Runtime__V1__PodSandbox *from,
                  struct seen_sandbox *out);
void view_container(struct arena *a, const struct Runtime__V1__Container *from,
                    struct seen_container *out);
/* Takes over what only a status says. */
void view_container_status(struct arena *a, const struct Runtime__V1__ContainerStatus *from,
                           struct seen_container *out);
/* The same from a status alone: all but the sandbox, which out names already. */
void view_container_made(struct arena *a, const struct Runtime__V1__ContainerStatus *from,
                         struct seen_container *out);
struct pod_view *view_copy(struct arena *a, const struct pod_view *from);

/* The newest sandbox (highest attempt, then creation), or NULL. */
const struct seen_sandbox *view_sandbox_current(const struct pod_view *v);
/* The newest container of this name in any sandbox, and the one before it; or NULL. */
const struct seen_container *view_latest(const struct pod_view *v, const char *name);
const struct seen_container *view_previous(const struct pod_view *v, const char *name);
/* The number of a pod of which the runtime has nothing. */
#define VIEW_MARK_NOTHING 1
/* One number for ids and states: a list with another one needs a look. Independent of order. */
uint64_t view_mark_sandbox(const char *id, bool ready);
uint64_t view_mark_container(const char *id, enum seen_state state);

#endif
