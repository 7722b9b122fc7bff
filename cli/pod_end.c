/* See the header. */
#include "cli/pod_end.h"

#include "base/assert.h"
#include "cli/compose.h"
#include "cli/objects.h"
#include "cli/pods.h"
#include "cli/tree.h"

static struct pod_end *pod_end_of(struct stream *s)
{
    return container_of(s, struct pod_end, stream);
}

static void tell(struct pod_end *p)
{
    if (!p->told && !p->stopping) {
        p->told = true;
        p->gone(p);
    }
}

static bool is_there(const struct pod_end *p, const struct json *now)
{
    struct str phase = compose_text_in(now, "status", "phase");
    return str_eq(compose_text_in(now, "metadata", "uid"),
                  compose_text_in(p->pod, "metadata", "uid")) &&
           !str_eq_c(phase, "Succeeded") && !str_eq_c(phase, "Failed");
}

static bool on_event(void *ctx, struct str event, const struct json *object)
{
    struct pod_end *p = ctx;
    if (str_eq_c(event, "ERROR"))
        return false;
    if (str_eq_c(event, "BOOKMARK"))
        return true;
    if (!str_eq_c(event, "DELETED") && is_there(p, object))
        return true;
    tell(p);
    return false;
}

static void on_bytes(struct stream *s, struct str bytes)
{
    struct pod_end *p = pod_end_of(s);
    if (!p->watching && p->body.len + bytes.len <= WATCH_LINE_BYTES_MAX)
        buf_append_str(&p->body, bytes);
    else if (p->watching && !watch_reader_feed(&p->reader, bytes))
        stream_cancel(s);
}

static void start(struct pod_end *p, const char *target);

static void watch_from(struct pod_end *p, struct str revision)
{
    struct cli *c = p->cli;
    const struct objects_resource pods = { .group = str_lit(""),
                                           .version = str_lit("v1"),
                                           .plural = str_lit("pods"),
                                           .namespaced = true };
    const char *list =
        objects_path(c, &pods, compose_text_in(p->pod, "metadata", "namespace"), str_lit(""));
    p->watching = true;
    start(p,
          str_printf(&c->arena,
                     "%s?watch=true&fieldSelector=metadata.name%%3D%.*s"
                     "&resourceVersion=%.*s",
                     list, STR_ARG(compose_text_in(p->pod, "metadata", "name")), STR_ARG(revision))
              .data);
}

/* The answer to a look. */
static bool looked(struct pod_end *p, int http_status)
{
    struct arena a;
    const struct json *now;
    struct str revision = { NULL, 0 };
    if (http_status == 404) {
        tell(p);
        return true;
    }
    arena_init(&a);
    if (http_status == 200 && json_parse(&a, buf_str(&p->body), &now, NULL) == 0) {
        if (is_there(p, now))
            revision =
                str_copy(&p->cli->arena, compose_text_in(now, "metadata", "resourceVersion"));
        else
            tell(p);
    }
    arena_deinit(&a);
    if (revision.len > 0)
        watch_from(p, revision);
    return revision.len > 0 || p->told;
}

static void finish(struct pod_end *p)
{
    env_timer_deinit(&p->pause);
    buf_deinit(&p->body);
    p->stopped(p);
}

static void on_done(struct stream *s, int status)
{
    struct pod_end *p = pod_end_of(s);
    int http_status = s->http_status;
    bool looking = !p->watching;
    stream_deinit(s);
    if (p->watching)
        watch_reader_deinit(&p->reader);
    p->open = false;
    if (p->stopping) {
        finish(p);
        return;
    }
    if (p->told || http_status == 401 || http_status == 403)
        return;
    if (looking && status == 0 && looked(p, http_status))
        return;
    env_timer_start(&p->pause, POD_END_PAUSE_MS);
}

static void start(struct pod_end *p, const char *target)
{
    p->stream = (struct stream){
        .target = target, .accept = "application/json", .bytes = on_bytes, .done = on_done
    };
    if (p->watching) {
        p->reader = (struct watch_reader){ .event = on_event, .ctx = p };
        watch_reader_init(&p->reader);
    }
    buf_clear(&p->body);
    p->open = true;
    stream_open(&p->stream, p->cli, p->loop);
}

static void look(struct env_timer *t)
{
    struct pod_end *p = container_of(t, struct pod_end, pause);
    p->watching = false;
    start(p, pods_path(p->cli, p->pod));
}

void pod_end_start(struct pod_end *p)
{
    env_timer_init(p->loop, &p->pause, look);
    buf_init(&p->body);
    look(&p->pause);
}

void pod_end_stop(struct pod_end *p)
{
    p->stopping = true;
    if (p->open)
        stream_cancel(&p->stream);
    else
        finish(p);
}
