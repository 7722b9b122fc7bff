/*
 * See the header. One loop and one connection to each server, kept from request to request: it runs
 * only while an answer is waited for, so what happened to a connection meanwhile is learnt in one
 * turn before the next request. No request is made while another's pieces come in.
 */
#include "cli/ask.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "net/client.h"

#define ASK_CONNECT_MS 3000

/* The connection to one server. */
struct ask_link {
    struct ask_links *links;
    struct http_client *client; /* NULL: not asked yet */
    struct str address;         /* whose it is */
    bool up;
    bool was_up; /* during the request under way */
};

struct ask_links {
    struct env_loop *loop;
    struct env_msg turn;
    struct ask_link items[CLI_SERVERS_MAX];
    size_t open;  /* clients that are not closed yet, while they are being closed */
    size_t first; /* the server that answered last is asked first */
};

struct ask {
    struct ask_links *links;
    struct http_request request;
    const struct ask_request *wanted;
    struct buf refused; /* of a stream: the body of an answer that is none */
    bool connected;
    bool enough;
    int status;
};

const char *ask_host(const struct cli *c, size_t server)
{
    return c->servers[server].data + strlen("tcp:");
}

/* ---- connections ---- */

static struct ask_links *links_new(struct cli *c)
{
    struct ask_links *l = mem_alloc(sizeof *l);
    *l = (struct ask_links){ .loop = env_loop_new(c->env, "ask") };
    return l;
}

static void on_link_closed(void *ctx)
{
    struct ask_links *l = ctx;
    if (--l->open == 0)
        env_loop_stop(l->loop);
}

static void link_close(struct ask_link *link)
{
    if (link->client == NULL)
        return;
    link->links->open++;
    http_client_close(link->client, on_link_closed, link->links);
    link->client = NULL;
}

static void links_free(struct ask_links *l)
{
    for (size_t i = 0; i < CLI_SERVERS_MAX; i++)
        link_close(&l->items[i]);
    if (l->open > 0)
        env_loop_run(l->loop);
    env_loop_free(l->loop);
    mem_free(l);
}

void ask_end(struct cli *c)
{
    if (c->links != NULL)
        links_free(c->links);
    c->links = NULL;
}

size_t ask_server(const struct cli *c, size_t turn)
{
    size_t first = c->links != NULL && c->links->first < c->servers_count ? c->links->first : 0;
    return (first + turn) % c->servers_count;
}

static void on_link_state(void *ctx, int status)
{
    struct ask_link *link = ctx;
    link->up = status == 0;
    link->was_up = link->was_up || link->up;
}

static void on_turn(struct env_msg *m)
{
    env_loop_stop(container_of(m, struct ask_links, turn)->loop);
}

/* Lets the loop see what came while nobody waited: most of all that a server closed. */
static void take_turn(struct ask_links *l)
{
    env_post(l->loop, &l->turn, on_turn);
    env_loop_run(l->loop);
}

static struct ask_link *link_to(struct cli *c, struct ask_links *l, size_t server)
{
    struct ask_link *link = &l->items[server];
    const struct http_client_options options = { .address = c->servers[server].data,
                                                 .authority = ask_host(c, server),
                                                 .server_name = c->server_name,
                                                 .tls = c->tls,
                                                 .connect_timeout_ms = ASK_CONNECT_MS,
                                                 .state = on_link_state,
                                                 .ctx = link };
    if (link->client != NULL && !str_eq(link->address, c->servers[server])) {
        link_close(link);
        env_loop_run(l->loop);
    }
    if (link->client != NULL) {
        take_turn(l);
    } else {
        *link = (struct ask_link){ .links = l,
                                   .client = http_client_new(l->loop, &options),
                                   .address = c->servers[server] };
    }
    link->was_up = link->up;
    return link;
}

/* ---- one request ---- */

static void ask_done(struct http_request *r, int status)
{
    struct ask *a = r->user;
    a->status = a->enough ? 0 : status;
    env_loop_stop(a->links->loop);
}

static void ask_piece(struct http_request *r, struct str bytes)
{
    struct ask *a = r->user;
    if (a->enough)
        return;
    if (r->status / 100 != 2) {
        if (a->refused.len + bytes.len <= ASK_BYTES_MAX)
            buf_append_str(&a->refused, bytes);
        return;
    }
    if (!a->wanted->piece(a->wanted->ctx, bytes)) {
        a->enough = true;
        http_request_cancel(r);
    }
}

static const struct http_request_events ask_whole = { .done = ask_done };
static const struct http_request_events ask_pieces = { .done = ask_done, .body = ask_piece };

static uint64_t ask_timeout(const struct cli *c, const struct ask_request *r)
{
    if (r->timeout_ms > 0)
        return r->timeout_ms;
    if (c->request_timeout_ms > 0)
        return c->request_timeout_ms;
    return r->piece != NULL ? 0 : ASK_TIMEOUT_MS;
}

/* One request to one server, until its end. */
static void exchange(struct cli *c, size_t server, const struct ask_request *r, struct ask *a)
{
    struct http_header headers[2] = {
        { str_lit("accept"), str_from(r->accept != NULL ? r->accept : "application/json") }
    };
    if (c->links == NULL)
        c->links = links_new(c);
    struct ask_links *l = c->links;
    struct ask_link *link = link_to(c, l, server);
    a->links = l;
    a->wanted = r;
    a->request = (struct http_request){ .method = r->method != NULL ? r->method : "GET",
                                        .target = str_from(r->target),
                                        .headers = headers,
                                        .header_count = 1,
                                        .content = r->body,
                                        .timeout_ms = ask_timeout(c, r),
                                        .body_bytes_max = r->piece != NULL ? 0 : ASK_BYTES_MAX,
                                        .events = r->piece != NULL ? &ask_pieces : &ask_whole,
                                        .user = a };
    if (r->content_type != NULL)
        headers[a->request.header_count++] =
            (struct http_header){ str_lit("content-type"), str_from(r->content_type) };
    http_client_send(link->client, &a->request);
    env_loop_run(l->loop);
    a->connected = link->was_up;
    if (a->status == 0)
        l->first = server;
}

