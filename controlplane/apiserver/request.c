/*
 * The state machine of a request (request.h has its diagram) and the exchange's events.
 *
 * Failure modes: the client goes away (closed: x becomes NULL, what is in flight in the store still
 * completes, nothing is sent); the body is late (the timer fails the request); the store is slow or
 * leaderless (its own deadlines complete the barrier or the write). On close nothing is cancelled:
 * a submitted write has no owner but the store.
 */
#include "controlplane/apiserver/request.h"

#include <string.h>

#include "base/assert.h"
#include "controlplane/apiserver/history.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/request_metrics.h"
#include "controlplane/apiserver/watch_encode.h"

static const struct http_exchange_events passing_events;

enum {
    REQ_BEGIN,
    REQ_BODY,
    REQ_BARRIER,
    REQ_FRESH,
    REQ_RUN,
    REQ_COMMIT,
    REQ_COMMITTED,
    REQ_RESPOND,
    REQ_PACKED,
    REQ_STREAM,
    REQ_DONE
};

static struct request *request_of(struct sm *m)
{
    return container_of(m, struct request, sm);
}

/* Frees all that made the answer. HTTP has a copy of it: a client that does not read keeps no more
 * than that here. */
static void request_empty(struct request *r)
{
    if (!r->emptied && r->operation != NULL && r->operation->release != NULL) {
        r->operation->release(r);
    }
    r->emptied = true;
    buf_deinit(&r->out);
    arena_reset(&r->arena);
}

static void request_free(struct request *r)
{
    request_empty(r);
    list_remove(&r->node);
    env_timer_deinit(&r->timer);
    if (r->counted) {
        r->loop->inflight--;
    }
    arena_deinit(&r->arena);
    mem_free(r);
}

static void request_release(struct request *r)
{
    if (sm_done(&r->sm) && r->x == NULL && r->holds == 0) {
        request_free(r);
    }
}

void request_hold(struct request *r)
{
    r->holds++;
    api_loop_part_opened(r->loop);
}

void request_unhold(struct request *r)
{
    struct api_loop *l = r->loop;
    ASSERT(r->holds > 0);
    r->holds--;
    request_release(r);
    api_loop_part_closed(l);
}

/* What the machine waited for, while the request was held, is done. */
static void request_resume(struct request *r)
{
    struct api_loop *l = r->loop;
    r->holds--;
    sm_resume(&r->sm, 0);
    request_release(r);
    api_loop_part_closed(l);
}

/* ---- begin ---- */

