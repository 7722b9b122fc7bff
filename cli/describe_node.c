/* describe of a node (see describe.h). */
#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

#define ROLE_PREFIX "node-role.kubernetes.io/"

static void write_roles(struct page *p)
{
    const struct json *labels = tree_at(p->object, "metadata", "labels", NULL);
    struct json sorted = tree_sorted(&p->cli->arena, labels != NULL ? labels : &json_null);
    bool some = false;
    page_write(p, 0, "Roles:\t");
    for (size_t i = 0; i < tree_count(&sorted); i++) {
        struct str key = sorted.u.members[i].key;
        struct str prefix = str_lit(ROLE_PREFIX);
        struct str role = str_slice(key, prefix.len, key.len);
        if (!str_starts(key, prefix) || role.len == 0)
            continue;
        page_write(p, 0, "%s%.*s", some ? "," : "", STR_ARG(role));
        some = true;
    }
    page_write(p, 0, "%s\n", some ? "" : "<none>");
}

static struct str date_or_unset(struct page *p, struct str time)
{
    return time.len > 0 ? age_date(p->cli, time) : str_lit("<unset>");
}

static void write_lease(struct page *p)
{
    struct str name = tree_text(p->object, "metadata", "name", NULL);
    struct str query = str_printf(&p->cli->arena, "fieldSelector=metadata.name%%3D%.*s",
                                  STR_ARG(objects_escape(p->cli, name)));
    const struct json *leases =
        page_list(p, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", query.data);
    const struct json *spec = json_get_c(tree_item(leases, 0), "spec");
    struct str holder = tree_text(spec, "holderIdentity", NULL);
    if (tree_count(leases) == 0) {
        page_write(p, 0,
                   "Lease:\tFailed to get lease: leases.coordination.k8s.io \"%.*s\" not "
                   "found\n",
                   STR_ARG(name));
        return;
    }
    page_write(p, 0, "Lease:\n");
    page_write(p, 1, "HolderIdentity:\t%.*s\n",
               STR_ARG(holder.len > 0 ? holder : str_lit("<unset>")));
    page_write(p, 1, "AcquireTime:\t%.*s\n",
               STR_ARG(date_or_unset(p, tree_text(spec, "acquireTime", NULL))));
    page_write(p, 1, "RenewTime:\t%.*s\n",
               STR_ARG(date_or_unset(p, tree_text(spec, "renewTime", NULL))));
}

/* A time that never was is shown as the first there is. */
static struct str date_or_first(struct page *p, struct str time)
{
    return time.len > 0 ? age_date(p->cli, time) : str_lit("Mon, 01 Jan 0001 00:00:00 +0000");
}

static void write_conditions(struct page *p, const struct json *conditions)
{
    if (tree_count(conditions) == 0)
        return;
    page_write(p, 0,
               "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage"
               "\n");
    page_write(p, 1, "----\t------\t-----------------\t------------------\t------\t-------\n");
    for (size_t i = 0; i < tree_count(conditions); i++) {
        const struct json *c = tree_item(conditions, i);
        page_write(p, 1, "%.*s \t%.*s \t%.*s \t%.*s \t%.*s \t%.*s\n",
                   STR_ARG(tree_text(c, "type", NULL)), STR_ARG(tree_text(c, "status", NULL)),
                   STR_ARG(date_or_first(p, tree_text(c, "lastHeartbeatTime", NULL))),
                   STR_ARG(date_or_first(p, tree_text(c, "lastTransitionTime", NULL))),
                   STR_ARG(tree_text(c, "reason", NULL)), STR_ARG(tree_text(c, "message", NULL)));
    }
}

static void write_system(struct page *p, const struct json *status)
{
    static const char *const lines[][2] = {
        { "Machine ID", "machineID" },
        { "System UUID", "systemUUID" },
        { "Boot ID", "bootID" },
        { "Kernel Version", "kernelVersion" },
        { "OS Image", "osImage" },
        { "Operating System", "operatingSystem" },
        { "Architecture", "architecture" },
        { "Container Runtime Version", "containerRuntimeVersion" },
        { "Kubelet Version", "kubeletVersion" },
        { "Kube-Proxy Version", "kubeProxyVersion" },
    };
    const struct json *info = json_get_c(status, "nodeInfo");
    page_write(p, 0, "System Info:\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        page_write(p, 1, "%s:\t%.*s\n", lines[i][0],
                   STR_ARG(json_str(json_get_c(info, lines[i][1]))));
}

/* ---- its pods ---- */

static struct quantity quantity_in(struct page *p, const struct json *list, const char *name)
{
    struct quantity q;
    struct str text = tree_scalar(&p->cli->arena, json_get_c(list, name));
    if (quantity_parse(text, &q, NULL) != 0)
        return quantity_of_value(0, QUANTITY_DECIMAL);
    return q;
}

/* Of all containers; init containers run before the others, so the largest of them counts. */
static struct quantity pod_needs(struct page *p, const struct json *pod, const char *list,
                                 const char *name)
{
    const struct json *spec = json_get_c(pod, "spec");
    const struct json *containers = json_get_c(spec, "containers");
    const struct json *init = json_get_c(spec, "initContainers");
    struct quantity sum = quantity_of_value(0, QUANTITY_DECIMAL);
    for (size_t i = 0; i < tree_count(containers); i++) {
        struct quantity q =
            quantity_in(p, tree_at(tree_item(containers, i), "resources", list, NULL), name);
        (void)quantity_add(&sum, &q); /* what does not fit is not shown */
    }
    for (size_t i = 0; i < tree_count(init); i++) {
        struct quantity q =
            quantity_in(p, tree_at(tree_item(init, i), "resources", list, NULL), name);
        if (quantity_cmp(&q, &sum) > 0)
            sum = q;
    }
    return sum;
}

static struct str share(struct page *p, const struct quantity *part, const struct quantity *whole)
{
    char text[QUANTITY_TEXT_MAX];
    double percent = whole->nanos == 0 ? 0 : (double)part->nanos / (double)whole->nanos * 100;
    (void)quantity_format(part, text);
    return str_printf(&p->cli->arena, "%s (%lld%%)", text, (long long)percent);
}

static const char *const needs[][2] = { { "requests", "cpu" },
                                        { "limits", "cpu" },
                                        { "requests", "memory" },
                                        { "limits", "memory" },
                                        { "requests", "ephemeral-storage" },
                                        { "limits", "ephemeral-storage" } };
#define NEEDS       (sizeof needs / sizeof needs[0])
#define NEEDS_SHOWN 4

static void write_pods(struct page *p, const struct json *pods, const struct quantity *whole)
{
    page_write(p, 0, "Non-terminated Pods:\t(%zu in total)\n", tree_count(pods));
    page_write(p, 1,
               "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\t"
               "Age\n");
    page_write(p, 1,
               "---------\t----\t\t------------\t----------\t---------------\t-------------\t"
               "---\n");
    for (size_t i = 0; i < tree_count(pods); i++) {
        const struct json *pod = tree_item(pods, i);
        page_write(p, 1, "%.*s\t%.*s\t", STR_ARG(tree_text(pod, "metadata", "namespace", NULL)),
                   STR_ARG(tree_text(pod, "metadata", "name", NULL)));
        for (size_t n = 0; n < NEEDS_SHOWN; n++) {
            struct quantity q = pod_needs(p, pod, needs[n][0], needs[n][1]);
            page_write(p, 0, "\t%.*s", STR_ARG(share(p, &q, &whole[n])));
        }
        page_write(
            p, 0, "\t%.*s\n",
            STR_ARG(age_since(p->cli, tree_text(pod, "metadata", "creationTimestamp", NULL))));
    }
}

static void write_allocated(struct page *p, const struct json *pods, const struct quantity *whole)
{
    page_write(p, 0,
               "Allocated resources:\n  (Total limits may be over 100 percent, i.e., "
               "overcommitted.)\n");
    page_write(p, 1, "Resource\tRequests\tLimits\n");
    page_write(p, 1, "--------\t--------\t------\n");
    for (size_t n = 0; n < NEEDS; n++) {
        struct quantity sum = quantity_of_value(0, QUANTITY_DECIMAL);
        for (size_t i = 0; i < tree_count(pods); i++) {
            struct quantity q = pod_needs(p, tree_item(pods, i), needs[n][0], needs[n][1]);
            (void)quantity_add(&sum, &q); /* what does not fit is not shown */
        }
        if (n % 2 == 0)
            page_write(p, 1, "%s", needs[n][1]);
        page_write(p, 0, "\t%.*s%s", STR_ARG(share(p, &sum, &whole[n])), n % 2 == 1 ? "\n" : "");
    }
}

static void write_use(struct page *p, const struct json *status)
{
    const struct json *allocatable = json_get_c(status, "allocatable");
    struct quantity whole[NEEDS];
    struct str fields = str_printf(
        &p->cli->arena, "spec.nodeName=%.*s,status.phase!=Failed,status.phase!=Succeeded",
        STR_ARG(tree_text(p->object, "metadata", "name", NULL)));
    struct str query = str_printf(&p->cli->arena, "limit=500&fieldSelector=%.*s",
                                  STR_ARG(objects_escape(p->cli, fields)));
    const struct json *pods = page_list(p, "/api/v1/pods", query.data);
    if (pods == NULL) {
        page_write(p, 0, "Pods:\tnot authorized\n");
        return;
    }
    if (tree_count(allocatable) == 0)
        allocatable = json_get_c(status, "capacity");
    for (size_t n = 0; n < NEEDS; n++)
        whole[n] = quantity_in(p, allocatable, needs[n][1]);
    write_pods(p, pods, whole);
    write_allocated(p, pods, whole);
}

/* ---- the page ---- */

static void write_addresses(struct page *p, const struct json *status)
{
    const struct json *addresses = json_get_c(status, "addresses");
    page_write(p, 0, "Addresses:\n");
    for (size_t i = 0; i < tree_count(addresses); i++)
        page_write(p, 1, "%.*s:\t%.*s\n", STR_ARG(tree_text(tree_item(addresses, i), "type", NULL)),
                   STR_ARG(tree_text(tree_item(addresses, i), "address", NULL)));
}

static void write_ranges(struct page *p, const struct json *spec)
{
    const struct json *cidrs = json_get_c(spec, "podCIDRs");
    struct str cidr = tree_text(spec, "podCIDR", NULL);
    struct str provider = tree_text(spec, "providerID", NULL);
    if (cidr.len > 0)
        page_write(p, 0, "PodCIDR:\t%.*s\n", STR_ARG(cidr));
    if (tree_count(cidrs) > 0)
        page_write(p, 0, "PodCIDRs:\t");
    for (size_t i = 0; i < tree_count(cidrs); i++)
        page_write(p, 0, "%s%.*s%s", i > 0 ? "," : "", STR_ARG(json_str(tree_item(cidrs, i))),
                   i + 1 == tree_count(cidrs) ? "\n" : "");
    if (provider.len > 0)
        page_write(p, 0, "ProviderID:\t%.*s\n", STR_ARG(provider));
}

void describe_node(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *status = json_get_c(p->object, "status");
    struct str made = tree_text(p->object, "metadata", "creationTimestamp", NULL);
    page_write(p, 0, "Name:\t%.*s\n", STR_ARG(tree_text(p->object, "metadata", "name", NULL)));
    write_roles(p);
    page_meta(p);
    page_write(p, 0, "CreationTimestamp:\t%.*s\n", STR_ARG(age_date(p->cli, made)));
    page_taints(p, json_get_c(spec, "taints"));
    page_write(p, 0, "Unschedulable:\t%s\n", tree_true(spec, "unschedulable") ? "true" : "false");
    write_lease(p);
    write_conditions(p, json_get_c(status, "conditions"));
    write_addresses(p, status);
    if (tree_count(json_get_c(status, "capacity")) > 0)
        page_write(p, 0, "Capacity:\n");
    page_quantities(p, 1, json_get_c(status, "capacity"));
    if (tree_count(json_get_c(status, "allocatable")) > 0)
        page_write(p, 0, "Allocatable:\n");
    page_quantities(p, 1, json_get_c(status, "allocatable"));
    write_system(p, status);
    write_ranges(p, spec);
    write_use(p, status);
    page_events(p, true);
}
