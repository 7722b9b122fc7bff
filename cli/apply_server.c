/*
 * Server-side apply: the manifest goes to the server as it is.
 *
 * An object that was applied from the client's side before has two managers of one person then.
 * Its fields are handed to the new one, and the manifest is applied again, so that what it does
 * not name any more can go; the annotation gets a manager of its own, for the way back. This is
 * what kubectl does, and is no failure when it fails.
 */
#include <stdio.h>

#include "base/buf.h"
#include "cli/apply.h"
#include "cli/compose.h"
#include "cli/three_way.h"

#define ANNOTATION_MANAGER "kubectl-last-applied"
/* As upstream: others may change the object in between. */
#define MIGRATE_TRIES_MAX 5

#define CONFLICT_ADVICE                                                                            \
    "\nPlease review the fields above--they currently have other managers. Here\n"                 \
    "are the ways you can resolve this warning:\n"                                                 \
    "* If you intend to manage all of these fields, please re-run the apply\n"                     \
    "  command with the `--force-conflicts` flag.\n"                                               \
    "* If you do not intend to manage all of the fields, please edit your\n"                       \
    "  manifest to remove references to the fields that should keep their\n"                       \
    "  current managers.\n"                                                                        \
    "* You may co-own fields by updating your manifest to match the existing\n"                    \
    "  value; in this case, you'll become the manager if the other manager(s)\n"                   \
    "  stop managing the field (remove it from their configuration).\n"                            \
    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"

struct server_apply {
    struct act *act;
    const struct apply_options *options;
    const struct act_object *object;
    const struct json *live; /* as the server answered last */
    struct ask_answer answer;
};

static const char *target_of(struct server_apply *s, const char *manager, const char *more)
{
    struct act a = *s->act;
    a.manager = manager;
    const char *target = act_target(&a, s->object, /* collection */ false, more);
    const char *sub = s->options->subresource;
    if (sub == NULL)
        return target;
    struct str all = str_from(target);
    ptrdiff_t query = str_find_char(all, '?', 0);
    size_t path = query >= 0 ? (size_t)query : all.len;
    return str_printf(&a.cli->arena, "%.*s/%s%.*s", STR_ARG(str_slice(all, 0, path)), sub,
                      STR_ARG(str_slice(all, path, all.len)))
        .data;
}

/* PATCH; false: nobody answered, or it was refused (s->answer says). */
static bool patch(struct server_apply *s, const char *target, const char *type,
                  const struct json *body)
{
    struct cli *c = s->act->cli;
    struct str text = compose_text(&c->arena, body);
    const struct json *object = NULL;
    if (!act_send(c, "PATCH", target, type, text, &s->answer) || !ask_good(&s->answer))
        return false;
    if (json_parse(&c->arena, s->answer.body, &object, NULL) != 0)
        return false;
    s->live = object;
    return true;
}

static bool patch_apply(struct server_apply *s)
{
    const char *more = s->options->force_conflicts ? "force=true" : "force=false";
    struct json sorted = compose_sorted(&s->act->cli->arena, s->object->object);
    return patch(s, target_of(s, s->act->manager, more), "application/apply-patch+yaml", &sorted);
}

/* ---- from the client's side to the server's ---- */

static bool owns_annotation(const struct json *entry)
{
    const struct json *metadata = json_get_c(json_get_c(entry, "fieldsV1"), "f:metadata");
    return json_get_c(json_get_c(metadata, "f:annotations"), "f:" LAST_APPLIED_ANNOTATION) != NULL;
}

static bool is_operation(const struct json *entry, const char *operation)
{
    return str_eq_c(json_str(json_get_c(entry, "operation")), operation) &&
           json_str(json_get_c(entry, "subresource")).len == 0;
}

static size_t entries_of(const struct json *object, const struct json **out)
{
    return compose_items(json_get_c(json_get_c(object, "metadata"), "managedFields"), out);
}

