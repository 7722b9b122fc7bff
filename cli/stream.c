/* See the header. A connection each; one that cannot be made is tried at the next server. */
#include "cli/stream.h"

#include "cli/ask.h"

#define STREAM_CONNECT_MS 3000

static void try_server(struct stream *s);

static void on_closed(void *ctx)
{
    struct stream *s = ctx;
    bool answered = s->request.status != 0;
    s->http_status = s->request.status;
    http_request_deinit(&s->request);
    if (s->status == -ERR_UNAVAILABLE && !answered && !s->canceled &&
        s->turn + 1 < s->cli->servers_count) {
        s->turn++;
        try_server(s);
        return;
    }
    s->done(s, s->status);
}

static void on_body(struct http_request *r, struct str bytes)
{
    struct stream *s = r->user;
    if (r->status == 200)
        s->bytes(s, bytes);
    else if (s->refusal.len < STREAM_REFUSAL_BYTES_MAX)
        buf_append_str(&s->refusal, str_slice(bytes, 0, STREAM_REFUSAL_BYTES_MAX - s->refusal.len));
}

static void on_done(struct http_request *r, int status)
{
    struct stream *s = r->user;
    s->status = status;
    http_client_close(s->client, on_closed, s);
}

static void try_server(struct stream *s)
{
    static const struct http_request_events events = { .body = on_body, .done = on_done };
    const struct http_header headers[] = { { str_lit("accept"), str_from(s->accept) } };
    size_t server = ask_server(s->cli, s->turn);
    struct http_client_options options = { .address = s->cli->servers[server].data,
                                           .authority = ask_host(s->cli, server),
                                           .server_name = s->cli->server_name,
                                           .tls = s->cli->tls,
                                           .connect_timeout_ms = STREAM_CONNECT_MS };
    s->request = (struct http_request){ .method = "GET",
                                        .target = str_from(s->target),
                                        .headers = headers,
                                        .header_count = 1,
                                        .events = &events,
                                        .user = s };
    s->client = http_client_new(s->loop, &options);
    http_client_send(s->client, &s->request);
}

void stream_open(struct stream *s, struct cli *c, struct env_loop *loop)
{
    s->cli = c;
    s->loop = loop;
    s->turn = 0;
    s->canceled = false;
    buf_init(&s->refusal);
    try_server(s);
}

void stream_cancel(struct stream *s)
{
    s->canceled = true;
    if (http_request_active(&s->request))
        http_request_cancel(&s->request);
}

void stream_deinit(struct stream *s)
{
    buf_deinit(&s->refusal);
}
