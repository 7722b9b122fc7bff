/* Volumes: names, one source each, and the sources the agent can mount. */
#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"

static void validate_mode(bool has, int32_t mode, const struct field_path *up, const char *name,
                          struct err_list *out)
{
    struct field_path p = path_field(up, name);
    if (has && (mode < 0 || mode > 0777))
        rule_invalid_number(out, &p, mode,
                            "must be a number between 0 and 0777 (octal), both inclusive");
}

#define CSI_DRIVER_BYTES_MAX 63

bool path_has_dots(const char *path)
{
    struct str rest = str_from(path);
    struct str part;
    while (str_split(&rest, '/', &part)) {
        if (str_eq_c(part, ".."))
            return true;
    }
    return false;
}

void check_local_path(struct err_list *out, const struct field_path *p, const char *path)
{
    if (text_of(path)[0] == '/')
        rule_invalid_text(out, p, path, "must be a relative path");
    if (path_has_dots(text_of(path)))
        rule_invalid_text(out, p, path, "must not contain '..'");
}

void check_inner_path(struct err_list *out, const struct field_path *p, const char *path)
{
    if (text_empty(path)) {
        rule_required(out, p, "");
        return;
    }
    check_local_path(out, p, path);
    if (strncmp(path, "..", 2) == 0 && !path_has_dots(path))
        rule_invalid_text(out, p, path, "must not start with '..'");
}

static void validate_items(KeyToPath **items, size_t count, const struct field_path *up,
                           struct err_list *out)
{
    struct field_path list = path_field(up, "items");
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_index(&list, i);
        struct field_path key = path_field(&p, "key");
        struct field_path path = path_field(&p, "path");
        if (text_empty(items[i]->key))
            rule_required(out, &key, "");
        check_inner_path(out, &path, items[i]->path);
        validate_mode(items[i]->has_mode, items[i]->mode, &p, "mode", out);
    }
}

static void validate_named(const char *name, const char *field, const struct field_path *up,
                           struct err_list *out)
{
    struct field_path p = path_field(up, field);
    if (text_empty(name))
        rule_required(out, &p, "");
}

static const char *reference_name(const LocalObjectReference *ref)
{
    return ref == NULL ? "" : text_of(ref->name);
}

static void validate_downward_items(DownwardAPIVolumeFile **items, size_t count,
                                    const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "items");
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_index(&list, i);
        struct field_path path = path_field(&p, "path");
        struct field_path field = path_field(&p, "fieldRef");
        struct field_path resource = path_field(&p, "resourceFieldRef");
        check_inner_path(out, &path, items[i]->path);
        validate_mode(items[i]->has_mode, items[i]->mode, &p, "mode", out);
        if (items[i]->field_ref != NULL) {
            pod_field_ref_validate(items[i]->field_ref, true, &field, out);
            if (items[i]->resource_field_ref != NULL)
                rule_invalid_text(
                    out, &p, "resource",
                    "fieldRef and resourceFieldRef can not be specified simultaneously");
        } else if (items[i]->resource_field_ref != NULL) {
            pod_resource_ref_validate(items[i]->resource_field_ref, true, &resource, out);
        } else {
            rule_required(out, &p, "one of fieldRef and resourceFieldRef is required");
        }
    }
}

static void validate_source(const VolumeProjection *s, const struct field_path *p,
                            struct err_list *out)
{
    int count = (s->secret != NULL) + (s->downward_api != NULL) + (s->config_map != NULL) +
                (s->service_account_token != NULL) + (s->cluster_trust_bundle != NULL) +
                (s->pod_certificate != NULL);
    struct field_path secret = path_field(p, "secret");
    struct field_path config_map = path_field(p, "configMap");
    struct field_path downward = path_field(p, "downwardAPI");
    struct field_path token = path_field(p, "serviceAccountToken");
    struct field_path token_path = path_field(&token, "path");
    if (count == 0)
        rule_required(out, p, "must specify exactly one source type");
    else if (count > 1)
        rule_forbidden(out, p, "may not specify more than 1 volume type");
    if (s->secret != NULL) {
        validate_named(reference_name(s->secret->local_object_reference), "name", &secret, out);
        validate_items(s->secret->items, s->secret->n_items, &secret, out);
    }
    if (s->config_map != NULL) {
        validate_named(reference_name(s->config_map->local_object_reference), "name", &config_map,
                       out);
        validate_items(s->config_map->items, s->config_map->n_items, &config_map, out);
    }
    if (s->downward_api != NULL)
        validate_downward_items(s->downward_api->items, s->downward_api->n_items, &downward, out);
    if (s->service_account_token != NULL) {
        struct field_path seconds = path_field(&token, "expirationSeconds");
        if (s->service_account_token->expiration_seconds < 600)
            rule_invalid_number(out, &seconds, s->service_account_token->expiration_seconds,
                                "may not specify a duration less than 10 minutes");
        check_inner_path(out, &token_path, s->service_account_token->path);
    }
}

