/*
 * Performing a decision's actions through the client.
 *
 * Actions run in order. Neighbours that create (or delete) objects of one kind run together, first
 * one, then two, four, ...: a refusal that all would meet (a quota) then costs few requests. Every
 * request carries the term and a request id of its own; what may have happened is sent again with
 * the same id until the answer is definite.
 */
#include <stdio.h>
#include <string.h>

#include "api/meta/names.h"
#include "api/meta/peek.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/assert.h"
#include "controllers/runtime/impl.h"

/* Every kind's message has metadata as its first field, behind the protobuf-c base. */
struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

static void run_batch(struct pass *p);

static struct runtime *runtime_of(const struct pass *p)
{
    return p->engine->rt;
}

/* ---- notes ---- */

static void write_note(struct pass *p, const struct action_note *n, struct str name,
                       const struct err *e)
{
    struct event_about about = { .kind = n->kind,
                                 .namespace = str_from(n->about->namespace_),
                                 .name = str_from(n->about->name),
                                 .uid = str_from(n->about->uid),
                                 .resource_version = str_from(n->about->resource_version) };
    struct str message = n->message;

    if (n->append_name && e == NULL)
        message = str_printf(&p->arena, "%.*s%.*s", STR_ARG(message), STR_ARG(name));
    if (e != NULL)
        message = str_printf(&p->arena, "%.*s: %s", STR_ARG(message), e->msg);
    event_record(runtime_of(p)->recorder, p->engine->controller->component, &about, n->type,
                 n->reason, message);
}

/* ---- bodies ---- */

static void build_object(struct slot *s)
{
    const struct action *a = s->action;
    const struct kind_info *info = kind_info(a->kind);
    const struct schema *schema = kind_info(a->kind)->schema;
    struct arena *arena = &s->pass->arena;
    ObjectMeta *meta = ((const struct any_object *)a->object)->metadata;
    char *name = meta->name;

    /* The object is the controller's; only its name is ours to fill, and is put back. */
    if (a->type == ACTION_CREATE && a->name.len == 0) {
        s->name = name_generate(arena, str_from(meta->generate_name), str_from(s->request_id), 0);
        meta->name = str_dup(arena, s->name);
    }
    client_wrap(&s->body, str_from(kind_api_version(a->kind)), str_from(info->name),
                schema_pack_arena(arena, schema, a->object));
    meta->name = name;
}

static void build_delete(struct slot *s)
{
    const struct action *a = s->action;

    buf_append_c(&s->body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\"");
    if (a->grace_seconds != ACTION_NO_GRACE)
        buf_printf(&s->body, ",\"gracePeriodSeconds\":%lld", (long long)a->grace_seconds);
    if (a->propagation != NULL)
        buf_printf(&s->body, ",\"propagationPolicy\":\"%s\"", a->propagation);
    if (a->uid.len > 0) {
        buf_append_c(&s->body, ",\"preconditions\":{\"uid\":");
        json_write_string(&s->body, a->uid, false);
        buf_append_c(&s->body, "}");
    }
    buf_append_c(&s->body, "}");
}

static void build_call(struct slot *s)
{
    const struct action *a = s->action;
    struct client_call *c = &s->call;

    *c = (struct client_call){
        .kind = a->kind, .namespace = a->namespace, .name = a->name, .subresource = a->subresource
    };
    switch (a->type) {
    case ACTION_CREATE:
        c->verb = CLIENT_CREATE;
        c->name = str_of(NULL, 0);
        c->content = CLIENT_PROTOBUF;
        build_object(s);
        break;
    case ACTION_UPDATE:
        c->verb = CLIENT_UPDATE;
        c->content = CLIENT_PROTOBUF;
        build_object(s);
        break;
    case ACTION_PATCH:
        c->verb = CLIENT_PATCH;
        c->content = a->content;
        buf_append_str(&s->body, a->body);
        break;
    case ACTION_DELETE:
        c->verb = CLIENT_DELETE;
        c->content = CLIENT_JSON;
        build_delete(s);
        break;
    case ACTION_DELETE_COLLECTION:
        c->verb = CLIENT_DELETE_COLLECTION;
        break;
    case ACTION_CONFIRM_ABSENT:
        c->verb = CLIENT_GET;
        break;
    case ACTION_CONFIRM_EMPTY:
        c->verb = CLIENT_LIST;
        c->query = str_lit("limit=1");
        break;
    case ACTION_EVENT:
        ASSERT(false);
    }
}

