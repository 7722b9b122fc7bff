/* Upstream's defaults of pods and templates (pkg/apis/core/v1/defaults.go, 1.35). */
#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"

/* 0644 */
#define VOLUME_MODE_DEFAULT 420
/* One hour: what a projected token lives. */
#define TOKEN_SECONDS_DEFAULT 3600

/* Always for a tag "latest" or none at all; a digest pins, so IfNotPresent. */
static const char *pull_policy_of(const char *image)
{
    const char *slash = strrchr(text_of(image), '/');
    const char *last = slash == NULL ? text_of(image) : slash + 1;
    if (strchr(last, '@') != NULL)
        return "IfNotPresent";
    const char *colon = strchr(last, ':');
    if (colon == NULL || strcmp(colon, ":latest") == 0)
        return "Always";
    return "IfNotPresent";
}

static void http_get_defaults(struct arena *a, HTTPGetAction *get)
{
    if (get == NULL)
        return;
    text_default(a, &get->path, "/");
    text_default(a, &get->scheme, "HTTP");
}

static void int_default(int32_t *member, protobuf_c_boolean *has, int32_t value)
{
    if (*member == 0)
        *member = value;
    *has = 1;
}

static void probe_defaults(struct arena *a, Probe *probe)
{
    if (probe == NULL)
        return;
    int_default(&probe->timeout_seconds, &probe->has_timeout_seconds, 1);
    int_default(&probe->period_seconds, &probe->has_period_seconds, 10);
    int_default(&probe->success_threshold, &probe->has_success_threshold, 1);
    int_default(&probe->failure_threshold, &probe->has_failure_threshold, 3);
    ProbeHandler *handler = message_ensure(a, &probe->handler, &probe_handler__descriptor);
    http_get_defaults(a, handler->http_get);
    if (handler->grpc != NULL && handler->grpc->service == NULL)
        handler->grpc->service = text_new(a, "");
}

static void lifecycle_defaults(struct arena *a, Lifecycle *lifecycle)
{
    if (lifecycle == NULL)
        return;
    if (lifecycle->post_start != NULL)
        http_get_defaults(a, lifecycle->post_start->http_get);
    if (lifecycle->pre_stop != NULL)
        http_get_defaults(a, lifecycle->pre_stop->http_get);
}

static void env_defaults(struct arena *a, Container *c)
{
    for (size_t i = 0; i < c->n_env; i++) {
        EnvVarSource *from = c->env[i]->value_from;
        if (from != NULL && from->field_ref != NULL)
            text_default(a, &from->field_ref->api_version, "v1");
    }
}

/* Resource lists are kept to the thousandth, rounded up. */
static void round_quantity(struct arena *a, Quantity *value)
{
    struct quantity q;
    char text[QUANTITY_TEXT_MAX];
    if (value == NULL || quantity_parse(str_from(value->string), &q, NULL) < 0)
        return; /* the decoder refuses what does not parse */
    struct quantity milli = quantity_of_milli(quantity_milli(&q), q.family);
    if (quantity_milli(&q) < INT64_MAX && quantity_cmp(&milli, &q) > 0)
        q = milli;
    (void)quantity_format(&q, text);
    value->string = text_new(a, text);
}

static void resources_defaults(struct arena *a, ResourceRequirements *r)
{
    for (size_t i = 0; i < r->n_limits; i++)
        round_quantity(a, r->limits[i]->value);
    for (size_t i = 0; i < r->n_requests; i++)
        round_quantity(a, r->requests[i]->value);
}

static void container_defaults(struct arena *a, Container *c)
{
    text_default(a, &c->image_pull_policy, pull_policy_of(c->image));
    text_default(a, &c->termination_message_path, "/dev/termination-log");
    text_default(a, &c->termination_message_policy, "File");
    for (size_t i = 0; i < c->n_ports; i++)
        text_default(a, &c->ports[i]->protocol, "TCP");
    env_defaults(a, c);
    resources_defaults(a, message_ensure(a, &c->resources, &resource_requirements__descriptor));
    probe_defaults(a, c->liveness_probe);
    probe_defaults(a, c->readiness_probe);
    probe_defaults(a, c->startup_probe);
    lifecycle_defaults(a, c->lifecycle);
}

static void mode_default(int32_t *mode, protobuf_c_boolean *has)
{
    if (!*has)
        *mode = VOLUME_MODE_DEFAULT;
    *has = 1;
}

static void downward_item_defaults(struct arena *a, DownwardAPIVolumeFile **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i]->field_ref != NULL)
            text_default(a, &items[i]->field_ref->api_version, "v1");
    }
}

static void projected_defaults(struct arena *a, ProjectedVolumeSource *projected)
{
    mode_default(&projected->default_mode, &projected->has_default_mode);
    for (size_t i = 0; i < projected->n_sources; i++) {
        VolumeProjection *source = projected->sources[i];
        ServiceAccountTokenProjection *token = source->service_account_token;
        if (token != NULL && !token->has_expiration_seconds) {
            token->has_expiration_seconds = 1;
            token->expiration_seconds = TOKEN_SECONDS_DEFAULT;
        }
        if (source->downward_api != NULL)
            downward_item_defaults(a, source->downward_api->items, source->downward_api->n_items);
    }
}

