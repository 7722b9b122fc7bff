/* The server as a whole: loops, listeners, stopping. */
#include "controlplane/apiserver/apiserver.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "controlplane/apiserver/backends.h"
#include "controlplane/apiserver/bootstrap.h"
#include "controlplane/apiserver/local.h"
#include "controlplane/apiserver/loop.h"
#include "controlplane/apiserver/request.h"
#include "controlplane/apiserver/request_metrics.h"
#include "controlplane/apiserver/watch_hub.h"
#include "net/server.h"
#include "net/tls.h"

/* ---- a loop's part ---- */

void api_loop_init(struct api_loop *l, struct apiserver *s, struct env_loop *loop)
{
    l->server = s;
    l->loop = loop;
    list_init(&l->requests);
    turns_init(&l->turns, loop);
    l->hub = watch_hub_new(l);
    l->backends = backends_new(loop, s->config.kubelet_tls);
}

void api_loop_deinit(struct api_loop *l)
{
    ASSERT(list_empty(&l->requests));
    watch_hub_free(l->hub);
    backends_free(l->backends);
}

bool api_loop_full(const struct api_loop *l)
{
    for (size_t i = 0; i < l->listeners_count; i++) {
        if (http_server_full(l->listeners[i])) {
            return true;
        }
    }
    return false;
}

void api_loop_handle(void *ctx, struct http_exchange *x)
{
    struct api_loop *l = ctx;
    const struct apiserver_config *c = &l->server->config;
    if (c->intercept == NULL || !c->intercept(c->intercept_ctx, x)) {
        request_start(l, x);
    }
}

/* kubectl shows the message of a Status, and of anything else only that it is unexpected. */
static void refusal(struct arena *a, int status, const char **out_type, struct str *out_body)
{
    struct status s = { 0 };
    struct buf b;
    buf_init(&b);
    status_refused(&s, status);
    status_encode(a, &s, MEDIA_JSON, &b);
    *out_type = media_name(MEDIA_JSON, false);
    *out_body = str_copy(a, buf_str(&b));
    buf_deinit(&b);
}

/* ---- life ---- */

struct apiserver *apiserver_new(const struct apiserver_config *config)
{
    struct apiserver *s = mem_alloc(sizeof(*s));
    ASSERT(config->loops_count > 0);
    s->config = *config;
    if (s->config.git_version == NULL) {
        s->config.git_version = APISERVER_GIT_VERSION;
    }
    if (s->config.git_commit == NULL) {
        s->config.git_commit = "";
    }
    if (config->services != NULL) {
        s->services = *config->services;
    } else {
        int rc = service_ranges_parse(&s->services, NULL, NULL, NULL);
        ASSERT(rc == 0); /* the defaults are good */
    }
    request_metrics_register();
    metrics_register(watch_hub_metrics);
    metrics_register(http_server_metrics);
    s->loops_count = config->loops_count;
    s->loops = mem_alloc(s->loops_count * sizeof(*s->loops));
    for (size_t i = 0; i < s->loops_count; i++) {
        api_loop_init(&s->loops[i], s, config->loops[i]);
    }
    s->bootstrap = bootstrap_new(s);
    return s;
}

/* Addresses that only one loop can serve. */
static bool single(const char *address)
{
    return str_starts(str_from(address), str_lit("unix:")) ||
           str_starts(str_from(address), str_lit("fd:"));
}

static int listen_on(struct api_loop *l, const char *address, bool reuse_port, struct err *e)
{
    const struct http_server_options options = { .address = address,
                                                 .reuse_port = reuse_port,
                                                 .tls = l->server->config.tls,
                                                 .handler = api_loop_handle,
                                                 .refusal = refusal,
                                                 .connections_max =
                                                     l->server->config.connections_max,
                                                 .ctx = l };
    if (l->listeners_count == APISERVER_LISTENERS_MAX) {
        return err_set(e, ERR_LIMIT, "more than %d addresses", APISERVER_LISTENERS_MAX);
    }
    int rc = http_server_open(l->loop, &options, &l->listeners[l->listeners_count], e);
    if (rc == 0) {
        l->listeners_count++;
    }
    return rc;
}