static void validate_projected(const ProjectedVolumeSource *projected, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "projected");
    struct field_path sources = path_field(&p, "sources");
    validate_mode(projected->has_default_mode, projected->default_mode, &p, "defaultMode", out);
    for (size_t i = 0; i < projected->n_sources; i++) {
        struct field_path at = path_index(&sources, i);
        validate_source(projected->sources[i], &at, out);
    }
}

static void validate_host_path(const HostPathVolumeSource *host, const struct field_path *up,
                               struct err_list *out)
{
    static const char *const types[] = {
        "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
        "File", "FileOrCreate", "Socket",     NULL
    };
    struct field_path p = path_field(up, "hostPath");
    struct field_path path = path_field(&p, "path");
    struct field_path type = path_field(&p, "type");
    if (text_empty(host->path))
        rule_required(out, &path, "");
    else if (path_has_dots(host->path))
        rule_invalid_text(out, &path, host->path, "must not contain '..'");
    (void)check_one_of(out, &type, text_of(host->type), types);
}

static void validate_empty_dir(const EmptyDirVolumeSource *dir, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "emptyDir");
    struct field_path limit = path_field(&p, "sizeLimit");
    struct quantity q;
    if (dir->size_limit == NULL || text_empty(dir->size_limit->string))
        return;
    if (quantity_parse(str_from(dir->size_limit->string), &q, NULL) < 0 || q.nanos < 0)
        rule_forbidden(out, &limit, "SizeLimit field must be a valid resource quantity");
}

static void validate_nfs(const NFSVolumeSource *nfs, const struct field_path *up,
                         struct err_list *out)
{
    struct field_path p = path_field(up, "nfs");
    struct field_path path = path_field(&p, "path");
    validate_named(nfs->server, "server", &p, out);
    validate_named(nfs->path, "path", &p, out);
    if (text_of(nfs->path)[0] != '/')
        rule_invalid_text(out, &path, nfs->path, "must be an absolute path");
}

static void validate_csi(const CSIVolumeSource *csi, const struct field_path *up,
                         struct err_list *out)
{
    struct field_path p = path_field(up, "csi");
    struct field_path driver = path_field(&p, "driver");
    const char *name = text_of(csi->driver);
    validate_named(name, "driver", &p, out);
    if (strlen(name) > CSI_DRIVER_BYTES_MAX)
        rule_too_long(out, &driver, CSI_DRIVER_BYTES_MAX);
    if (name[0] != '\0')
        (void)check_name(out, &driver, name, name_dns1123_subdomain);
}

static void validate_image(const ImageVolumeSource *image, const struct field_path *up,
                           struct err_list *out)
{
    static const char *const policies[] = { "Always", "IfNotPresent", "Never", NULL };
    struct field_path p = path_field(up, "image");
    struct field_path policy = path_field(&p, "pullPolicy");
    if (!text_empty(image->pull_policy))
        (void)check_one_of(out, &policy, image->pull_policy, policies);
}