/* ---- answers ---- */

static void remember_write(struct pass *p, const struct slot *s)
{
    static const uint8_t revision_path[] = { 1, 6, 0 }; /* metadata.resourceVersion */
    const struct action *a = s->action;
    struct pending_write w = {
        .kind = a->kind, .namespace = a->namespace, .name = a->name, .uid = a->uid
    };

    if (runtime_of(p)->listers[a->kind] == NULL || a->type == ACTION_DELETE_COLLECTION)
        return;
    if (!str_eq_c(s->call.result_kind, "Status") &&
        str_to_u64(peek_string(s->call.result, revision_path), &w.revision) != 0)
        return;
    if (w.revision == 0 && a->type != ACTION_DELETE)
        return;
    p->writes = arena_grow(&p->arena, p->writes, p->writes_count, &p->writes_capacity, sizeof(w));
    p->writes[p->writes_count++] = w;
}

static void action_failed(struct slot *s)
{
    struct pass *p = s->pass;
    const struct action *a = s->action;

    if (p->error.code == ERR_NONE) {
        p->error = s->call.err;
        p->error_kind = a->kind;
    }
    p->stop = true;
    if (a->on_failure != NULL && s->call.status != -ERR_CONFLICT && s->call.status != -ERR_CANCELED)
        write_note(p, a->on_failure, s->name, &s->call.err);
}

static void confirm_answered(struct slot *s)
{
    static const uint8_t uid_path[] = { 1, 5, 0 }; /* metadata.uid */

    if (s->call.status == -ERR_NOT_FOUND)
        return;
    if (s->call.status != 0)
        action_failed(s);
    else if (s->action->uid.len == 0 ||
             str_eq(peek_string(s->call.result, uid_path), s->action->uid))
        s->pass->stop = true;
}

static void empty_answered(struct slot *s)
{
    struct peek_field item;

    if (s->call.status != 0)
        action_failed(s);
    else if (peek_field(s->call.result, 2, &item)) /* a List's items */
        s->pass->stop = true;
}

static void action_answered(struct slot *s)
{
    const struct action *a = s->action;

    if (a->type == ACTION_CONFIRM_ABSENT) {
        confirm_answered(s);
    } else if (a->type == ACTION_CONFIRM_EMPTY) {
        empty_answered(s);
    } else if (s->call.status == 0) {
        remember_write(s->pass, s);
        if (a->on_success != NULL)
            write_note(s->pass, a->on_success, s->name.len > 0 ? s->name : a->name, NULL);
    } else if (!(s->call.status == -ERR_NOT_FOUND && a->missing_ok)) {
        action_failed(s);
    }
}

/* The request may have been applied, or was not looked at: only its own answer tells. */
static bool send_again(const struct slot *s)
{
    int status = s->call.status;

    return err_retryable(status) && status != -ERR_CANCELED && status != -ERR_TOO_MANY_REQUESTS &&
           !runtime_of(s->pass)->stopping;
}

/* One slot less, or a hold on them; the last starts the next batch. */
static void batch_release(struct pass *p)
{
    ASSERT(p->slots_live > 0);
    if (--p->slots_live > 0)
        return;
    mem_free(p->slots);
    p->slots = NULL;
    p->slots_count = 0;
    run_batch(p);
}

static void slot_ended(struct slot *s)
{
    buf_deinit(&s->body);
    env_timer_deinit(&s->timer);
    batch_release(s->pass);
}

static void send(struct slot *s);

