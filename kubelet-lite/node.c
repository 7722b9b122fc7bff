/*
 * Registering the node and keeping it alive.
 *
 * Node:  CREATE → (there already: GET → PATCH labels) → then each tick GET, and PATCH status when
 * it differs (others write it too: a node that was lost is Unknown until we say otherwise) or every
 * so often. Deleted behind our back: CREATE again. Lease: PATCH renewTime every quarter; not there:
 * CREATE. A failed call is tried again with the next tick; the client changes the server on its
 * own.
 */
#include "kubelet-lite/node.h"

#include <stdio.h>
#include <string.h>

#include "api/client/client.h"
#include "api/meta/condition.h"
#include "api/meta/text.h"
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/log.h"

#define LEASE_NAMESPACE "kube-node-lease"
#define RETRY_MS        500

enum node_step { NODE_CREATE, NODE_GET, NODE_LABELS, NODE_LOOK, NODE_STATUS };

struct node {
    struct node_config config;
    struct env_timer status_timer;
    struct env_timer lease_timer;
    struct env_work work;
    struct node_pressure pressure;
    bool working;
    bool ready;
    char not_ready[256];
    char runtime_version[128];
    enum node_step step;
    bool registered;
    bool busy;
    bool again;
    struct client_call call;
    struct buf body;
    struct arena base_arena;
    const Node *base; /* as the API last showed it */
    uint64_t written_ns;
    struct client_call lease_call;
    struct buf lease_body;
    bool lease_busy;
    uint64_t lease_started_ns;
};

static void node_write(struct node *n);

/* ---- the Node ---- */

static void take_answer(struct node *n)
{
    struct arena fresh;
    void *object;
    struct err e = { 0 };
    arena_init(&fresh);
    if (schema_unpack(&fresh, &schema_Node, n->call.result, &object, &e) != 0) {
        log_warn("the node's answer does not parse", KV("why", e.msg));
        arena_deinit(&fresh);
        return;
    }
    arena_deinit(&n->base_arena);
    n->base_arena = fresh;
    n->base = object;
}

static void on_node(struct client_call *c)
{
    struct node *n = c->priv;
    uint64_t delay = 0;
    n->busy = false;
    if (c->status == 0) {
        take_answer(n);
        if (n->step == NODE_CREATE)
            n->written_ns = env_now_ns(env_of(n->config.loop));
        if (n->step == NODE_LOOK) {
            n->step = NODE_STATUS;
            node_write(n);
            return;
        }
        if (!n->registered && n->step != NODE_GET) {
            log_info("node registered", KV("node", n->config.name));
            n->registered = true;
        }
        if (n->step == NODE_GET || n->step == NODE_LABELS || n->again) {
            n->step = n->step == NODE_GET ? NODE_LABELS : NODE_STATUS;
            node_write(n);
            return;
        }
        n->step = NODE_STATUS;
        delay = n->config.status_update_s * 1000;
    } else if (n->step == NODE_CREATE && c->http_status == 409) {
        n->step = NODE_GET;
        node_write(n);
        return;
    } else {
        if (c->http_status == 404)
            n->step = NODE_CREATE;
        log_warn("node not written", KV("why", c->err.msg));
        delay = RETRY_MS;
    }
    env_timer_start(&n->status_timer, delay);
}

static void send(struct node *n, enum client_verb verb, enum client_content content,
                 const char *subresource)
{
    n->busy = true;
    n->again = false;
    n->call = (struct client_call){ .verb = verb,
                                    .kind = KIND_NODE,
                                    .subresource = str_from(subresource),
                                    .content = content,
                                    .done = on_node,
                                    .priv = n };
    if (verb != CLIENT_CREATE)
        n->call.name = str_from(n->config.name);
    if (verb != CLIENT_GET)
        n->call.body = buf_str(&n->body);
    client_call(n->config.client, &n->call);
}

