/* describe of stateful sets, daemon sets and jobs, where a server has them (see describe.h). */
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

static long long number(const struct json *object, const char *name)
{
    return (long long)tree_int(object, name, 0);
}

static void write_text(struct page *p, int level, const char *title, struct str text)
{
    if (text.len > 0)
        page_write(p, level, "%s:\t%.*s\n", title, STR_ARG(text));
}

/* A field that is shown where it is set. */
static void write_set(struct page *p, const char *title, const struct json *value, const char *unit)
{
    if (value != NULL && value->type != JSON_NULL)
        page_write(p, 0, "%s:\t%.*s%s\n", title, STR_ARG(tree_scalar(&p->cli->arena, value)), unit);
}

static void write_claim(struct page *p, const struct json *claim)
{
    const struct json *spec = json_get_c(claim, "spec");
    const struct json *modes = json_get_c(spec, "accessModes");
    const struct json *size = tree_at(spec, "resources", "requests", "storage", NULL);
    struct str class = tree_text(spec, "storageClassName", NULL);
    page_write(p, 1, "Name:\t%.*s\n", STR_ARG(tree_text(claim, "metadata", "name", NULL)));
    page_write(p, 1, "StorageClass:\t%.*s\n", STR_ARG(class));
    page_labels(p, "  Labels", tree_at(claim, "metadata", "labels", NULL));
    page_annotations(p, "  Annotations", tree_at(claim, "metadata", "annotations", NULL));
    page_write(p, 1, "Capacity:\t%.*s\n",
               STR_ARG(size != NULL ? page_quantity(p, size) : str_lit("<default>")));
    page_write(p, 1, "Access Modes:\t[");
    for (size_t i = 0; i < tree_count(modes); i++)
        page_write(p, 0, "%s%.*s", i > 0 ? " " : "", STR_ARG(json_str(tree_item(modes, i))));
    page_write(p, 0, "]\n");
}

void describe_statefulset(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *claims = json_get_c(spec, "volumeClaimTemplates");
    const struct json *kept = json_get_c(spec, "persistentVolumeClaimRetentionPolicy");
    const struct json *partition =
        tree_at(spec, "updateStrategy", "rollingUpdate", "partition", NULL);
    struct str selector = page_selector(p, json_get_c(spec, "selector"));
    struct str made = tree_text(p->object, "metadata", "creationTimestamp", NULL);
    page_head(p);
    page_write(p, 0, "CreationTimestamp:\t%.*s\n", STR_ARG(age_date(p->cli, made)));
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(selector));
    page_meta(p);
    page_write(p, 0, "Replicas:\t%lld desired | %lld total\n", number(spec, "replicas"),
               number(json_get_c(p->object, "status"), "replicas"));
    page_write(p, 0, "Update Strategy:\t%.*s\n",
               STR_ARG(tree_text(spec, "updateStrategy", "type", NULL)));
    if (partition != NULL)
        page_write(p, 1, "Partition:\t%.*s\n", STR_ARG(tree_scalar(&p->cli->arena, partition)));
    if (kept != NULL)
        page_write(p, 0, "Persistent Volume Claim Retention Policy:\n");
    write_text(p, 1, "WhenDeleted", tree_text(kept, "whenDeleted", NULL));
    write_text(p, 1, "WhenScaled", tree_text(kept, "whenScaled", NULL));
    page_pod_counts(p, selector);
    page_template(p, json_get_c(spec, "template"));
    page_write(p, 0, "Volume Claims:%s\n", tree_count(claims) == 0 ? "\t<none>" : "");
    for (size_t i = 0; i < tree_count(claims); i++)
        write_claim(p, tree_item(claims, i));
    page_events(p, true);
}

void describe_daemonset(struct page *p)
{
    static const char *const counts[][2] = {
        { "Desired Number of Nodes Scheduled", "desiredNumberScheduled" },
        { "Current Number of Nodes Scheduled", "currentNumberScheduled" },
        { "Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled" },
        { "Number of Nodes Scheduled with Available Pods", "numberAvailable" },
        { "Number of Nodes Misscheduled", "numberMisscheduled" }
    };
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *nodes = tree_at(spec, "template", "spec", "nodeSelector", NULL);
    struct str selector = page_selector(p, json_get_c(spec, "selector"));
    page_head(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(selector));
    page_write(p, 0, "Node-Selector:\t%.*s\n", STR_ARG(tree_labels(&p->cli->arena, nodes)));
    page_meta(p);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        page_write(p, 0, "%s: %lld\n", counts[i][0],
                   number(json_get_c(p->object, "status"), counts[i][1]));
    page_pod_counts(p, selector);
    page_template(p, json_get_c(spec, "template"));
    page_events(p, true);
}

static void write_times(struct page *p, const struct json *status)
{
    struct str started = tree_text(status, "startTime", NULL);
    struct str ended = tree_text(status, "completionTime", NULL);
    write_text(p, 0, "Start Time", started.len > 0 ? age_date(p->cli, started) : started);
    write_text(p, 0, "Completed At", ended.len > 0 ? age_date(p->cli, ended) : ended);
    write_text(p, 0, "Duration", age_between(p->cli, started, ended));
}

void describe_job(struct page *p)
{
    const struct json *spec = json_get_c(p->object, "spec");
    const struct json *status = json_get_c(p->object, "status");
    const struct json *wanted = json_get_c(spec, "completions");
    struct str indexes = tree_text(status, "completedIndexes", NULL);
    page_head(p);
    page_write(p, 0, "Selector:\t%.*s\n", STR_ARG(page_selector(p, json_get_c(spec, "selector"))));
    page_meta(p);
    page_owner(p);
    write_set(p, "Parallelism", json_get_c(spec, "parallelism"), "");
    if (wanted == NULL)
        page_write(p, 0, "Completions:\t<unset>\n");
    write_set(p, "Completions", wanted, "");
    write_set(p, "Completion Mode", json_get_c(spec, "completionMode"), "");
    write_set(p, "Suspend", json_get_c(spec, "suspend"), "");
    write_set(p, "Backoff Limit", json_get_c(spec, "backoffLimit"), "");
    write_set(p, "TTL Seconds After Finished", json_get_c(spec, "ttlSecondsAfterFinished"), "");
    write_times(p, status);
    write_set(p, "Active Deadline Seconds", json_get_c(spec, "activeDeadlineSeconds"), "s");
    page_write(p, 0, "Pods Statuses:\t%lld Active", number(status, "active"));
    if (json_get_c(status, "ready") != NULL)
        page_write(p, 0, " (%lld Ready)", number(status, "ready"));
    page_write(p, 0, " / %lld Succeeded / %lld Failed\n", number(status, "succeeded"),
               number(status, "failed"));
    if (str_eq_c(tree_text(spec, "completionMode", NULL), "Indexed"))
        page_write(p, 0, "Completed Indexes:\t%.*s\n",
                   STR_ARG(indexes.len > 0 ? indexes : str_lit("<none>")));
    page_template(p, json_get_c(spec, "template"));
    page_events(p, true);
}
