/*
 * pods/NAME/log: the kubelet's answer, passed through as it comes.
 *
 * Run finds the pod, its container and its node's address, and sends the request to the kubelet;
 * the exchange is a stream from then on. A 200 is passed on piece by piece, as a body or as
 * messages of a WebSocket (a slow client pauses the kubelet); anything else becomes a Status. A pod
 * without a node has said nothing: 204. On close from either side the other is cancelled; the
 * request is held until the kubelet's side is done.
 */
#include "api/client/client.h"
#include "api/meta/time.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/pod_target.h"
#include "controlplane/apiserver/socket.h"
#include "controlplane/apiserver/write.h"
#include "net/client.h"
#include "net/websocket.h"

struct log_stream {
    struct http_request out;
    struct request *request;
    struct socket *socket; /* NULL: the log is a body */
    bool streaming;        /* the kubelet said 200 and the head is sent */
    struct buf error;
};

/* ---- what to ask for ---- */

static int invalid_option(struct request *r, const char *field, const char *reason,
                          struct str message)
{
    const struct status_cause cause = { .reason = str_from(reason),
                                        .message = message,
                                        .field = str_from(field) };
    return status_invalid_field(&r->arena, &r->status, str_lit("PodLogOptions"),
                                str_lit("PodLogOptions"), str_lit(""), r->route.name, &cause);
}

static const struct bound {
    const char *name;
    int64_t least;
    const char *text;
} bounds[] = { { "tailLines", 0, "greater than or equal to 0" },
               { "limitBytes", 1, "greater than 0" },
               { "sinceSeconds", 1, "greater than 0" } };

#define BOUNDS_COUNT (sizeof(bounds) / sizeof(bounds[0]))

/* What is no number or no time. */
static int read_options(struct request *r, int64_t values[BOUNDS_COUNT])
{
    struct err e = { 0 };
    struct str since = route_param(&r->route, "sinceTime");
    int64_t seconds = 0;
    int32_t nanos = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < BOUNDS_COUNT; i++) {
        values[i] = bounds[i].least;
        rc = route_param_i64(&r->route, bounds[i].name, &values[i], &e);
    }
    if (rc == 0 && since.len > 0) {
        rc = time_parse(since, &seconds, &nanos, &e);
    }
    return rc == 0 ? 0 : status_from_err(&r->arena, &r->status, rc, &e);
}

/* The options as far as they can be wrong; the kubelet reads what they mean. */
static int check_options(struct request *r)
{
    int64_t values[BOUNDS_COUNT];
    int rc = read_options(r, values);
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < BOUNDS_COUNT; i++) {
        if (values[i] < bounds[i].least) {
            return invalid_option(r, bounds[i].name, "FieldValueInvalid",
                                  str_printf(&r->arena, "Invalid value: %lld: must be %s",
                                             (long long)values[i], bounds[i].text));
        }
    }
    if (route_param(&r->route, "sinceSeconds").len > 0 &&
        route_param(&r->route, "sinceTime").len > 0) {
        return invalid_option(
            r, "", "FieldValueForbidden",
            str_lit("Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    /* One stream of the two: behind a gate upstream, which is closed by default. */
    return route_has_param(&r->route, "stream")
               ? invalid_option(r, "stream", "FieldValueForbidden",
                                str_lit("Forbidden: may not be specified"))
               : 0;
}

/* The kubelet takes the same parameters as we do, but the container is in the path. */
static struct str make_target(struct request *r, struct str container)
{
    static const char *const booleans[] = { "follow", "previous", "timestamps" };
    static const char *const passed[] = { "sinceSeconds", "sinceTime", "tailLines", "limitBytes" };
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "/containerLogs/%.*s/%.*s/%.*s", STR_ARG(r->route.ns), STR_ARG(r->route.name),
               STR_ARG(container));
    char mark = '?';
    for (size_t i = 0; i < sizeof(booleans) / sizeof(booleans[0]); i++) {
        if (route_param_bool(&r->route, booleans[i])) {
            buf_printf(&b, "%c%s=true", mark, booleans[i]);
            mark = '&';
        }
    }
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        struct str value = route_param(&r->route, passed[i]);
        if (value.len > 0) {
            buf_printf(&b, "%c%s=", mark, passed[i]);
            client_query_escape(&b, value);
            mark = '&';
        }
    }
    struct str target = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

/* ---- passing on ---- */

static struct log_stream *log_of(struct http_request *out)
{
    return container_of(out, struct log_stream, out);
}

static void on_response(struct http_request *out)
{
    struct log_stream *l = log_of(out);
    struct request *r = l->request;
    if (out->status != 200 || r->x == NULL) {
        return;
    }
    r->x->stalls = HTTP_STALLS_MAY; /* a person reads it */
    if (l->socket == NULL) {
        request_stream_head(r, "text/plain");
    } else if (socket_open(l->socket) != 0) {
        http_request_cancel(out); /* answered when that is done */
        return;
    }
    l->streaming = true;
}

static void on_body(struct http_request *out, struct str bytes)
{
    struct log_stream *l = log_of(out);
    struct request *r = l->request;
    if (!l->streaming) {
        buf_append_str(&l->error, str_slice(bytes, 0, POD_TARGET_ERROR_BYTES_MAX - l->error.len));
        return;
    }
    if (r->x != NULL) {
        if (l->socket != NULL) {
            socket_write(l->socket, bytes);
        } else {
            http_write(r->x, bytes);
        }
        if (http_queued(r->x) > HTTP_QUEUE_HIGH_BYTES) {
            http_request_pause(out);
        }
    }
}

/* What to tell the client when the kubelet did not answer 200. */
static void answer_failure(struct log_stream *l, int status)
{
    struct request *r = l->request;
    struct str text = str_copy(&r->arena, buf_str(&l->error));
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r')) {
        text.len--;
    }
    if (status != 0) {
        (void)pod_target_unavailable(
            r, str_printf(&r->arena, "the node's agent did not answer: %s", err_name(status)));
    } else if (l->out.status == 404) {
        (void)status_bad_request(&r->status, text);
        r->status.code = 404;
        r->status.reason = str_lit("NotFound");
    } else {
        (void)status_bad_request(&r->status, text);
        r->status.code = l->out.status >= 400 ? l->out.status : 500;
        r->status.reason = r->status.code == 400 ? r->status.reason : str_lit("InternalError");
    }
    (void)request_answer_status(r);
    request_send_answer(r);
}

