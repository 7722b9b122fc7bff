/* gantry describe: objects at length, with what happened to them. */
#include "cli/describe.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/named.h"
#include "cli/tree.h"

struct describe_options {
    struct manifest_flags manifests;
    const char *selector;
    int64_t chunk;
    bool all;
    bool events;
};

static const struct {
    const char *group;
    const char *plural;
    describer describe;
} describers[] = { { "", "pods", describe_pod },
                   { "", "nodes", describe_node },
                   { "", "services", describe_service },
                   { "", "configmaps", describe_configmap },
                   { "", "secrets", describe_secret },
                   { "", "namespaces", describe_namespace },
                   { "", "serviceaccounts", describe_serviceaccount },
                   { "", "resourcequotas", describe_quota },
                   { "", "limitranges", describe_limits },
                   { "", "replicationcontrollers", describe_replication_controller },
                   { "apps", "deployments", describe_deployment },
                   { "apps", "replicasets", describe_replicaset },
                   { "apps", "statefulsets", describe_statefulset },
                   { "apps", "daemonsets", describe_daemonset },
                   { "batch", "jobs", describe_job } };

describer describe_of(const struct objects_resource *r)
{
    for (size_t i = 0; i < sizeof describers / sizeof describers[0]; i++)
        if (str_eq_c(r->group, describers[i].group) && str_eq_c(r->plural, describers[i].plural))
            return describers[i].describe;
    return describe_other;
}

static void show(struct cli *c, const struct objects_resource *r, const struct json *object,
                 bool events, const char *before, const char *after)
{
    struct page p = { .cli = c, .resource = r, .object = object, .events = events };
    buf_init(&p.text);
    buf_init(&p.done);
    describe_of(r)(&p);
    page_flush(&p);
    printf("%s%.*s%s", before, STR_ARG(buf_str(&p.done)), after);
    buf_deinit(&p.done);
    buf_deinit(&p.text);
}

/* The objects whose names begin with what was asked for in vain. */
static int show_matching(struct cli *c, const struct describe_options *o,
                         const struct objects_target *t, const struct fetch *failed)
{
    const struct objects_target list = { .resource = t->resource };
    const struct fetch_options options = { .ns = c->ns, .chunk = o->chunk };
    const struct json **objects;
    struct fetch f;
    struct err e;
    bool some = false;
    if (fetch_all(c, &list, 1, &options, &f, &e) != 0)
        return cli_error_of(&e);
    size_t count = fetch_objects(c, &f, &objects);
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(tree_text(objects[i], "metadata", "name", NULL), t->name))
            continue;
        some = true;
        show(c, t->resource, objects[i], o->events, "", "\n");
    }
    return some ? CLI_OK : fetch_tell(failed);
}

static const struct objects_resource *resource_of(struct cli *c, const struct json *object)
{
    const struct objects_resource *r = NULL;
    struct err e;
    (void)objects_of_kind(c, tree_text(object, "apiVersion", NULL), tree_text(object, "kind", NULL),
                          &r, &e); /* it was found by its name */
    return r;
}

static int show_all(struct cli *c, const struct describe_options *o, const struct fetch *f)
{
    const struct json **objects;
    size_t count = fetch_objects(c, f, &objects);
    for (size_t i = 0; i < count; i++) {
        const struct objects_resource *r = resource_of(c, objects[i]);
        if (r != NULL)
            show(c, r, objects[i], o->events, i > 0 ? "\n\n" : "", "");
    }
    (void)fflush(stdout); /* a closed pipe ends us by its own means */
    if (count == 0 && f->refusals_count == 0) {
        if (o->all)
            (void)fputs("No resources found\n", stderr);
        else
            (void)fprintf(stderr, "No resources found in %.*s namespace.\n", STR_ARG(c->ns));
    }
    return fetch_tell(f);
}

static int describe_act(struct cli *c, const void *options, const struct words *w)
{
    const struct describe_options *o = options;
    struct named n;
    struct fetch f;
    struct err e;
    if (w->count == 0 && !manifest_named(&o->manifests))
        return cli_error("You must specify the type of resource to describe. Use \"gantry "
                         "api-resources\" for a complete list of supported resources.");
    if (named_read(c, &o->manifests, w, o->selector, &n) != CLI_OK)
        return CLI_FAILED;
    for (size_t i = 0; w->count > 0 && i < n.count; i++) {
        if (n.targets[i].name.len > 0 && o->selector != NULL)
            return cli_error(strchr(w->items[0], '/') != NULL
                                 ? "selectors and the all flag cannot be used when passing "
                                   "resource/name arguments"
                                 : "name cannot be provided when a selector is specified");
        if (n.targets[i].name.len > 0 && o->all && n.targets[i].resource->namespaced)
            return cli_error("a resource cannot be retrieved by name across all namespaces");
    }
    const struct fetch_options fetch = { .ns = o->all ? str_lit("") : c->ns,
                                         .selector = o->selector,
                                         .chunk = o->chunk };
    if (named_fetch(c, &n, &fetch, &f, &e) != 0)
        return cli_error_of(&e);
    if (f.refusals_count == 1 && n.count == 1 && w->count == 2 &&
        str_starts(f.refusals[0], str_lit("Error from server (NotFound)")))
        return show_matching(c, o, &n.targets[0], &f);
    return show_all(c, o, &f);
}

#define AT(member) .at = offsetof(struct describe_options, member)

static const struct flag describe_flags[] = {
    { .rows = manifest_rows, AT(manifests) },
    { .rows = fetch_all_row, AT(all) },
    { .rows = fetch_chunk_row, AT(chunk) },
    { .rows = fetch_selector_row, AT(selector) },
    { .name = "show-events",
      .type = FLAG_BOOL,
      AT(events),
      .value = "true",
      .help = "What happened to the object, too; of several objects only when asked for." },
    { 0 }
};

const struct verb describe_verb = {
    .name = "describe",
    .summary = "objects at length, with what happened to them",
    .about = "Shows objects at length: what they are, what belongs to them, and the events that "
             "tell what\nhappened to them. A name that is none shows the objects it begins.",
    .examples = "  # A pod\n  gantry describe pod web-1\n\n"
                "  # The same\n  gantry describe pods/web-1\n\n"
                "  # All pods with a label\n  gantry describe pods -l app=web\n\n"
                "  # All pods whose names begin with web\n  gantry describe pods web\n\n"
                "  # The objects of a manifest\n  gantry describe -f web.yaml\n\n"
                "  # A node\n  gantry describe node n1",
    .help = "describe (-f FILE | TYPE [NAME... | -l SELECTOR] | TYPE/NAME...) [flags]",
    .flags = describe_flags,
    .options_bytes = sizeof(struct describe_options),
    .completes = WORDS_OBJECTS,
    .act = describe_act
};
