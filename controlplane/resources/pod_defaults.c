/*
 * Upstream's defaults of pods and templates that depend on something else in the object. The plain
 * ones (restartPolicy, probe periods, modes, ...) are +default markers in api/proto, which
 * resource_defaults applies first.
 */
#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"

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
    resources_defaults(a, message_ensure(a, &c->resources, &resource_requirements__descriptor));
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
}

/* The deprecated name of the service account mirrors the new one. */
static void service_account_defaults(struct arena *a, PodSpec *spec)
{
    if (text_empty(spec->service_account_name) && !text_empty(spec->service_account))
        spec->service_account_name = text_new(a, spec->service_account);
    else if (!text_empty(spec->service_account_name))
        spec->service_account = text_new(a, spec->service_account_name);
}

void pod_spec_defaults(struct arena *a, struct PodSpec *spec)
{
    service_account_defaults(a, spec);
    for (size_t i = 0; i < spec->n_containers; i++)
        container_defaults(a, spec->containers[i]);
    for (size_t i = 0; i < spec->n_init_containers; i++)
        container_defaults(a, spec->init_containers[i]);
    for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
        EphemeralContainerCommon *c = spec->ephemeral_containers[i]->ephemeral_container_common;
        if (c != NULL)
            text_default(a, &c->image_pull_policy, pull_policy_of(c->image));
    }
    for (size_t i = 0; i < spec->n_volumes; i++)
        volume_defaults(a, spec->volumes[i]);
}

void pod_template_defaults(struct arena *a, struct PodTemplateSpec *t)
{
    (void)message_ensure(a, &t->metadata, &object_meta__descriptor);
    pod_spec_defaults(a, message_ensure(a, &t->spec, &pod_spec__descriptor));
}

/* A pod (not a template) that limits a resource without requesting it requests the limit. */
static void requests_from_limits(struct arena *a, ResourceRequirements *r)
{
    size_t count = r->n_requests;
    ResourceRequirements__RequestsEntry **all = arena_array(a, r->n_limits + count, sizeof(*all));
    struct keys names = keys_new(a, count);
    for (size_t i = 0; i < count; i++) {
        all[i] = r->requests[i];
        keys_add(&names, (struct key){ .text = r->requests[i]->key });
    }
    keys_sort(&names);
    for (size_t i = 0; i < r->n_limits; i++) {
        if (keys_have(&names, r->limits[i]->key))
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

/* On the host's network a container's port is the host's. */
static void host_ports(Container **containers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < containers[i]->n_ports; j++) {
            ContainerPort *port = containers[i]->ports[j];
            if (port->host_port == 0)
                port->host_port = port->container_port;
            port->has_host_port = 1;
        }
    }
}

/* One address and the list of them say the same; where they differ, the one is meant. */
static void join_addresses(struct arena *a, PodStatus *status)
{
    if (!text_empty(status->pod_ip) &&
        (status->n_pod_ips == 0 || !text_eq(status->pod_ip, status->pod_ips[0]->ip))) {
        PodIP *ip = arena_new(a, PodIP);
        pod_ip__init(ip);
        ip->ip = status->pod_ip;
        status->pod_ips = arena_array(a, 1, sizeof(*status->pod_ips));
        status->pod_ips[0] = ip;
        status->n_pod_ips = 1;
    }
    if (status->n_pod_ips > 0)
        status->pod_ip = status->pod_ips[0]->ip;
}

void pod_defaults(struct arena *a, void *object)
{
    Pod *pod = object;
    PodSpec *spec = message_ensure(a, &pod->spec, &pod_spec__descriptor);
    join_addresses(a, message_ensure(a, &pod->status, &pod_status__descriptor));
    pod_spec_defaults(a, spec);
    if (spec->host_network) {
        host_ports(spec->containers, spec->n_containers);
        host_ports(spec->init_containers, spec->n_init_containers);
    }
    for (size_t i = 0; i < spec->n_containers; i++)
        requests_from_limits(a, spec->containers[i]->resources);
    for (size_t i = 0; i < spec->n_init_containers; i++)
        requests_from_limits(a, spec->init_containers[i]->resources);
    if (!spec->has_enable_service_links) {
        spec->has_enable_service_links = 1;
        spec->enable_service_links = 1;
    }
}