static void on_retry(struct env_timer *t)
{
    struct slot *s = container_of(t, struct slot, timer);

    s->waiting = false;
    send(s);
}

static void on_done(struct client_call *call)
{
    struct slot *s = container_of(call, struct slot, call);
    struct runtime *rt = runtime_of(s->pass);
    uint64_t delay = RUNTIME_RETRY_MIN_MS;

    s->in_flight = false;
    if (call->status == -ERR_FENCED)
        runtime_fenced(rt);
    if (send_again(s)) {
        for (uint32_t i = 0; i < s->attempts && delay < RUNTIME_RETRY_MAX_MS; i++)
            delay *= 2;
        s->attempts++;
        s->waiting = true;
        env_timer_start(&s->timer, delay < RUNTIME_RETRY_MAX_MS ? delay : RUNTIME_RETRY_MAX_MS);
        return;
    }
    if (!rt->stopping)
        action_answered(s);
    slot_ended(s);
}

static void send(struct slot *s)
{
    buf_clear(&s->body);
    build_call(s);
    s->call.body = buf_str(&s->body);
    s->call.fence_term = runtime_of(s->pass)->config.term;
    if (s->call.verb != CLIENT_GET && s->call.verb != CLIENT_LIST)
        s->call.request_id = str_from(s->request_id);
    s->call.done = on_done;
    s->in_flight = true;
    client_call(runtime_of(s->pass)->config.client, &s->call);
}

/* ---- batches ---- */

static bool alike(const struct action *a, const struct action *b)
{
    return a->type == b->type && a->kind == b->kind &&
           (a->type == ACTION_CREATE || a->type == ACTION_DELETE);
}

static size_t batch_size(const struct pass *p)
{
    const struct action *first = &p->actions.items[p->next];
    size_t n = 1;

    while (n < p->window && p->next + n < p->actions.count && alike(first, first + n))
        n++;
    return n;
}

static void start_slot(struct pass *p, struct slot *s, size_t index)
{
    struct runtime *rt = runtime_of(p);

    s->pass = p;
    s->action = &p->actions.items[index];
    buf_init(&s->body);
    env_timer_init(rt->config.loop, &s->timer, on_retry);
    (void)snprintf(s->request_id, sizeof(s->request_id), "%.16s:%llx.%llx.%zx",
                   p->engine->controller->name, (unsigned long long)rt->nonce,
                   (unsigned long long)p->decision, index);
    send(s);
}

static void run_batch(struct pass *p)
{
    const struct actions *as = &p->actions;
    size_t n;

    while (!p->stop && p->next < as->count && as->items[p->next].type == ACTION_EVENT)
        write_note(p, as->items[p->next++].on_success, str_of(NULL, 0), NULL);
    if (p->stop || p->next == as->count || runtime_of(p)->stopping) {
        p->executing = false;
        pass_executed(p);
        return;
    }
    if (p->next == 0 || !alike(&as->items[p->next - 1], &as->items[p->next]))
        p->window = 1;
    else if (p->window < RUNTIME_WINDOW_MAX)
        p->window *= 2;
    n = batch_size(p);
    p->slots = mem_alloc(n * sizeof(*p->slots));
    p->slots_count = n;
    p->slots_live = n;
    p->next += n;
    for (size_t i = 0; i < n; i++)
        start_slot(p, &p->slots[i], p->next - n + i);
}

void execute(struct pass *p)
{
    p->executing = true;
    run_batch(p);
}

void execute_cancel(struct pass *p)
{
    p->slots_live++; /* holds the pass: ending its last slot ends it */
    for (size_t i = 0; i < p->slots_count; i++) {
        struct slot *s = &p->slots[i];

        if (s->in_flight) {
            client_cancel(runtime_of(p)->config.client, &s->call);
        } else if (s->waiting) {
            s->waiting = false;
            slot_ended(s);
        } /* else it has ended, or its completion is running and ends it */
    }
    batch_release(p);
}
