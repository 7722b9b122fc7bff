/*
 * Every pod runs as a service account of its namespace: the name is filled in, the account must
 * exist, its image pull secrets are taken over, and the volume kube-api-access is mounted where
 * programs look for it. The volume holds the CA and the namespace; its token source comes with
 * identity.
 */
#include "api/meta/names.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

static const struct str mount_path = STR("/var/run/secrets/kubernetes.io/serviceaccount");

#define VOLUME_MODE   0644
#define VOLUME_PREFIX "kube-api-access-"

static char *text(struct admission *a, const char *s)
{
    return str_dup(a->arena, str_from(s));
}

static VolumeProjection *ca_source(struct admission *a)
{
    VolumeProjection *p = schema_new(a->arena, &schema_VolumeProjection);
    KeyToPath *item = schema_new(a->arena, &schema_KeyToPath);
    item->key = text(a, "ca.crt");
    item->path = text(a, "ca.crt");
    p->config_map = schema_new(a->arena, &schema_ConfigMapProjection);
    p->config_map->local_object_reference = schema_new(a->arena, &schema_LocalObjectReference);
    p->config_map->local_object_reference->name = text(a, "kube-root-ca.crt");
    p->config_map->items = arena_array(a->arena, 1, sizeof(item));
    p->config_map->items[0] = item;
    p->config_map->n_items = 1;
    return p;
}

static VolumeProjection *namespace_source(struct admission *a)
{
    VolumeProjection *p = schema_new(a->arena, &schema_VolumeProjection);
    DownwardAPIVolumeFile *file = schema_new(a->arena, &schema_DownwardAPIVolumeFile);
    file->path = text(a, "namespace");
    file->field_ref = schema_new(a->arena, &schema_ObjectFieldSelector);
    file->field_ref->api_version = text(a, "v1");
    file->field_ref->field_path = text(a, "metadata.namespace");
    p->downward_api = schema_new(a->arena, &schema_DownwardAPIProjection);
    p->downward_api->items = arena_array(a->arena, 1, sizeof(file));
    p->downward_api->items[0] = file;
    p->downward_api->n_items = 1;
    return p;
}

static void add_volume(struct admission *a, PodSpec *spec, char *name)
{
    Volume **list = arena_array(a->arena, spec->n_volumes + 1, sizeof(*list));
    for (size_t i = 0; i < spec->n_volumes; i++) {
        list[i] = spec->volumes[i];
    }
    Volume *v = schema_new(a->arena, &schema_Volume);
    ProjectedVolumeSource *source = schema_new(a->arena, &schema_ProjectedVolumeSource);
    source->sources = arena_array(a->arena, 2, sizeof(*source->sources));
    source->sources[0] = ca_source(a);
    source->sources[1] = namespace_source(a);
    source->n_sources = 2;
    source->has_default_mode = 1;
    source->default_mode = VOLUME_MODE;
    v->name = name;
    v->volume_source = schema_new(a->arena, &schema_VolumeSource);
    v->volume_source->projected = source;
    list[spec->n_volumes++] = v;
    spec->volumes = list;
}

/* True when the container had nothing mounted there and has now. */
static bool add_mount(struct admission *a, Container *c, char *volume)
{
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        if (str_eq(str_from(c->volume_mounts[i]->mount_path), mount_path)) {
            return false;
        }
    }
    VolumeMount **list = arena_array(a->arena, c->n_volume_mounts + 1, sizeof(*list));
    for (size_t i = 0; i < c->n_volume_mounts; i++) {
        list[i] = c->volume_mounts[i];
    }
    VolumeMount *m = schema_new(a->arena, &schema_VolumeMount);
    m->name = volume;
    m->has_read_only = 1;
    m->read_only = 1;
    m->mount_path = str_dup(a->arena, mount_path);
    list[c->n_volume_mounts++] = m;
    c->volume_mounts = list;
    return true;
}

/* A copy of a pod (`kubectl debug --copy-to`) brings the volume along. NULL: there is none. */
static char *present_volume(const PodSpec *spec)
{
    for (size_t i = 0; i < spec->n_volumes; i++) {
        if (str_starts(str_from(spec->volumes[i]->name), str_lit(VOLUME_PREFIX))) {
            return spec->volumes[i]->name;
        }
    }
    return NULL;
}

static void mount_everywhere(struct admission *a, PodSpec *spec)
{
    char suffix[NAME_SUFFIX_BYTES + 1];
    bool used = false;
    char *present = present_volume(spec);
    name_suffix(a->request_id, 0, suffix);
    char *volume = present != NULL
                       ? present
                       : str_dup(a->arena, str_printf(a->arena, "%s%s", VOLUME_PREFIX, suffix));
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        used = add_mount(a, spec->init_containers[i], volume) || used;
    }
    for (size_t i = 0; i < spec->n_containers; i++) {
        used = add_mount(a, spec->containers[i], volume) || used;
    }
    if (used && present == NULL) {
        add_volume(a, spec, volume);
    }
}

static bool wants_mount(const PodSpec *spec, const ServiceAccount *account)
{
    if (spec->has_automount_service_account_token) {
        return spec->automount_service_account_token;
    }
    return !account->has_automount_service_account_token ||
           account->automount_service_account_token;
}

int admit_service_account(struct admission *a, struct err *e)
{
    Pod *pod = a->object;
    struct str found;
    void *object = NULL;
    if (a->kind != KIND_POD || a->verb != ADMIT_CREATE || pod->spec == NULL) {
        return 0;
    }
    PodSpec *spec = pod->spec;
    if (str_from(spec->service_account_name).len == 0) {
        spec->service_account_name = text(a, "default");
    }
    spec->service_account = spec->service_account_name; /* the old name of the same thing */
    struct str name = str_from(spec->service_account_name);
    int rc = a->read(a, KIND_SERVICE_ACCOUNT, a->ns, name, false, &found);
    if (rc == -ERR_NOT_FOUND) {
        return err_set(e, ERR_FORBIDDEN,
                       "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not "
                       "found",
                       STR_ARG(a->ns), STR_ARG(name), STR_ARG(name));
    }
    if (rc == 0) {
        rc = schema_unpack(a->arena, kind_info(KIND_SERVICE_ACCOUNT)->schema, found, &object, e);
    }
    if (rc != 0) {
        return err_set(e, (enum err_code) - rc, "serviceaccounts \"%.*s\" cannot be read",
                       STR_ARG(name));
    }
    const ServiceAccount *account = object;
    if (spec->n_image_pull_secrets == 0) {
        spec->image_pull_secrets = account->image_pull_secrets;
        spec->n_image_pull_secrets = account->n_image_pull_secrets;
    }
    if (wants_mount(spec, account)) {
        mount_everywhere(a, spec);
    }
    return 0;
}