int apiserver_listen(struct apiserver *s, const char *address, int *out_port, struct err *e)
{
    size_t loops = single(address) ? 1 : s->loops_count;
    struct arena a;
    int rc = listen_on(&s->loops[0], address, loops > 1, e);
    if (rc != 0) {
        return rc;
    }
    struct api_loop *first = &s->loops[0];
    int port = http_server_port(first->listeners[first->listeners_count - 1]);
    /* Port 0 became a real one: the other loops share that. */
    arena_init(&a);
    const char *actual = address;
    if (str_ends(str_from(address), str_lit(":0"))) {
        struct str base = str_slice(str_from(address), 0, str_from(address).len - 1);
        actual = str_dup(&a, str_printf(&a, "%.*s%d", STR_ARG(base), port));
    }
    for (size_t i = 1; rc == 0 && i < loops; i++) {
        rc = listen_on(&s->loops[i], actual, true, e);
    }
    arena_deinit(&a);
    if (rc == 0 && out_port != NULL) {
        *out_port = port;
    }
    return rc;
}

/* ---- stopping ---- */

static void on_loop_stopped(struct env_msg *m)
{
    struct api_loop *l = container_of(m, struct api_loop, stopped_msg);
    struct apiserver *s = l->server;
    ASSERT(s->stopping > 0);
    if (--s->stopping == 0) {
        s->stopped(s->stopped_ctx);
    }
}

static void loop_stopped(struct api_loop *l)
{
    env_post(l->server->loops[0].loop, &l->stopped_msg, on_loop_stopped);
}

void api_loop_part_opened(struct api_loop *l)
{
    l->parts_open++;
}

void api_loop_part_closed(struct api_loop *l)
{
    ASSERT(l->parts_open > 0);
    if (--l->parts_open == 0 && l->stopping) {
        loop_stopped(l);
    }
}

static void on_part_closed(void *ctx)
{
    api_loop_part_closed(ctx);
}

static void on_stop(struct env_msg *m)
{
    struct api_loop *l = container_of(m, struct api_loop, stop_msg);
    l->stopping = true;
    api_loop_part_opened(l); /* this function */
    list_foreach_safe (node, &l->requests) {
        request_stop(container_of(node, struct request, node));
    }
    l->parts_open += l->listeners_count;
    l->parts_open += backends_close(l->backends, on_part_closed, l);
    for (size_t i = 0; i < l->listeners_count; i++) {
        http_server_close(l->listeners[i], l->server->grace_ms, on_part_closed, l);
    }
    l->listeners_count = 0;
    api_loop_part_closed(l);
}

void apiserver_stopping(struct apiserver *s)
{
    atomic_store(&s->ends, true);
}

void apiserver_stop(struct apiserver *s, uint64_t grace_ms, void (*stopped)(void *ctx), void *ctx)
{
    ASSERT(s->stopped == NULL);
    apiserver_stopping(s);
    s->grace_ms = grace_ms;
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    s->stopping = s->loops_count;
    for (size_t i = 0; i < s->loops_count; i++) {
        env_post(s->loops[i].loop, &s->loops[i].stop_msg, on_stop);
    }
}

void apiserver_free(struct apiserver *s)
{
    if (s == NULL) {
        return;
    }
    bootstrap_free(s->bootstrap);
    documents_deinit(&s->documents);
    local_clients_free(s);
    for (size_t i = 0; i < s->loops_count; i++) {
        api_loop_deinit(&s->loops[i]);
    }
    mem_free(s->loops);
    mem_free(s);
}

bool apiserver_ready(const struct apiserver *s)
{
    struct store_status status;
    store_status(s->config.group, &status);
    return status.ready && bootstrap_complete(s);
}
