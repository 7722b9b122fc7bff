/*
 * See the header. The object is read as a list of one, and watched from that list's revision: no
 * moment lies between. When the watch ends before the object, it is read again.
 */
#include "cli/gone.h"

#include "base/buf.h"
#include "base/env.h"
#include "cli/compose.h"

/* Of one event. */
#define EVENT_BYTES_MAX (16u << 20)

struct gone {
    struct cli *cli;
    const struct act_object *object;
    struct str uid;
    struct buf line; /* of the watch's answer, not ended yet */
    bool gone;
};

static struct str one_target(struct gone *g, const char *more)
{
    struct cli *c = g->cli;
    const struct act_object *o = g->object;
    struct str none = { NULL, 0 };
    struct str field = str_printf(&c->arena, "metadata.name=%.*s", STR_ARG(o->name));
    return str_printf(&c->arena, "%s?fieldSelector=%.*s%s",
                      objects_path(c, o->resource, o->ns, none), STR_ARG(objects_escape(c, field)),
                      more);
}

static bool is_ours(const struct gone *g, const struct json *object)
{
    struct str uid = compose_text_in(object, "metadata", "uid");
    return g->uid.len == 0 || str_eq(uid, g->uid);
}

/* A watch says one event a line. */
static void on_event(struct gone *g, struct str line)
{
    struct arena a;
    const struct json *event;
    arena_init(&a);
    if (json_parse(&a, line, &event, NULL) == 0 &&
        str_eq_c(json_str(json_get_c(event, "type")), "DELETED") &&
        is_ours(g, json_get_c(event, "object")))
        g->gone = true;
    arena_deinit(&a);
}

static bool on_piece(void *ctx, struct str bytes)
{
    struct gone *g = ctx;
    struct str line;
    buf_append_str(&g->line, bytes);
    while (!g->gone) {
        ptrdiff_t feed = str_find_char(buf_str(&g->line), '\n', 0);
        if (feed < 0)
            break;
        line = str_slice(buf_str(&g->line), 0, (size_t)feed);
        on_event(g, line);
        buf_consume(&g->line, (size_t)feed + 1);
    }
    return !g->gone && g->line.len < EVENT_BYTES_MAX;
}

/* The list of it; *out_revision is where a watch begins. */
static int look(struct gone *g, struct str *out_revision, int *out_status, struct err *e)
{
    const struct ask_request r = { .target = one_target(g, "").data };
    struct ask_answer answer;
    const struct json *list;
    const struct json *items = NULL;
    int rc = ask_send(g->cli, &r, &answer, e);
    if (rc != 0)
        return rc;
    *out_status = answer.status;
    if (!ask_good(&answer))
        return 0;
    rc = json_parse(&g->cli->arena, answer.body, &list, e);
    if (rc != 0)
        return rc;
    *out_revision = compose_text_in(list, "metadata", "resourceVersion");
    g->gone = compose_items(json_get_c(list, "items"), &items) == 0 || !is_ours(g, &items[0]);
    return 0;
}

static int watch(struct gone *g, struct str revision, uint64_t left_ms, struct err *e)
{
    struct str more =
        str_printf(&g->cli->arena, "&watch=true&resourceVersion=%.*s", STR_ARG(revision));
    const struct ask_request r = {
        .target = one_target(g, more.data).data, .timeout_ms = left_ms, .piece = on_piece, .ctx = g
    };
    struct ask_answer answer;
    buf_clear(&g->line);
    int rc = ask_send(g->cli, &r, &answer, e);
    return rc == -ERR_TIMEOUT || rc == -ERR_UNAVAILABLE ? 0 : rc;
}

int gone_wait(struct cli *c, const struct act_object *object, uint64_t deadline_ms)
{
    struct gone g = { .cli = c, .object = object, .uid = object->uid };
    int rc = 0;
    int status = 200;
    struct err e;
    buf_init(&g.line);
    while (rc == 0 && !g.gone) {
        struct str revision;
        uint64_t now = env_loop_now_ms(c->loop);
        rc = look(&g, &revision, &status, &e);
        if (rc != 0 || g.gone || status != 200)
            break;
        if (now >= deadline_ms) {
            struct str type = objects_group_resource(c, object->resource);
            rc = err_set(&e, ERR_TIMEOUT, "timed out waiting for the condition on %.*s/%.*s",
                         STR_ARG(type), STR_ARG(object->name));
            break;
        }
        rc = watch(&g, revision, deadline_ms - now, &e);
    }
    buf_deinit(&g.line);
    return rc == 0 ? CLI_OK : cli_error("%s", e.msg);
}
