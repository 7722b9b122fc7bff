/* Parts that pages of several kinds have (see describe.h). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/ask.h"
#include "cli/describe.h"
#include "cli/escaped.h"
#include "cli/tabs.h"
#include "cli/tree.h"

/* Longer annotations are put on lines of their own, and cut. */
#define ANNOTATION_MAX 140

void page_write(struct page *p, int level, const char *format, ...)
{
    va_list args;
    char *text;
    for (int i = 0; i < level; i++)
        buf_append_c(&p->text, "  ");
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        return;
    escaped_write(&p->text, str_of(text, (size_t)len));
    free(text);
}

void page_flush(struct page *p)
{
    struct tabs tabs = tabs_describe();
    tabs_write(&tabs, buf_str(&p->text), &p->done);
    buf_clear(&p->text);
}

void page_head(struct page *p)
{
    page_write(p, 0, "Name:\t%.*s\n", STR_ARG(tree_text(p->object, "metadata", "name", NULL)));
    page_write(p, 0, "Namespace:\t%.*s\n",
               STR_ARG(tree_text(p->object, "metadata", "namespace", NULL)));
}

void page_meta(struct page *p)
{
    page_labels(p, "Labels", tree_at(p->object, "metadata", "labels", NULL));
    page_annotations(p, "Annotations", tree_at(p->object, "metadata", "annotations", NULL));
}

void page_labels(struct page *p, const char *title, const struct json *labels)
{
    page_write(p, 0, "%s:\t", title);
    if (tree_count(labels) == 0) {
        page_write(p, 0, "<none>\n");
        return;
    }
    struct json sorted = tree_sorted(&p->cli->arena, labels);
    for (uint32_t i = 0; i < sorted.count; i++)
        page_write(p, 0, "%s%.*s=%.*s\n", i > 0 ? "\t" : "", STR_ARG(sorted.u.members[i].key),
                   STR_ARG(json_str(&sorted.u.members[i].value)));
}

static void write_annotation(struct page *p, struct str key, struct str value, bool first)
{
    struct str line;
    if (value.len > 0 && value.data[value.len - 1] == '\n')
        value.len--;
    if (!first)
        page_write(p, 0, "\t");
    if (value.len + key.len + 2 <= ANNOTATION_MAX && str_find_char(value, '\n', 0) < 0) {
        page_write(p, 0, "%.*s: %.*s\n", STR_ARG(key), STR_ARG(value));
        return;
    }
    page_write(p, 0, "%.*s:\n", STR_ARG(key));
    while (str_split(&value, '\n', &line)) {
        bool cut = line.len > ANNOTATION_MAX - 2;
        struct str shown = cut ? str_slice(line, 0, ANNOTATION_MAX - 2) : line;
        page_write(p, 0, "\t  %.*s%s\n", STR_ARG(shown), cut ? "..." : "");
    }
}

void page_annotations(struct page *p, const char *title, const struct json *annotations)
{
    bool first = true;
    page_write(p, 0, "%s:\t", title);
    struct json sorted =
        tree_sorted(&p->cli->arena, annotations != NULL ? annotations : &json_null);
    for (uint32_t i = 0; sorted.type == JSON_OBJECT && i < sorted.count; i++) {
        struct str key = sorted.u.members[i].key;
        if (str_eq_c(key, "kubectl.kubernetes.io/last-applied-configuration"))
            continue;
        write_annotation(p, key, json_str(&sorted.u.members[i].value), first);
        first = false;
    }
    if (first)
        page_write(p, 0, "<none>\n");
}

