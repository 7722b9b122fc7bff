/*
 * kubectl's own apply: what was applied before stands in an annotation; the patch is made here of
 * that, of what is applied now and of what is there, and is made anew when somebody else was
 * faster.
 */
#include <stdio.h>

#include "api/meta/kinds.h"
#include "api/patch/patch.h"
#include "base/env.h"
#include "cli/apply.h"
#include "cli/compose.h"
#include "cli/three_way.h"

/* As upstream. */
#define PATCH_TRIES_MAX 6
/* Between tries after the second; and between looks whether a deleted object is gone. */
#define PATCH_PAUSE_MS 1000
/* Looks for a deleted object's end, with --force. */
#define GONE_LOOKS_MAX 300

struct client_apply {
    struct act *act;
    const struct apply_options *options;
    struct act_object *object;
    const struct schema *schema; /* NULL: a JSON merge patch it is */
    struct json now;             /* with the annotation */
    const struct json *live;
    struct json patch;
    struct ask_answer answer;
};

static const struct schema *schema_of(const struct act_object *o)
{
    const struct kind_info *kind = kind_by_type(json_str(json_get_c(o->object, "apiVersion")),
                                                json_str(json_get_c(o->object, "kind")));
    return kind != NULL ? kind->schema : NULL;
}

static bool send(struct client_apply *c, const char *method, bool collection, const char *type,
                 const struct json *body)
{
    struct cli *cli = c->act->cli;
    struct str text = body != NULL ? compose_text(&cli->arena, body) : str_lit("");
    return act_send(cli, method, act_target(c->act, c->object, collection, NULL), type, text,
                    &c->answer);
}

static const struct json *answer_object(struct client_apply *c)
{
    const struct json *object = NULL;
    (void)json_parse(&c->act->cli->arena, c->answer.body, &object, NULL); /* NULL then */
    return object != NULL ? object : &json_null;
}

/* "Resource: ..., GroupVersionKind: ..." as kubectl shows an object. */
static struct str describe(struct client_apply *c)
{
    const struct objects_resource *r = c->object->resource;
    struct str version = objects_api_version(c->act->cli, r);
    struct str full =
        r->group.len > 0 ? version : str_printf(&c->act->cli->arena, "/%.*s", STR_ARG(version));
    return str_printf(&c->act->cli->arena,
                      "Resource: \"%.*s, Resource=%.*s\", GroupVersionKind: \"%.*s, Kind=%.*s\"\n"
                      "Name: \"%.*s\", Namespace: \"%.*s\"",
                      STR_ARG(full), STR_ARG(r->plural), STR_ARG(full), STR_ARG(r->kind),
                      STR_ARG(c->object->name), STR_ARG(c->object->ns));
}

/* ---- creating ---- */

static int create(struct client_apply *c)
{
    struct json object = compose_without_nulls(&c->act->cli->arena, &c->now);
    if (c->act->dry == ACT_DRY_CLIENT) {
        act_print(c->act, c->object, &object, "created");
        return CLI_OK;
    }
    if (!send(c, "POST", /* collection */ true, "application/json", &object))
        return CLI_FAILED;
    if (!ask_good(&c->answer))
        return act_refused(c->act->cli, &c->answer, "creating", c->object->source);
    act_print(c->act, c->object, answer_object(c), "created");
    return CLI_OK;
}

/* ---- patching ---- */

/* GET. *out_there false: it is to be created. */
static int read_live(struct client_apply *c, bool *out_there)
{
    struct cli *cli = c->act->cli;
    const struct objects_resource *r = c->object->resource;
    struct err e;
    if (c->object->name.len == 0)
        return cli_error("error when retrieving current configuration of:\n%.*s\nfrom server for: "
                         "\"%.*s\": resource name may not be empty",
                         STR_ARG(describe(c)), STR_ARG(c->object->source));
    if (!act_send(cli, "GET", objects_path(cli, r, c->object->ns, c->object->name), NULL,
                  str_lit(""), &c->answer))
        return CLI_FAILED;
    *out_there = c->answer.status != 404;
    if (!*out_there)
        return CLI_OK;
    if (!ask_good(&c->answer))
        return act_refused(
            cli, &c->answer,
            str_printf(&cli->arena, "retrieving current configuration of:\n%.*s\nfrom server for:",
                       STR_ARG(describe(c)))
                .data,
            c->object->source);
    if (json_parse(&cli->arena, c->answer.body, &c->live, &e) != 0)
        return cli_error("the server's answer for %.*s: %s", STR_ARG(c->object->name), e.msg);
    return CLI_OK;
}

static int make_patch(struct client_apply *c)
{
    struct arena *a = &c->act->cli->arena;
    const struct json *before;
    struct err e;
    int rc = last_applied_read(a, c->live, &before, &e);
    if (rc == 0)
        rc = three_way(a, c->schema, before, &c->now, c->live, &c->patch, &e);
    if (rc == 0)
        return CLI_OK;
    return cli_error("error when applying patch to %.*s of \"%.*s\": %s", STR_ARG(c->object->name),
                     STR_ARG(c->object->source), e.msg);
}

static void on_pause(struct env_timer *t)
{
    env_loop_stop(t->loop);
}

