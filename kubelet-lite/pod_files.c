/*
 * What an action does on a pool thread: folders, cgroups, volumes, /etc/hosts. The work owns copies
 * of all it touches.
 *
 * And the beginning of a pod (pod_begin): its files, its sandbox and the look for its first image
 * are made at the same time, as none needs another; the slowest one, the sandbox, hides the rest.
 */
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/runtime.pb-c.h"
#include "base/assert.h"
#include "base/log.h"
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

/* The hosts file is there from the beginning: the runtime would make a folder of a missing one. */
static int make_places(struct pod_work *w, struct err *e)
{
    struct env_file *f = NULL;
    int rc = env_dir_make(w->env, w->pod_dir, FOLDER_MODE, e);
    if (rc == 0)
        rc = env_dir_make(w->env, w->log_dir, 0755, e);
    if (rc == 0)
        rc = env_file_open(w->env, w->hosts_path, ENV_FILE_WRITE | ENV_FILE_CREATE, 0644, &f, e);
    if (rc == 0) {
        env_file_close(f);
        rc = cgroup_make(w->env, w->cgroup, &w->values, e);
    }
    return rc;
}

int pod_work_prepare(struct pod_work *w, struct err *e)
{
    int rc = w->prepare ? make_places(w, e) : 0;
    w->mounting = rc == 0 && w->mount;
    return w->mounting ? volumes_apply(w->env, w->pod_dir, &w->volumes, e) : rc;
}

int pod_work_hosts(struct pod_work *w, struct err *e)
{
    return write_hosts(w, e);
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

/* ---- the beginning ---- */

static int read_source(struct source *s, struct arena *a, enum kind kind, const char *name,
                       struct source_entry **out, size_t *out_count, struct err *e)
{
    struct pod *p = container_of(s, struct pod_source, base)->pod;
    return sources_read(p->pods->config.sources, a, kind, p->namespace, name, out, out_count, e);
}

struct pod_source pod_source(struct pod *p)
{
    return (struct pod_source){ { read_source }, p };
}

/* The last part to end goes on behind the group's last action. */
static void part_ended(struct pod *p, int status)
{
    if (status != 0 && p->parts_status == 0)
        p->parts_status = status;
    ASSERT(p->parts > 0);
    if (--p->parts > 0)
        return;
    if (p->parts_status == 0)
        pod_fail_clear(p, "");
    pod_action_done(p, p->parts_status);
}

static void fail_part(struct pod *p, int status, const struct err *e, uint64_t first_s,
                      uint64_t max_s)
{
    if (!pod_runtime_away(status))
        pod_fail(p, "", "", e->msg, pod_wall(p) + pod_backoff_ns(p, "", first_s, max_s));
    part_ended(p, status);
}

void pod_begin_worked(struct pod *p, int status, const struct err *e)
{
    struct pod_work *w = &p->work;
    if (w->prepare && (status == 0 || w->mounting))
        p->prepared = true;
    if (w->mounting && status == 0)
        p->mounted = !p->volumes_stale;
    if (status == 0) {
        part_ended(p, 0);
        return;
    }
    log_warn("files of a pod", KV("pod", p->name), KV("why", e->msg));
    pod_event(p, NULL, false, true, w->mounting ? "FailedMount" : "Failed", "%s", e->msg);
    fail_part(p, status, e, VOLUME_BACKOFF_S);
}

static void on_sandbox_run(struct cri_call *c)
{
    struct pod *p = c->priv;
    if (c->status == 0) {
        const Runtime__V1__RunPodSandboxResponse *r = c->reply;
        (void)snprintf(p->sandbox_id, sizeof p->sandbox_id, "%s", r->pod_sandbox_id);
        pod_announce(p, "sandbox", NULL, -1);
        part_ended(p, 0);
        return;
    }
    if (!pod_runtime_away(c->status))
        pod_event(p, NULL, false, true, "FailedCreatePodSandBox",
                  "Failed to create pod sandbox: %s", c->err.msg);
    fail_part(p, c->status, &c->err, SANDBOX_BACKOFF_S);
}

static void start_sandbox(struct pod *p, const struct plan_action *action)
{
    Runtime__V1__RunPodSandboxRequest q = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
    struct pod_place place;
    pod_place_fill(&p->work.arena, p, &place);
    q.config = sandbox_config(&p->work.arena, p->spec, &place, action->attempt);
    p->sandbox_attempt = action->attempt;
    p->call.done = on_sandbox_run;
    p->parts++;
    cri_call_start(p->pods->config.cri, &p->call, CRI_RUN_POD_SANDBOX, &q);
}

static void on_image_ahead(struct image_request *r)
{
    struct pod *p = r->priv;
    p->image_ahead = true;
    part_ended(p, 0); /* what failed is asked again, and told, when it is needed */
}

static void look_for_image(struct pod *p)
{
    const PodSpec *s = p->spec->spec;
    if (s->n_init_containers == 0 && s->n_containers == 0)
        return;
    const struct Container *c = s->n_init_containers > 0 ? s->init_containers[0] : s->containers[0];
    p->image.image = text_of(c->image);
    p->image.policy = text_of(c->image_pull_policy);
    p->image.done = on_image_ahead;
    p->image.priv = p;
    p->parts++;
    images_look(p->pods->config.images, &p->image);
}

/* On the loop: only what is known here already. != 0: the list was ended. */
static int resolve_volumes(struct pod *p)
{
    struct pod_source source = pod_source(p);
    struct pod_facts facts;
    struct err e = { 0 };
    pod_facts_fill(p, &facts);
    p->volumes_stale = false;
    int rc = volumes_resolve(&p->work.arena, p->spec, &facts, &source.base, &p->work.volumes, &e);
    if (rc == -ERR_AGAIN) {
        /* pods_source_changed takes the hold away as soon as it is read. */
        pod_fail(p, "", "", e.msg, pod_wall(p) + 10 * ENV_S);
        pod_action_done(p, rc);
    } else if (rc != 0) {
        pod_event(p, NULL, false, true, "FailedMount", "%s", e.msg);
        pod_action_failed(p, rc, "", "", &e, VOLUME_BACKOFF_S);
    }
    return rc;
}

void pod_begin(struct pod *p)
{
    const struct plan_action *sandbox = NULL;
    bool prepare = false;
    bool mount = false;
    size_t end = p->at;
    for (; end < p->plan.count && p->plan.actions[end].kind <= PLAN_RUN_SANDBOX; end++) {
        const struct plan_action *a = &p->plan.actions[end];
        prepare = prepare || a->kind == PLAN_PREPARE;
        mount = mount || a->kind == PLAN_VOLUMES;
        sandbox = a->kind == PLAN_RUN_SANDBOX ? a : sandbox;
    }
    if (sandbox != NULL && !pod_gate_enter(p))
        return;
    pod_work_begin(p);
    p->work.prepare = prepare;
    p->work.mount = mount;
    p->image_ahead = false;
    if (mount && resolve_volumes(p) != 0)
        return;
    p->at = end - 1;
    p->parts = 0;
    p->parts_status = 0;
    /* First what is slowest; nothing ends in here. The pool thread has the arena from then on. */
    if (sandbox != NULL) {
        start_sandbox(p, sandbox);
        look_for_image(p);
    }
    if (prepare || mount) {
        p->parts++;
        pod_work_start(p, pod_work_prepare);
    }
}
