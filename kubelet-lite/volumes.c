/* What the pod's volumes hold, from the pod and its sources. Pure. */
#include "kubelet-lite/volumes.h"

#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"

#define FILE_MODE_DEFAULT 0644

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

struct resolve {
    struct arena *a;
    const struct Pod *pod;
    const struct pod_facts *facts;
    struct source *source;
    struct volume *volume;
    mode_t mode;
    struct err *e;
};

static void put(struct resolve *r, const char *path, struct str bytes, mode_t mode)
{
    struct volume *v = r->volume;
    for (size_t i = 0; i < v->file_count; i++) {
        if (strcmp(v->files[i].path, path) == 0) {
            /* Later sources of a projected volume win. */
            v->files[i].bytes = bytes;
            v->files[i].mode = mode;
            return;
        }
    }
    /* The group of fsGroup can read what it owns. */
    if (v->gid != (gid_t)-1)
        mode |= 0440;
    v->files = arena_grow(r->a, v->files, v->file_count, &v->file_capacity, sizeof *v->files);
    v->files[v->file_count++] = (struct volume_file){ path, bytes, mode, v->gid };
}

static int put_items(struct resolve *r, enum kind kind, const char *name, bool optional,
                     KeyToPath **items, size_t item_count)
{
    struct source_entry *entries;
    size_t count = 0;
    const char *noun = kind == KIND_SECRET ? "secret" : "configmap";
    int rc = r->source->read(r->source, r->a, kind, name, &entries, &count, r->e);
    if (rc == -ERR_NOT_FOUND && optional)
        return 0;
    if (rc == -ERR_NOT_FOUND)
        return err_set(r->e, ERR_NOT_FOUND, "%s \"%s\" not found", noun, name);
    if (rc != 0)
        return rc;
    for (size_t i = 0; item_count == 0 && i < count; i++)
        put(r, str_dup(r->a, entries[i].key), entries[i].value, r->mode);
    for (size_t i = 0; i < item_count; i++) {
        const struct source_entry *found = source_find(entries, count, text(items[i]->key));
        if (found == NULL && optional)
            continue;
        if (found == NULL)
            return err_set(r->e, ERR_NOT_FOUND, "%s references non-existent config key: %s", noun,
                           text(items[i]->key));
        put(r, text(items[i]->path), found->value,
            items[i]->has_mode ? (mode_t)items[i]->mode : r->mode);
    }
    return 0;
}

static int put_downward(struct resolve *r, DownwardAPIVolumeFile **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const DownwardAPIVolumeFile *item = items[i];
        struct str value = { "", 0 };
        int rc = 0;
        if (item->field_ref != NULL)
            rc = field_value(r->a, r->pod, r->facts, item->field_ref, &value, r->e);
        else if (item->resource_field_ref != NULL)
            rc = resource_field_value(r->a, r->pod, r->facts, NULL, item->resource_field_ref,
                                      &value, r->e);
        if (rc != 0)
            return rc;
        put(r, text(item->path), value, item->has_mode ? (mode_t)item->mode : r->mode);
    }
    return 0;
}

static const char *ref_name(const LocalObjectReference *ref)
{
    return ref != NULL ? text(ref->name) : "";
}

static int put_projected(struct resolve *r, const ProjectedVolumeSource *from)
{
    int rc = 0;
    r->mode = from->has_default_mode ? (mode_t)from->default_mode : FILE_MODE_DEFAULT;
    for (size_t i = 0; rc == 0 && i < from->n_sources; i++) {
        const VolumeProjection *p = from->sources[i];
        if (p->config_map != NULL)
            rc = put_items(r, KIND_CONFIG_MAP, ref_name(p->config_map->local_object_reference),
                           p->config_map->optional, p->config_map->items, p->config_map->n_items);
        else if (p->secret != NULL)
            rc = put_items(r, KIND_SECRET, ref_name(p->secret->local_object_reference),
                           p->secret->optional, p->secret->items, p->secret->n_items);
        else if (p->downward_api != NULL)
            rc = put_downward(r, p->downward_api->items, p->downward_api->n_items);
    }
    return rc;
}

static void set_mode(struct resolve *r, bool has, int32_t mode)
{
    r->mode = has ? (mode_t)mode : FILE_MODE_DEFAULT;
}

static int resolve_one(struct resolve *r, const VolumeSource *from)
{
    struct volume *v = r->volume;
    struct quantity q;
    if (from->host_path != NULL) {
        v->kind = VOLUME_HOST;
        v->host_path = text(from->host_path->path);
        v->host_type = text(from->host_path->type);
        return 0;
    }
    v->kind = VOLUME_FILES;
    if (from->config_map != NULL) {
        set_mode(r, from->config_map->has_default_mode, from->config_map->default_mode);
        return put_items(r, KIND_CONFIG_MAP, ref_name(from->config_map->local_object_reference),
                         from->config_map->optional, from->config_map->items,
                         from->config_map->n_items);
    }
    if (from->secret != NULL) {
        set_mode(r, from->secret->has_default_mode, from->secret->default_mode);
        return put_items(r, KIND_SECRET, text(from->secret->secret_name), from->secret->optional,
                         from->secret->items, from->secret->n_items);
    }
    if (from->downward_api != NULL) {
        set_mode(r, from->downward_api->has_default_mode, from->downward_api->default_mode);
        return put_downward(r, from->downward_api->items, from->downward_api->n_items);
    }
    if (from->projected != NULL)
        return put_projected(r, from->projected);
    v->kind = VOLUME_EMPTY;
    if (from->empty_dir != NULL && strcmp(text(from->empty_dir->medium), "Memory") == 0) {
        v->kind = VOLUME_MEMORY;
        if (from->empty_dir->size_limit != NULL &&
            quantity_parse(str_from(text(from->empty_dir->size_limit->string)), &q, NULL) == 0)
            v->size_bytes = (uint64_t)quantity_value(&q);
    }
    return 0;
}

