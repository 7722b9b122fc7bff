/* gantry create: the objects of manifests, which must not be there yet. */
#include "cli/act.h"
#include "cli/compose.h"
#include "cli/three_way.h"

#define CREATE_MANAGER "kubectl-create"

struct create_options {
    struct manifest_flags manifests;
    const char *dry_run;
    const char *output;
    const char *validate;
    const char *manager;
    bool save_config;
    bool managed_fields;
};

static const struct flag create_flags[] = {
    { .rows = manifest_rows, .at = offsetof(struct create_options, manifests) },
    { .rows = act_dry_run_row, .at = offsetof(struct create_options, dry_run) },
    { .rows = act_output_row, .at = offsetof(struct create_options, output) },
    { .rows = act_validate_row, .at = offsetof(struct create_options, validate) },
    { .name = "field-manager",
      .at = offsetof(struct create_options, manager),
      .value = CREATE_MANAGER,
      .help = "The name under which fields are owned." },
    { .name = "save-config",
      .type = FLAG_BOOL,
      .at = offsetof(struct create_options, save_config),
      .help = "Keep the manifest in the annotation that apply reads." },
    { .rows = act_managed_fields_row, .at = offsetof(struct create_options, managed_fields) },
    { 0 }
};

static int create_one(struct act *a, const struct create_options *o, const struct manifest *m)
{
    struct cli *c = a->cli;
    struct act_object object;
    struct ask_answer answer;
    const struct json *made = NULL;
    struct err e;
    if (act_resolve(c, m, &object, &e) != 0)
        return cli_error_of(&e);
    struct json now = o->save_config ? last_applied_write(&c->arena, object.object)
                                     : compose_sorted(&c->arena, object.object);
    if (a->dry == ACT_DRY_CLIENT) {
        act_print(a, &object, &now, "created");
        return CLI_OK;
    }
    if (!act_send(c, "POST", act_target(a, &object, /* collection */ true, NULL),
                  "application/json", compose_text(&c->arena, &now), &answer))
        return CLI_FAILED;
    if (!ask_good(&answer))
        return act_refused(c, &answer, "creating", object.source);
    if (json_parse(&c->arena, answer.body, &made, NULL) != 0)
        made = &now;
    object.name = compose_text_in(made, "metadata", "name"); /* generateName's */
    act_print(a, &object, made, "created");
    return CLI_OK;
}

static int create_act(struct cli *c, const void *options, const struct words *w)
{
    const struct create_options *o = options;
    struct act a = { .cli = c,
                     .output = o->output,
                     .manager = o->manager,
                     .managed_fields = o->managed_fields,
                     .one_by_one = true };
    struct manifests manifests = { 0 };
    struct err e;
    if (w->count > 0)
        return cli_error("gantry creates from manifests alone: create -f FILE");
    if (!manifest_named(&o->manifests))
        return cli_error("must specify one of -f and -k");
    if (act_dry_run(o->dry_run, &a.dry, &e) != 0 ||
        act_validation(o->validate, &a.validation, &e) != 0 || act_output(&a, &e) != 0)
        return cli_error("%s", e.msg);
    manifests.unchecked = str_eq_c(str_from(a.validation), "Ignore");
    manifests_read(c, &o->manifests, &manifests);
    for (size_t i = 0; i < manifests.errors_count; i++)
        (void)cli_error("%s", manifests.errors[i]);
    if (manifests.count == 0 && manifests.errors_count == 0)
        return cli_error("no objects passed to create");
    int rc = manifests.errors_count == 0 ? CLI_OK : CLI_FAILED;
    for (size_t i = 0; i < manifests.count; i++)
        if (create_one(&a, o, &manifests.items[i]) != CLI_OK)
            rc = CLI_FAILED;
    act_print_end(&a);
    return a.failed ? CLI_FAILED : rc;
}

const struct verb create_verb = {
    .name = "create",
    .summary = "create the objects of manifests",
    .help = "create -f FILE [flags]",
    .about = "Creates the objects of manifests. What is there already is an error; apply changes "
             "it instead.",
    .examples = "  gantry create -f web.yaml\n"
                "  gantry create -f - <web.yaml",
    .flags = create_flags,
    .options_bytes = sizeof(struct create_options),
    .act = create_act
};
