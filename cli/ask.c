/* See the header. A loop (one runs once) and a connection each: a verb asks a few times at most. */
#include "cli/ask.h"

#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "base/env.h"
#include "net/client.h"

#define ASK_CONNECT_MS 3000

struct ask {
    struct env_loop *loop;
    struct http_client *client;
    struct http_request request;
    int status;
};

const char *ask_host(const struct cli *c, size_t server)
{
    return c->servers[server].data + strlen("tcp:");
}

static void ask_closed(void *ctx)
{
    env_loop_stop(((struct ask *)ctx)->loop);
}

static void ask_done(struct http_request *r, int status)
{
    struct ask *a = r->user;
    a->status = status;
    http_client_close(a->client, ask_closed, a);
}

static const struct http_request_events ask_events = { .done = ask_done };

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
    const struct http_header headers[] = { { str_lit("accept"), str_from(accept) } };
    struct http_client_options options = { .address = c->servers[server].data,
                                           .authority = ask_host(c, server),
                                           .tls = c->tls,
                                           .connect_timeout_ms = ASK_CONNECT_MS };
    struct ask a = { .loop = env_loop_new(c->env, "ask"),
                     .request = { .method = "GET",
                                  .target = str_from(target),
                                  .headers = headers,
                                  .header_count = 1,
                                  .timeout_ms = ASK_TIMEOUT_MS,
                                  .body_bytes_max = ASK_BYTES_MAX,
                                  .events = &ask_events,
                                  .user = &a } };
    int rc = 0;
    a.client = http_client_new(a.loop, &options);
    http_client_send(a.client, &a.request);
    env_loop_run(a.loop);
    struct str body = str_copy(&c->arena, buf_str(&a.request.body));
    if (a.status != 0)
        rc = err_set(e, ERR_UNAVAILABLE, "%s does not answer (%s)", ask_host(c, server),
                     err_name(a.status));
    else if (a.request.status != 200)
        rc = ask_refusal(c, a.request.status, body, e);
    else
        *out_body = body;
    http_request_deinit(&a.request);
    env_loop_free(a.loop);
    return rc;
}

int ask_any(struct cli *c, const char *target, const char *accept, struct str *out_body,
            struct err *e)
{
    int rc = err_set(e, ERR_UNAVAILABLE, "the kubeconfig names no server");
    for (size_t i = 0; rc == -ERR_UNAVAILABLE && i < c->servers_count; i++)
        rc = ask_one(c, i, target, accept, out_body, e);
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
