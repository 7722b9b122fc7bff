/* describe of what makes pods (see describe.h). */
#include <string.h>

#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

#define HASH_LABEL "pod-template-hash"

void page_template(struct page *p, const struct json *template)
{
    const struct json *spec = json_get_c(template, "spec");
    const struct json *annotations = tree_at(template, "metadata", "annotations", NULL);
    const struct json *init = json_get_c(spec, "initContainers");
    struct str account = tree_text(spec, "serviceAccountName", NULL);
    struct str priority = tree_text(spec, "priorityClassName", NULL);
    page_write(p, 0, "Pod Template:\n");
    page_labels(p, "  Labels", tree_at(template, "metadata", "labels", NULL));
    if (tree_count(annotations) > 0)
        page_annotations(p, "  Annotations", annotations);
    if (account.len > 0)
        page_write(p, 1, "Service Account:\t%.*s\n", STR_ARG(account));
    if (tree_count(init) > 0)
        page_containers(p, "Init Containers", "  ", init, NULL, false);
    page_containers(p, "Containers", "  ", json_get_c(spec, "containers"), NULL, false);
    page_volumes(p, "  ", json_get_c(spec, "volumes"));
    if (priority.len > 0)
        page_write(p, 1, "Priority Class Name:\t%.*s\n", STR_ARG(priority));
    page_labels(p, "  Node-Selectors", json_get_c(spec, "nodeSelector"));
    page_tolerations(p, "  Tolerations", json_get_c(spec, "tolerations"));
}

/* Items of a path in the object's namespace that a selector matches. */
static const struct json *selected(struct page *p, const char *root, const char *plural,
                                   struct str selector)
{
    struct arena *a = &p->cli->arena;
    struct str ns = tree_text(p->object, "metadata", "namespace", NULL);
    struct str path = str_printf(a, "%s/namespaces/%.*s/%s", root, STR_ARG(ns), plural);
    struct str query =
        str_printf(a, "labelSelector=%.*s", STR_ARG(objects_escape(p->cli, selector)));
    return page_list(p, path.data, query.data);
}

static bool owned_by(const struct json *object, struct str uid)
{
    const struct json *owners = tree_at(object, "metadata", "ownerReferences", NULL);
    for (size_t i = 0; i < tree_count(owners); i++)
        if (tree_true(tree_item(owners, i), "controller"))
            return str_eq(tree_text(tree_item(owners, i), "uid", NULL), uid);
    return false;
}

void page_pod_counts(struct page *p, struct str selector)
{
    static const char *const phases[] = { "Running", "Pending", "Succeeded", "Failed" };
    const struct json *pods = selected(p, "/api/v1", "pods", selector);
    struct str uid = tree_text(p->object, "metadata", "uid", NULL);
    int counts[4] = { 0 };
    for (size_t i = 0; i < tree_count(pods); i++) {
        const struct json *pod = tree_item(pods, i);
        for (size_t k = 0; owned_by(pod, uid) && k < 4; k++)
            counts[k] += str_eq_c(tree_text(pod, "status", "phase", NULL), phases[k]);
    }
    page_write(p, 0, "Pods Status:\t%d Running / %d Waiting / %d Succeeded / %d Failed\n",
               counts[0], counts[1], counts[2], counts[3]);
}

static void write_replicas(struct page *p)
{
    page_write(p, 0, "Replicas:\t%lld current / %lld desired\n",
               (long long)tree_int(json_get_c(p->object, "status"), "replicas", 0),
               (long long)tree_int(json_get_c(p->object, "spec"), "replicas", 0));
}

void describe_replicaset(struct page *p)
{
    struct str selector = page_selector(p, tree_at(p->object, "spec", "selector", NULL));
    page_head(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(selector));
    page_meta(p);
    page_owner(p);
    write_replicas(p);
    page_pod_counts(p, selector);
    page_template(p, tree_at(p->object, "spec", "template", NULL));
    page_conditions(p, tree_at(p->object, "status", "conditions", NULL));
    page_events(p, true);
}

void describe_replication_controller(struct page *p)
{
    struct str selector = tree_labels(&p->cli->arena, tree_at(p->object, "spec", "selector", NULL));
    page_head(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(selector));
    page_meta(p);
    write_replicas(p);
    page_pod_counts(p, selector);
    page_template(p, tree_at(p->object, "spec", "template", NULL));
    page_conditions(p, tree_at(p->object, "status", "conditions", NULL));
    page_events(p, true);
}

/* ---- deployments ---- */

