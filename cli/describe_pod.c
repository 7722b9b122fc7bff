/* describe of a pod (see describe.h). */
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

static void write_line(struct page *p, const char *title, struct str value)
{
    if (value.len > 0)
        page_write(p, 0, "%s:\t%.*s\n", title, STR_ARG(value));
}

static void write_place(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    struct str node = tree_text(spec, "nodeName", NULL);
    struct str started = tree_text(p->object, "status", "startTime", NULL);
    if (json_get_c(spec, "priority") != NULL)
        page_write(p, 0, "Priority:\t%lld\n", (long long)tree_int(spec, "priority", 0));
    write_line(p, "Priority Class Name", tree_text(spec, "priorityClassName", NULL));
    write_line(p, "Runtime Class Name", tree_text(spec, "runtimeClassName", NULL));
    write_line(p, "Service Account", tree_text(spec, "serviceAccountName", NULL));
    if (node.len == 0)
        page_write(p, 0, "Node:\t<none>\n");
    else
        page_write(p, 0, "Node:\t%.*s/%.*s\n", STR_ARG(node),
                   STR_ARG(tree_text(p->object, "status", "hostIP", NULL)));
    if (started.len > 0)
        page_write(p, 0, "Start Time:\t%.*s\n", STR_ARG(age_date(p->cli, started)));
}

static void write_phase(struct page *p)
{
    const struct json *status = json_get_c(p->object, "status");
    const struct json *meta = json_get_c(p->object, "metadata");
    struct str deleted = tree_text(meta, "deletionTimestamp", NULL);
    struct str phase = tree_text(status, "phase", NULL);
    struct str profile =
        tree_text(p->object, "spec", "securityContext", "seccompProfile", "type", NULL);
    if (deleted.len > 0 && !str_eq_c(phase, "Failed") && !str_eq_c(phase, "Succeeded")) {
        page_write(p, 0, "Status:\tTerminating (lasts %.*s)\n",
                   STR_ARG(age_since(p->cli, deleted)));
        page_write(p, 0, "Termination Grace Period:\t%llds\n",
                   (long long)tree_int(meta, "deletionGracePeriodSeconds", 0));
    } else {
        page_write(p, 0, "Status:\t%.*s\n", STR_ARG(phase));
    }
    write_line(p, "Reason", tree_text(status, "reason", NULL));
    write_line(p, "Message", tree_text(status, "message", NULL));
    write_line(p, "SeccompProfile", profile);
    if (str_eq_c(profile, "Localhost"))
        write_line(p, "LocalhostProfile",
                   tree_text(p->object, "spec", "securityContext", "seccompProfile",
                             "localhostProfile", NULL));
}

static void write_addresses(struct page *p)
{
    const struct json *status = json_get_c(p->object, "status");
    const struct json *ips = json_get_c(status, "podIPs");
    page_write(p, 0, "IP:\t%.*s\n", STR_ARG(tree_text(status, "podIP", NULL)));
    page_write(p, 0, "IPs:%s\n", tree_count(ips) == 0 ? "\t<none>" : "");
    for (size_t i = 0; i < tree_count(ips); i++)
        page_write(p, 1, "IP:\t%.*s\n", STR_ARG(tree_text(tree_item(ips, i), "ip", NULL)));
}

static void write_all_containers(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *status = json_get_c(p->object, "status");
    const struct json *init = json_get_c(spec, "initContainers");
    const struct json *ephemeral = json_get_c(spec, "ephemeralContainers");
    if (tree_count(init) > 0)
        page_containers(p, "Init Containers", "", init, json_get_c(status, "initContainerStatuses"),
                        true);
    page_containers(p, "Containers", "", json_get_c(spec, "containers"),
                    json_get_c(status, "containerStatuses"), true);
    if (tree_count(ephemeral) > 0)
        page_containers(p, "Ephemeral Containers", "", ephemeral,
                        json_get_c(status, "ephemeralContainerStatuses"), true);
}

static struct str condition_status(const struct json *conditions, struct str type)
{
    for (size_t i = 0; i < tree_count(conditions); i++)
        if (str_eq(tree_text(tree_item(conditions, i), "type", NULL), type))
            return tree_text(tree_item(conditions, i), "status", NULL);
    return str_lit("<none>");
}

static void write_conditions(struct page *p)
{
    const struct json *conditions = tree_at(p->object, "status", "conditions", NULL);
    const struct json *gates = tree_at(p->object, "spec", "readinessGates", NULL);
    if (tree_count(gates) > 0)
        page_write(p, 0, "Readiness Gates:\n  Type\tStatus\n");
    for (size_t i = 0; i < tree_count(gates); i++) {
        struct str type = tree_text(tree_item(gates, i), "conditionType", NULL);
        page_write(p, 1, "%.*s \t%.*s \n", STR_ARG(type),
                   STR_ARG(condition_status(conditions, type)));
    }
    if (tree_count(conditions) > 0)
        page_write(p, 0, "Conditions:\n  Type\tStatus\n");
    for (size_t i = 0; i < tree_count(conditions); i++)
        page_write(p, 1, "%.*s \t%.*s \n",
                   STR_ARG(tree_text(tree_item(conditions, i), "type", NULL)),
                   STR_ARG(tree_text(tree_item(conditions, i), "status", NULL)));
}

void describe_pod(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    struct str qos = tree_text(p->object, "status", "qosClass", NULL);
    page_head(p);
    write_place(p);
    page_meta(p);
    write_phase(p);
    write_addresses(p);
    page_owner(p);
    write_line(p, "NominatedNodeName", tree_text(p->object, "status", "nominatedNodeName", NULL));
    write_all_containers(p);
    write_conditions(p);
    page_volumes(p, "", json_get_c(spec, "volumes"));
    page_write(p, 0, "QoS Class:\t%.*s\n", STR_ARG(qos));
    page_labels(p, "Node-Selectors", json_get_c(spec, "nodeSelector"));
    page_tolerations(p, "Tolerations", json_get_c(spec, "tolerations"));
    page_events(p, false);
}
