/* The pods of this node: what the API wants, what the runtime has, and the way from one to the
 * other. The agent feeds it and is told what happens. */
#ifndef KUBELET_LITE_PODS_H
#define KUBELET_LITE_PODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client/lister.h"

struct Runtime__V1__ListContainersResponse;
struct Runtime__V1__ListPodSandboxResponse;
struct client;
struct cri;
struct env_loop;
struct events;
struct images;
struct pods;
struct sources;

struct pods_config {
    struct env_loop *loop;
    struct client *client;
    struct cri *cri;
    struct images *images;
    struct sources *sources;
    struct events *events;
    const char *root;        /* pods/, logs/ below it */
    const char *cgroup_root; /* "/gantry-x/node-1" */
    const char *node_name;
    const char *node_ip;
    int64_t node_cpu_milli;
    int64_t node_memory;
    size_t starts_max; /* pods that keep the runtime busy at once */
    /* A step of a pod's life (cluster.scheduling); value: exit code of "exited". */
    void (*step)(void *ctx, const char *step, const char *namespace, const char *name,
                 const char *uid, const char *container, int64_t value);
    void *ctx;
};

struct pods *pods_new(const struct pods_config *config); /* strings are borrowed */
/* From here on nothing new is begun. */
void pods_close(struct pods *p);
/* Everything under way has ended (the runtime's and the API's clients are closed). */
void pods_free(struct pods *p);

/* ---- from the API ---- */
void pods_upsert(struct pods *p, struct lister *lister, const struct lister_item *item);
void pods_removed(struct pods *p, const struct lister_item *item);
/* The list of pods is complete: what the runtime has beyond it may go. */
void pods_synced(struct pods *p);
void pods_source_changed(struct pods *p, enum kind kind, const char *namespace, const char *name);

/* ---- from the runtime ---- */
/* A complete list: pods whose part of it differs from the last look are looked at. */
void pods_relisted(struct pods *p, const struct Runtime__V1__ListPodSandboxResponse *sandboxes,
                   const struct Runtime__V1__ListContainersResponse *containers);

/* Something of this container or sandbox ended, or soon will have: a hint, nothing more. */
void pods_hint(struct pods *p, const char *id);

/* ---- for the log server and the samples ---- */
struct pods_log {
    char path[1024];
    bool running; /* more may come */
};
/* -ERR_NOT_FOUND, -ERR_INVALID_ARGUMENT (waiting to start) with upstream's text. */
int pods_log_path(struct pods *p, struct str namespace, struct str name, struct str container,
                  bool previous, struct pods_log *out, struct err *e);
/* Where exec, attach and port-forward of a pod go. */
struct pods_stream {
    const char *container_id; /* running; "" without a container */
    const char *sandbox_id;
};
/* container absent: only the sandbox is wanted. -ERR_NOT_FOUND (no such pod), -ERR_INTERNAL (no
 * such container, or it does not run), with upstream's text, of which attach has its own. The ids
 * live until the loop's turn ends. */
int pods_stream_target(struct pods *p, struct str namespace, struct str name, struct str container,
                       bool attach, struct pods_stream *out, struct err *e);
struct pods_load {
    size_t count;
    size_t waiting;
    size_t busy;
    uint64_t added;     /* since start */
    uint64_t completed; /* since start */
};
void pods_load(const struct pods *p, struct pods_load *out);

#endif
