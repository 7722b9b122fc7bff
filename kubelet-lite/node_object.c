/* The Node as it should be: pure. */
#include <stdio.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/text.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/version.h"
#include "kubelet-lite/node.h"

/* Kept from pods for the system, as upstream's eviction threshold is. */
#define MEMORY_RESERVED_BYTES NODE_MEMORY_AVAILABLE_MIN
#define CONDITION_COUNT       4

static void *message(struct arena *a, const ProtobufCMessageDescriptor *d)
{
    ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);
    protobuf_c_message_init(d, m);
    return m;
}

struct quantity_entry {
    ProtobufCMessage base;
    char *key;
    Quantity *value;
};

static void put(struct arena *a, const ProtobufCMessageDescriptor *d, void *list, size_t *count,
                const char *key, struct str value)
{
    struct quantity_entry **entries = list;
    struct quantity_entry *e = message(a, d);
    e->key = (char *)key;
    e->value = message(a, &quantity__descriptor);
    e->value->string = (char *)value.data;
    entries[(*count)++] = e;
}

static void set_amounts(struct arena *a, const struct node_config *c, NodeStatus *s)
{
    const struct node_facts *f = c->facts;
    const ProtobufCMessageDescriptor *cap = &node_status__capacity_entry__descriptor;
    const ProtobufCMessageDescriptor *alloc = &node_status__allocatable_entry__descriptor;
    struct str cpu = str_printf(a, "%lld", (long long)f->cpus);
    struct str pods = str_printf(a, "%llu", (unsigned long long)c->max_pods);
    struct str memory = str_printf(a, "%lldKi", (long long)f->memory_bytes / 1024);
    struct str left =
        str_printf(a, "%lldKi", (long long)(f->memory_bytes - MEMORY_RESERVED_BYTES) / 1024);
    struct str disk = str_printf(a, "%lldKi", (long long)f->disk_bytes / 1024);
    struct str disk_left = str_printf(a, "%lld", (long long)f->disk_bytes / 10 * 9);
    s->capacity = arena_array(a, 4, sizeof *s->capacity);
    s->allocatable = arena_array(a, 4, sizeof *s->allocatable);
    put(a, cap, s->capacity, &s->n_capacity, "cpu", cpu);
    put(a, cap, s->capacity, &s->n_capacity, "ephemeral-storage", disk);
    put(a, cap, s->capacity, &s->n_capacity, "memory", memory);
    put(a, cap, s->capacity, &s->n_capacity, "pods", pods);
    put(a, alloc, s->allocatable, &s->n_allocatable, "cpu", cpu);
    put(a, alloc, s->allocatable, &s->n_allocatable, "ephemeral-storage", disk_left);
    put(a, alloc, s->allocatable, &s->n_allocatable, "memory", left);
    put(a, alloc, s->allocatable, &s->n_allocatable, "pods", pods);
}

static void set_condition(struct arena *a, NodeStatus *s, const char *type, bool is,
                          const char *reason, const char *why, uint64_t now_ns)
{
    struct condition_value v = {
        .type = type, .status = is ? "True" : "False", .reason = reason, .message = why
    };
    Time *now = message(a, &time__descriptor);
    now->has_seconds = 1;
    now->seconds = (int64_t)(now_ns / ENV_S);
    (void)condition_set(a, &node_condition__descriptor, &s->conditions, &s->n_conditions, &v,
                        now_ns);
    for (size_t i = 0; i < s->n_conditions; i++) {
        if (strcmp(s->conditions[i]->type, type) != 0)
            continue;
        NodeCondition *copy = arena_copy(a, s->conditions[i], sizeof *copy);
        copy->last_heartbeat_time = now;
        s->conditions[i] = copy;
    }
}

