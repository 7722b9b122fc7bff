/*
 * Volumes: first a pure look at the pod (which folder, which files with which bytes), then the work
 * on the file system, on a pool thread. Everything lies below <root>/pods/<uid>/volumes/<name>.
 */
#ifndef KUBELET_LITE_VOLUMES_H
#define KUBELET_LITE_VOLUMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kubelet-lite/atomic_writer.h"
#include "kubelet-lite/fields.h"

enum volume_kind { VOLUME_EMPTY, VOLUME_MEMORY, VOLUME_HOST, VOLUME_FILES };

struct volume {
    const char *name;
    enum volume_kind kind;
    uint64_t size_bytes;   /* VOLUME_MEMORY: 0: none */
    const char *host_path; /* VOLUME_HOST */
    const char *host_type;
    struct volume_file *files; /* VOLUME_FILES */
    size_t file_count;
    size_t file_capacity;
    gid_t gid; /* of spec.securityContext.fsGroup, or (gid_t)-1 */
};

struct volume_set {
    struct volume *items;
    size_t count;
};

/* Reads what the pod's volumes need. -ERR_NOT_FOUND with upstream's text, -ERR_AGAIN. The bytes
 * live in the arena. */
int volumes_resolve(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                    struct source *source, struct volume_set *out, struct err *e);
/* Calls visit for each ConfigMap and Secret the pod's volumes and environments name. */
void pod_sources(const struct Pod *pod, void (*visit)(void *ctx, enum kind kind, const char *name),
                 void *ctx);
/* Where a volume lies on the node; host paths are their own. In the arena. */
const char *volume_folder(struct arena *a, const char *pod_dir, const struct Pod *pod,
                          const char *name);

/* ---- blocking: a pool thread ---- */

int volumes_apply(struct env *env, const char *pod_dir, const struct volume_set *set,
                  struct err *e);
/* Unmounts what is mounted below pod_dir and removes all of it. */
int volumes_clean(struct env *env, const char *pod_dir, struct err *e);
/* The path to bind for a mount with subPath: made as a folder when missing; links that a container
 * could have planted are refused. */
int volume_sub_path(struct env *env, struct arena *a, const char *folder, bool may_make,
                    const char *sub_path, const char **out, struct err *e);

#endif
