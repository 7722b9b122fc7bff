/*
 * gantry apply: objects as manifests say they should be.
 *
 * As kubectl apply does it, and with its annotation, so that the two tools may be mixed: the patch
 * is made here from three trees (cli/three_way.h), or by the server (--server-side).
 */
#include "cli/apply.h"

#include "cli/compose.h"

static const struct flag apply_flags[] = {
    { .rows = manifest_rows, .at = offsetof(struct apply_options, manifests) },
    { .name = "server-side",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, server_side),
      .help = "Let the server merge, by field managers, instead of the annotation." },
    { .name = "force-conflicts",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, force_conflicts),
      .help = "With --server-side: take fields from other managers." },
    { .name = "field-manager",
      .at = offsetof(struct apply_options, manager),
      .help = "The name under which fields are owned; else kubectl's own name for the way used." },
    { .rows = act_dry_run_row, .at = offsetof(struct apply_options, dry_run) },
    { .rows = act_output_row, .at = offsetof(struct apply_options, output) },
    { .rows = act_validate_row, .at = offsetof(struct apply_options, validate) },
    { .name = "selector",
      .letter = 'l',
      .at = offsetof(struct apply_options, selector),
      .help = "Only the objects whose labels match." },
    { .name = "force",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, force),
      .help = "Delete and create again what cannot be patched." },
    { .name = "subresource",
      .at = offsetof(struct apply_options, subresource),
      .help = "With --server-side: apply to this subresource." },
    { .rows = act_managed_fields_row, .at = offsetof(struct apply_options, managed_fields) },
    { .name = "overwrite",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, overwrite),
      .value = "true",
      .help = "The configuration's values win over live ones; the only way there is." },
    { .name = "openapi-patch",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, openapi_patch),
      .value = "true",
      .help = "Taken for kubectl's sake; the schemas are gantry's own." },
    { .name = "prune",
      .type = FLAG_BOOL,
      .at = offsetof(struct apply_options, prune),
      .help = "Not done by gantry." },
    { 0 }
};

/* kubectl's rules of what goes together. */
static const char *find_clash(const struct apply_options *o, enum act_dry dry)
{
    if (o->prune)
        return "gantry does not prune: an object that is in no manifest any more is deleted with "
               "`gantry delete`; without --prune the rest is applied";
    if (!o->overwrite)
        return "--overwrite=false is not done by gantry: the configuration's values win";
    if (!manifest_named(&o->manifests))
        return "must specify one of -f and -k";
    if (o->force_conflicts && !o->server_side)
        return "--force-conflicts only works with --server-side";
    if (dry == ACT_DRY_CLIENT && o->server_side)
        return "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server "
               "instead?)";
    if (o->server_side && o->force)
        return "--force cannot be used with --server-side";
    if (dry == ACT_DRY_SERVER && o->force)
        return "--dry-run=server cannot be used with --force";
    if (o->subresource != NULL && !o->server_side)
        return "--subresource can only be specified for --server-side";
    return NULL;
}

/* ---- the verb ---- */

static int apply_one(struct act *a, const struct apply_options *o, const struct manifest *m)
{
    struct act_object object;
    struct err e;
    if (act_resolve(a->cli, m, &object, &e) != 0)
        return cli_error_of(&e);
    struct str generated = compose_text_in(m->object, "metadata", "generateName");
    if (object.name.len == 0 && generated.len > 0)
        return cli_error("from %.*s: cannot use generate name with apply", STR_ARG(generated));
    return o->server_side ? apply_by_server(a, o, &object) : apply_by_client(a, o, &object);
}

static int apply_act(struct cli *c, const void *options, const struct words *w)
{
    const struct apply_options *o = options;
    struct act a = { .cli = c, .output = o->output, .managed_fields = o->managed_fields };
    struct manifests manifests = { 0 };
    struct err e;
    if (w->count > 0)
        return cli_error("Unexpected args: [%s]\nSee 'gantry apply -h' for help and examples",
                         w->items[0]);
    if (act_dry_run(o->dry_run, &a.dry, &e) != 0 ||
        act_validation(o->validate, &a.validation, &e) != 0 || act_output(&a, &e) != 0)
        return cli_error("%s", e.msg);
    const char *clash = find_clash(o, a.dry);
    if (clash != NULL)
        return cli_error("%s", clash);
    a.manager = o->manager != NULL ? o->manager
                : o->server_side   ? APPLY_SERVER_MANAGER
                                   : APPLY_CLIENT_MANAGER;
    manifests.unchecked = str_eq_c(str_from(a.validation), "Ignore");
    manifests_read(c, &o->manifests, &manifests);
    if (manifests_select(&manifests, o->selector, &e) != 0)
        return cli_error("%s", e.msg);
    for (size_t i = 0; i < manifests.errors_count; i++)
        (void)cli_error("%s", manifests.errors[i]);
    int rc = manifests.errors_count == 0 ? CLI_OK : CLI_FAILED;
    for (size_t i = 0; i < manifests.count; i++)
        if (apply_one(&a, o, &manifests.items[i]) != CLI_OK)
            rc = CLI_FAILED;
    if (manifests.count == 0 && manifests.errors_count == 0)
        return cli_error("no objects passed to apply");
    act_print_end(&a);
    return a.failed ? CLI_FAILED : rc;
}

const struct verb apply_verb = {
    .name = "apply",
    .summary = "make objects what manifests say",
    .help = "apply -f FILE [flags]",
    .about = "Applies a configuration, of files or of standard input, to objects: creates what is "
             "missing, changes what differs, and removes what an earlier apply set and this one "
             "does not name. Works on the same objects as kubectl apply.",
    .examples = "  gantry apply -f web.yaml\n"
                "  gantry apply -R -f manifests/\n"
                "  gantry apply --server-side -f - <web.yaml",
    .flags = apply_flags,
    .options_bytes = sizeof(struct apply_options),
    .act = apply_act
};