/* Everything that needs no body. */
static int request_begin(struct request *r)
{
    struct err e;
    struct str accept = http_headers_get(&r->x->headers, "accept");
    /* Failures before negotiation are told in the encoding the client asked for, if any. */
    (void)media_accept(accept, MEDIA_ALLOW_OBJECTS, &r->media, &e);
    r->media.transform = TRANSFORM_NONE;
    int rc = request_identify(r);
    if (rc != 0) {
        return rc;
    }
    struct str target = str_copy(&r->arena, r->x->target);
    bool history = history_target(&target);
    rc = route_parse(&r->arena, str_copy(&r->arena, r->x->method), target, &r->route, &e);
    if (rc != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    rc = request_read_headers(r);
    r->pretty = media_pretty(route_param(&r->route, "pretty"), r->user_agent);
    rc = rc == 0 ? request_check_verb(r, verb_name(r->route.verb)) : rc;
    rc = rc != 0 ? rc : history ? operation_find_history(r) : operation_find(r);
    if (rc != 0) {
        return rc;
    }
    if (r->route.resource && r->kind != NULL && r->kind->kind == KIND_ENDPOINTS) {
        request_warn(r, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
                        "EndpointSlice");
    }
    rc = media_accept(accept, r->operation->allow, &r->media, &e);
    if (rc != 0 && r->operation->allow != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    r->pretty = r->pretty || (rc == 0 && r->media.pretty);
    rc = request_check_options(r);
    if (rc != 0) {
        return rc;
    }
    if (!r->operation->long_running) {
        uint32_t max = r->server->config.inflight_max;
        if (r->loop->inflight >= (max == 0 ? APISERVER_INFLIGHT_MAX : max)) {
            return status_too_many_requests(&r->status);
        }
        r->counted = true;
        r->loop->inflight++;
    }
    r->mode = r->operation->mode;
    return r->operation->prepare == NULL ? 0 : r->operation->prepare(r);
}

static int start_reading(const struct request *r)
{
    return r->mode == READ_FRESH || r->mode == READ_AT_LEAST ? REQ_BARRIER : REQ_RUN;
}

static int fail(struct request *r)
{
    (void)request_answer_status(r);
    return REQ_RESPOND;
}

static int run_begin(struct sm *m)
{
    struct request *r = request_of(m);
    if (request_begin(r) != 0) {
        return fail(r);
    }
    if (r->operation->passes_body) {
        r->x->events = &passing_events;
        r->x->body_bytes_max = UINT64_MAX;
        if (r->x->has_body) {
            http_body_pause(r->x); /* of others the end may come: the connection is kept */
        }
    }
    if (r->operation->body && r->x->has_body) {
        env_timer_start(&r->timer, r->body_ms);
        return SM_AWAIT(REQ_BODY);
    }
    return start_reading(r);
}

static int run_body(struct sm *m)
{
    struct request *r = request_of(m);
    struct err e;
    env_timer_stop(&r->timer);
    if (m->status == -ERR_LIMIT || m->status == -ERR_TOO_LARGE) {
        (void)err_set(&e, ERR_TOO_LARGE, "Request entity too large: limit is %d",
                      REQUEST_BODY_BYTES_MAX);
        (void)status_from_err(&r->arena, &r->status, -ERR_TOO_LARGE, &e);
        return fail(r);
    }
    if (m->status != 0) {
        (void)err_set(&e, ERR_TIMEOUT,
                      "Timeout: request did not complete within the allotted timeout");
        (void)status_from_err(&r->arena, &r->status, -ERR_TIMEOUT, &e);
        return fail(r);
    }
    r->body = str_copy(&r->arena, buf_str(&r->x->body));
    buf_deinit(&r->x->body);
    return start_reading(r);
}

/* ---- reading and running ---- */

static void on_barrier(struct store_barrier *b)
{
    struct request *r = b->priv;
    sm_resume(&r->sm, b->status);
    request_release(r);
}

static int run_barrier(struct sm *m)
{
    struct request *r = request_of(m);
    struct store_group *g = r->server->config.group;
    r->barrier = (struct store_barrier){ .loop = r->loop->loop, .done = on_barrier, .priv = r };
    if (r->mode == READ_AT_LEAST) {
        if (store_published(g) >= r->revision) {
            return REQ_RUN;
        }
        r->barrier.deadline_ms = env_loop_now_ms(r->loop->loop) + REQUEST_WAIT_RV_MS;
        store_wait_revision(g, &r->barrier, r->revision);
    } else {
        store_barrier(g, &r->barrier);
    }
    return SM_AWAIT(REQ_FRESH);
}

/* A watch that was understood fails within its stream. */
static int fail_watch(struct request *r)
{
    struct watch_cache cache;
    watch_cache_init(&cache);
    struct str event = shared_str(watch_encode_error(&cache, &r->status, r->media.type));
    request_answer(r, 200, media_name(r->media.type, true), str_copy(&r->arena, event));
    watch_cache_deinit(&cache);
    return REQ_RESPOND;
}

static int run_fresh(struct sm *m)
{
    struct request *r = request_of(m);
    struct err e;
    if (m->status == 0) {
        r->fresh = true;
        return REQ_RUN;
    }
    if (r->mode == READ_AT_LEAST && m->status == -ERR_TIMEOUT) {
        (void)status_rv_too_large(&r->arena, &r->status, r->revision,
                                  store_published(r->server->config.group));
        return r->operation == &operation_watch ? fail_watch(r) : fail(r);
    }
    (void)err_set(&e, (enum err_code) - m->status, "no leader answered: %s", err_name(m->status));
    (void)status_from_err(&r->arena, &r->status, m->status, &e);
    return fail(r);
}

static void on_turn(struct turn *t)
{
    request_resume(container_of(t, struct request, turn));
}

static void on_worked(struct env_work *w)
{
    request_resume(container_of(w, struct request, work));
}

/* What run or committed asked for, as the next state. */
static int follow(struct request *r, enum request_run run)
{
    switch (run) {
    case RUN_COMMIT:
        return REQ_COMMIT;
    case RUN_SUSPEND:
        request_hold(r);
        turns_wait(&r->loop->turns, &r->turn, on_turn);
        return SM_AWAIT(REQ_RUN);
    case RUN_MAKE:
        request_hold(r);
        env_work(r->loop->loop, &r->work, r->make, on_worked);
        return SM_AWAIT(REQ_RUN);
    case RUN_STREAM:
        request_metrics_stream(1);
        return REQ_STREAM;
    case RUN_FAIL:
        return fail(r);
    case RUN_ANSWER:
    default:
        return REQ_RESPOND;
    }
}

static int run_run(struct sm *m)
{
    struct request *r = request_of(m);
    if (r->x == NULL && r->operation->mode != READ_OPTIMISTIC) {
        return REQ_DONE; /* nobody waits for what this would read */
    }
    if (r->x != NULL && api_loop_full(r->loop)) {
        return follow(r, RUN_SUSPEND);
    }
    r->looked = false;
    enum request_run run = r->operation->run(r);
    bool proved = run != RUN_ANSWER && run != RUN_FAIL;
    if (r->mode == READ_OPTIMISTIC && !proved && r->looked && !r->fresh) {
        r->answer_headers_count = 0;
        return REQ_BARRIER;
    }
    return follow(r, run);
}

/* ---- committing ---- */

static void on_written(struct store_write *w)
{
    struct request *r = w->priv;
    sm_resume(&r->sm, w->result.status);
    request_release(r);
}

static int run_commit(struct sm *m)
{
    struct request *r = request_of(m);
    r->attempts++;
    r->txn.request_id = r->request_id;
    r->txn.fence_term = r->fence_term;
    r->write = (struct store_write){ .loop = r->loop->loop, .done = on_written, .priv = r };
    r->write.deadline_ms = env_loop_now_ms(r->loop->loop) + REQUEST_WRITE_MS;
    store_submit(r->server->config.group, &r->write, &r->txn);
    return SM_AWAIT(REQ_COMMITTED);
}

static int commit_failed(struct request *r, int rc)
{
    struct err e;
    if (rc == -ERR_CONFLICT && r->kind != NULL) {
        (void)status_modified(&r->arena, &r->status, r->kind, r->route.name);
        return fail(r);
    }
    if (rc == -ERR_TOO_LARGE) {
        (void)err_set(&e, ERR_TOO_LARGE, "Request entity too large: limit is %u",
                      STORE_TXN_BYTES_MAX);
    } else if (rc == -ERR_FENCED) {
        (void)err_set(&e, ERR_FENCED, "fenced: another leader's term began");
    } else if (rc == -ERR_NO_SPACE) {
        struct store_status store;
        char text[STORE_ALARM_TEXT_BYTES];
        store_status(r->server->config.group, &store);
        store_alarm_text(&store, text);
        (void)err_set(&e, ERR_NO_SPACE, "%s", text[0] != '\0' ? text : "store quota exceeded");
    } else {
        (void)err_set(&e, (enum err_code) - rc, "the write was not acknowledged: %s", err_name(rc));
    }
    (void)status_from_err(&r->arena, &r->status, rc, &e);
    if (rc == -ERR_FENCED) {
        r->status.reason = str_lit("Fenced"); /* for the in-process client: no retry */
    }
    return fail(r);
}

static int run_committed(struct sm *m)
{
    struct request *r = request_of(m);
    const struct store_result *result = &r->write.result;
    /* Applied by this transaction, or by our own first submission of the same bytes. An attempt by
     * another request of the same id is found by run, which answers with what that one stored. */
    if (m->status == 0 && (!result->replayed || r->resubmitted)) {
        r->revision = result->revision;
        return follow(r, r->operation->committed(r));
    }
    if (r->attempts >= REQUEST_ATTEMPTS_MAX) {
        return commit_failed(r, m->status == 0 ? -ERR_CONFLICT : m->status);
    }
    if (m->status == -ERR_UNKNOWN_OUTCOME) {
        /* The same transaction again: its guard tells whether the first one was applied. */
        r->resubmitted = true;
        return REQ_COMMIT;
    }
    if (m->status == -ERR_CONFLICT || m->status == 0) {
        r->fresh = false;
        r->resubmitted = false;
        return REQ_BARRIER;
    }
    return commit_failed(r, m->status);
}

/* ---- the end ---- */

static int give_answer(struct request *r)
{
    if (r->x != NULL) {
        request_send_answer(r);
    }
    if (r->holds == 0) {
        request_empty(r);
    }
    return REQ_DONE;
}

static int run_respond(struct sm *m)
{
    struct request *r = request_of(m);
    request_metrics_answered(r->route.verb, r->answer_status,
                             env_now_ns(r->server->config.env) - r->began_ns);
    if (r->x != NULL && request_packs_answer(r)) {
        request_hold(r);
        env_work(r->loop->loop, &r->work, request_pack_answer, on_worked);
        return SM_AWAIT(REQ_PACKED);
    }
    return give_answer(r);
}

static int run_packed(struct sm *m)
{
    struct request *r = request_of(m);
    request_use_packed(r);
    return give_answer(r);
}

static const struct sm_state request_states[] = {
    [REQ_BEGIN] = { "begin", TO(REQ_BODY) | TO(REQ_BARRIER) | TO(REQ_RUN) | TO(REQ_RESPOND),
                    run_begin },
    [REQ_BODY] = { "body", TO(REQ_BARRIER) | TO(REQ_RUN) | TO(REQ_RESPOND), run_body },
    [REQ_BARRIER] = { "barrier", TO(REQ_FRESH) | TO(REQ_RUN), run_barrier },
    [REQ_FRESH] = { "fresh", TO(REQ_RUN) | TO(REQ_RESPOND), run_fresh },
    [REQ_RUN] = { "run",
                  TO(REQ_RUN) | TO(REQ_BARRIER) | TO(REQ_COMMIT) | TO(REQ_RESPOND) |
                      TO(REQ_STREAM) | TO(REQ_DONE),
                  run_run },
    [REQ_COMMIT] = { "commit", TO(REQ_COMMITTED), run_commit },
    [REQ_COMMITTED] = { "committed",
                        TO(REQ_COMMIT) | TO(REQ_BARRIER) | TO(REQ_RUN) | TO(REQ_RESPOND),
                        run_committed },
    [REQ_RESPOND] = { "respond", TO(REQ_PACKED) | TO(REQ_DONE), run_respond },
    [REQ_PACKED] = { "packed", TO(REQ_DONE), run_packed },
    [REQ_STREAM] = { "stream", 0, NULL },
    [REQ_DONE] = { "done", 0, NULL },
};

static void on_timer(struct env_timer *t)
{
    struct request *r = container_of(t, struct request, timer);
    ASSERT(r->sm.awaiting == REQ_BODY);
    sm_resume(&r->sm, -ERR_TIMEOUT);
    request_release(r);
}

static void on_end(struct http_exchange *x, int status)
{
    struct request *r = x->user;
    if (r->sm.awaiting == REQ_BODY) {
        sm_resume(&r->sm, status);
        request_release(r);
    }
}

static void on_closed(struct http_exchange *x, int status)
{
    struct request *r = x->user;
    bool stream = sm_done(&r->sm) && r->sm.state == REQ_STREAM;
    if (stream) {
        request_metrics_stream(-1);
        if (r->operation->closed != NULL) {
            r->operation->closed(r);
        }
    }
    r->x = NULL;
    if (r->sm.awaiting == REQ_BODY) {
        sm_resume(&r->sm, status == 0 ? -ERR_CANCELED : status);
    }
    request_release(r);
}

static void on_drained(struct http_exchange *x)
{
    struct request *r = x->user;
    if (r->sm.state == REQ_STREAM && r->operation->drained != NULL) {
        r->operation->drained(r);
    }
}

static const struct http_exchange_events request_events = {
    .end = on_end,
    .drained = on_drained,
    .closed = on_closed,
};

/* ---- bytes that pass ---- */

static void on_passing_body(struct http_exchange *x, struct str bytes)
{
    struct request *r = x->user;
    if (r->sm.state == REQ_STREAM) {
        r->operation->received(r, bytes);
    }
}

static void on_passing_end(struct http_exchange *x, int status)
{
    struct request *r = x->user;
    (void)status;
    r->body_ended = true;
    if (r->sm.state == REQ_STREAM) {
        r->operation->ended(r);
    }
}

static const struct http_exchange_events passing_events = {
    .body = on_passing_body,
    .end = on_passing_end,
    .drained = on_drained,
    .closed = on_closed,
};

int request_upgrade(struct request *r, const struct http_header *headers, size_t count)
{
    r->x->events = &passing_events;
    return http_upgrade(r->x, headers, count);
}

void request_start(struct api_loop *l, struct http_exchange *x)
{
    struct request *r = mem_alloc(sizeof(*r));
    arena_init(&r->arena);
    buf_init(&r->out);
    r->loop = l;
    r->server = l->server;
    r->x = x;
    r->began_ns = env_now_ns(l->server->config.env);
    env_timer_init(l->loop, &r->timer, on_timer);
    list_append(&l->requests, &r->node);
    x->user = r;
    x->events = &request_events;
    x->body_bytes_max = REQUEST_BODY_BYTES_MAX;
    sm_init(&r->sm, "request", request_states, REQ_BEGIN);
    r->sm.id = ++l->ids;
    sm_run(&r->sm);
}

void request_stop(struct request *r)
{
    if (r->x != NULL && r->sm.state == REQ_STREAM && r->operation->stop != NULL) {
        r->operation->stop(r);
    }
}