int volumes_resolve(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                    struct source *source, struct volume_set *out, struct err *e)
{
    const PodSpec *spec = pod->spec;
    gid_t gid = (gid_t)-1;
    if (spec->security_context != NULL && spec->security_context->has_fs_group)
        gid = (gid_t)spec->security_context->fs_group;
    out->items = arena_array(a, spec->n_volumes, sizeof *out->items);
    out->count = spec->n_volumes;
    for (size_t i = 0; i < spec->n_volumes; i++) {
        static const VolumeSource none = VOLUME_SOURCE__INIT;
        const VolumeSource *from = spec->volumes[i]->volume_source;
        out->items[i] = (struct volume){ .name = text(spec->volumes[i]->name), .gid = gid };
        struct resolve r = { a, pod, facts, source, &out->items[i], FILE_MODE_DEFAULT, e };
        int rc = resolve_one(&r, from != NULL ? from : &none);
        if (rc != 0)
            return err_wrap(e, rc, "MountVolume.SetUp failed for volume \"%s\"",
                            text(spec->volumes[i]->name));
    }
    return 0;
}

const char *volume_folder(struct arena *a, const char *pod_dir, const struct Pod *pod,
                          const char *name)
{
    for (size_t i = 0; i < pod->spec->n_volumes; i++) {
        const Volume *v = pod->spec->volumes[i];
        if (strcmp(text(v->name), name) == 0 && v->volume_source != NULL &&
            v->volume_source->host_path != NULL)
            return text(v->volume_source->host_path->path);
    }
    return str_printf(a, "%s/volumes/%s", pod_dir, name).data;
}

/* ---- which ConfigMaps and Secrets ---- */

struct visit {
    void (*call)(void *ctx, enum kind kind, const char *name);
    void *ctx;
};

static void visit_ref(const struct visit *v, enum kind kind, const LocalObjectReference *ref)
{
    if (ref_name(ref)[0] != '\0')
        v->call(v->ctx, kind, ref->name);
}

static void visit_container(const struct visit *v, const Container *c)
{
    for (size_t i = 0; i < c->n_env_from; i++) {
        if (c->env_from[i]->config_map_ref != NULL)
            visit_ref(v, KIND_CONFIG_MAP, c->env_from[i]->config_map_ref->local_object_reference);
        if (c->env_from[i]->secret_ref != NULL)
            visit_ref(v, KIND_SECRET, c->env_from[i]->secret_ref->local_object_reference);
    }
    for (size_t i = 0; i < c->n_env; i++) {
        const EnvVarSource *from = c->env[i]->value_from;
        if (from != NULL && from->config_map_key_ref != NULL)
            visit_ref(v, KIND_CONFIG_MAP, from->config_map_key_ref->local_object_reference);
        if (from != NULL && from->secret_key_ref != NULL)
            visit_ref(v, KIND_SECRET, from->secret_key_ref->local_object_reference);
    }
}

static void visit_volume(const struct visit *v, const VolumeSource *from)
{
    if (from->config_map != NULL)
        visit_ref(v, KIND_CONFIG_MAP, from->config_map->local_object_reference);
    if (from->secret != NULL && text(from->secret->secret_name)[0] != '\0')
        v->call(v->ctx, KIND_SECRET, from->secret->secret_name);
    for (size_t i = 0; from->projected != NULL && i < from->projected->n_sources; i++) {
        const VolumeProjection *p = from->projected->sources[i];
        if (p->config_map != NULL)
            visit_ref(v, KIND_CONFIG_MAP, p->config_map->local_object_reference);
        if (p->secret != NULL)
            visit_ref(v, KIND_SECRET, p->secret->local_object_reference);
    }
}

void pod_sources(const struct Pod *pod, void (*call)(void *ctx, enum kind kind, const char *name),
                 void *ctx)
{
    struct visit v = { call, ctx };
    for (size_t i = 0; i < pod->spec->n_volumes; i++)
        if (pod->spec->volumes[i]->volume_source != NULL)
            visit_volume(&v, pod->spec->volumes[i]->volume_source);
    for (size_t i = 0; i < pod->spec->n_init_containers; i++)
        visit_container(&v, pod->spec->init_containers[i]);
    for (size_t i = 0; i < pod->spec->n_containers; i++)
        visit_container(&v, pod->spec->containers[i]);
}
