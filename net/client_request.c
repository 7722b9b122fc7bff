/*
 * A client's requests: their end, their deadline, and the calls their owners make.
 */
#include "base/assert.h"
#include "net/client_internal.h"

/* ---- a request's end ---- */

void http_request_complete(struct http_request *r, int status)
{
    ASSERT((r->flags & REQUEST_ACTIVE) != 0);
    list_remove(&r->node);
    env_timer_deinit(&r->timer);
    r->flags &= ~(uint32_t)(REQUEST_ACTIVE | REQUEST_POSTED);
    r->conn = NULL;
    r->events->done(r, status);
}

static void on_request_msg(struct env_msg *m)
{
    struct http_request *r = container_of(m, struct http_request, msg);
    http_request_complete(r, r->result);
}

void http_request_complete_later(struct http_request *r, int status)
{
    r->flags |= REQUEST_POSTED;
    r->result = status;
    env_post(r->timer.loop, &r->msg, on_request_msg);
}

/* Takes the request away from where it is. */
static void detach(struct http_request *r)
{
    struct conn *n = r->conn;
    if (n != NULL)
        n->engine->ops->cancel(n->engine, r);
    else
        r->client->waiting_count--;
    r->conn = NULL;
    list_remove(&r->node);
}

static void on_deadline(struct env_timer *t)
{
    struct http_request *r = container_of(t, struct http_request, timer);
    if ((r->flags & REQUEST_POSTED) != 0)
        return;
    detach(r);
    http_request_complete(r, -ERR_TIMEOUT);
}

void http_request_cancel(struct http_request *r)
{
    if ((r->flags & REQUEST_ACTIVE) == 0 || (r->flags & REQUEST_POSTED) != 0)
        return;
    detach(r);
    http_request_complete_later(r, -ERR_CANCELED);
}

void http_request_reset(struct http_client *c, struct http_request *r)
{
    ASSERT((r->flags & REQUEST_ACTIVE) == 0);
    if ((r->flags & REQUEST_MADE) == 0) {
        arena_init(&r->arena);
        buf_init(&r->body);
    } else {
        arena_reset(&r->arena);
        buf_clear(&r->body);
    }
    r->flags = REQUEST_MADE | REQUEST_ACTIVE;
    r->status = 0;
    r->response_headers = (struct http_headers){ 0 };
    r->trailers = (struct http_headers){ 0 };
    r->h2_error = 0;
    r->refused = false;
    r->upgraded = false;
    r->client = c;
    r->conn = NULL;
    r->stream = NULL;
    r->result = 0;
    r->sent.authority =
        str_copy(&r->arena, r->authority.len > 0 ? r->authority : str_from(c->authority));
    r->sent.target = r->target;
    r->sent.headers = r->headers;
    r->sent.content = r->content;
    list_init(&r->node);
    env_timer_init(c->loop, &r->timer, on_deadline);
}

/* ---- the owners' calls ---- */

void http_request_write(struct http_request *r, struct str bytes)
{
    ASSERT(r->streaming || r->upgraded);
    if (!http_request_active(r) || (r->flags & REQUEST_POSTED) != 0 || bytes.len == 0)
        return;
    struct conn *n = r->conn;
    if (n != NULL) {
        n->engine->ops->write(n->engine, r, bytes);
        return;
    }
    buf_append_str(&r->body, bytes); /* it waits where the response will be */
    if (r->body.len > HTTP_QUEUE_BYTES_MAX) {
        detach(r);
        http_request_complete_later(r, -ERR_LIMIT);
    }
}

void http_request_end(struct http_request *r)
{
    if (!http_request_active(r) || (r->flags & REQUEST_POSTED) != 0)
        return;
    struct conn *n = r->conn;
    if (n != NULL)
        n->engine->ops->end(n->engine, r);
    else
        r->flags |= REQUEST_ENDED;
}

size_t http_request_queued(const struct http_request *r)
{
    if (!http_request_active(r) || (r->flags & REQUEST_POSTED) != 0)
        return 0;
    const struct conn *n = r->conn;
    return n != NULL ? n->engine->ops->queued(n->engine, r) : r->body.len;
}

static void request_pause(struct http_request *r, bool pause)
{
    if (!http_request_active(r) || (r->flags & REQUEST_POSTED) != 0)
        return;
    struct conn *n = r->conn;
    if (n != NULL)
        n->engine->ops->pause(n->engine, r, pause);
    else if (pause)
        r->flags |= REQUEST_PAUSED;
    else
        r->flags &= ~(uint32_t)REQUEST_PAUSED;
}

void http_request_pause(struct http_request *r)
{
    request_pause(r, true);
}

void http_request_resume(struct http_request *r)
{
    request_pause(r, false);
}

bool http_request_active(const struct http_request *r)
{
    return (r->flags & REQUEST_ACTIVE) != 0;
}

void http_request_deinit(struct http_request *r)
{
    ASSERT(!http_request_active(r));
    if ((r->flags & REQUEST_MADE) == 0)
        return;
    arena_deinit(&r->arena);
    buf_deinit(&r->body);
    r->flags = 0;
}

const struct tls_identity *http_request_peer(const struct http_request *r)
{
    const struct conn *n = r->conn;
    return n != NULL ? n->link.peer.identity : &tls_identity_none;
}