/* Do the two differ in more than heartbeats? */
static bool changed(const Node *base, const Node *now)
{
    if (base == NULL || base->status == NULL)
        return true;
    for (size_t i = 0; i < now->status->n_conditions; i++) {
        const NodeCondition *c = now->status->conditions[i];
        const NodeCondition *old =
            condition_find(base->status->conditions, base->status->n_conditions, c->type);
        if (old == NULL || !text_eq(old->status, c->status) || !text_eq(old->reason, c->reason) ||
            !text_eq(old->message, c->message))
            return true;
    }
    NodeStatus x = *base->status;
    NodeStatus y = *now->status;
    x.n_conditions = y.n_conditions = 0;
    x.n_images = y.n_images = 0;
    return !schema_equal(&schema_NodeStatus, &x, &y);
}

static void write_status(struct node *n, const Node *now)
{
    struct err e = { 0 };
    uint64_t age_s = (env_now_ns(env_of(n->config.loop)) - n->written_ns) / ENV_S;
    if (!changed(n->base, now) && n->written_ns != 0 && age_s < n->config.status_report_s) {
        env_timer_start(&n->status_timer, n->config.status_update_s * 1000);
        return;
    }
    buf_clear(&n->body);
    buf_append_c(&n->body, "{\"status\":");
    if (schema_struct_to_json(&n->body, &schema_NodeStatus, now->status, NULL, &e) != 0) {
        log_error("the node's status does not encode", KV("why", e.msg));
        return;
    }
    buf_append_c(&n->body, "}");
    n->written_ns = env_now_ns(env_of(n->config.loop));
    send(n, CLIENT_PATCH, CLIENT_STRATEGIC_PATCH, "status");
}

static void write_labels(struct node *n, const Node *now)
{
    buf_clear(&n->body);
    buf_append_c(&n->body, "{\"metadata\":{\"labels\":{");
    for (size_t i = 0; i < now->metadata->n_labels; i++)
        buf_printf(&n->body, "%s\"%s\":\"%s\"", i > 0 ? "," : "", now->metadata->labels[i]->key,
                   now->metadata->labels[i]->value);
    buf_append_c(&n->body, "}}}");
    send(n, CLIENT_PATCH, CLIENT_MERGE_PATCH, "");
}

static void node_write(struct node *n)
{
    struct arena a;
    if (n->busy) {
        n->again = true;
        return;
    }
    arena_init(&a);
    const Node *now = node_object(&a, &n->config, &n->pressure, n->ready, n->not_ready,
                                  n->runtime_version, n->base, env_wall_ns(env_of(n->config.loop)));
    switch (n->step) {
    case NODE_CREATE:
        buf_clear(&n->body);
        client_wrap(&n->body, str_lit("v1"), str_lit("Node"),
                    schema_pack_arena(&a, &schema_Node, now));
        send(n, CLIENT_CREATE, CLIENT_PROTOBUF, "");
        break;
    case NODE_GET:
    case NODE_LOOK:
        send(n, CLIENT_GET, CLIENT_NO_BODY, "");
        break;
    case NODE_LABELS:
        write_labels(n, now);
        break;
    case NODE_STATUS:
        write_status(n, now);
        break;
    }
    arena_deinit(&a);
}

static void on_pool(struct env_work *w)
{
    struct node *n = container_of(w, struct node, work);
    node_pressure_read(env_of(n->config.loop), n->config.root, &n->pressure);
}

static void on_pool_done(struct env_work *w)
{
    struct node *n = container_of(w, struct node, work);
    n->working = false;
    if (n->step == NODE_STATUS)
        n->step = NODE_LOOK;
    node_write(n);
}

static void on_status_timer(struct env_timer *t)
{
    struct node *n = container_of(t, struct node, status_timer);
    if (n->working)
        return;
    n->working = true;
    env_work(n->config.loop, &n->work, on_pool, on_pool_done);
}

