/* Volumes as a container sees them: mounted, or as block devices. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/pod.h"

static const Volume *volume_of(const struct pod_names *names, const char *name)
{
    ptrdiff_t at = keys_find(&names->volumes, (struct key){ .text = name });
    return at < 0 ? NULL : names->spec->volumes[at];
}

/* What a container has mounted, or as devices: by name and by path. */
struct places {
    struct keys names;
    struct keys paths;
};

static struct places mounts_of(struct arena *a, const Container *c)
{
    struct places p = { keys_new(a, c->n_volume_mounts), keys_new(a, c->n_volume_mounts) };
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        keys_add(&p.names, (struct key){ .text = c->volume_mounts[i]->name });
        keys_add(&p.paths, (struct key){ .text = c->volume_mounts[i]->mount_path });
    }
    keys_sort(&p.names);
    keys_sort(&p.paths);
    return p;
}

static struct places devices_of(struct arena *a, const Container *c)
{
    struct places p = { keys_new(a, c->n_volume_devices), keys_new(a, c->n_volume_devices) };
    for (size_t i = 0; i < c->n_volume_devices; i++) {
        keys_add(&p.names, (struct key){ .text = c->volume_devices[i]->name });
        keys_add(&p.paths, (struct key){ .text = c->volume_devices[i]->device_path });
    }
    keys_sort(&p.names);
    keys_sort(&p.paths);
    return p;
}

static bool has_source(const Volume *v)
{
    return v != NULL && v->volume_source != NULL;
}

static void validate_sub_paths(const VolumeMount *m, const Volume *v, const struct field_path *list,
                               const struct field_path *p, struct err_list *out)
{
    /* Faults of the paths themselves upstream reports at the list, without the index. */
    struct field_path expr = path_field(p, "subPathExpr");
    struct field_path list_sub = path_field(list, "subPath");
    struct field_path list_expr = path_field(list, "subPathExpr");
    bool image = has_source(v) && v->volume_source->image != NULL;
    if (!text_empty(m->sub_path))
        check_local_path(out, &list_sub, m->sub_path);
    if (image && !text_empty(m->sub_path_expr))
        rule_invalid_text(out, &expr, m->sub_path_expr, "not allowed in image volume sources");
    if (text_empty(m->sub_path_expr))
        return;
    if (!text_empty(m->sub_path))
        rule_invalid_text(out, &expr, m->sub_path_expr,
                          "subPathExpr and subPath are mutually exclusive");
    check_local_path(out, &list_expr, m->sub_path_expr);
}

static bool is_privileged(const Container *c)
{
    return c->security_context != NULL && c->security_context->has_privileged &&
           c->security_context->privileged;
}

static void validate_modes(const VolumeMount *m, const Container *c, const struct field_path *list,
                           struct err_list *out)
{
    static const char *const propagations[] = { "Bidirectional", "HostToContainer", "None", NULL };
    static const char *const modes[] = { "Disabled", "Enabled", "IfPossible", NULL };
    struct field_path propagation = path_field(list, "mountPropagation");
    struct field_path recursive = path_field(list, "recursiveReadOnly");
    const char *mode = m->recursive_read_only;
    if (m->mount_propagation != NULL)
        (void)check_one_of(out, &propagation, m->mount_propagation, propagations);
    if (text_eq(m->mount_propagation, "Bidirectional") && !is_privileged(c))
        rule_forbidden(out, &propagation,
                       "Bidirectional mount propagation is available only to privileged "
                       "containers");
    if (mode == NULL || !check_one_of(out, &recursive, mode, modes) || text_eq(mode, "Disabled"))
        return;
    if (!m->read_only)
        rule_forbidden(out, &recursive, "may only be specified when readOnly is true");
    if (m->mount_propagation != NULL && !text_eq(m->mount_propagation, "None"))
        rule_forbidden(out, &recursive,
                       "may only be specified when mountPropagation is None or not specified");
}

static void validate_against_devices(const VolumeMount *m, const struct places *devices,
                                     const struct field_path *p, struct err_list *out)
{
    struct field_path name = path_field(p, "name");
    struct field_path path = path_field(p, "mountPath");
    if (keys_have(&devices->names, m->name))
        rule_invalid_text(out, &name, m->name, "must not already exist in volumeDevices");
    if (keys_have(&devices->paths, m->mount_path))
        rule_invalid_text(out, &path, m->mount_path,
                          "must not already exist as a path in volumeDevices");
}

static void validate_mounts(const Container *c, const struct pod_names *names,
                            const struct places *mounts, const struct places *devices,
                            const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "volumeMounts");
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        const VolumeMount *m = c->volume_mounts[i];
        const Volume *v = volume_of(names, m->name);
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path path = path_field(&p, "mountPath");
        if (text_empty(m->name))
            rule_required(out, &name, "");
        if (v == NULL)
            rule_not_found(out, &name, m->name);
        if (text_empty(m->mount_path))
            rule_required(out, &path, "");
        if (keys_repeated(&mounts->paths, i))
            rule_invalid_text(out, &path, m->mount_path, "must be unique");
        validate_against_devices(m, devices, &p, out);
        validate_sub_paths(m, v, &list, &p, out);
        validate_modes(m, c, &list, out);
    }
}

static void validate_device_source(const VolumeDevice *d, const struct pod_names *names,
                                   const struct field_path *name, struct err_list *out)
{
    const Volume *v = volume_of(names, d->name);
    if (v == NULL)
        rule_not_found(out, name, d->name);
    else if (!has_source(v) || (v->volume_source->persistent_volume_claim == NULL &&
                                v->volume_source->ephemeral == NULL))
        rule_invalid_text(out, name, d->name,
                          "can only use volume source type of PersistentVolumeClaim or Ephemeral "
                          "for block mode");
}

static void validate_against_mounts(const VolumeDevice *d, const struct places *mounts,
                                    const struct field_path *name, const struct field_path *path,
                                    struct err_list *out)
{
    if (keys_have(&mounts->names, d->name))
        rule_invalid_text(out, name, d->name, "must not already exist in volumeMounts");
    if (keys_have(&mounts->paths, d->device_path))
        rule_invalid_text(out, path, d->device_path,
                          "must not already exist as a path in volumeMounts");
}

static void validate_devices(const Container *c, const struct pod_names *names,
                             const struct places *mounts, const struct places *devices,
                             const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "volumeDevices");
    for (size_t i = 0; i < c->n_volume_devices; i++) {
        const VolumeDevice *d = c->volume_devices[i];
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path path = path_field(&p, "devicePath");
        if (text_empty(d->name))
            rule_required(out, &name, "");
        else if (keys_repeated(&devices->names, i))
            rule_invalid_text(out, &name, d->name, "must be unique");
        validate_device_source(d, names, &name, out);
        if (text_empty(d->device_path))
            rule_required(out, &path, "");
        if (keys_repeated(&devices->paths, i))
            rule_invalid_text(out, &path, d->device_path, "must be unique");
        if (path_has_dots(text_of(d->device_path)))
            rule_invalid_text(out, &path, d->device_path, "can not contain backsteps ('..')");
        validate_against_mounts(d, mounts, &name, &path, out);
    }
}

void pod_container_mounts_validate(const struct Container *c, const struct pod_names *names,
                                   const struct field_path *up, struct err_list *out)
{
    const struct places mounts = mounts_of(out->arena, c);
    const struct places devices = devices_of(out->arena, c);
    validate_mounts(c, names, &mounts, &devices, up, out);
    validate_devices(c, names, &mounts, &devices, up, out);
}
