/* The ..data layout (see the header). */
#include "kubelet-lite/atomic_writer.h"

#include <string.h>

#include "base/arena.h"
#include "base/env.h"

#define FILE_BYTES_MAX (2u << 20) /* above any ConfigMap or Secret */
#define PATH_PARTS_MAX 32

struct writer {
    struct env *env;
    struct arena *a;
    const char *folder;
    const struct volume_file *files;
    size_t count;
    struct err *e;
};

int atomic_path_check(const char *path, struct err *e)
{
    struct str rest = str_from(path);
    struct str part;
    size_t parts = 0;
    if (path[0] == '\0' || path[0] == '/')
        return err_set(e, ERR_INVALID_ARGUMENT, "invalid path \"%s\": must be relative", path);
    while (str_split(&rest, '/', &part)) {
        if (str_eq_c(part, "..") || (parts == 0 && str_starts(part, str_lit(".."))))
            return err_set(e, ERR_INVALID_ARGUMENT, "invalid path \"%s\": must not contain '..'",
                           path);
        if (++parts > PATH_PARTS_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "invalid path: more than %d folders deep",
                           PATH_PARTS_MAX);
    }
    return 0;
}

static const char *join(struct writer *w, const char *folder, struct str name)
{
    return str_printf(w->a, "%s/%.*s", folder, STR_ARG(name)).data;
}

/* The first part of a path: what the folder itself shows. */
static struct str top_of(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash != NULL ? str_of(path, (size_t)(slash - path)) : str_from(path);
}

static bool wanted(const struct writer *w, struct str name)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_eq(top_of(w->files[i].path), name))
            return true;
    return false;
}

/* Is every file there with these bytes and this mode, and no other at the top? */
static bool same(struct writer *w, const char *now)
{
    struct str *names;
    size_t n = 0;
    struct str bytes;
    struct env_stat st;
    if (env_dir_list(w->env, w->a, now, &names, &n, NULL) != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!wanted(w, names[i]))
            return false;
    for (size_t i = 0; i < w->count; i++) {
        const char *path = join(w, now, str_from(w->files[i].path));
        if (env_path_stat(w->env, path, &st, NULL) != 0 || (st.mode & 07777) != w->files[i].mode ||
            st.size != w->files[i].bytes.len)
            return false;
        if (env_file_read(w->env, w->a, path, FILE_BYTES_MAX, &bytes, NULL) != 0 ||
            !str_eq(bytes, w->files[i].bytes))
            return false;
    }
    return true;
}

static int write_one(struct writer *w, const char *folder, const struct volume_file *f)
{
    const char *path = join(w, folder, str_from(f->path));
    const char *slash = strrchr(path, '/');
    const char *parent = str_dup(w->a, str_of(path, (size_t)(slash - path)));
    struct env_file *file;
    int rc = env_dir_make(w->env, parent, 0755, w->e);
    if (rc == 0)
        rc = env_file_open(w->env, path, ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_TRUNCATE,
                           f->mode, &file, w->e);
    if (rc != 0)
        return rc;
    rc = env_file_pwrite(file, 0, f->bytes, w->e);
    env_file_close(file);
    if (rc == 0 && f->gid != (gid_t)-1)
        rc = env_path_chown(w->env, path, (uid_t)-1, f->gid, w->e);
    /* After the umask had its say, and chown took the special bits. */
    return rc == 0 ? env_path_chmod(w->env, path, f->mode, w->e) : rc;
}

/* Links at the top for what is there now; none for what is gone. */
static int relink(struct writer *w)
{
    struct str *names;
    size_t n = 0;
    int rc = env_dir_list(w->env, w->a, w->folder, &names, &n, w->e);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (!str_starts(names[i], str_lit("..")) && !wanted(w, names[i]))
            rc = env_path_remove(w->env, join(w, w->folder, names[i]), w->e);
    for (size_t i = 0; rc == 0 && i < w->count; i++) {
        struct str top = top_of(w->files[i].path);
        struct env_stat st;
        const char *link = join(w, w->folder, top);
        if (env_path_lstat(w->env, link, &st, NULL) == 0 && st.is_link)
            continue;
        rc = env_link_set(w->env, str_printf(w->a, "..data/%.*s", STR_ARG(top)).data, link, w->e);
    }
    return rc;
}

/* Generations nothing points to any more. */
static void sweep(struct writer *w, struct str current)
{
    struct str *names;
    size_t n = 0;
    if (env_dir_list(w->env, w->a, w->folder, &names, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (str_starts(names[i], str_lit("..")) && !str_eq_c(names[i], "..data") &&
            !str_eq(names[i], current))
            (void)env_remove_tree(w->env, join(w, w->folder, names[i]), NULL); /* next time */
}

static int write_all(struct writer *w, bool *out_changed)
{
    struct str now = { 0 };
    const char *data = join(w, w->folder, str_lit("..data"));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->count; i++)
        rc = atomic_path_check(w->files[i].path, w->e);
    if (rc == 0)
        rc = env_dir_make(w->env, w->folder, 0755, w->e);
    if (rc != 0)
        return rc;
    *out_changed = false;
    if (env_link_read(w->env, w->a, data, &now, NULL) == 0 && same(w, join(w, w->folder, now)))
        return relink(w);
    struct str fresh = str_printf(w->a, "..%llu", (unsigned long long)env_wall_ns(w->env));
    const char *folder = join(w, w->folder, fresh);
    rc = env_dir_make(w->env, folder, 0755, w->e);
    for (size_t i = 0; rc == 0 && i < w->count; i++)
        rc = write_one(w, folder, &w->files[i]);
    if (rc == 0)
        rc = env_link_set(w->env, fresh.data, data, w->e);
    if (rc == 0)
        rc = relink(w);
    if (rc == 0) {
        *out_changed = true;
        sweep(w, fresh);
    }
    return rc;
}

int atomic_write(struct env *env, const char *folder, const struct volume_file *files, size_t count,
                 bool *out_changed, struct err *e)
{
    struct arena a;
    arena_init(&a);
    struct writer w = { env, &a, folder, files, count, e };
    int rc = write_all(&w, out_changed);
    arena_deinit(&a);
    return rc;
}
