/*
 * Files that change together: the layout every reader of a mounted ConfigMap expects.
 *
 *   folder/..data        -> ..1763800000000000000     (the link that is replaced atomically)
 *   folder/..1763.../a   the files
 *   folder/a             -> ..data/a
 *
 * A reader that resolves ..data once sees one generation whole. Blocking: on a pool thread.
 */
#ifndef KUBELET_LITE_ATOMIC_WRITER_H
#define KUBELET_LITE_ATOMIC_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct env;

struct volume_file {
    const char *path; /* relative, without ..; folders are made */
    struct str bytes;
    mode_t mode;
    gid_t gid; /* (gid_t)-1: unchanged */
};

/* Makes folder hold exactly these files. *out_changed false: it did already, nothing was touched.
 */
int atomic_write(struct env *env, const char *folder, const struct volume_file *files, size_t count,
                 bool *out_changed, struct err *e);
/* -ERR_INVALID_ARGUMENT for absolute paths, empty ones and any that leave the folder. */
int atomic_path_check(const char *path, struct err *e);

#endif