/* The annotation would go with the fields: it gets an owner of its own first. */
static bool keep_annotation(struct server_apply *s)
{
    struct arena *a = &s->act->cli->arena;
    const struct json *annotations = json_get_c(json_get_c(s->live, "metadata"), "annotations");
    const struct json *text = json_get_c(annotations, LAST_APPLIED_ANNOTATION);
    const struct json *entries = NULL;
    size_t count = entries_of(s->live, &entries);
    if (!str_eq_c(str_from(s->act->manager), APPLY_SERVER_MANAGER) || text == NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        if (is_operation(&entries[i], "Apply") && owns_annotation(&entries[i]))
            return true;
    struct json name = json_string(s->object->name);
    struct json ns = json_string(s->object->ns);
    struct json only = json_object(NULL, 0);
    only = compose_with(a, &only, "apiVersion", json_get_c(s->object->object, "apiVersion"));
    only = compose_with(a, &only, "kind", json_get_c(s->object->object, "kind"));
    only = compose_with_in(a, &only, "metadata", "name", &name);
    if (s->object->ns.len > 0)
        only = compose_with_in(a, &only, "metadata", "namespace", &ns);
    struct json kept = compose_with(a, NULL, LAST_APPLIED_ANNOTATION, text);
    only = compose_with_in(a, &only, "metadata", "annotations", &kept);
    return patch(s, target_of(s, ANNOTATION_MANAGER, "force=false"), "application/apply-patch+yaml",
                 &only);
}

/* Both sets of fields: FieldsV1 are objects of objects. */
static struct json both_fields(struct arena *a, const struct json *x, const struct json *y)
{
    struct compose_members m = { 0 };
    for (size_t i = 0; x->type == JSON_OBJECT && i < x->count; i++)
        compose_put(a, &m, x->u.members[i].key, x->u.members[i].value);
    for (size_t i = 0; y->type == JSON_OBJECT && i < y->count; i++) {
        const struct json *mine = json_get(x, y->u.members[i].key);
        const struct json *theirs = &y->u.members[i].value;
        compose_put(a, &m, y->u.members[i].key,
                    mine != NULL ? both_fields(a, mine, theirs) : *theirs);
    }
    return compose_object(&m);
}

/* The entries with those of client-side apply in the manager's own. False: there are none. */
static bool merge_entries(struct server_apply *s, struct json *out)
{
    struct arena *a = &s->act->cli->arena;
    const struct json *entries = NULL;
    size_t count = entries_of(s->live, &entries);
    struct json *kept = arena_array(a, count + 1, sizeof *kept);
    size_t kept_count = 0;
    struct json fields = json_object(NULL, 0);
    const struct json *mine = NULL;
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const struct json *entry = &entries[i];
        bool client = is_operation(entry, "Update") && owns_annotation(entry);
        bool own = is_operation(entry, "Apply") &&
                   str_eq_c(json_str(json_get_c(entry, "manager")), s->act->manager);
        found = found || client;
        mine = own || (client && mine == NULL) ? entry : mine;
        if (client || own)
            fields = both_fields(a, &fields, json_get_c(entry, "fieldsV1"));
        else
            kept[kept_count++] = *entry;
    }
    if (!found)
        return false;
    struct json manager = json_string(str_from(s->act->manager));
    struct json operation = json_string(str_lit("Apply"));
    struct json entry = compose_with(a, mine, "manager", &manager);
    entry = compose_with(a, &entry, "operation", &operation);
    kept[kept_count++] = compose_with(a, &entry, "fieldsV1", &fields);
    *out = json_array(kept, kept_count);
    return true;
}

static struct json replace_step(struct arena *a, const char *path, const struct json *value)
{
    struct json operation = json_string(str_lit("replace"));
    struct json at = json_string(str_from(path));
    struct json step = compose_with(a, NULL, "op", &operation);
    step = compose_with(a, &step, "path", &at);
    return compose_with(a, &step, "value", value);
}

static bool read_again(struct server_apply *s)
{
    struct cli *c = s->act->cli;
    const struct act_object *o = s->object;
    return act_send(c, "GET", objects_path(c, o->resource, o->ns, o->name), NULL, str_lit(""),
                    &s->answer) &&
           ask_good(&s->answer) && json_parse(&c->arena, s->answer.body, &s->live, NULL) == 0;
}

/* False: it was tried, and failed. *out_done: something was handed over. */
static bool migrate(struct server_apply *s, bool *out_done)
{
    struct arena *a = &s->act->cli->arena;
    struct json entries;
    *out_done = false;
    for (int try = 0; try < MIGRATE_TRIES_MAX; try++) {
        const struct json *revision =
            json_get_c(json_get_c(s->live, "metadata"), "resourceVersion");
        if (!merge_entries(s, &entries) || revision == NULL)
            return true;
        struct json steps[] = { replace_step(a, "/metadata/managedFields", &entries),
                                replace_step(a, "/metadata/resourceVersion", revision) };
        struct json body = json_array(steps, 2);
        *out_done =
            patch(s, target_of(s, s->act->manager, NULL), "application/json-patch+json", &body);
        if (*out_done)
            return true;
        if (s->answer.status != 409 || !read_again(s))
            return false;
    }
    return false;
}

static void warn(struct server_apply *s, const char *what)
{
    struct str said = s->answer.status != 0 ? ask_refused(s->act->cli, &s->answer)
                                            : str_lit("the server does not answer");
    (void)cli_tell("Warning: %s. This is non-fatal and will be retried next time you apply. Error: "
                   "%.*s",
                   what, STR_ARG(said));
}

static void take_over(struct server_apply *s)
{
    bool done;
    s->answer = (struct ask_answer){ 0 };
    if (!keep_annotation(s))
        warn(s, "failed to migrate " LAST_APPLIED_ANNOTATION " for Server-Side Apply");
    else if (!migrate(s, &done))
        warn(s, "server rejected managed fields migration to Server-Side Apply");
    else if (done && !patch_apply(s))
        warn(s, "failed to re-apply configuration after performing Server-Side Apply migration");
}

/* ---- one object ---- */

static int conflict(struct server_apply *s)
{
    struct str said = ask_refused(s->act->cli, &s->answer);
    static const struct str from = STR("Error from server (Conflict): ");
    if (str_starts(said, from))
        said = str_slice(said, from.len, said.len);
    return cli_error("%.*s" CONFLICT_ADVICE, STR_ARG(said));
}

int apply_by_server(struct act *a, const struct apply_options *o, struct act_object *object)
{
    struct server_apply s = { .act = a, .options = o, .object = object };
    if (object->name.len == 0)
        return cli_error("name is required");
    if (!patch_apply(&s)) {
        if (s.answer.status == 0)
            return CLI_FAILED;
        return s.answer.status == 409 ? conflict(&s)
                                      : act_refused(a->cli, &s.answer, "applying", str_lit(""));
    }
    if (o->subresource == NULL)
        take_over(&s);
    if (compose_text_in(s.live, "metadata", "deletionTimestamp").len > 0)
        (void)fprintf(stderr,
                      "Warning: Detected changes to resource %.*s which is currently being "
                      "deleted.\n",
                      STR_ARG(object->name));
    act_print(a, object, s.live, "serverside-applied");
    return CLI_OK;
}
