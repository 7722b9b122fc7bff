/* See the header. */
#include "cli/pods.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/compose.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

static const char *const container_lists[] = { "containers", "initContainers",
                                               "ephemeralContainers" };

/* ---- containers ---- */

static size_t containers_of(const struct json *pod, const char *list, const struct json **out)
{
    return compose_items(json_get_c(json_get_c(pod, "spec"), list), out);
}

static struct str name_of(const struct json *container)
{
    return json_str(json_get_c(container, "name"));
}

static void add_names(struct buf *b, const struct json *pod, const char *list, const char *after)
{
    const struct json *items = NULL;
    size_t count = containers_of(pod, list, &items);
    for (size_t i = 0; i < count; i++)
        buf_printf(b, "%s%.*s%s", b->len > 0 ? ", " : "", STR_ARG(name_of(&items[i])), after);
}

struct str pods_container_names(struct cli *c, const struct json *pod)
{
    struct buf b;
    buf_init(&b);
    add_names(&b, pod, "containers", "");
    add_names(&b, pod, "ephemeralContainers", " (ephem)");
    add_names(&b, pod, "initContainers", " (init)");
    struct str names = str_copy(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return names;
}

const char *pods_find_container(const struct json *pod, struct str name)
{
    for (size_t l = 0; l < sizeof container_lists / sizeof container_lists[0]; l++) {
        const struct json *items = NULL;
        size_t count = containers_of(pod, container_lists[l], &items);
        for (size_t i = 0; i < count; i++)
            if (str_eq(name_of(&items[i]), name))
                return container_lists[l];
    }
    return NULL;
}

struct str pods_default_container(const struct json *pod, bool *out_first)
{
    const struct json *annotations = json_get_c(json_get_c(pod, "metadata"), "annotations");
    const struct json *items = NULL;
    struct str named = json_str(json_get_c(annotations, DEFAULT_CONTAINER));
    size_t count = containers_of(pod, "containers", &items);
    *out_first = false;
    if (named.len > 0)
        return named;
    const struct json *others = NULL;
    *out_first = count > 1 || containers_of(pod, "initContainers", &others) > 0 ||
                 containers_of(pod, "ephemeralContainers", &others) > 0;
    return count > 0 ? name_of(&items[0]) : str_lit("");
}

/* ---- pods of an object ---- */

static const char *pods_in(struct cli *c, struct str ns, struct str name)
{
    const struct objects_resource pods = { .group = str_lit(""),
                                           .version = str_lit("v1"),
                                           .plural = str_lit("pods"),
                                           .namespaced = true };
    return objects_path(c, &pods, ns, name);
}

const char *pods_path(struct cli *c, const struct json *pod)
{
    return pods_in(c, compose_text_in(pod, "metadata", "namespace"),
                   compose_text_in(pod, "metadata", "name"));
}

/* What kubectl logs says of what is not there. */
static int not_found(struct cli *c, const struct ask_answer *answer)
{
    const struct json *status = NULL;
    (void)json_parse(&c->arena, answer->body, &status, NULL); /* NULL then */
    return cli_error("error from server (NotFound): %.*s in namespace \"%.*s\"",
                     STR_ARG(json_str(json_get_c(status, "message"))), STR_ARG(c->ns));
}

/* CLI_OK and the JSON, or the reason is said. */
static int read_json(struct cli *c, const char *target, bool for_logs, const struct json **out)
{
    struct ask_answer answer;
    struct err e;
    if (!act_send(c, "GET", target, NULL, str_lit(""), &answer))
        return CLI_FAILED;
    if (answer.status == 404 && for_logs)
        return not_found(c, &answer);
    if (!ask_good(&answer))
        return ask_tell(c, &answer);
    if (json_parse(&c->arena, answer.body, out, &e) != 0)
        return cli_error("%s", e.msg);
    return CLI_OK;
}

static int list_pods(struct cli *c, struct str ns, struct str selector, struct pods *out)
{
    const struct json *list;
    const struct json *items = NULL;
    struct str none = { NULL, 0 };
    const char *target =
        str_printf(&c->arena, "%s%s%.*s", pods_in(c, ns, none),
                   selector.len > 0 ? "?labelSelector=" : "", STR_ARG(objects_escape(c, selector)))
            .data;
    if (read_json(c, target, /* for_logs */ false, &list) != CLI_OK)
        return CLI_FAILED;
    out->count = compose_items(json_get_c(list, "items"), &items);
    out->items = arena_array(&c->arena, out->count, sizeof *out->items);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = &items[i];
    return CLI_OK;
}

int pods_of_selector(struct cli *c, const char *selector, struct pods *out)
{
    *out = (struct pods){ 0 };
    return list_pods(c, c->ns, str_from(selector), out);
}

static void add_equals(struct buf *b, const struct json *labels)
{
    for (size_t i = 0; labels != NULL && labels->type == JSON_OBJECT && i < labels->count; i++)
        buf_printf(b, "%s%.*s=%.*s", b->len > 0 ? "," : "", STR_ARG(labels->u.members[i].key),
                   STR_ARG(json_str(&labels->u.members[i].value)));
}

static void add_expression(struct buf *b, const struct json *expression)
{
    const struct json *values = NULL;
    size_t count = compose_items(json_get_c(expression, "values"), &values);
    struct str relation = json_str(json_get_c(expression, "operator"));
    struct str key = json_str(json_get_c(expression, "key"));
    bool not = str_eq_c(relation, "NotIn") || str_eq_c(relation, "DoesNotExist");
    buf_append_c(b, b->len > 0 ? "," : "");
    if (count == 0) {
        buf_printf(b, "%s%.*s", not ? "!" : "", STR_ARG(key));
        return;
    }
    buf_printf(b, "%.*s %s (", STR_ARG(key), not ? "notin" : "in");
    for (size_t i = 0; i < count; i++)
        buf_printf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(json_str(&values[i])));
    buf_append_c(b, ")");
}