static void set_conditions(struct arena *a, NodeStatus *s, const struct node_pressure *p,
                           bool ready, const char *not_ready, uint64_t now_ns)
{
    set_condition(a, s, "MemoryPressure", p->memory,
                  p->memory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
                  p->memory ? "kubelet has insufficient memory available"
                            : "kubelet has sufficient memory available",
                  now_ns);
    set_condition(a, s, "DiskPressure", p->disk,
                  p->disk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
                  p->disk ? "kubelet has disk pressure" : "kubelet has no disk pressure", now_ns);
    set_condition(a, s, "PIDPressure", p->pids,
                  p->pids ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID",
                  p->pids ? "kubelet has insufficient PID available"
                          : "kubelet has sufficient PID available",
                  now_ns);
    set_condition(a, s, "Ready", ready, ready ? "KubeletReady" : "KubeletNotReady",
                  ready ? "kubelet is posting ready status" : not_ready, now_ns);
}

static void set_addresses(struct arena *a, const struct node_config *c, NodeStatus *s)
{
    const char *const rows[][2] = { { "InternalIP", c->ip }, { "Hostname", c->name } };
    s->addresses = arena_array(a, 2, sizeof *s->addresses);
    for (size_t i = 0; i < 2; i++) {
        NodeAddress *address = message(a, &node_address__descriptor);
        address->type = (char *)rows[i][0];
        address->address = (char *)rows[i][1];
        s->addresses[s->n_addresses++] = address;
    }
    s->daemon_endpoints = message(a, &node_daemon_endpoints__descriptor);
    s->daemon_endpoints->kubelet_endpoint = message(a, &daemon_endpoint__descriptor);
    s->daemon_endpoints->kubelet_endpoint->has_port = 1;
    s->daemon_endpoints->kubelet_endpoint->port = c->port;
}

static NodeSystemInfo *system_info(struct arena *a, const struct node_facts *f,
                                   const char *runtime_version)
{
    NodeSystemInfo *i = message(a, &node_system_info__descriptor);
    i->machine_id = (char *)f->machine_id;
    i->system_uuid = (char *)f->system_uuid;
    i->boot_id = (char *)f->boot_id;
    i->kernel_version = (char *)f->kernel;
    i->os_image = (char *)f->os_image;
    i->container_runtime_version = (char *)text_of(runtime_version);
    i->kubelet_version = (char *)GANTRY_KUBERNETES_VERSION "-gantry." GANTRY_VERSION;
    i->kube_proxy_version = (char *)"";
    i->operating_system = (char *)"linux";
    i->architecture = (char *)f->architecture;
    return i;
}

static ObjectMeta *metadata(struct arena *a, const struct node_config *c)
{
    const char *const rows[][2] = { { "beta.kubernetes.io/arch", c->facts->architecture },
                                    { "beta.kubernetes.io/os", "linux" },
                                    { "kubernetes.io/arch", c->facts->architecture },
                                    { "kubernetes.io/hostname", c->name },
                                    { "kubernetes.io/os", "linux" } };
    ObjectMeta *m = message(a, &object_meta__descriptor);
    m->name = (char *)c->name;
    m->labels = arena_array(a, sizeof rows / sizeof rows[0], sizeof *m->labels);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ObjectMeta__LabelsEntry *l = message(a, &object_meta__labels_entry__descriptor);
        l->key = (char *)rows[i][0];
        l->value = (char *)rows[i][1];
        m->labels[m->n_labels++] = l;
    }
    return m;
}

struct Node *node_object(struct arena *a, const struct node_config *config,
                         const struct node_pressure *pressure, bool ready, const char *not_ready,
                         const char *runtime_version, const struct Node *base, uint64_t now_ns)
{
    Node *n = message(a, &node__descriptor);
    n->metadata = metadata(a, config);
    n->spec = message(a, &node_spec__descriptor);
    n->status = message(a, &node_status__descriptor);
    if (base != NULL && base->status != NULL && base->status->n_conditions > 0) {
        n->status->n_conditions = base->status->n_conditions;
        n->status->conditions = arena_copy(a, base->status->conditions,
                                           base->status->n_conditions * sizeof(NodeCondition *));
    }
    set_amounts(a, config, n->status);
    set_conditions(a, n->status, pressure, ready, not_ready, now_ns);
    set_addresses(a, config, n->status);
    n->status->node_info = system_info(a, config->facts, runtime_version);
    return n;
}
