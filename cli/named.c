/* See the header. */
#include "cli/named.h"

#include <string.h>

#include "cli/act.h"

static void add_error(struct cli *c, struct named *n, const char *text)
{
    bool whole = str_starts(str_from(text), str_lit("Error from server")) ||
                 str_starts(str_from(text), str_lit("resource mapping not found"));
    n->errors =
        arena_grow(&c->arena, n->errors, n->errors_count, &n->errors_capacity, sizeof *n->errors);
    n->errors[n->errors_count++] = str_printf(&c->arena, "%s%s", whole ? "" : "error: ", text);
}

static void add_object(struct cli *c, struct named *n, const struct manifest *m)
{
    struct act_object o;
    struct err e;
    bool given = c->ns_given;
    c->ns_given = false; /* where things are only read, the manifest's namespace counts */
    int rc = act_resolve(c, m, &o, &e);
    c->ns_given = given;
    if (rc != 0)
        add_error(c, n, e.msg);
    else if (o.name.len == 0)
        add_error(c, n, "resource name may not be empty");
    else
        n->targets[n->count++] =
            (struct objects_target){ .resource = o.resource, .name = o.name, .ns = o.ns };
}

static int read_manifests(struct cli *c, const struct manifest_flags *f, const struct words *w,
                          const char *selector, struct named *out)
{
    struct manifests manifests = { .unchecked = true };
    struct err e;
    if (w->count > 0)
        return cli_error("when paths, URLs, or stdin is provided as input, you may not specify "
                         "resource arguments as well");
    manifests_read(c, f, &manifests);
    if (manifests_select(&manifests, selector, &e) != 0)
        return cli_error("%s", e.msg);
    for (size_t i = 0; i < manifests.errors_count; i++)
        add_error(c, out, manifests.errors[i]);
    out->targets = arena_array(&c->arena, manifests.count + 1, sizeof *out->targets);
    for (size_t i = 0; i < manifests.count; i++)
        add_object(c, out, &manifests.items[i]);
    out->implied = f->files.count == 1 && strcmp(f->files.items[0], "-") != 0;
    return CLI_OK;
}

int named_read(struct cli *c, const struct manifest_flags *f, const struct words *w,
               const char *selector, struct named *out)
{
    struct err e;
    *out = (struct named){ .count = 0 };
    if (manifest_named(f))
        return read_manifests(c, f, w, selector, out);
    if (objects_targets(c, w->items, w->count, &out->targets, &out->count, &e) != 0)
        return cli_error_of(&e);
    out->implied = out->count == 1 && out->targets[0].name.len > 0;
    return CLI_OK;
}

int named_fetch(struct cli *c, const struct named *n, const struct fetch_options *o,
                struct fetch *out, struct err *e)
{
    int rc = fetch_all(c, n->targets, n->count, o, out, e);
    for (size_t i = 0; rc == 0 && i < n->errors_count; i++)
        fetch_refuse(c, out, n->errors[i]);
    return rc;
}
