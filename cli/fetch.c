/* See the header. */
#include "cli/fetch.h"

#include <stdio.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/tree.h"

/* Pages of one list: a server that never stops saying "continue" is not followed for ever. */
#define FETCH_PAGES_MAX 100000

const struct flag fetch_all_row[] = { { .name = "all-namespaces",
                                        .letter = 'A',
                                        .type = FLAG_BOOL,
                                        .help = "Of every namespace, whatever --namespace says." },
                                      { 0 } };

const struct flag fetch_selector_row[] = {
    { .name = "selector",
      .letter = 'l',
      .help = "Only what has these labels: 'a=b', 'a!=b', 'a in (b,c)', 'a', '!a', with commas "
              "between them." },
    { 0 }
};

const struct flag fetch_fields_row[] = {
    { .name = "field-selector",
      .help = "Only what has these fields: 'metadata.name=x', 'status.phase!=Running', with commas "
              "between them. Each resource has a few that can be asked for." },
    { 0 }
};

const struct flag fetch_chunk_row[] = {
    { .name = "chunk-size",
      .type = FLAG_INT,
      .value = "500",
      .help = "Long lists come in pages of so many; 0: all at once." },
    { 0 }
};

static void add_query(struct cli *c, struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_printf(b, "%c%s=%.*s", str_find_char(buf_str(b), '?', 0) < 0 ? '?' : '&', name,
               STR_ARG(objects_escape(c, value)));
}

const char *fetch_target(struct cli *c, const struct objects_target *t,
                         const struct fetch_options *o, struct str from)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, objects_path(c, t->resource, t->ns.len > 0 ? t->ns : o->ns, t->name));
    if (o->subresource != NULL)
        buf_printf(&b, "/%s", o->subresource);
    if (t->name.len == 0) {
        add_query(c, &b, "labelSelector", str_from(o->selector));
        add_query(c, &b, "fieldSelector", str_from(o->fields));
        add_query(c, &b, "continue", from);
        if (o->chunk > 0)
            add_query(c, &b, "limit", str_printf(&c->arena, "%lld", (long long)o->chunk));
    }
    if (o->extra != NULL)
        buf_printf(&b, "%c%s", str_find_char(buf_str(&b), '?', 0) < 0 ? '?' : '&', o->extra);
    const char *out = str_dup(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

void fetch_refuse(struct cli *c, struct fetch *f, struct str text)
{
    f->refusals = arena_grow(&c->arena, f->refusals, f->refusals_count, &f->refusals_capacity,
                             sizeof *f->refusals);
    f->refusals[f->refusals_count++] = text;
}

/* A list that is refused, as kubectl puts it: with what was looked for. */
static struct str list_refused(struct cli *c, const struct objects_target *t,
                               const struct fetch_options *o, const struct ask_answer *answer)
{
    struct arena *a = &c->arena;
    struct str text = ask_refused(c, answer);
    struct str start = str_lit("Error from server (BadRequest): ");
    const struct objects_resource *r = t->resource;
    if (!str_starts(text, start))
        return text;
    struct str resource = str_printf(a, "%.*s/%.*s, Resource=%.*s", STR_ARG(r->group),
                                     STR_ARG(r->version), STR_ARG(r->plural));
    struct str message = str_slice(text, start.len, text.len);
    if (o->selector == NULL && o->fields == NULL)
        return str_printf(a, "%.*sUnable to list \"%.*s\": %.*s", STR_ARG(start), STR_ARG(resource),
                          STR_ARG(message));
    return str_printf(a,
                      "%.*sUnable to find \"%.*s\" that match label selector \"%s\", field "
                      "selector \"%s\": %.*s",
                      STR_ARG(start), STR_ARG(resource), o->selector != NULL ? o->selector : "",
                      o->fields != NULL ? o->fields : "", STR_ARG(message));
}

/* One answer; *out_root NULL: it was refused, and that is noted. */
static int fetch_one(struct cli *c, const struct objects_target *t, const struct fetch_options *o,
                     struct str from, struct fetch *f, const struct json **out_root, struct err *e)
{
    const struct ask_request request = { .target = fetch_target(c, t, o, from),
                                         .accept = o->accept };
    struct ask_answer answer;
    int rc = ask_send(c, &request, &answer, e);
    *out_root = NULL;
    if (rc != 0)
        return rc;
    if (ask_good(&answer))
        return json_parse(&c->arena, answer.body, out_root, e);
    if (!o->ignore_missing || !ask_reason(c, &answer, "NotFound"))
        fetch_refuse(c, f,
                     t->name.len > 0 ? ask_refused(c, &answer) : list_refused(c, t, o, &answer));
    return 0;
}

static int fetch_pages(struct cli *c, const struct objects_target *t, const struct fetch_options *o,
                       struct fetch *f, struct err *e)
{
    struct str from = { NULL, 0 };
    for (int page = 0; page < FETCH_PAGES_MAX; page++) {
        const struct json *root;
        int rc = fetch_one(c, t, o, from, f, &root, e);
        if (rc != 0 || root == NULL)
            return rc;
        f->items = arena_grow(&c->arena, f->items, f->count, &f->capacity, sizeof *f->items);
        f->items[f->count++] =
            (struct fetch_item){ .resource = t->resource, .name = t->name, .root = root };
        from = tree_text(root, "metadata", "continue", NULL);
        if (from.len == 0 || t->name.len > 0)
            return 0;
    }
    return err_set(e, ERR_LIMIT, "more than %d pages", FETCH_PAGES_MAX);
}

int fetch_all(struct cli *c, const struct objects_target *targets, size_t count,
              const struct fetch_options *o, struct fetch *out, struct err *e)
{
    struct fetch f = { 0 };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = fetch_pages(c, &targets[i], o, &f, e);
    *out = f;
    return rc;
}

int fetch_tell(const struct fetch *f)
{
    for (size_t i = 0; i < f->refusals_count; i++)
        (void)cli_tell("%.*s", STR_ARG(f->refusals[i]));
    return f->refusals_count > 0 ? CLI_FAILED : CLI_OK;
}

const struct json *fetch_typed(struct cli *c, const struct objects_resource *r,
                               const struct json *item)
{
    struct json *copy = arena_new(&c->arena, struct json);
    struct json version = json_string(objects_api_version(c, r));
    struct json kind = json_string(r->kind);
    if (tree_text(item, "kind", NULL).len > 0)
        return item;
    *copy = tree_with(&c->arena, item, "apiVersion", &version);
    *copy = tree_with(&c->arena, copy, "kind", &kind);
    return copy;
}

size_t fetch_objects(struct cli *c, const struct fetch *f, const struct json ***out)
{
    const struct json **objects = NULL;
    size_t count = 0;
    size_t capacity = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct fetch_item *it = &f->items[i];
        const struct json *items = json_get_c(it->root, "items");
        bool list = it->name.len == 0 && items != NULL;
        for (size_t k = 0; k < (list ? tree_count(items) : 1); k++) {
            const struct json *one = list ? tree_item(items, k) : it->root;
            objects = arena_grow(&c->arena, objects, count, &capacity, sizeof *objects);
            objects[count++] = fetch_typed(c, it->resource, one);
        }
    }
    *out = objects;
    return count;
}
