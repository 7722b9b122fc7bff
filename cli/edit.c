/*
 * gantry edit: objects in the editor, and back as a patch of what was changed.
 *
 * A refused change opens the editor again with the reason in its heading; whatever is not stored
 * on the server when this ends is kept in the file.
 */
#include <stdio.h>
#include <string.h>

#include "api/meta/kinds.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/act.h"
#include "cli/compose.h"
#include "cli/edit_text.h"
#include "cli/editor.h"
#include "cli/three_way.h"

#define EDIT_MANAGER "kubectl-edit"

struct edit_options {
    struct manifest_flags manifests;
    const char *output;
    const char *validate;
    const char *manager;
    bool output_patch;
};

static const struct flag edit_flags[] = {
    { .rows = manifest_rows, .at = offsetof(struct edit_options, manifests) },
    { .name = "output",
      .letter = 'o',
      .at = offsetof(struct edit_options, output),
      .value = "yaml",
      .help = "The form of the text, and of what is shown of the result: yaml or json.",
      .values = VALUES_CHOICE,
      .choice = "yaml json" },
    { .rows = act_validate_row, .at = offsetof(struct edit_options, validate) },
    { .name = "field-manager",
      .at = offsetof(struct edit_options, manager),
      .value = EDIT_MANAGER,
      .help = "The name under which fields are owned." },
    { .name = "output-patch",
      .type = FLAG_BOOL,
      .at = offsetof(struct edit_options, output_patch),
      .help = "Show the patch that is sent." },
    { 0 }
};

/* What becomes of one pass through the editor. */
struct edit_result {
    struct buf reasons; /* of the heading: why it is opened again */
    size_t invalid;
    size_t not_found;
    size_t refused;
};

struct edit {
    struct act act;
    const struct edit_options *options;
    bool json;
    struct act_object *objects;
    size_t count;
    size_t capacity;
    const char *path; /* of the text as it was last saved; NULL: none */
    struct str saved;
};

/* ---- the objects ---- */

/* Without what nobody edits. */
static int add_object(struct edit *x, const struct objects_resource *r, const struct json *object)
{
    struct arena *a = &x->act.cli->arena;
    struct json *shown = arena_new(a, struct json);
    *shown = compose_with_in(a, object, "metadata", "managedFields", /* value */ NULL);
    x->objects = arena_grow(a, x->objects, x->count, &x->capacity, sizeof *x->objects);
    x->objects[x->count++] =
        (struct act_object){ .object = shown,
                             .resource = r,
                             .ns = compose_text_in(object, "metadata", "namespace"),
                             .name = compose_text_in(object, "metadata", "name"),
                             .uid = compose_text_in(object, "metadata", "uid") };
    return CLI_OK;
}

static int read_object(struct edit *x, const struct objects_resource *r, struct str ns,
                       struct str name)
{
    struct cli *c = x->act.cli;
    struct ask_answer answer;
    const struct json *object;
    const struct json *items = NULL;
    struct err e;
    if (!act_send(c, "GET", objects_path(c, r, ns, name), NULL, str_lit(""), &answer))
        return CLI_FAILED;
    if (!ask_good(&answer))
        return ask_tell(c, &answer);
    if (json_parse(&c->arena, answer.body, &object, &e) != 0)
        return cli_error("%s", e.msg);
    if (name.len > 0)
        return add_object(x, r, object);
    struct json version = json_string(objects_api_version(c, r));
    struct json kind = json_string(r->kind);
    size_t count = compose_items(json_get_c(object, "items"), &items);
    for (size_t i = 0; i < count; i++) {
        struct json item = compose_with(&c->arena, &items[i], "apiVersion", &version);
        item = compose_with(&c->arena, &item, "kind", &kind);
        (void)add_object(x, r, arena_copy(&c->arena, &item, sizeof item));
    }
    return CLI_OK;
}

static int read_words(struct edit *x, const struct words *w)
{
    struct cli *c = x->act.cli;
    struct objects_target *targets;
    size_t count;
    struct err e;
    if (objects_targets(c, w->items, w->count, &targets, &count, &e) != 0)
        return cli_error_of(&e);
    for (size_t i = 0; i < count; i++) {
        const struct objects_resource *r = targets[i].resource;
        if (read_object(x, r, r->namespaced ? c->ns : str_lit(""), targets[i].name) != CLI_OK)
            return CLI_FAILED;
    }
    return CLI_OK;
}

static int read_manifests(struct edit *x)
{
    struct cli *c = x->act.cli;
    struct manifests manifests = { .unchecked = true };
    manifests_read(c, &x->options->manifests, &manifests);
    if (manifests.errors_count > 0)
        return cli_error("%s", manifests.errors[0]);
    for (size_t i = 0; i < manifests.count; i++) {
        struct act_object o;
        struct err e;
        if (act_resolve(c, &manifests.items[i], &o, &e) != 0)
            return cli_error_of(&e);
        if (read_object(x, o.resource, o.ns, o.name) != CLI_OK)
            return CLI_FAILED;
    }
    return CLI_OK;
}