static void pause_for(struct cli *cli, uint64_t ms)
{
    struct env_timer t;
    env_timer_init(cli->loop, &t, on_pause);
    env_timer_start(&t, ms);
    env_loop_run(cli->loop);
    env_timer_deinit(&t);
}

/* --force: it goes, and comes again as it should be. */
static int replace(struct client_apply *c)
{
    static const struct json_member background[] = {
        { STR("propagationPolicy"),
          { .type = JSON_STRING, .count = sizeof "Background" - 1, .u.chars = "Background" } }
    };
    struct json options = json_object(background, 1);
    bool there = true;
    if (!send(c, "DELETE", /* collection */ false, "application/json", &options))
        return CLI_FAILED;
    if (!ask_good(&c->answer) && c->answer.status != 404)
        return act_refused(c->act->cli, &c->answer, "deleting", c->object->source);
    for (int look = 0; there; look++) {
        if (read_live(c, &there) != CLI_OK)
            return CLI_FAILED;
        if (there && look == GONE_LOOKS_MAX)
            return cli_error("timed out waiting for the condition");
        if (there)
            pause_for(c->act->cli, PATCH_PAUSE_MS);
    }
    if (!send(c, "POST", /* collection */ true, "application/json", &c->now))
        return CLI_FAILED;
    if (!ask_good(&c->answer))
        return act_refused(c->act->cli, &c->answer, "creating", c->object->source);
    act_print(c->act, c->object, answer_object(c), "configured");
    return CLI_OK;
}

/* What could not be patched: both texts are kubectl's, one around the other. */
static int refused(struct client_apply *c)
{
    struct cli *cli = c->act->cli;
    if ((c->answer.status == 409 || c->answer.status == 422) && c->options->force)
        return replace(c);
    struct str patch = compose_text(&cli->arena, &c->patch);
    struct str source = c->object->source;
    struct str verb = str_printf(&cli->arena,
                                 "applying patch:\n%.*s\nto:\n%.*s\nfor: \"%.*s\": error when "
                                 "patching",
                                 STR_ARG(patch), STR_ARG(describe(c)), STR_ARG(source));
    return act_refused(cli, &c->answer, verb.data, source);
}

static void warn_deleting(struct client_apply *c, const struct json *object)
{
    if (compose_text_in(object, "metadata", "deletionTimestamp").len > 0)
        (void)fprintf(stderr,
                      "Warning: Detected changes to resource %.*s which is currently being "
                      "deleted.\n",
                      STR_ARG(c->object->name));
}

static int patch_here(struct client_apply *c)
{
    struct arena *a = &c->act->cli->arena;
    const struct json *object = NULL;
    struct err e;
    int rc = c->schema != NULL ? patch_strategic(a, c->schema, c->live, &c->patch, &object, &e)
                               : patch_merge(a, c->live, &c->patch, &object, &e);
    if (rc != 0)
        return cli_error("applying patch locally: %s", e.msg);
    act_print(c->act, c->object, object, "configured");
    return CLI_OK;
}

static int patch_there(struct client_apply *c)
{
    const char *type = c->schema != NULL ? "application/strategic-merge-patch+json"
                                         : "application/merge-patch+json";
    bool there = true;
    for (int try = 1; try <= PATCH_TRIES_MAX; try++) {
        if (c->patch.count == 0)
            break;
        if (!send(c, "PATCH", /* collection */ false, type, &c->patch))
            return CLI_FAILED;
        if (c->answer.status != 409)
            break;
        if (try > 1)
            pause_for(c->act->cli, PATCH_PAUSE_MS);
        if (try < PATCH_TRIES_MAX && (read_live(c, &there) != CLI_OK || make_patch(c) != CLI_OK))
            return CLI_FAILED;
    }
    if (!ask_good(&c->answer))
        return refused(c);
    const struct json *object = c->patch.count == 0 ? c->live : answer_object(c);
    warn_deleting(c, object);
    act_print(c->act, c->object, object, c->patch.count == 0 ? "unchanged" : "configured");
    return CLI_OK;
}

static void warn_unapplied(struct client_apply *c)
{
    const struct json *annotations = json_get_c(json_get_c(c->live, "metadata"), "annotations");
    if (json_get_c(annotations, LAST_APPLIED_ANNOTATION) != NULL)
        return;
    (void)fprintf(stderr,
                  "Warning: resource %.*s/%.*s is missing the %s annotation which is required by "
                  "gantry apply. gantry apply should only be used on resources created "
                  "declaratively by either gantry create --save-config or gantry apply. The "
                  "missing annotation will be patched automatically.\n",
                  STR_ARG(c->object->resource->plural), STR_ARG(c->object->name),
                  LAST_APPLIED_ANNOTATION);
}

int apply_by_client(struct act *a, const struct apply_options *o, struct act_object *object)
{
    struct client_apply c = { .act = a,
                              .options = o,
                              .object = object,
                              .schema = schema_of(object),
                              .now = last_applied_write(&a->cli->arena, object->object) };
    bool there = true;
    if (read_live(&c, &there) != CLI_OK)
        return CLI_FAILED;
    if (!there)
        return create(&c);
    warn_unapplied(&c);
    if (make_patch(&c) != CLI_OK)
        return CLI_FAILED;
    if (a->dry == ACT_DRY_CLIENT)
        return patch_here(&c);
    return patch_there(&c);
}
