/* Pod cgroups in every hierarchy (see the header). */
#include "kubelet-lite/cgroup.h"

#include <string.h>

#include "base/arena.h"
#include "base/env.h"

#define CONTROLLERS_V2 "+cpu +memory +pids +cpuset +io"

struct hierarchies {
    const char **roots; /* "/sys/fs/cgroup/memory", or the one of v2 */
    size_t count;
    bool unified;
};

static void find_hierarchies(struct env *env, struct arena *a, struct hierarchies *out)
{
    struct str *names;
    size_t count = 0;
    *out = (struct hierarchies){ 0 };
    if (env_path_exists(env, CGROUP_MOUNT "/cgroup.controllers")) {
        out->roots = arena_array(a, 1, sizeof *out->roots);
        out->roots[0] = CGROUP_MOUNT;
        out->count = 1;
        out->unified = true;
        return;
    }
    if (env_dir_list(env, a, CGROUP_MOUNT, &names, &count, NULL) != 0)
        return;
    out->roots = arena_array(a, count, sizeof *out->roots);
    for (size_t i = 0; i < count; i++) {
        struct env_stat st;
        const char *root = str_printf(a, CGROUP_MOUNT "/%.*s", STR_ARG(names[i])).data;
        /* Links ("cpu" to "cpu,cpuacct") and folders without a hierarchy are not meant. */
        if (env_path_lstat(env, root, &st, NULL) == 0 && st.is_dir &&
            env_path_exists(env, str_printf(a, "%s/cgroup.procs", root).data))
            out->roots[out->count++] = root;
    }
}

static int put(struct env *env, const char *path, struct str value, struct err *e)
{
    struct env_file *f;
    int rc = env_file_open(env, path, ENV_FILE_WRITE, 0, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_pwrite(f, 0, value, e);
    env_file_close(f);
    return rc;
}

static int put_if_there(struct env *env, struct arena *a, const char *folder, const char *file,
                        struct str value, struct err *e)
{
    const char *path = str_printf(a, "%s/%s", folder, file).data;
    return env_path_exists(env, path) ? put(env, path, value, e) : 0;
}

int64_t cgroup_weight(int64_t shares)
{
    return 1 + (shares - CGROUP_SHARES_MIN) * 9999 / (CGROUP_SHARES_MAX - CGROUP_SHARES_MIN);
}

static int limit(struct env *env, struct arena *a, const char *folder,
                 const struct cgroup_values *v, bool unified, struct err *e)
{
    struct str shares = str_printf(a, "%lld", (long long)v->cpu_shares);
    struct str quota = str_printf(a, "%lld", (long long)v->cpu_quota_us);
    struct str memory = str_printf(a, "%lld", (long long)v->memory_limit);
    int rc = 0;
    if (unified) {
        struct str weight = str_printf(a, "%lld", (long long)cgroup_weight(v->cpu_shares));
        rc = put_if_there(env, a, folder, "cpu.weight", weight, e);
        if (rc == 0 && v->cpu_quota_us > 0)
            rc = put_if_there(env, a, folder, "cpu.max",
                              str_printf(a, "%.*s %d", STR_ARG(quota), CGROUP_PERIOD_US), e);
        if (rc == 0 && v->memory_limit > 0)
            rc = put_if_there(env, a, folder, "memory.max", memory, e);
        return rc;
    }
    rc = put_if_there(env, a, folder, "cpu.shares", shares, e);
    if (rc == 0 && v->cpu_quota_us > 0)
        rc = put_if_there(env, a, folder, "cpu.cfs_quota_us", quota, e);
    if (rc == 0 && v->memory_limit > 0)
        rc = put_if_there(env, a, folder, "memory.limit_in_bytes", memory, e);
    return rc;
}

/* On v2 every folder on the way must hand its controllers down. */
static void delegate(struct env *env, struct arena *a, const char *root, const char *path)
{
    for (size_t i = 1; path[i] != '\0'; i++)
        if (path[i] == '/') {
            const char *folder = str_printf(a, "%s%.*s", root, (int)i, path).data;
            /* What the kernel does not have it refuses; limits then show what is missing. */
            (void)put_if_there(env, a, folder, "cgroup.subtree_control", str_lit(CONTROLLERS_V2),
                               NULL);
        }
}

int cgroup_make(struct env *env, const char *path, const struct cgroup_values *v, struct err *e)
{
    struct arena a;
    struct hierarchies h;
    int rc = 0;
    arena_init(&a);
    find_hierarchies(env, &a, &h);
    for (size_t i = 0; rc == 0 && i < h.count; i++) {
        const char *folder = str_printf(&a, "%s%s", h.roots[i], path).data;
        rc = env_dir_make(env, folder, 0755, e);
        if (rc == 0 && h.unified)
            delegate(env, &a, h.roots[i], path);
        if (rc == 0)
            rc = limit(env, &a, folder, v, h.unified, e);
    }
    arena_deinit(&a);
    return rc;
}

/* A leaf the runtime left behind goes first. */
static int remove_folder(struct env *env, struct arena *a, const char *folder, struct err *e)
{
    struct str *names;
    size_t count = 0;
    if (env_dir_list(env, a, folder, &names, &count, NULL) != 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct env_stat st;
        const char *child = str_printf(a, "%s/%.*s", folder, STR_ARG(names[i])).data;
        if (env_path_lstat(env, child, &st, NULL) == 0 && st.is_dir)
            (void)env_path_remove(env, child, NULL); /* the parent's removal tells */
    }
    int rc = env_path_remove(env, folder, e);
    return rc == -ERR_NOT_FOUND ? 0 : rc;
}

int cgroup_remove(struct env *env, const char *path, struct err *e)
{
    struct arena a;
    struct hierarchies h;
    int rc = 0;
    arena_init(&a);
    find_hierarchies(env, &a, &h);
    for (size_t i = 0; i < h.count; i++) {
        int one = remove_folder(env, &a, str_printf(&a, "%s%s", h.roots[i], path).data, e);
        rc = rc != 0 ? rc : one;
    }
    arena_deinit(&a);
    return rc;
}
