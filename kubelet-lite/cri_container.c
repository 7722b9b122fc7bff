/* The runtime's ContainerConfig of one container. */
#include <stdio.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "kubelet-lite/cri_config.h"
#include "kubelet-lite/plan.h"
#include "kubelet-lite/resources.h"

/* What upstream's agent hides from containers that are not privileged. */
static const char *const masked_paths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap"
};
static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                              "/proc/sysrq-trigger" };

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static Runtime__V1__Mount *mount_make(struct arena *a, const char *host, const char *inside,
                                      bool readonly)
{
    Runtime__V1__Mount *m = cri_message(a, &runtime__v1__mount__descriptor);
    m->host_path = (char *)host;
    m->container_path = (char *)inside;
    m->readonly = readonly;
    return m;
}

static Runtime__V1__MountPropagation propagation(const char *name)
{
    if (strcmp(name, "HostToContainer") == 0)
        return RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
    if (strcmp(name, "Bidirectional") == 0)
        return RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL;
    return RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_PRIVATE;
}

static void put_mounts(struct arena *a, const struct Container *c, const struct pod_place *place,
                       const struct container_place *where, Runtime__V1__ContainerConfig *out)
{
    bool hosts = place->hosts_path != NULL;
    out->mounts = arena_array(a, c->n_volume_mounts + 1, sizeof *out->mounts);
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        const VolumeMount *from = c->volume_mounts[i];
        const char *inside = text(from->mount_path);
        /* A relative mount path starts at the root, as upstream has it. */
        if (inside[0] != '/')
            inside = str_printf(a, "/%s", inside).data;
        Runtime__V1__Mount *m = mount_make(a, where->mounts[i], inside, from->read_only);
        m->propagation = propagation(text(from->mount_propagation));
        out->mounts[out->n_mounts++] = m;
        hosts = hosts && strcmp(inside, "/etc/hosts") != 0;
    }
    if (hosts)
        out->mounts[out->n_mounts++] = mount_make(a, place->hosts_path, "/etc/hosts", false);
}

static char **expand_all(struct arena *a, char **list, size_t count, const struct env_vars *vars)
{
    char **out = arena_array(a, count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = str_dup(a, env_expand(a, str_from(list[i]), vars));
    return out;
}

static void put_env(struct arena *a, const struct env_vars *vars, Runtime__V1__ContainerConfig *out)
{
    out->envs = arena_array(a, vars->count, sizeof *out->envs);
    out->n_envs = vars->count;
    for (size_t i = 0; i < vars->count; i++) {
        out->envs[i] = cri_message(a, &runtime__v1__key_value__descriptor);
        out->envs[i]->key = str_dup(a, vars->items[i].name);
        out->envs[i]->value.data = (uint8_t *)str_dup(a, vars->items[i].value);
        out->envs[i]->value.len = vars->items[i].value.len;
    }
}

static void put_annotations(struct arena *a, const struct Pod *pod, const struct Container *c,
                            const struct container_place *where, Runtime__V1__ContainerConfig *out)
{
    const ProtobufCMessageDescriptor *label =
        &runtime__v1__container_config__labels_entry__descriptor;
    const ProtobufCMessageDescriptor *annotation =
        &runtime__v1__container_config__annotations_entry__descriptor;
    char *hash = arena_alloc(a, CONTAINER_HASH_BYTES);
    int64_t grace = pod->spec->has_termination_grace_period_seconds
                        ? pod->spec->termination_grace_period_seconds
                        : VIEW_GRACE_DEFAULT_S;
    const struct text_pair {
        const char *key;
        const char *value;
    } labels[] = { { LABEL_POD_NAME, text(pod->metadata->name) },
                   { LABEL_POD_NAMESPACE, text(pod->metadata->namespace_) },
                   { LABEL_POD_UID, text(pod->metadata->uid) },
                   { LABEL_CONTAINER_NAME, text(c->name) } };
    container_hash(c, hash);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        out->labels =
            cri_entry_add(a, label, out->labels, &out->n_labels, labels[i].key, labels[i].value);
    out->annotations =
        cri_entry_add(a, annotation, out->annotations, &out->n_annotations, ANNOTATION_HASH, hash);
    out->annotations =
        cri_entry_add(a, annotation, out->annotations, &out->n_annotations, ANNOTATION_BACKOFF,
                      str_printf(a, "%u", where->backoff_level).data);
    out->annotations =
        cri_entry_add(a, annotation, out->annotations, &out->n_annotations, ANNOTATION_GRACE,
                      str_printf(a, "%lld", (long long)grace).data);
}

/* ---- security ---- */

struct user {
    bool has_uid;
    int64_t uid;
    bool has_gid;
    int64_t gid;
    bool non_root;
};

/* The container's word goes before the pod's. */
static struct user effective_user(const PodSecurityContext *p, const SecurityContext *s)
{
    struct user u = { 0 };
    if (p != NULL) {
        u.has_uid = p->has_run_as_user;
        u.uid = p->run_as_user;
        u.has_gid = p->has_run_as_group;
        u.gid = p->run_as_group;
        u.non_root = p->has_run_as_non_root && p->run_as_non_root;
    }
    if (s != NULL && s->has_run_as_user) {
        u.has_uid = true;
        u.uid = s->run_as_user;
    }
    if (s != NULL && s->has_run_as_group) {
        u.has_gid = true;
        u.gid = s->run_as_group;
    }
    if (s != NULL && s->has_run_as_non_root)
        u.non_root = s->run_as_non_root;
    return u;
}

static int check_non_root(const struct user *u, const struct container_place *where, struct err *e)
{
    if (!u->non_root)
        return 0;
    if (u->has_uid && u->uid == 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "container's runAsUser breaks non-root policy (runAsUser is 0)");
    if (u->has_uid)
        return 0;
    if (where->image_user != NULL && where->image_user[0] != '\0')
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "container has runAsNonRoot and image has non-numeric user (%s), cannot "
                       "verify user is non-root",
                       where->image_user);
    if (!where->image_has_uid || where->image_uid == 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "container has runAsNonRoot and image will run as root");
    return 0;
}