/* A LabelSelector, or the plain labels of a Service and a ReplicationController. */
static struct str selector_of(struct cli *c, const struct json *object)
{
    const struct json *selector = json_get_c(json_get_c(object, "spec"), "selector");
    const struct json *labels = json_get_c(selector, "matchLabels");
    const struct json *expressions = NULL;
    size_t count = compose_items(json_get_c(selector, "matchExpressions"), &expressions);
    struct buf b;
    buf_init(&b);
    add_equals(&b, labels != NULL || count > 0 ? labels : selector);
    for (size_t i = 0; i < count; i++)
        add_expression(&b, &expressions[i]);
    struct str text = str_copy(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* ---- which one ---- */

static bool is_ready(const struct json *pod)
{
    const struct json *items = NULL;
    size_t count = compose_items(json_get_c(json_get_c(pod, "status"), "conditions"), &items);
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(json_str(json_get_c(&items[i], "type")), "Ready"))
            return str_eq_c(json_str(json_get_c(&items[i], "status")), "True");
    return false;
}

static int liveliness(const struct json *pod)
{
    bool placed = compose_text_in(pod, "spec", "nodeName").len > 0;
    bool runs = str_eq_c(compose_text_in(pod, "status", "phase"), "Running");
    bool stays = compose_text_in(pod, "metadata", "deletionTimestamp").len == 0;
    return (runs ? 8 : 0) + (is_ready(pod) ? 4 : 0) + (stays ? 2 : 0) + (placed ? 1 : 0);
}

/* Of equals the younger surely runs, and the older has more to say. */
static bool is_better(const struct json *x, const struct json *y, enum pods_order order)
{
    int difference = liveliness(x) - liveliness(y);
    int age = str_cmp(compose_text_in(x, "metadata", "creationTimestamp"),
                      compose_text_in(y, "metadata", "creationTimestamp"));
    if (difference != 0)
        return difference > 0;
    return order == PODS_FOR_LOGS ? age < 0 : age > 0;
}

static void pick(struct pods *pods, enum pods_order order)
{
    size_t best = 0;
    for (size_t i = 1; i < pods->count; i++)
        if (is_better(pods->items[i], pods->items[best], order))
            best = i;
    pods->items[0] = pods->items[best];
    pods->found = pods->count;
    pods->count = 1;
}

/* r's object, by its path. */
static int pods_of_object(struct cli *c, const struct objects_resource *r, struct str ns,
                          struct str name, enum pods_order order, bool all, struct pods *out)
{
    const struct json *object;
    if (read_json(c, objects_path(c, r, r->namespaced ? ns : str_lit(""), name),
                  order == PODS_FOR_LOGS, &object) != CLI_OK)
        return CLI_FAILED;
    out->object = object;
    if (str_eq_c(r->kind, "Pod")) {
        out->items = arena_array(&c->arena, 1, sizeof *out->items);
        out->items[out->count++] = object;
        return CLI_OK;
    }
    struct str selector = selector_of(c, object);
    if (selector.len == 0)
        return cli_error("%.*s/%.*s selects no pods: name one of them", STR_ARG(r->plural),
                         STR_ARG(name));
    if (list_pods(c, r->namespaced ? ns : c->ns, selector, out) != CLI_OK)
        return CLI_FAILED;
    if (out->count == 0)
        return cli_error("no pod of %.*s/%.*s is there; `gantry get pods -l '%.*s'` shows them "
                         "when they come",
                         STR_ARG(r->plural), STR_ARG(name), STR_ARG(selector));
    if (!all)
        pick(out, order);
    return CLI_OK;
}

int pods_of_word(struct cli *c, const char *word, enum pods_order order, bool all, struct pods *out)
{
    struct objects_target *targets;
    size_t count;
    struct err e;
    *out = (struct pods){ 0 };
    const char *words[] = { "pods", word };
    bool typed = str_find_char(str_from(word), '/', 0) >= 0;
    if (objects_targets(c, typed ? &words[1] : words, typed ? 1 : 2, &targets, &count, &e) != 0)
        return cli_error_of(&e);
    return pods_of_object(c, targets[0].resource, c->ns, targets[0].name, order, all, out);
}

int pods_of_manifest(struct cli *c, const struct manifest_flags *f, enum pods_order order,
                     struct pods *out)
{
    struct manifests manifests = { .unchecked = true };
    struct act_object o;
    struct err e;
    *out = (struct pods){ 0 };
    manifests_read(c, f, &manifests);
    if (manifests.errors_count > 0)
        return cli_error("%s", manifests.errors[0]);
    if (manifests.count != 1)
        return cli_error("-f names %zu objects: one is needed", manifests.count);
    if (act_resolve(c, &manifests.items[0], &o, &e) != 0)
        return cli_error_of(&e);
    return pods_of_object(c, o.resource, o.ns, o.name, order, /* all */ false, out);
}
