/*
 * What describe shows of an object: a page of "Name:<tab>value" lines, aligned at the end.
 *
 * There is a describer per kind, each a function that writes lines; a kind without one is shown
 * field by field. Layouts are kubectl's, to the blank.
 */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include "base/buf.h"
#include "cli/objects.h"
#include "cli/verb.h"

struct json;

struct page {
    struct cli *cli;
    const struct objects_resource *resource;
    const struct json *object;
    struct buf text; /* lines not yet aligned */
    struct buf done;
    bool events; /* they are shown */
};

typedef void (*describer)(struct page *p);

/* The one for this kind; never NULL. */
describer describe_of(const struct objects_resource *r);

/* A piece of text, indented by two spaces a level; nothing in it acts on a terminal. */
void page_write(struct page *p, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What was written so far is aligned without what follows. */
void page_flush(struct page *p);

/* ---- parts of several kinds ---- */

void page_head(struct page *p); /* Name, Namespace */
void page_meta(struct page *p); /* Labels, Annotations */
void page_labels(struct page *p, const char *title, const struct json *labels);
void page_annotations(struct page *p, const char *title, const struct json *annotations);
void page_taints(struct page *p, const struct json *taints);
void page_tolerations(struct page *p, const char *title, const struct json *tolerations);
void page_owner(struct page *p);
/* Type, Status, Reason. */
void page_conditions(struct page *p, const struct json *conditions);
/* The object's events, where they are shown. kind: also by the object's kind. */
void page_events(struct page *p, bool kind);
/* "  cpu:<tab>1" for each, by name. */
void page_quantities(struct page *p, int level, const struct json *list);
/* How many of the pods that it owns run, wait, ... */
void page_pod_counts(struct page *p, struct str selector);
void page_template(struct page *p, const struct json *template);
void page_containers(struct page *p, const char *label, const char *space,
                     const struct json *containers, const struct json *statuses, bool pod);
void page_volumes(struct page *p, const char *space, const struct json *volumes);

/* A quantity as it is written by its canonical text; "0" for nothing. */
struct str page_quantity(struct page *p, const struct json *value);
/* "a=b,c in (d,e)": a LabelSelector. */
struct str page_selector(struct page *p, const struct json *selector);
/* Objects of a list; NULL when they cannot be seen. query: "labelSelector=...", escaped. */
const struct json *page_list(struct page *p, const char *path, const char *query);

/* ---- kinds ---- */

void describe_pod(struct page *p);
void describe_node(struct page *p);
void describe_deployment(struct page *p);
void describe_replicaset(struct page *p);
void describe_replication_controller(struct page *p);
void describe_statefulset(struct page *p);
void describe_daemonset(struct page *p);
void describe_job(struct page *p);
void describe_service(struct page *p);
void describe_configmap(struct page *p);
void describe_secret(struct page *p);
void describe_namespace(struct page *p);
void describe_serviceaccount(struct page *p);
void describe_quota(struct page *p);
void describe_limits(struct page *p);
void describe_other(struct page *p);

#endif