static struct str objects_text(struct edit *x)
{
    struct arena *a = &x->act.cli->arena;
    struct json *items = arena_array(a, x->count, sizeof *items);
    if (x->count == 1)
        return act_text(x->act.cli, x->objects[0].object, x->json);
    for (size_t i = 0; i < x->count; i++)
        items[i] = *x->objects[i].object;
    struct json version = json_string(str_lit("v1"));
    struct json kind = json_string(str_lit("List"));
    struct json all = json_array(items, x->count);
    struct json metadata = json_object(NULL, 0);
    struct json list = compose_with(a, NULL, "apiVersion", &version);
    list = compose_with(a, &list, "items", &all);
    list = compose_with(a, &list, "kind", &kind);
    list = compose_with(a, &list, "metadata", &metadata);
    return act_text(x->act.cli, &list, x->json);
}

/* ---- sending ---- */

static struct act_object *original_of(struct edit *x, const struct json *edited)
{
    struct str uid = compose_text_in(edited, "metadata", "uid");
    for (size_t i = 0; i < x->count; i++)
        if (str_eq(x->objects[i].uid, uid))
            return &x->objects[i];
    return NULL;
}

static bool same_member(const struct json *x, const struct json *y, const char *key)
{
    return str_eq(json_str(json_get_c(x, key)), json_str(json_get_c(y, key)));
}

static void patch_refused(struct edit *x, const struct act_object *o,
                          const struct ask_answer *answer, struct edit_result *result)
{
    struct cli *c = x->act.cli;
    struct str type = objects_group_resource(c, o->resource);
    const struct json *status = NULL;
    (void)json_parse(&c->arena, answer->body, &status, NULL); /* NULL then */
    struct str message = json_str(json_get_c(status, "message"));
    if (answer->status == 422) {
        result->invalid++;
        edit_text_invalid(&result->reasons, type, o->name, status);
        (void)cli_error("%.*s \"%.*s\" is invalid", STR_ARG(type), STR_ARG(o->name));
    } else if (answer->status == 404) {
        result->not_found++;
        (void)cli_error("%.*s \"%.*s\" could not be found on the server", STR_ARG(type),
                        STR_ARG(o->name));
    } else {
        result->refused++;
        (void)cli_error("%.*s \"%.*s\" could not be patched: %.*s", STR_ARG(type), STR_ARG(o->name),
                        STR_ARG(message));
    }
}

static void print_one(struct edit *x, const struct act_object *o, const struct json *object,
                      const char *operation)
{
    act_print(&x->act, o, object, operation);
    act_print_end(&x->act);
}

/* Not 0: the edit ends, for the reason in e; empty: it was said. */
static int send_one(struct edit *x, const struct json *edited, struct edit_result *result,
                    struct err *e)
{
    struct cli *c = x->act.cli;
    struct act_object *o = original_of(x, edited);
    struct ask_answer answer;
    struct json patch;
    e->msg[0] = '\0';
    if (o == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "no original object found for %.*s: its uid was changed",
                       STR_ARG(compose_text_in(edited, "metadata", "name")));
    if (json_equal(o->object, edited)) {
        print_one(x, o, edited, "skipped");
        return 0;
    }
    if (!same_member(o->object, edited, "apiVersion") || !same_member(o->object, edited, "kind") ||
        !str_eq(compose_text_in(edited, "metadata", "name"), o->name))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "At least one of apiVersion, kind and name was changed");
    const struct kind_info *kind = kind_by_type(json_str(json_get_c(edited, "apiVersion")),
                                                json_str(json_get_c(edited, "kind")));
    const struct schema *schema = kind != NULL ? kind->schema : NULL;
    int rc = three_way(&c->arena, schema, o->object, edited, o->object, &patch, e);
    if (rc != 0)
        return rc;
    struct str text = compose_text(&c->arena, &patch);
    if (x->options->output_patch)
        printf("Patch: %.*s\n", STR_ARG(text));
    if (!act_send(c, "PATCH", act_target(&x->act, o, /* collection */ false, NULL),
                  schema != NULL ? "application/strategic-merge-patch+json"
                                 : "application/merge-patch+json",
                  text, &answer))
        return -ERR_UNAVAILABLE;
    if (!ask_good(&answer)) {
        patch_refused(x, o, &answer, result);
        return 0;
    }
    rc = json_parse(&c->arena, answer.body, &edited, e);
    if (rc == 0)
        print_one(x, o, edited, "edited");
    return rc;
}

/* ---- passes through the editor ---- */

enum edit_step { EDIT_AGAIN, EDIT_DONE, EDIT_FAILED };

static enum edit_step stored_copy(const struct edit *x)
{
    if (x->path != NULL && env_path_exists(x->act.cli->env, x->path))
        (void)fprintf(stderr, "A copy of your changes has been stored to \"%s\"\n", x->path);
    return EDIT_FAILED;
}

static enum edit_step drop_copy(struct edit *x, const char *why)
{
    (void)env_path_remove(x->act.cli->env, x->path, NULL); /* it is in a folder that is emptied */
    if (why != NULL)
        (void)cli_tell("%s", why);
    return EDIT_DONE;
}