/* Warning: 299 - "text" */
static void print_warnings(const struct http_headers *h)
{
    for (size_t i = 0; i < h->count; i++) {
        struct str text = h->items[i].value;
        ptrdiff_t from = str_find_char(text, '"', 0);
        bool is = str_eq_c(h->items[i].name, "warning") && str_starts(text, str_lit("299 "));
        if (is && from >= 0 && str_ends(text, str_lit("\"")))
            (void)cli_tell("Warning: %.*s",
                           STR_ARG(str_slice(text, (size_t)from + 1, text.len - 1)));
    }
}

static int unanswered(const struct cli *c, size_t server, const struct ask *a, struct err *e)
{
    const char *host = ask_host(c, server);
    if (a->status == -ERR_UNAVAILABLE && !a->connected)
        return err_set(e, ERR_UNAVAILABLE,
                       "The connection to the server %s was refused - did you specify the right "
                       "host or port?",
                       host);
    if (a->status == -ERR_TIMEOUT)
        return err_set(e, ERR_TIMEOUT, "no answer from the server %s in the time given", host);
    return err_set(e, ERR_UNAVAILABLE, "Unable to connect to the server: %s: %s", host,
                   err_name(a->status));
}

static int send_to(struct cli *c, size_t server, const struct ask_request *r,
                   struct ask_answer *out, bool *out_again, struct err *e)
{
    struct ask a = { 0 };
    buf_init(&a.refused);
    exchange(c, server, r, &a);
    bool get = r->method == NULL || strcmp(r->method, "GET") == 0;
    int rc = a.status == 0 ? 0 : unanswered(c, server, &a, e);
    *out_again = rc == -ERR_UNAVAILABLE && (!a.connected || a.request.refused || get) &&
                 a.request.status == 0;
    if (rc == 0) {
        struct str body = buf_str(a.refused.len > 0 ? &a.refused : &a.request.body);
        struct str type = http_headers_get(&a.request.response_headers, "content-type");
        *out = (struct ask_answer){ .status = a.request.status,
                                    .body = str_copy(&c->arena, body),
                                    .type = str_copy(&c->arena, type) };
        print_warnings(&a.request.response_headers);
    }
    buf_deinit(&a.refused);
    http_request_deinit(&a.request);
    return rc;
}

int ask_send(struct cli *c, const struct ask_request *r, struct ask_answer *out, struct err *e)
{
    int rc = err_set(e, ERR_UNAVAILABLE, "error: the kubeconfig names no server");
    bool again = true;
    for (size_t i = 0; again && i < c->servers_count; i++)
        rc = send_to(c, ask_server(c, i), r, out, &again, e);
    return rc;
}

int ask_refusal(struct cli *c, int status, struct str body, struct err *e)
{
    const struct json *root;
    struct str line;
    enum err_code code = status == 404   ? ERR_NOT_FOUND
                         : status == 410 ? ERR_EXPIRED
                         : status == 403 ? ERR_FORBIDDEN
                         : status == 401 ? ERR_UNAUTHENTICATED
                                         : ERR_INVALID_ARGUMENT;
    if (json_parse(&c->arena, body, &root, NULL) == 0) {
        struct str message = json_str(json_get_c(root, "message"));
        if (message.len > 0)
            return err_set(e, code, "%.*s", STR_ARG(message));
    }
    if (str_split(&body, '\n', &line) && line.len > 0)
        return err_set(e, code, "%.*s", STR_ARG(line));
    return err_set(e, code, "the server answered with status %d", status);
}

int ask_one(struct cli *c, size_t server, const char *target, const char *accept,
            struct str *out_body, struct err *e)
{
    struct ask_request request = { .target = target, .accept = accept };
    struct str body;
    struct ask a = { 0 };
    int rc = 0;
    exchange(c, server, &request, &a);
    body = str_copy(&c->arena, buf_str(&a.request.body));
    if (a.status != 0)
        rc = err_set(e, ERR_UNAVAILABLE, "%s does not answer (%s)", ask_host(c, server),
                     err_name(a.status));
    else if (a.request.status != 200)
        rc = ask_refusal(c, a.request.status, body, e);
    else
        *out_body = body;
    http_request_deinit(&a.request);
    return rc;
}

int ask_any(struct cli *c, const char *target, const char *accept, struct str *out_body,
            struct err *e)
{
    int rc = err_set(e, ERR_UNAVAILABLE, "the kubeconfig names no server");
    for (size_t i = 0; rc == -ERR_UNAVAILABLE && i < c->servers_count; i++)
        rc = ask_one(c, ask_server(c, i), target, accept, out_body, e);
    return rc;
}

int ask_member(struct cli *c, const char *name, size_t *out_server, struct err *e)
{
    struct err last = { 0 };
    for (size_t i = 0; i < c->servers_count; i++) {
        struct str body;
        struct str line;
        if (ask_one(c, i, "/gantry/v1/member", "text/plain", &body, &last) != 0)
            continue;
        if (str_split(&body, '\n', &line) && str_eq_c(line, name)) {
            *out_server = i;
            return 0;
        }
    }
    return err_set(e, ERR_NOT_FOUND, "no server of the kubeconfig is the member %s%s%s", name,
                   last.msg[0] != '\0' ? "; " : "", last.msg);
}
