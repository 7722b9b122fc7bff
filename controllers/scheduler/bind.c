/*
 * What the scheduler writes: bindings, and the status of pods that fit nowhere.
 *
 * A binding of unknown outcome is sent again with the same request id until the answer is definite:
 * a pod assumed on one node must not be decided onto another while the first may have been taken.
 */
#include <stdio.h>
#include <string.h>

#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controllers/scheduler/impl.h"

static uint64_t clock_ns(const struct session *s)
{
    return env_now_ns(env_of(s->config->loop));
}

static struct event_about about(const struct sched_pod *p)
{
    return (struct event_about){
        .kind = KIND_POD, .namespace = p->namespace, .name = p->name, .uid = p->uid
    };
}

/* ---- bindings ---- */

static void build_binding(struct binding *b)
{
    struct sched_pod *p = b->pod;
    const struct schema *schema = kind_info(KIND_BINDING)->schema;
    struct arena a;
    Binding *binding;

    arena_init(&a);
    binding = schema_new(&a, schema);
    binding->metadata = arena_new(&a, ObjectMeta);
    object_meta__init(binding->metadata);
    binding->metadata->namespace_ = str_dup(&a, p->namespace);
    binding->metadata->name = str_dup(&a, p->name);
    binding->metadata->uid = str_dup(&a, p->uid);
    binding->target = arena_new(&a, ObjectReference);
    object_reference__init(binding->target);
    binding->target->kind = str_dup(&a, str_lit("Node"));
    binding->target->name = str_dup(&a, p->node);
    client_wrap(&b->body, str_lit("v1"), str_lit("Binding"),
                schema_pack_arena(&a, schema, binding));
    arena_deinit(&a);
}

static void binding_free(struct binding *b)
{
    struct session *s = b->pod->session;

    b->pod->binding = NULL;
    env_timer_deinit(&b->timer);
    buf_deinit(&b->body);
    mem_free(b);
    s->bindings--;
    session_ended_one(s);
}

static void on_bound(struct binding *b)
{
    struct sched_pod *p = b->pod;
    struct session *s = p->session;
    struct event_about who = about(p);
    struct arena a;

    arena_init(&a);
    event_record(s->recorder, s->config->name, &who, "Normal", "Scheduled",
                 str_printf(&a, "Successfully assigned %.*s/%.*s to %.*s", STR_ARG(p->namespace),
                            STR_ARG(p->name), STR_ARG(p->node)));
    arena_deinit(&a);
    s->completed++;
    session_publish(s, p, SCHEDULING_BOUND, str_of("", 0), b);
    p->waits = false;
    pod_row_drop_constraints(&p->row);
    queue_settled(&p->queue);
}

static void on_refused(struct binding *b)
{
    struct sched_pod *p = b->pod;
    struct session *s = p->session;

    session_publish(s, p, SCHEDULING_BIND_FAILED, str_from(b->call.err.msg), b);
    s->retried++;
    if (p->assumed) {
        sched_pod_unplace(p);
        queue_failed(&s->queue, &p->queue, session_now_ms(s));
    } else {
        queue_settled(&p->queue); /* a watch has shown it on a node already */
    }
}

/* A pod that went meanwhile was only kept for this. */
static void binding_end(struct binding *b)
{
    struct sched_pod *p = b->pod;

    binding_free(b);
    if (p->gone)
        sched_pod_free(p);
}

static void send(struct binding *b);

static void on_retry(struct env_timer *t)
{
    struct binding *b = container_of(t, struct binding, timer);

    b->waiting = false;
    if (b->pod->gone || b->pod->session->stopping)
        binding_end(b);
    else
        send(b);
}

static void on_bind_done(struct client_call *call)
{
    struct binding *b = container_of(call, struct binding, call);
    struct sched_pod *p = b->pod;
    struct session *s = p->session;

    b->in_flight = false;
    if (call->status == -ERR_FENCED)
        session_fenced(s);
    if (!s->stopping && !p->gone && err_retryable(call->status) && call->status != -ERR_CANCELED) {
        b->waiting = true;
        env_timer_start(&b->timer, BIND_RETRY_MS);
        return;
    }
    if (!s->stopping && !p->gone) {
        if (call->status == 0)
            on_bound(b);
        else
            on_refused(b);
        session_kick(s);
    }
    binding_end(b);
}

static void send(struct binding *b)
{
    struct sched_pod *p = b->pod;
    struct session *s = p->session;

    b->call = (struct client_call){ .verb = CLIENT_CREATE,
                                    .kind = KIND_POD,
                                    .namespace = p->namespace,
                                    .name = p->name,
                                    .subresource = str_lit("binding"),
                                    .content = CLIENT_PROTOBUF,
                                    .body = buf_str(&b->body),
                                    .fence_term = s->term,
                                    .request_id = str_from(b->request_id),
                                    .done = on_bind_done };
    b->in_flight = true;
    client_call(s->config->client, &b->call);
}