static void on_done(struct http_request *out, int status)
{
    struct log_stream *l = log_of(out);
    struct request *r = l->request;
    if (r->x != NULL) {
        if (!l->streaming) {
            answer_failure(l, status);
        } else if (l->socket != NULL) {
            socket_end(l->socket, status == 0 ? WEBSOCKET_NORMAL : WEBSOCKET_INTERNAL);
        } else if (status == 0) {
            http_end(r->x);
        } else {
            http_reset(r->x, status);
        }
    }
    request_unhold(r); /* may free r and l */
}

static const struct http_request_events log_events = {
    .response = on_response,
    .body = on_body,
    .done = on_done,
};

static enum request_run log_run(struct request *r)
{
    const Pod *pod = NULL;
    struct str container = str_lit("");
    struct str host = str_lit("");
    struct http_client *client = NULL;
    if (check_options(r) != 0 || pod_target_find(r, &pod) != 0 ||
        pod_target_container(r, pod, &container) != 0) {
        return RUN_FAIL;
    }
    if (write_text(pod->spec->node_name).len == 0) {
        request_answer(r, 204, NULL, str_lit(""));
        return RUN_ANSWER;
    }
    struct log_stream *l = arena_new(&r->arena, struct log_stream);
    r->state = l;
    l->request = r;
    buf_init(&l->error);
    if (pod_target_agent(r, pod, &client, &host) != 0 ||
        socket_new(r, SOCKET_LOG, &l->socket) != 0) {
        return RUN_FAIL;
    }
    l->out.method = "GET";
    l->out.target = make_target(r, container);
    l->out.events = &log_events;
    request_hold(r);
    http_client_send(client, &l->out);
    return RUN_STREAM;
}

static void log_drained(struct request *r)
{
    struct log_stream *l = r->state;
    if (http_request_active(&l->out)) {
        http_request_resume(&l->out);
    }
}

static void log_closed(struct request *r)
{
    struct log_stream *l = r->state;
    if (http_request_active(&l->out)) {
        http_request_cancel(&l->out);
    }
}

static void log_stop(struct request *r)
{
    struct log_stream *l = r->state;
    if (l->socket != NULL && l->streaming) {
        socket_end(l->socket, WEBSOCKET_GOING_AWAY);
    }
    log_closed(r);
}

/* Of a WebSocket's client. */
static void log_received(struct request *r, struct str bytes)
{
    struct log_stream *l = r->state;
    if (!socket_received(l->socket, bytes)) {
        log_closed(r);
    }
}

/* It only listens, so an end means that it has gone. */
static void log_ended(struct request *r)
{
    struct log_stream *l = r->state;
    socket_end(l->socket, WEBSOCKET_NORMAL);
    log_closed(r);
}

static void log_release(struct request *r)
{
    struct log_stream *l = r->state;
    if (l != NULL) {
        http_request_deinit(&l->out);
        buf_deinit(&l->error);
        socket_release(l->socket);
    }
}

const struct operation operation_log = {
    .name = "log",
    .long_running = true,
    .mode = READ_FRESH,
    .allow = 0,
    .run = log_run,
    .drained = log_drained,
    .stop = log_stop,
    .received = log_received,
    .ended = log_ended,
    .closed = log_closed,
    .release = log_release,
};
