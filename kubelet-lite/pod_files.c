/* What an action does on a pool thread: folders, cgroups, volumes, /etc/hosts. The work owns copies
 * of all it touches. */
#include <string.h>

#include "base/assert.h"
#include "kubelet-lite/pod.h"

#define FOLDER_MODE 0750

void pod_work_begin(struct pod *p)
{
    struct pod_work *w = &p->work;
    arena_reset(&w->arena);
    struct arena arena = w->arena;
    *w = (struct pod_work){ .arena = arena, .env = env_of(p->pods->config.loop) };
    w->pod_dir = str_printf(&w->arena, "%s/pods/%s", p->pods->config.root, p->uid).data;
    w->log_dir = str_printf(&w->arena, "%s/logs/%s_%s_%s", p->pods->config.root, p->namespace,
                            p->name, p->uid)
                     .data;
    w->hosts_path = str_printf(&w->arena, "%s/etc-hosts", w->pod_dir).data;
    if (p->spec != NULL) {
        w->cgroup = str_printf(&w->arena, "%s/%s/pod%s", p->pods->config.cgroup_root,
                               qos_folder(pod_qos(p->spec)), p->uid)
                        .data;
        pod_cgroup(p->spec, &w->values);
    }
}

static void on_pool(struct env_work *work)
{
    struct pod_work *w = container_of(work, struct pod_work, work);
    w->status = w->run(w, &w->err);
}

static void on_pool_done(struct env_work *work)
{
    struct pod_work *w = container_of(work, struct pod_work, work);
    pod_worked(container_of(w, struct pod, work), w->status, &w->err);
}

void pod_work_start(struct pod *p, int (*run)(struct pod_work *w, struct err *e))
{
    p->work.run = run;
    p->work.err = (struct err){ 0 };
    env_work(p->pods->config.loop, &p->work.work, on_pool, on_pool_done);
}

/* ---- the works ---- */

int pod_work_prepare(struct pod_work *w, struct err *e)
{
    int rc = env_dir_make(w->env, w->pod_dir, FOLDER_MODE, e);
    if (rc == 0)
        rc = env_dir_make(w->env, w->log_dir, 0755, e);
    if (rc == 0)
        rc = cgroup_make(w->env, w->cgroup, &w->values, e);
    return rc;
}

int pod_work_volumes(struct pod_work *w, struct err *e)
{
    return volumes_apply(w->env, w->pod_dir, &w->volumes, e);
}

/* In place and not replaced: running containers have the file itself mounted. */
static int write_hosts(struct pod_work *w, struct err *e)
{
    struct env_file *f;
    int rc = env_file_open(w->env, w->hosts_path, ENV_FILE_WRITE | ENV_FILE_CREATE, 0644, &f, e);
    if (rc != 0)
        return rc;
    rc = env_file_pwrite(f, 0, w->hosts, e);
    if (rc == 0)
        rc = env_file_truncate(f, w->hosts.len, e);
    env_file_close(f);
    return rc != 0 ? rc : env_path_chmod(w->env, w->hosts_path, 0644, e);
}

int pod_work_create(struct pod_work *w, struct err *e)
{
    int rc = w->hosts.len > 0 ? write_hosts(w, e) : 0;
    for (size_t i = 0; rc == 0 && i < w->mount_count; i++) {
        if (w->sub_paths[i][0] == '\0')
            w->mounts[i] = w->folders[i];
        else
            rc = volume_sub_path(w->env, &w->arena, w->folders[i], true, w->sub_paths[i],
                                 &w->mounts[i], e);
    }
    return rc;
}

/* Whatever QoS the pod had: its spec may be unknown by now. */
static int remove_cgroups(struct pod_work *w, struct err *e)
{
    int rc = 0;
    if (w->cgroup != NULL)
        return cgroup_remove(w->env, w->cgroup, e);
    const char *root = w->folders[0];
    for (int qos = QOS_GUARANTEED; qos <= QOS_BEST_EFFORT; qos++) {
        const char *path =
            str_printf(&w->arena, "%s/%s/pod%s", root, qos_folder((enum qos)qos), w->folders[1])
                .data;
        int one = cgroup_remove(w->env, path, e);
        rc = rc != 0 ? rc : one;
    }
    return rc;
}

int pod_work_clean(struct pod_work *w, struct err *e)
{
    int rc = volumes_clean(w->env, w->pod_dir, e);
    if (rc == 0 && env_path_exists(w->env, w->log_dir))
        rc = env_remove_tree(w->env, w->log_dir, e);
    if (rc == 0)
        rc = remove_cgroups(w, e);
    return rc;
}