void bind_start(struct sched_pod *p, const struct decision *d, uint64_t decide_ns)
{
    struct session *s = p->session;
    struct binding *b = mem_alloc(sizeof(*b));

    ASSERT(p->binding == NULL);
    p->binding = b;
    b->pod = p;
    b->looked = d->looked;
    b->fit = d->fit;
    b->decide_ns = decide_ns;
    b->began_ns = clock_ns(s);
    b->queued_ns = (session_now_ms(s) - p->queue.added_ms) * ENV_MS;
    buf_init(&b->body);
    env_timer_init(s->config->loop, &b->timer, on_retry);
    (void)snprintf(b->request_id, sizeof(b->request_id), "bind:%llx.%llx",
                   (unsigned long long)s->nonce, (unsigned long long)++s->sequence);
    sched_pod_place(p, intern_text(&s->snapshot.names, d->node->name), true);
    build_binding(b);
    s->bindings++;
    send(b);
}

void bind_cancel(struct binding *b)
{
    if (b->in_flight) {
        client_cancel(b->pod->session->config->client, &b->call);
    } else if (b->waiting) {
        env_timer_stop(&b->timer);
        binding_end(b);
    } /* else its completion is running, and ends it */
}

/* ---- refusals ---- */

static void patch_free(struct status_patch *p)
{
    struct session *s = p->session;

    list_remove(&p->node);
    buf_deinit(&p->body);
    mem_free((char *)(uintptr_t)p->namespace.data);
    mem_free((char *)(uintptr_t)p->name.data);
    mem_free(p);
    session_ended_one(s);
}

static void on_patched(struct client_call *call)
{
    struct status_patch *p = container_of(call, struct status_patch, call);

    /* It tells people why the pod waits; a lost one is told again with the next new reason. */
    list_remove(&p->node); /* a stop must not cancel what is completing */
    if (call->status == -ERR_FENCED)
        session_fenced(p->session);
    patch_free(p);
}

static void build_patch(struct status_patch *patch, const struct sched_pod *p, struct str message)
{
    char when[TIME_TEXT_MAX];
    uint64_t wall = env_wall_ns(env_of(patch->session->config->loop));

    (void)time_format((int64_t)(wall / ENV_S), when); /* the length is not needed */
    buf_append_c(&patch->body, "{\"metadata\":{\"uid\":");
    json_write_string(&patch->body, p->uid, false);
    buf_printf(&patch->body,
               "},\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
               "\"observedGeneration\":%lld,\"reason\":\"Unschedulable\",\"lastProbeTime\":null,"
               "\"lastTransitionTime\":\"%s\",\"message\":",
               (long long)p->generation, when);
    json_write_string(&patch->body, message, false);
    buf_append_c(&patch->body, "}]}}");
}

static struct str own(struct str s)
{
    return str_of(mem_dup(s.data, s.len), s.len);
}

static void patch_status(struct sched_pod *p, struct str message)
{
    struct session *s = p->session;
    struct status_patch *patch = mem_alloc(sizeof(*patch));

    patch->session = s;
    patch->namespace = own(p->namespace);
    patch->name = own(p->name);
    buf_init(&patch->body);
    build_patch(patch, p, message);
    list_append(&s->patches, &patch->node);
    patch->call = (struct client_call){ .verb = CLIENT_PATCH,
                                        .kind = KIND_POD,
                                        .namespace = patch->namespace,
                                        .name = patch->name,
                                        .subresource = str_lit("status"),
                                        .content = CLIENT_STRATEGIC_PATCH,
                                        .body = buf_str(&patch->body),
                                        .fence_term = s->term,
                                        .done = on_patched };
    client_call(s->config->client, &patch->call);
}

void refuse(struct sched_pod *p, const struct decision *d, uint64_t decide_ns)
{
    struct session *s = p->session;
    struct binding figures = { .decide_ns = decide_ns,
                               .queued_ns = (session_now_ms(s) - p->queue.added_ms) * ENV_MS,
                               .looked = d->looked };
    struct event_about who = about(p);
    struct arena a;
    struct str message;

    arena_init(&a);
    message = decision_text(&a, &s->snapshot, d);
    event_record(s->recorder, s->config->name, &who, "Warning", "FailedScheduling", message);
    session_publish(s, p, SCHEDULING_UNSCHEDULABLE, message, &figures);
    s->retried++;
    if (p->refused == NULL || !str_eq_c(message, p->refused)) {
        mem_free(p->refused);
        p->refused = mem_alloc(message.len + 1);
        memcpy(p->refused, message.data, message.len);
        patch_status(p, message);
    }
    arena_deinit(&a);
    /* No nodes at all: any node may help. */
    queue_unschedulable(&s->queue, &p->queue, d->looked == 0 ? UINT32_MAX : d->why.mask,
                        session_now_ms(s));
}

void refuse_cancel(struct session *s)
{
    list_foreach (node, &s->patches)
        client_cancel(s->config->client, &container_of(node, struct status_patch, node)->call);
}