static enum edit_step after_send(struct edit *x, const struct edit_result *result)
{
    if (result->refused > 0) {
        (void)fprintf(stderr, "You can run `gantry apply -f %s` to try this update again.\n",
                      x->path);
        return EDIT_FAILED;
    }
    if (result->not_found > 0) {
        (void)fprintf(stderr, "The edits you made on deleted resources have been saved to \"%s\"\n",
                      x->path);
        return EDIT_FAILED;
    }
    return result->invalid > 0 ? EDIT_AGAIN : drop_copy(x, NULL);
}

/* What was saved, to the server. */
static enum edit_step send_all(struct edit *x, struct edit_result *result)
{
    struct cli *c = x->act.cli;
    struct manifests edited = { .arena = &c->arena, .unchecked = true };
    manifests_parse(&edited, x->saved, str_lit("edited-file"));
    if (edited.errors_count > 0) {
        edit_text_reason(&result->reasons,
                         "The edited file had a syntax error: ", str_from(edited.errors[0]));
        return EDIT_AGAIN;
    }
    for (size_t i = 0; i < edited.count; i++) {
        struct err e;
        if (send_one(x, edited.items[i].object, result, &e) == 0)
            continue;
        (void)stored_copy(x);
        if (e.msg[0] != '\0')
            (void)cli_error("%s", e.msg);
        return EDIT_FAILED;
    }
    return after_send(x, result);
}

static enum edit_step pass(struct edit *x, struct str original, struct edit_result *result,
                           bool again)
{
    struct cli *c = x->act.cli;
    struct str before = x->saved;
    const char *last = x->path;
    struct buf text;
    struct err e;
    buf_init(&text);
    if (!x->json)
        edit_text_heading(&text, buf_str(&result->reasons));
    buf_append_str(&text, again ? edit_text_plain(&c->arena, before) : original);
    const struct str given = str_copy(&c->arena, buf_str(&text));
    buf_deinit(&text);
    int rc = editor_run(c, given, x->json ? ".json" : ".yaml", &x->path, &x->saved, &e);
    if (rc != 0) {
        x->path = last;
        (void)stored_copy(x);
        (void)cli_error("%s", e.msg);
        return EDIT_FAILED;
    }
    struct str saved = edit_text_plain(&c->arena, x->saved);
    if (again && str_eq(saved, edit_text_plain(&c->arena, before))) {
        (void)stored_copy(x);
        (void)cli_error("Edit cancelled, no valid changes were saved.");
        return EDIT_FAILED;
    }
    if (last != NULL)
        (void)env_path_remove(c->env, last, NULL); /* the newer one holds what counts */
    if (str_eq(saved, edit_text_plain(&c->arena, original)))
        return drop_copy(x, "Edit cancelled, no changes made.");
    if (edit_text_is_empty(x->saved))
        return drop_copy(x, "Edit cancelled, saved file was empty.");
    buf_clear(&result->reasons);
    result->invalid = 0;
    return send_all(x, result);
}

static int edit_all(struct edit *x)
{
    struct str original = objects_text(x);
    struct edit_result result = { 0 };
    enum edit_step step = EDIT_AGAIN;
    buf_init(&result.reasons);
    for (bool again = false; step == EDIT_AGAIN; again = true)
        step = pass(x, original, &result, again);
    buf_deinit(&result.reasons);
    return step == EDIT_DONE ? CLI_OK : CLI_FAILED;
}

/* ---- the verb ---- */

static int edit_act(struct cli *c, const void *options, const struct words *w)
{
    const struct edit_options *o = options;
    struct edit x = { .act = { .cli = c, .manager = o->manager }, .options = o };
    struct err e;
    if (act_validation(o->validate, &x.act.validation, &e) != 0)
        return cli_error("%s", e.msg);
    if (strcmp(o->output, "yaml") != 0 && strcmp(o->output, "json") != 0)
        return cli_error("unable to match a printer suitable for the output format \"%s\", allowed "
                         "formats are: json,yaml",
                         o->output);
    x.json = strcmp(o->output, "json") == 0;
    x.act.output = flags_given(w, "output") ? o->output : NULL;
    if (!manifest_named(&o->manifests) && w->count == 0)
        return act_nothing_named();
    int rc = manifest_named(&o->manifests) ? read_manifests(&x) : read_words(&x, w);
    if (rc != CLI_OK)
        return rc;
    if (x.count == 0)
        return cli_error("edit cancelled, no objects found");
    return edit_all(&x);
}

const struct verb edit_verb = {
    .name = "edit",
    .summary = "change objects in an editor",
    .help = "edit (TYPE NAME | TYPE/NAME | -f FILE) [flags]",
    .about = "Opens objects in $KUBE_EDITOR, else $EDITOR, else vi, and sends what was changed. A "
             "refused change opens the editor again, with the reason.",
    .examples = "  gantry edit deployment/web\n"
                "  KUBE_EDITOR=nano gantry edit configmap settings -o json",
    .flags = edit_flags,
    .options_bytes = sizeof(struct edit_options),
    .completes = WORDS_OBJECTS,
    .act = edit_act
};
