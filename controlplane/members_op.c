/*
 * See members_op.h. An op is freed when its exchange is closed and nothing of it is under way: a
 * client that goes away does not undo what it asked for.
 */
#include "controlplane/members_op.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"

#define ERROR_BYTES 600

static void op_release(struct members_op *op)
{
    if (op->working || op->x != NULL)
        return;
    env_timer_deinit(&op->timer);
    roster_txn_deinit(&op->txn);
    arena_deinit(&op->arena);
    mem_free(op);
}

void members_op_answer(struct members_op *op, int status, struct str body)
{
    op->working = false;
    if (op->x != NULL)
        http_reply(op->x, status, "application/json", body);
    op_release(op);
}

void members_op_fail(struct members_op *op, int status, const char *format, ...)
{
    char text[ERROR_BYTES];
    struct buf b;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* for people: cut if need be */
    va_end(args);
    buf_init(&b);
    buf_append_c(&b, "{\"error\":");
    json_write_string(&b, str_from(text), false);
    buf_append_c(&b, "}\n");
    members_op_answer(op, status, buf_str(&b));
    buf_deinit(&b);
}

bool members_op_flag(const struct members_op *op, const char *name)
{
    const struct json *j = op->body != NULL ? json_get_c(op->body, name) : NULL;
    return j != NULL && j->type == JSON_BOOL && j->u.boolean;
}

struct str members_op_text(const struct members_op *op, const char *name)
{
    const struct json *j = op->body != NULL ? json_get_c(op->body, name) : NULL;
    return j != NULL && j->type == JSON_STRING ? json_str(j) : str_of("", 0);
}

/* ---- reading ---- */

static void on_view(struct view_ask *a)
{
    struct members_op *op = container_of(a, struct members_op, view);
    op->verb->decide(op);
}

static void look(struct members_op *op)
{
    struct err e = { 0 };
    int rc = roster_read(store_group(op->api->config.store, STORE_CLUSTER), &op->roster, &e);
    if (rc != 0) {
        members_op_fail(op, err_http_status(rc), "%s", e.msg);
    } else if (!op->verb->views) {
        op->verb->decide(op);
    } else {
        op->view.loop = op->loop;
        op->view.done = on_view;
        admin_view(store_admin(op->api->config.store), &op->view);
    }
}

static void on_barrier(struct store_barrier *b)
{
    struct members_op *op = container_of(b, struct members_op, barrier);
    if (b->status != 0)
        members_op_fail(op, 503,
                        "no leader answers (%s): the members cannot be changed without a quorum; "
                        "`gantry status` shows who is there",
                        err_name(b->status));
    else
        look(op);
}

void members_op_again(struct members_op *op)
{
    if (++op->attempts > MEMBERS_ATTEMPTS_MAX && op->deadline_ms == 0) {
        members_op_fail(op, 409, "the members are being changed by somebody else; try again");
        return;
    }
    if (!op->verb->fresh) {
        look(op);
        return;
    }
    op->barrier = (struct store_barrier){ .loop = op->loop, .done = on_barrier };
    store_barrier(store_group(op->api->config.store, STORE_CLUSTER), &op->barrier);
}

static void on_timer(struct env_timer *t)
{
    members_op_again(container_of(t, struct members_op, timer));
}

bool members_op_later(struct members_op *op)
{
    uint64_t now = env_loop_now_ms(op->loop);
    if (op->deadline_ms == 0)
        op->deadline_ms = now + MEMBERS_WAIT_MS;
    if (now >= op->deadline_ms)
        return false;
    env_timer_start(&op->timer, MEMBERS_POLL_MS);
    return true;
}

/* ---- writing ---- */

static void on_written(struct store_write *w)
{
    struct members_op *op = container_of(w, struct members_op, write);
    int rc = w->result.status;
    if (rc == 0) {
        members_op_answer(op, op->answer_status, op->answer);
    } else if (rc == -ERR_CONFLICT) {
        members_op_again(op);
    } else if (rc == -ERR_UNIMPLEMENTED) {
        /* What expires needs feature level 2: a new cluster has it within seconds. */
        if (!members_op_later(op))
            members_op_fail(op, 503,
                            "a member of an older release keeps the cluster at its feature level; "
                            "upgrade it, then try again");
    } else if (rc == -ERR_UNKNOWN_OUTCOME) {
        members_op_fail(op, 503,
                        "the leader was lost while this was written: it may have happened; look at "
                        "`gantry member list` before trying again");
    } else {
        members_op_fail(op, err_http_status(rc), "not written: %s", err_name(rc));
    }
}

void members_op_write(struct members_op *op)
{
    op->write = (struct store_write){ .loop = op->loop, .done = on_written };
    store_submit(store_group(op->api->config.store, STORE_CLUSTER), &op->write,
                 roster_txn_get(&op->txn, 0));
}

/* ---- the exchange ---- */

static void on_end(struct http_exchange *x, int status)
{
    struct members_op *op = x->user;
    struct str text = str_trim(buf_str(&x->body));
    struct err e = { 0 };
    op->working = true;
    if (status != 0) {
        members_op_fail(op, 413, "a body has at most %d bytes", MEMBERS_BODY_BYTES_MAX);
        return;
    }
    if (text.len > 0) {
        int rc = json_parse(&op->arena, str_copy(&op->arena, text), &op->body, &e);
        if (rc == 0 && op->body->type != JSON_OBJECT)
            rc = err_set(&e, ERR_PARSE, "the body is not a JSON object");
        if (rc != 0) {
            members_op_fail(op, 400, "%s", e.msg);
            return;
        }
    }
    members_op_again(op);
}

static void on_closed(struct http_exchange *x, int status)
{
    struct members_op *op = x->user;
    (void)status;
    op->x = NULL;
    op_release(op);
}

void members_op_begin(struct members_api *api, struct http_exchange *x,
                      const struct members_verb *verb, struct str name)
{
    static const struct http_exchange_events events = { .end = on_end, .closed = on_closed };
    struct members_op *op = mem_alloc(sizeof *op);
    op->api = api;
    op->x = x;
    op->loop = x->loop;
    op->verb = verb;
    op->answer_status = 200;
    arena_init(&op->arena);
    roster_txn_init(&op->txn);
    env_timer_init(op->loop, &op->timer, on_timer);
    op->name = str_copy(&op->arena, name);
    x->events = &events;
    x->user = op;
    x->body_bytes_max = MEMBERS_BODY_BYTES_MAX;
}
