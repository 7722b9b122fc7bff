/* Volumes as a container sees them: mounted, or as block devices. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/pod.h"

static const Volume *volume_of(const PodSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_volumes; i++) {
        if (text_eq(spec->volumes[i]->name, name))
            return spec->volumes[i];
    }
    return NULL;
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

static void validate_against_devices(const VolumeMount *m, const Container *c,
                                     const struct field_path *p, struct err_list *out)
{
    struct field_path name = path_field(p, "name");
    struct field_path path = path_field(p, "mountPath");
    bool same_name = false;
    bool same_path = false;
    for (size_t i = 0; i < c->n_volume_devices; i++) {
        same_name = same_name || text_eq(c->volume_devices[i]->name, m->name);
        same_path = same_path || text_eq(c->volume_devices[i]->device_path, m->mount_path);
    }
    if (same_name)
        rule_invalid_text(out, &name, m->name, "must not already exist in volumeDevices");
    if (same_path)
        rule_invalid_text(out, &path, m->mount_path,
                          "must not already exist as a path in volumeDevices");
}

static void validate_mounts(const Container *c, const PodSpec *spec, const struct field_path *up,
                            struct err_list *out)
{
    struct field_path list = path_field(up, "volumeMounts");
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        const VolumeMount *m = c->volume_mounts[i];
        const Volume *v = volume_of(spec, m->name);
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path path = path_field(&p, "mountPath");
        if (text_empty(m->name))
            rule_required(out, &name, "");
        if (v == NULL)
            rule_not_found(out, &name, m->name);
        if (text_empty(m->mount_path))
            rule_required(out, &path, "");
        for (size_t j = 0; j < i; j++) {
            if (text_eq(c->volume_mounts[j]->mount_path, m->mount_path)) {
                rule_invalid_text(out, &path, m->mount_path, "must be unique");
                break;
            }
        }
        validate_against_devices(m, c, &p, out);
        validate_sub_paths(m, v, &list, &p, out);
        validate_modes(m, c, &list, out);
    }
}

static void validate_device_source(const VolumeDevice *d, const PodSpec *spec,
                                   const struct field_path *name, struct err_list *out)
{
    const Volume *v = volume_of(spec, d->name);
    if (v == NULL)
        rule_not_found(out, name, d->name);
    else if (!has_source(v) || (v->volume_source->persistent_volume_claim == NULL &&
                                v->volume_source->ephemeral == NULL))
        rule_invalid_text(out, name, d->name,
                          "can only use volume source type of PersistentVolumeClaim or Ephemeral "
                          "for block mode");
}

static void validate_against_mounts(const VolumeDevice *d, const Container *c,
                                    const struct field_path *name, const struct field_path *path,
                                    struct err_list *out)
{
    bool same_name = false;
    bool same_path = false;
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        same_name = same_name || text_eq(c->volume_mounts[i]->name, d->name);
        same_path = same_path || text_eq(c->volume_mounts[i]->mount_path, d->device_path);
    }
    if (same_name)
        rule_invalid_text(out, name, d->name, "must not already exist in volumeMounts");
    if (same_path)
        rule_invalid_text(out, path, d->device_path,
                          "must not already exist as a path in volumeMounts");
}

static void validate_devices(const Container *c, const PodSpec *spec, const struct field_path *up,
                             struct err_list *out)
{
    struct field_path list = path_field(up, "volumeDevices");
    for (size_t i = 0; i < c->n_volume_devices; i++) {
        const VolumeDevice *d = c->volume_devices[i];
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        struct field_path path = path_field(&p, "devicePath");
        bool name_taken = false;
        bool path_taken = false;
        for (size_t j = 0; j < i; j++) {
            name_taken = name_taken || text_eq(c->volume_devices[j]->name, d->name);
            path_taken = path_taken || text_eq(c->volume_devices[j]->device_path, d->device_path);
        }
        if (text_empty(d->name))
            rule_required(out, &name, "");
        else if (name_taken)
            rule_invalid_text(out, &name, d->name, "must be unique");
        validate_device_source(d, spec, &name, out);
        if (text_empty(d->device_path))
            rule_required(out, &path, "");
        if (path_taken)
            rule_invalid_text(out, &path, d->device_path, "must be unique");
        if (path_has_dots(text_of(d->device_path)))
            rule_invalid_text(out, &path, d->device_path, "can not contain backsteps ('..')");
        validate_against_mounts(d, c, &name, &path, out);
    }
}

void pod_container_mounts_validate(const struct Container *c, const struct PodSpec *spec,
                                   const struct field_path *up, struct err_list *out)
{
    validate_mounts(c, spec, up, out);
    validate_devices(c, spec, up, out);
}