/* Items of an array in the order of a text made of each. */
static size_t *order_by(struct page *p, const struct json *array,
                        struct str (*key)(struct page *p, const struct json *item))
{
    size_t count = tree_count(array);
    size_t *order = arena_array(&p->cli->arena, count, sizeof *order);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        struct str text = key(p, tree_item(array, i));
        for (; at > 0 && str_cmp(text, key(p, tree_item(array, order[at - 1]))) < 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

static struct str taint_key(struct page *p, const struct json *taint)
{
    return str_printf(&p->cli->arena, "%.*s,%.*s", STR_ARG(tree_text(taint, "effect", NULL)),
                      STR_ARG(tree_text(taint, "key", NULL)));
}

void page_taints(struct page *p, const struct json *taints)
{
    size_t *order = order_by(p, taints, taint_key);
    page_write(p, 0, "Taints:\t%s", tree_count(taints) == 0 ? "<none>\n" : "");
    for (size_t i = 0; i < tree_count(taints); i++) {
        const struct json *t = tree_item(taints, order[i]);
        struct str value = tree_text(t, "value", NULL);
        page_write(p, 0, "%s%.*s%s%.*s:%.*s\n", i > 0 ? "\t" : "",
                   STR_ARG(tree_text(t, "key", NULL)), value.len > 0 ? "=" : "", STR_ARG(value),
                   STR_ARG(tree_text(t, "effect", NULL)));
    }
}

static struct str toleration_key(struct page *p, const struct json *toleration)
{
    (void)p;
    return tree_text(toleration, "key", NULL);
}

static void write_toleration(struct page *p, const struct json *t)
{
    struct str key = tree_text(t, "key", NULL);
    struct str value = tree_text(t, "value", NULL);
    struct str effect = tree_text(t, "effect", NULL);
    int64_t seconds = tree_int(t, "tolerationSeconds", -1);
    page_write(p, 0, "%.*s%s%.*s%s%.*s", STR_ARG(key), value.len > 0 ? "=" : "", STR_ARG(value),
               effect.len > 0 ? ":" : "", STR_ARG(effect));
    if (str_eq_c(tree_text(t, "operator", NULL), "Exists") && value.len == 0)
        page_write(p, 0, "%sop=Exists", key.len > 0 || effect.len > 0 ? " " : "");
    if (json_get_c(t, "tolerationSeconds") != NULL)
        page_write(p, 0, " for %llds", (long long)seconds);
    page_write(p, 0, "\n");
}

void page_tolerations(struct page *p, const char *title, const struct json *tolerations)
{
    size_t *order = order_by(p, tolerations, toleration_key);
    page_write(p, 0, "%s:\t%s", title, tree_count(tolerations) == 0 ? "<none>\n" : "");
    for (size_t i = 0; i < tree_count(tolerations); i++) {
        if (i > 0)
            page_write(p, 0, "\t");
        write_toleration(p, tree_item(tolerations, order[i]));
    }
}

void page_owner(struct page *p)
{
    const struct json *owners = tree_at(p->object, "metadata", "ownerReferences", NULL);
    for (size_t i = 0; i < tree_count(owners); i++) {
        const struct json *o = tree_item(owners, i);
        if (!tree_true(o, "controller"))
            continue;
        page_write(p, 0, "Controlled By:\t%.*s/%.*s\n", STR_ARG(tree_text(o, "kind", NULL)),
                   STR_ARG(tree_text(o, "name", NULL)));
        return;
    }
}

void page_conditions(struct page *p, const struct json *conditions)
{
    if (tree_count(conditions) == 0)
        return;
    page_write(p, 0, "Conditions:\n  Type\tStatus\tReason\n");
    page_write(p, 1, "----\t------\t------\n");
    for (size_t i = 0; i < tree_count(conditions); i++) {
        const struct json *c = tree_item(conditions, i);
        page_write(p, 1, "%.*s \t%.*s\t%.*s\n", STR_ARG(tree_text(c, "type", NULL)),
                   STR_ARG(tree_text(c, "status", NULL)), STR_ARG(tree_text(c, "reason", NULL)));
    }
}

struct str page_quantity(struct page *p, const struct json *value)
{
    struct str text = tree_scalar(&p->cli->arena, value);
    struct str canonical;
    if (text.len == 0)
        return str_lit("0");
    return quantity_canonical(&p->cli->arena, text, &canonical, NULL) == 0 ? canonical : text;
}

void page_quantities(struct page *p, int level, const struct json *list)
{
    struct json sorted = tree_sorted(&p->cli->arena, list != NULL ? list : &json_null);
    for (size_t i = 0; i < tree_count(&sorted); i++)
        page_write(p, level, "%.*s:\t%.*s\n", STR_ARG(sorted.u.members[i].key),
                   STR_ARG(page_quantity(p, &sorted.u.members[i].value)));
}

static void append_expression(struct buf *b, const struct json *e)
{
    struct str operator= tree_text(e, "operator", NULL);
    const struct json *values = json_get_c(e, "values");
    struct str key = tree_text(e, "key", NULL);
    if (str_eq_c(operator, "Exists") || str_eq_c(operator, "DoesNotExist")) {
        buf_printf(b, "%s%.*s", str_eq_c(operator, "Exists") ? "" : "!", STR_ARG(key));
        return;
    }
    buf_printf(b, "%.*s %s (", STR_ARG(key), str_eq_c(operator, "In") ? "in" : "notin");
    for (size_t i = 0; i < tree_count(values); i++)
        buf_printf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(json_str(tree_item(values, i))));
    buf_append_byte(b, ')');
}

struct str page_selector(struct page *p, const struct json *selector)
{
    const struct json *labels = json_get_c(selector, "matchLabels");
    const struct json *expressions = json_get_c(selector, "matchExpressions");
    struct buf b;
    if (tree_count(labels) == 0 && tree_count(expressions) == 0)
        return str_lit("<none>");
    buf_init(&b);
    if (tree_count(labels) > 0)
        buf_append_str(&b, tree_labels(&p->cli->arena, labels));
    for (size_t i = 0; i < tree_count(expressions); i++) {
        if (b.len > 0)
            buf_append_byte(&b, ',');
        append_expression(&b, tree_item(expressions, i));
    }
    struct str out = str_copy(&p->cli->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

const struct json *page_list(struct page *p, const char *path, const char *query)
{
    struct str target = str_printf(&p->cli->arena, "%s?%s", path, query);
    const struct ask_request request = { .target = target.data };
    const struct json *root;
    struct ask_answer answer;
    struct err e;
    bool good = ask_send(p->cli, &request, &answer, &e) == 0 && ask_good(&answer) &&
                json_parse(&p->cli->arena, answer.body, &root, &e) == 0;
    return good ? json_get_c(root, "items") : NULL;
}

/* ---- events ---- */

static struct str event_key(struct page *p, const struct json *event)
{
    (void)p;
    return tree_text(event, "lastTimestamp", NULL);
}

static struct str event_age(struct page *p, const struct json *e)
{
    const struct json *series = json_get_c(e, "series");
    struct str made = tree_text(e, "eventTime", NULL);
    struct str first =
        age_since(p->cli, made.len > 0 ? made : tree_text(e, "firstTimestamp", NULL));
    int64_t count = tree_int(e, "count", 0);
    struct str last = tree_text(e, "lastTimestamp", NULL);
    if (tree_count(series) > 0) {
        count = tree_int(series, "count", 0);
        last = tree_text(series, "lastObservedTime", NULL);
    } else if (count <= 1) {
        return first;
    }
    return str_printf(&p->cli->arena, "%.*s (x%lld over %.*s)", STR_ARG(age_since(p->cli, last)),
                      (long long)count, STR_ARG(first));
}

static struct str trim_all(struct str s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.data[0]) != NULL)
        s = str_slice(s, 1, s.len);
    while (s.len > 0 && strchr(" \t\r\n", s.data[s.len - 1]) != NULL)
        s.len--;
    return s;
}

static void write_event(struct page *p, const struct json *e)
{
    struct str source = tree_text(e, "source", "component", NULL);
    if (source.len == 0)
        source = tree_text(e, "reportingComponent", NULL);
    page_write(p, 1, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", STR_ARG(tree_text(e, "type", NULL)),
               STR_ARG(tree_text(e, "reason", NULL)), STR_ARG(event_age(p, e)), STR_ARG(source),
               STR_ARG(trim_all(tree_text(e, "message", NULL))));
}

void page_events(struct page *p, bool kind)
{
    struct cli *c = p->cli;
    struct arena *a = &c->arena;
    struct str ns = tree_text(p->object, "metadata", "namespace", NULL);
    if (!p->events)
        return;
    struct str fields = str_printf(
        a, "involvedObject.name=%.*s,involvedObject.namespace=%.*s%s%.*s%s%.*s",
        STR_ARG(tree_text(p->object, "metadata", "name", NULL)), STR_ARG(ns),
        kind ? ",involvedObject.kind=" : "", STR_ARG(kind ? p->resource->kind : str_lit("")),
        ",involvedObject.uid=", STR_ARG(tree_text(p->object, "metadata", "uid", NULL)));
    struct str path = ns.len > 0 ? str_printf(a, "/api/v1/namespaces/%.*s/events", STR_ARG(ns))
                                 : str_lit("/api/v1/events");
    struct str query =
        str_printf(a, "limit=500&fieldSelector=%.*s", STR_ARG(objects_escape(c, fields)));
    const struct json *events = page_list(p, path.data, query.data);
    if (tree_count(events) == 0) {
        page_write(p, 0, "Events:\t<none>\n");
        return;
    }
    size_t *order = order_by(p, events, event_key);
    page_flush(p);
    page_write(p, 0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n");
    page_write(p, 1, "----\t------\t----\t----\t-------\n");
    for (size_t i = 0; i < tree_count(events); i++)
        write_event(p, tree_item(events, order[i]));
}