static void put_groups(struct arena *a, const PodSecurityContext *p,
                       Runtime__V1__LinuxContainerSecurityContext *out)
{
    if (p == NULL)
        return;
    out->supplemental_groups =
        arena_array(a, p->n_supplemental_groups + 1, sizeof *out->supplemental_groups);
    for (size_t i = 0; i < p->n_supplemental_groups; i++)
        out->supplemental_groups[out->n_supplemental_groups++] = p->supplemental_groups[i];
    if (p->has_fs_group)
        out->supplemental_groups[out->n_supplemental_groups++] = p->fs_group;
}

static void put_own(struct arena *a, const SecurityContext *s,
                    Runtime__V1__LinuxContainerSecurityContext *out)
{
    if (s == NULL)
        return;
    out->privileged = s->privileged;
    out->readonly_rootfs = s->read_only_root_filesystem;
    out->no_new_privs = s->has_allow_privilege_escalation && !s->allow_privilege_escalation;
    if (s->capabilities == NULL)
        return;
    out->capabilities = cri_message(a, &runtime__v1__capability__descriptor);
    out->capabilities->add_capabilities = s->capabilities->add;
    out->capabilities->n_add_capabilities = s->capabilities->n_add;
    out->capabilities->drop_capabilities = s->capabilities->drop;
    out->capabilities->n_drop_capabilities = s->capabilities->n_drop;
}

static int put_security(struct arena *a, const struct Pod *pod, const struct Container *c,
                        const struct container_place *where,
                        Runtime__V1__LinuxContainerSecurityContext *out, struct err *e)
{
    const PodSecurityContext *p = pod->spec->security_context;
    const SecurityContext *s = c->security_context;
    struct user u = effective_user(p, s);
    int rc = check_non_root(&u, where, e);
    if (rc != 0)
        return rc;
    out->namespace_options = cri_namespaces(a, pod);
    out->run_as_user = cri_int64(a, u.has_uid, u.uid);
    out->run_as_group = cri_int64(a, u.has_uid && u.has_gid, u.gid);
    out->seccomp = cri_seccomp(a, s != NULL && s->seccomp_profile != NULL ? s->seccomp_profile
                                  : p != NULL                             ? p->seccomp_profile
                                                                          : NULL);
    put_groups(a, p, out);
    put_own(a, s, out);
    if (!out->privileged) {
        out->masked_paths = (char **)masked_paths;
        out->n_masked_paths = sizeof masked_paths / sizeof masked_paths[0];
        out->readonly_paths = (char **)readonly_paths;
        out->n_readonly_paths = sizeof readonly_paths / sizeof readonly_paths[0];
    }
    return 0;
}

static Runtime__V1__LinuxContainerResources *resources(struct arena *a, const struct Pod *pod,
                                                       const struct Container *c,
                                                       const struct pod_place *place)
{
    struct cgroup_values v;
    Runtime__V1__LinuxContainerResources *r =
        cri_message(a, &runtime__v1__linux_container_resources__descriptor);
    container_cgroup(pod, c, place->node_memory, &v);
    r->cpu_shares = v.cpu_shares;
    r->cpu_period = CGROUP_PERIOD_US;
    r->cpu_quota = v.cpu_quota_us;
    r->memory_limit_in_bytes = v.memory_limit;
    /* No swap beyond the limit. */
    r->memory_swap_limit_in_bytes = v.memory_limit;
    r->oom_score_adj = v.oom_score_adj;
    return r;
}

int container_config(struct arena *a, const struct Pod *pod, const struct Container *c,
                     const struct pod_place *place, const struct container_place *where,
                     Runtime__V1__ContainerConfig **out, struct err *e)
{
    Runtime__V1__ContainerConfig *k = cri_message(a, &runtime__v1__container_config__descriptor);
    k->metadata = cri_message(a, &runtime__v1__container_metadata__descriptor);
    k->metadata->name = (char *)text(c->name);
    k->metadata->attempt = where->attempt;
    k->image = cri_message(a, &runtime__v1__image_spec__descriptor);
    k->image->image = (char *)where->image_ref;
    k->image->user_specified_image = (char *)text(c->image);
    k->command = expand_all(a, c->command, c->n_command, where->vars);
    k->n_command = c->n_command;
    k->args = expand_all(a, c->args, c->n_args, where->vars);
    k->n_args = c->n_args;
    k->working_dir = (char *)text(c->working_dir);
    k->log_path = (char *)container_log_path(a, text(c->name), where->attempt);
    k->stdin = c->stdin;
    k->stdin_once = c->stdin_once;
    k->tty = c->tty;
    put_env(a, where->vars, k);
    put_mounts(a, c, place, where, k);
    put_annotations(a, pod, c, where, k);
    k->linux = cri_message(a, &runtime__v1__linux_container_config__descriptor);
    k->linux->resources = resources(a, pod, c, place);
    k->linux->security_context =
        cri_message(a, &runtime__v1__linux_container_security_context__descriptor);
    int rc = put_security(a, pod, c, where, k->linux->security_context, e);
    if (rc == 0)
        *out = k;
    return rc;
}