void node_runtime(struct node *n, bool ready, const char *not_ready, const char *name_version)
{
    bool same = ready == n->ready && strcmp(not_ready, n->not_ready) == 0 &&
                (name_version == NULL || strcmp(name_version, n->runtime_version) == 0);
    n->ready = ready;
    (void)snprintf(n->not_ready, sizeof n->not_ready, "%s", not_ready);
    if (name_version != NULL)
        (void)snprintf(n->runtime_version, sizeof n->runtime_version, "%s", name_version);
    if (same)
        return;
    if (n->busy)
        n->again = true;
    else if (n->registered && !n->working)
        node_write(n);
}

/* ---- the Lease ---- */

static void lease_send(struct node *n, bool create);

static void on_lease(struct client_call *c)
{
    struct node *n = c->priv;
    n->lease_busy = false;
    if (c->status != 0 && c->http_status == 404 && c->verb == CLIENT_PATCH) {
        lease_send(n, true);
        return;
    }
    if (c->status != 0)
        log_warn("lease not renewed", KV("why", c->err.msg));
    uint64_t period = n->config.lease_duration_s * 1000 / 4;
    uint64_t took = (env_now_ns(env_of(n->config.loop)) - n->lease_started_ns) / ENV_MS;
    env_timer_start(&n->lease_timer, c->status != 0 ? RETRY_MS : took < period ? period - took : 1);
}

static void lease_send(struct node *n, bool create)
{
    char now[TIME_TEXT_MAX];
    uint64_t wall = env_wall_ns(env_of(n->config.loop));
    struct buf *b = &n->lease_body;
    (void)time_format_micro((int64_t)(wall / ENV_S), (int32_t)(wall % ENV_S), now);
    buf_clear(b);
    buf_append_c(b, "{");
    if (create) {
        buf_printf(b,
                   "\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
                   "\"name\":\"%s\",\"namespace\":\"" LEASE_NAMESPACE "\"",
                   n->config.name);
        if (n->base != NULL && n->base->metadata != NULL)
            buf_printf(b,
                       ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\","
                       "\"name\":\"%s\",\"uid\":\"%s\"}]",
                       n->config.name, text_of(n->base->metadata->uid));
        buf_append_c(b, "},");
    }
    buf_printf(b,
               "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%llu,"
               "\"renewTime\":\"%s\"}}",
               n->config.name, (unsigned long long)n->config.lease_duration_s, now);
    n->lease_busy = true;
    n->lease_call = (struct client_call){ .verb = create ? CLIENT_CREATE : CLIENT_PATCH,
                                          .kind = KIND_LEASE,
                                          .namespace = str_lit(LEASE_NAMESPACE),
                                          .name = create ? str_from("") : str_from(n->config.name),
                                          .content = create ? CLIENT_JSON : CLIENT_MERGE_PATCH,
                                          .body = buf_str(b),
                                          .deadline_ms = env_loop_now_ms(n->config.loop) +
                                                         n->config.lease_duration_s * 250,
                                          .done = on_lease,
                                          .priv = n };
    client_call(n->config.client, &n->lease_call);
}

static void on_lease_timer(struct env_timer *t)
{
    struct node *n = container_of(t, struct node, lease_timer);
    n->lease_started_ns = env_now_ns(env_of(n->config.loop));
    lease_send(n, false);
}

/* ---- life ---- */

struct node *node_new(const struct node_config *config)
{
    struct node *n = mem_alloc(sizeof *n);
    n->config = *config;
    (void)snprintf(n->not_ready, sizeof n->not_ready,
                   "container runtime status check not done yet");
    buf_init(&n->body);
    buf_init(&n->lease_body);
    arena_init(&n->base_arena);
    env_timer_init(config->loop, &n->status_timer, on_status_timer);
    env_timer_init(config->loop, &n->lease_timer, on_lease_timer);
    return n;
}

void node_start(struct node *n)
{
    n->step = NODE_CREATE;
    on_status_timer(&n->status_timer);
    on_lease_timer(&n->lease_timer);
}

void node_free(struct node *n)
{
    if (n == NULL)
        return;
    env_timer_deinit(&n->status_timer);
    env_timer_deinit(&n->lease_timer);
    arena_deinit(&n->base_arena);
    buf_deinit(&n->body);
    buf_deinit(&n->lease_body);
    mem_free(n);
}
