/* Rows of Deployments, ReplicaSets, ReplicationControllers, pod templates and Services. */
#include <stdlib.h>
#include <string.h>

#include "api/meta/selector.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/tables.h"

const struct table_column deployment_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Ready", .type = "string" },
    { .name = "Up-to-date", .type = "string" },
    { .name = "Available", .type = "string" },
    { .name = "Age", .type = "string" },
    { .name = "Containers", .type = "string", .priority = 1 },
    { .name = "Images", .type = "string", .priority = 1 },
    { .name = "Selector", .type = "string", .priority = 1 }
};

const struct table_column replica_set_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Desired", .type = "integer" },
    { .name = "Current", .type = "integer" },
    { .name = "Ready", .type = "integer" },
    { .name = "Age", .type = "string" },
    { .name = "Containers", .type = "string", .priority = 1 },
    { .name = "Images", .type = "string", .priority = 1 },
    { .name = "Selector", .type = "string", .priority = 1 }
};

const struct table_column pod_template_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Containers", .type = "string" },
    { .name = "Images", .type = "string" },
    { .name = "Pod Labels", .type = "string" }
};

const struct table_column service_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Type", .type = "string" },
    { .name = "Cluster-IP", .type = "string" },
    { .name = "External-IP", .type = "string" },
    { .name = "Port(s)", .type = "string" },
    { .name = "Age", .type = "string" },
    { .name = "Selector", .type = "string", .priority = 1 }
};

static struct table_cell take(struct arena *a, struct buf *b, const char *when_empty)
{
    struct str text = b->len == 0 ? str_from(when_empty) : str_copy(a, buf_str(b));
    buf_deinit(b);
    return cell_str(text);
}

/* Names and images of a template's containers. */
static void container_cells(struct arena *a, const PodTemplateSpec *t, struct table_cell out[2])
{
    struct buf names;
    struct buf images;
    buf_init(&names);
    buf_init(&images);
    for (size_t i = 0; t != NULL && t->spec != NULL && i < t->spec->n_containers; i++) {
        buf_printf(&names, "%s%s", i > 0 ? "," : "", text_of(t->spec->containers[i]->name));
        buf_printf(&images, "%s%s", i > 0 ? "," : "", text_of(t->spec->containers[i]->image));
    }
    out[0] = take(a, &names, "");
    out[1] = take(a, &images, "");
}

/* A selector in its two words for what it cannot show. */
static struct table_cell selector_cell(struct arena *a, const LabelSelector *ls,
                                       const char *when_empty, const char *when_wrong)
{
    struct selector selector;
    if (ls == NULL)
        return cell_text(when_empty);
    if (selector_from_struct(a, ls, &selector, NULL) < 0)
        return cell_text(when_wrong);
    return selector.count == 0 ? cell_text(when_empty) : cell_str(selector_text(a, &selector));
}

void deployment_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    static const DeploymentSpec no_spec = DEPLOYMENT_SPEC__INIT;
    static const DeploymentStatus no_status = DEPLOYMENT_STATUS__INIT;
    const Deployment *d = object;
    const DeploymentSpec *spec = d->spec == NULL ? &no_spec : d->spec;
    const DeploymentStatus *status = d->status == NULL ? &no_status : d->status;
    out[0] = cell_name(object);
    out[1] = cell_str(str_printf(c->arena, "%d/%d", status->ready_replicas, spec->replicas));
    out[2] = cell_number(status->updated_replicas);
    out[3] = cell_number(status->available_replicas);
    out[4] = cell_age(c, object);
    container_cells(c->arena, spec->template_, out + 5);
    out[7] = selector_cell(c->arena, spec->selector, "", "<invalid>");
}

void replica_set_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    static const ReplicaSetSpec no_spec = REPLICA_SET_SPEC__INIT;
    static const ReplicaSetStatus no_status = REPLICA_SET_STATUS__INIT;
    const ReplicaSet *rs = object;
    const ReplicaSetSpec *spec = rs->spec == NULL ? &no_spec : rs->spec;
    const ReplicaSetStatus *status = rs->status == NULL ? &no_status : rs->status;
    out[0] = cell_name(object);
    out[1] = cell_number(spec->replicas);
    out[2] = cell_number(status->replicas);
    out[3] = cell_number(status->ready_replicas);
    out[4] = cell_age(c, object);
    container_cells(c->arena, spec->template_, out + 5);
    out[7] = selector_cell(c->arena, spec->selector, "<none>", "<error>");
}