/* The template, but for the label that tells replica sets apart. */
static struct json bare_template(struct page *p, const struct json *template)
{
    struct arena *a = &p->cli->arena;
    const struct json *meta = json_get_c(template, "metadata");
    const struct json *labels = json_get_c(meta, "labels");
    if (json_get_c(labels, HASH_LABEL) == NULL)
        return *template;
    struct json less = tree_with(a, labels, HASH_LABEL, NULL);
    struct json other = tree_with(a, meta, "labels", &less);
    return tree_with(a, template, "metadata", &other);
}

static bool is_new(struct page *p, const struct json *set)
{
    const struct json *wanted = tree_at(p->object, "spec", "template", NULL);
    const struct json *has = tree_at(set, "spec", "template", NULL);
    if (wanted == NULL || has == NULL)
        return false;
    struct json bare = bare_template(p, has);
    return json_equal(&bare, wanted);
}

static void write_sets(struct page *p, const char *title, const struct json *const *sets,
                       size_t count)
{
    page_write(p, 0, "%s:\t%s", title, count == 0 ? "<none>" : "");
    for (size_t i = 0; i < count; i++)
        page_write(p, 0, "%s%.*s (%lld/%lld replicas created)", i > 0 ? ", " : "",
                   STR_ARG(tree_text(sets[i], "metadata", "name", NULL)),
                   (long long)tree_int(json_get_c(sets[i], "status"), "replicas", 0),
                   (long long)tree_int(json_get_c(sets[i], "spec"), "replicas", 0));
    page_write(p, 0, "\n");
}

/* The oldest set with the very template is the new one; the others are old. */
static void write_replica_sets(struct page *p)
{
    struct str selector = page_selector(p, tree_at(p->object, "spec", "selector", NULL));
    struct str uid = tree_text(p->object, "metadata", "uid", NULL);
    const struct json *all = selected(p, "/apis/apps/v1", "replicasets", selector);
    const struct json **old = arena_array(&p->cli->arena, tree_count(all), sizeof *old);
    const struct json *newest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < tree_count(all); i++) {
        const struct json *set = tree_item(all, i);
        bool matches = owned_by(set, uid) && is_new(p, set);
        struct str made = tree_text(set, "metadata", "creationTimestamp", NULL);
        if (matches && (newest == NULL || str_cmp(made, tree_text(newest, "metadata",
                                                                  "creationTimestamp", NULL)) < 0))
            newest = set;
    }
    for (size_t i = 0; i < tree_count(all); i++)
        if (tree_item(all, i) != newest && owned_by(tree_item(all, i), uid))
            old[count++] = tree_item(all, i);
    if (newest == NULL && count == 0)
        return;
    write_sets(p, "OldReplicaSets", old, count);
    write_sets(p, "NewReplicaSet", &newest, newest != NULL ? 1 : 0);
}

void describe_deployment(struct page *p)
{
    struct arena *a = &p->cli->arena;
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *status = json_get_c(p->object, "status");
    const struct json *rolling = tree_at(spec, "strategy", "rollingUpdate", NULL);
    struct str made = tree_text(p->object, "metadata", "creationTimestamp", NULL);
    page_head(p);
    page_write(p, 0, "CreationTimestamp:\t%.*s\n", STR_ARG(age_date(p->cli, made)));
    page_meta(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(page_selector(p, json_get_c(spec, "selector"))));
    page_write(p, 0,
               "Replicas:\t%lld desired | %lld updated | %lld total | %lld available | %lld "
               "unavailable\n",
               (long long)tree_int(spec, "replicas", 0),
               (long long)tree_int(status, "updatedReplicas", 0),
               (long long)tree_int(status, "replicas", 0),
               (long long)tree_int(status, "availableReplicas", 0),
               (long long)tree_int(status, "unavailableReplicas", 0));
    page_write(p, 0, "StrategyType:\t%.*s\n", STR_ARG(tree_text(spec, "strategy", "type", NULL)));
    page_write(p, 0, "MinReadySeconds:\t%lld\n", (long long)tree_int(spec, "minReadySeconds", 0));
    if (rolling != NULL)
        page_write(p, 0, "RollingUpdateStrategy:\t%.*s max unavailable, %.*s max surge\n",
                   STR_ARG(tree_scalar(a, json_get_c(rolling, "maxUnavailable"))),
                   STR_ARG(tree_scalar(a, json_get_c(rolling, "maxSurge"))));
    page_template(p, json_get_c(spec, "template"));
    page_conditions(p, json_get_c(status, "conditions"));
    write_replica_sets(p);
    page_events(p, true);
}