/* A volume whose source names nothing is an emptyDir. */
static bool source_is_empty(const VolumeSource *source)
{
    const ProtobufCMessageDescriptor *d = &volume_source__descriptor;
    for (unsigned i = 0; i < d->n_fields; i++) {
        const void *member;
        memcpy(&member, (const char *)source + d->fields[i].offset, sizeof(member));
        if (member != NULL)
            return false;
    }
    return true;
}

static void volume_defaults(struct arena *a, Volume *volume)
{
    VolumeSource *s = message_ensure(a, &volume->volume_source, &volume_source__descriptor);
    if (source_is_empty(s))
        (void)message_ensure(a, &s->empty_dir, &empty_dir_volume_source__descriptor);
    if (s->secret != NULL)
        mode_default(&s->secret->default_mode, &s->secret->has_default_mode);
    if (s->config_map != NULL)
        mode_default(&s->config_map->default_mode, &s->config_map->has_default_mode);
    if (s->downward_api != NULL) {
        mode_default(&s->downward_api->default_mode, &s->downward_api->has_default_mode);
        downward_item_defaults(a, s->downward_api->items, s->downward_api->n_items);
    }
    if (s->projected != NULL)
        projected_defaults(a, s->projected);
    if (s->host_path != NULL && s->host_path->type == NULL)
        s->host_path->type = text_new(a, "");
}

/* The deprecated name of the service account mirrors the new one. */
static void service_account_defaults(struct arena *a, PodSpec *spec)
{
    if (text_empty(spec->service_account_name) && !text_empty(spec->service_account))
        spec->service_account_name = text_new(a, spec->service_account);
    else if (!text_empty(spec->service_account_name))
        spec->service_account = text_new(a, spec->service_account_name);
}

/* On the host's network a container's port is the host's. */
static void host_network_defaults(PodSpec *spec)
{
    for (size_t i = 0; i < spec->n_containers; i++) {
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++) {
            ContainerPort *port = spec->containers[i]->ports[j];
            if (port->host_port == 0)
                port->host_port = port->container_port;
            port->has_host_port = 1;
        }
    }
}

void pod_spec_defaults(struct arena *a, struct PodSpec *spec)
{
    text_default(a, &spec->restart_policy, "Always");
    text_default(a, &spec->dns_policy, "ClusterFirst");
    text_default(a, &spec->scheduler_name, "default-scheduler");
    (void)message_ensure(a, &spec->security_context, &pod_security_context__descriptor);
    if (!spec->has_termination_grace_period_seconds) {
        spec->has_termination_grace_period_seconds = 1;
        spec->termination_grace_period_seconds = 30;
    }
    service_account_defaults(a, spec);
    if (spec->host_network)
        host_network_defaults(spec);
    for (size_t i = 0; i < spec->n_containers; i++)
        container_defaults(a, spec->containers[i]);
    for (size_t i = 0; i < spec->n_init_containers; i++)
        container_defaults(a, spec->init_containers[i]);
    for (size_t i = 0; i < spec->n_volumes; i++)
        volume_defaults(a, spec->volumes[i]);
}

void pod_template_defaults(struct arena *a, struct PodTemplateSpec *t)
{
    (void)message_ensure(a, &t->metadata, &object_meta__descriptor);
    pod_spec_defaults(a, message_ensure(a, &t->spec, &pod_spec__descriptor));
}

static bool requests(const ResourceRequirements *r, const char *name)
{
    for (size_t i = 0; i < r->n_requests; i++) {
        if (text_eq(r->requests[i]->key, name))
            return true;
    }
    return false;
}

/* A pod (not a template) that limits a resource without requesting it requests the limit. */
static void requests_from_limits(struct arena *a, ResourceRequirements *r)
{
    size_t count = r->n_requests;
    ResourceRequirements__RequestsEntry **all = arena_array(a, r->n_limits + count, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        all[i] = r->requests[i];
    for (size_t i = 0; i < r->n_limits; i++) {
        if (requests(r, r->limits[i]->key))
            continue;
        ResourceRequirements__RequestsEntry *entry =
            arena_new(a, ResourceRequirements__RequestsEntry);
        resource_requirements__requests_entry__init(entry);
        entry->key = r->limits[i]->key;
        entry->value = r->limits[i]->value;
        all[count++] = entry;
    }
    r->requests = count == 0 ? NULL : all;
    r->n_requests = count;
}

void pod_defaults(struct arena *a, void *object)
{
    Pod *pod = object;
    PodSpec *spec = message_ensure(a, &pod->spec, &pod_spec__descriptor);
    (void)message_ensure(a, &pod->status, &pod_status__descriptor);
    pod_spec_defaults(a, spec);
    for (size_t i = 0; i < spec->n_containers; i++)
        requests_from_limits(a, spec->containers[i]->resources);
    for (size_t i = 0; i < spec->n_init_containers; i++)
        requests_from_limits(a, spec->init_containers[i]->resources);
    if (!spec->has_enable_service_links) {
        spec->has_enable_service_links = 1;
        spec->enable_service_links = 1;
    }
}