void replication_controller_cells(const struct resource_context *c, const void *object,
                                  struct table_cell *out)
{
    static const ReplicationControllerSpec no_spec = REPLICATION_CONTROLLER_SPEC__INIT;
    static const ReplicationControllerStatus no_status = REPLICATION_CONTROLLER_STATUS__INIT;
    const ReplicationController *rc = object;
    const ReplicationControllerSpec *spec = rc->spec == NULL ? &no_spec : rc->spec;
    const ReplicationControllerStatus *status = rc->status == NULL ? &no_status : rc->status;
    out[0] = cell_name(object);
    out[1] = cell_number(spec->replicas);
    out[2] = cell_number(status->replicas);
    out[3] = cell_number(status->ready_replicas);
    out[4] = cell_age(c, object);
    container_cells(c->arena, spec->template_, out + 5);
    out[7] = cell_labels(c->arena, spec->selector, spec->n_selector);
}

void pod_template_cells(const struct resource_context *c, const void *object,
                        struct table_cell *out)
{
    static const ObjectMeta no_meta = OBJECT_META__INIT;
    const PodTemplateSpec *t = ((const PodTemplate *)object)->template_;
    const ObjectMeta *meta = t == NULL || t->metadata == NULL ? &no_meta : t->metadata;
    out[0] = cell_name(object);
    container_cells(c->arena, t, out + 1);
    out[3] = cell_labels(c->arena, meta->labels, meta->n_labels);
}

static int text_order(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void append_listed(struct buf *b, const char *text)
{
    buf_append_c(b, b->len > 0 ? "," : "");
    buf_append_c(b, text);
}

/* Addresses, or names, of the balancers: sorted, each once. */
static void show_balancers(struct arena *a, const LoadBalancerStatus *lb, struct buf *out)
{
    size_t count = 0;
    const char **names = arena_array(a, lb == NULL ? 0 : lb->n_ingress, sizeof(*names));
    for (size_t i = 0; lb != NULL && i < lb->n_ingress; i++) {
        const LoadBalancerIngress *in = lb->ingress[i];
        if (!text_empty(in->ip) || !text_empty(in->hostname))
            names[count++] = text_empty(in->ip) ? in->hostname : in->ip;
    }
    if (count > 1)
        qsort(names, count, sizeof(*names), text_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !text_eq(names[i], names[i - 1]))
            append_listed(out, names[i]);
    }
}

static struct table_cell external_cell(struct arena *a, const Service *s, const ServiceSpec *spec)
{
    struct buf b;
    bool balanced = text_eq(spec->type, "LoadBalancer");
    if (text_eq(spec->type, "ExternalName"))
        return cell_text(text_of(spec->external_name));
    if (!balanced && !text_eq(spec->type, "ClusterIP") && !text_eq(spec->type, "NodePort"))
        return cell_text("<unknown>");
    buf_init(&b);
    if (balanced)
        show_balancers(a, s->status == NULL ? NULL : s->status->load_balancer, &b);
    for (size_t i = 0; i < spec->n_external_ips; i++)
        append_listed(&b, text_of(spec->external_ips[i]));
    return take(a, &b, balanced ? "<pending>" : "<none>");
}

static struct table_cell ports_cell(struct arena *a, const ServiceSpec *spec)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < spec->n_ports; i++) {
        const ServicePort *port = spec->ports[i];
        buf_printf(&b, "%s%d", i > 0 ? "," : "", port->port);
        if (port->node_port > 0)
            buf_printf(&b, ":%d", port->node_port);
        buf_printf(&b, "/%s", text_of(port->protocol));
    }
    return take(a, &b, "<none>");
}

void service_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    static const ServiceSpec no_spec = SERVICE_SPEC__INIT;
    const Service *s = object;
    const ServiceSpec *spec = s->spec == NULL ? &no_spec : s->spec;
    out[0] = cell_name(object);
    out[1] = cell_text(spec->type);
    out[2] = cell_or_none(spec->n_cluster_ips > 0 ? spec->cluster_ips[0] : spec->cluster_ip);
    out[3] = external_cell(c->arena, s, spec);
    out[4] = ports_cell(c->arena, spec);
    out[5] = cell_age(c, object);
    out[6] = cell_labels(c->arena, spec->selector, spec->n_selector);
}