static void validate_others(const VolumeSource *s, const struct field_path *p, struct err_list *out)
{
    struct field_path git = path_field(p, "gitRepo");
    struct field_path directory = path_field(&git, "directory");
    struct field_path ephemeral = path_field(p, "ephemeral");
    struct field_path template = path_field(&ephemeral, "volumeClaimTemplate");
    if (s->git_repo != NULL) {
        validate_named(s->git_repo->repository, "repository", &git, out);
        check_local_path(out, &directory, s->git_repo->directory);
    }
    if (s->nfs != NULL)
        validate_nfs(s->nfs, p, out);
    if (s->csi != NULL)
        validate_csi(s->csi, p, out);
    if (s->image != NULL)
        validate_image(s->image, p, out);
    if (s->ephemeral != NULL && s->ephemeral->volume_claim_template == NULL)
        rule_required(out, &template, "");
}

static void validate_details(const VolumeSource *s, const struct field_path *p,
                             struct err_list *out)
{
    struct field_path secret = path_field(p, "secret");
    struct field_path config_map = path_field(p, "configMap");
    struct field_path downward = path_field(p, "downwardAPI");
    struct field_path claim = path_field(p, "persistentVolumeClaim");
    if (s->host_path != NULL)
        validate_host_path(s->host_path, p, out);
    if (s->empty_dir != NULL)
        validate_empty_dir(s->empty_dir, p, out);
    if (s->projected != NULL)
        validate_projected(s->projected, p, out);
    if (s->secret != NULL) {
        validate_named(s->secret->secret_name, "secretName", &secret, out);
        validate_mode(s->secret->has_default_mode, s->secret->default_mode, &secret, "defaultMode",
                      out);
        validate_items(s->secret->items, s->secret->n_items, &secret, out);
    }
    if (s->config_map != NULL) {
        validate_named(reference_name(s->config_map->local_object_reference), "name", &config_map,
                       out);
        validate_mode(s->config_map->has_default_mode, s->config_map->default_mode, &config_map,
                      "defaultMode", out);
        validate_items(s->config_map->items, s->config_map->n_items, &config_map, out);
    }
    if (s->downward_api != NULL) {
        validate_mode(s->downward_api->has_default_mode, s->downward_api->default_mode, &downward,
                      "defaultMode", out);
        validate_downward_items(s->downward_api->items, s->downward_api->n_items, &downward, out);
    }
    if (s->persistent_volume_claim != NULL)
        validate_named(s->persistent_volume_claim->claim_name, "claimName", &claim, out);
    validate_others(s, p, out);
}

/* Exactly one source: every field of the message is one. Upstream looks for an emptyDir first, and
 * each further source is one too many. */
static void validate_one_source(const VolumeSource *s, const struct field_path *p,
                                struct err_list *out)
{
    size_t count = s->empty_dir != NULL;
    for (size_t i = 0; i < schema_VolumeSource.field_count; i++) {
        const struct schema_field *f = &schema_VolumeSource.fields[i];
        struct field_path at = path_field(p, str_dup(out->arena, f->name));
        const void *member;
        memcpy(&member, (const char *)s + f->offset, sizeof(member));
        if (member == NULL || member == s->empty_dir)
            continue;
        if (count > 0)
            rule_forbidden(out, &at, "may not specify more than 1 volume type");
        count++;
    }
    if (count == 0)
        rule_required(out, p, "must specify a volume type");
}

void pod_volumes_validate(const struct PodSpec *spec, const struct field_path *path,
                          struct err_list *out)
{
    static const VolumeSource none = VOLUME_SOURCE__INIT;
    struct field_path list = path_field(path, "volumes");
    struct keys taken = keys_new(out->arena, spec->n_volumes);
    for (size_t i = 0; i < spec->n_volumes; i++)
        keys_add(&taken, (struct key){ .text = spec->volumes[i]->name });
    keys_sort(&taken);
    for (size_t i = 0; i < spec->n_volumes; i++) {
        const Volume *v = spec->volumes[i];
        const VolumeSource *source = v->volume_source == NULL ? &none : v->volume_source;
        struct field_path p = path_index(&list, i);
        struct field_path name = path_field(&p, "name");
        validate_one_source(source, &p, out);
        validate_details(source, &p, out);
        if (text_empty(v->name)) {
            rule_required(out, &name, "");
        } else if (check_name(out, &name, v->name, name_dns1123_label) &&
                   keys_repeated(&taken, i)) {
            rule_duplicate(out, &name, v->name);
        }
    }
}
