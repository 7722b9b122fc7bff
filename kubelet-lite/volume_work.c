/* Volumes on the file system: folders, memory mounts, files; and their removal. Pool threads. */
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/env.h"
#include "kubelet-lite/volumes.h"

/* Memory volumes without a limit may hold this much of the node's memory, as the kernel's own
 * default says: 0 leaves it to tmpfs. */
#define MEMORY_SIZE_DEFAULT 0

static int host_missing(const char *path, const char *type, struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "hostPath type check failed: %s is not a %s", path, type);
}

/* The types upstream knows; "" checks nothing but that the path is there, as the runtime would make
 * a folder of a missing one. */
static int check_host(struct env *env, const struct volume *v, struct err *e)
{
    struct env_stat st = { 0 };
    bool there = env_path_stat(env, v->host_path, &st, NULL) == 0;
    const char *type = v->host_type;
    if (strcmp(type, "DirectoryOrCreate") == 0 && !there)
        return env_dir_make(env, v->host_path, 0755, e);
    if (strcmp(type, "FileOrCreate") == 0 && !there) {
        struct env_file *f;
        int rc = env_file_open(env, v->host_path, ENV_FILE_WRITE | ENV_FILE_CREATE, 0644, &f, e);
        if (rc == 0)
            env_file_close(f);
        return rc;
    }
    if (type[0] == '\0')
        return there ? 0 : env_dir_make(env, v->host_path, 0755, e);
    if (!there)
        return host_missing(v->host_path, type, e);
    bool ok = true;
    if (strncmp(type, "Directory", 9) == 0)
        ok = st.is_dir;
    else if (strncmp(type, "File", 4) == 0)
        ok = st.is_file;
    else if (strcmp(type, "Socket") == 0)
        ok = S_ISSOCK(st.mode);
    else if (strcmp(type, "CharDevice") == 0)
        ok = S_ISCHR(st.mode);
    else if (strcmp(type, "BlockDevice") == 0)
        ok = S_ISBLK(st.mode);
    return ok ? 0 : host_missing(v->host_path, type, e);
}

/* Is something mounted at path? Its device differs from its parent's then. */
static bool is_mounted(struct env *env, struct arena *a, const char *path)
{
    struct env_stat here;
    struct env_stat parent;
    if (env_path_lstat(env, path, &here, NULL) != 0 ||
        env_path_stat(env, str_printf(a, "%s/..", path).data, &parent, NULL) != 0)
        return false;
    return here.device != parent.device;
}

static int make_folder(struct env *env, struct arena *a, const char *path, const struct volume *v,
                       struct err *e)
{
    if (env_path_exists(env, path) && (v->kind == VOLUME_EMPTY || is_mounted(env, a, path)))
        return 0;
    int rc = env_dir_make(env, path, 0777, e);
    if (rc == 0 && v->kind == VOLUME_MEMORY)
        rc =
            env_mount_memory(env, path, v->size_bytes > 0 ? v->size_bytes : MEMORY_SIZE_DEFAULT, e);
    if (rc == 0 && v->gid != (gid_t)-1)
        rc = env_path_chown(env, path, (uid_t)-1, v->gid, e);
    /* Any user of the pod may write; the group's bit makes new files the group's. */
    return rc == 0 ? env_path_chmod(env, path, v->gid != (gid_t)-1 ? 02777 : 0777, e) : rc;
}

static int apply_one(struct env *env, struct arena *a, const char *pod_dir, const struct volume *v,
                     struct err *e)
{
    bool changed;
    const char *path = str_printf(a, "%s/volumes/%s", pod_dir, v->name).data;
    switch (v->kind) {
    case VOLUME_HOST:
        return check_host(env, v, e);
    case VOLUME_FILES:
        return atomic_write(env, path, v->files, v->file_count, &changed, e);
    default:
        return make_folder(env, a, path, v, e);
    }
}

int volumes_apply(struct env *env, const char *pod_dir, const struct volume_set *set, struct err *e)
{
    struct arena a;
    int rc = 0;
    arena_init(&a);
    for (size_t i = 0; rc == 0 && i < set->count; i++) {
        rc = apply_one(env, &a, pod_dir, &set->items[i], e);
        if (rc != 0)
            rc = err_wrap(e, rc, "MountVolume.SetUp failed for volume \"%s\"", set->items[i].name);
    }
    arena_deinit(&a);
    return rc;
}

int volumes_clean(struct env *env, const char *pod_dir, struct err *e)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    int rc = 0;
    arena_init(&a);
    const char *volumes = str_printf(&a, "%s/volumes", pod_dir).data;
    if (env_path_exists(env, volumes))
        rc = env_dir_list(env, &a, volumes, &names, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const char *path = str_printf(&a, "%s/%.*s", volumes, STR_ARG(names[i])).data;
        if (is_mounted(env, &a, path))
            rc = env_unmount(env, path, e);
    }
    if (rc == 0 && env_path_exists(env, pod_dir))
        rc = env_remove_tree(env, pod_dir, e);
    arena_deinit(&a);
    return rc;
}

int volume_sub_path(struct env *env, struct arena *a, const char *folder, bool may_make,
                    const char *sub_path, const char **out, struct err *e)
{
    struct str data;
    struct str rest = str_from(sub_path);
    struct str part;
    int rc = atomic_path_check(sub_path, e);
    if (rc != 0)
        return err_wrap(e, rc, "subPath");
    const char *path = folder;
    /* Files of a ConfigMap: its own link is ours, bind what it points to now. */
    if (env_link_read(env, a, str_printf(a, "%s/..data", folder).data, &data, NULL) == 0)
        path = str_printf(a, "%s/%.*s", folder, STR_ARG(data)).data;
    while (str_split(&rest, '/', &part)) {
        struct env_stat st;
        path = str_printf(a, "%s/%.*s", path, STR_ARG(part)).data;
        if (env_path_lstat(env, path, &st, NULL) == 0) {
            if (st.is_link)
                return err_set(e, ERR_INVALID_ARGUMENT, "subPath \"%s\": a symbolic link is on it",
                               sub_path);
            continue;
        }
        if (!may_make)
            return err_set(e, ERR_NOT_FOUND, "subPath \"%s\" does not exist", sub_path);
        if ((rc = env_dir_make(env, path, 0755, e)) != 0)
            return rc;
    }
    *out = path;
    return 0;
}
