/* CRI calls: pack, send, unpack into the call's arena. */
#include "kubelet-lite/cri.h"

#include <stdio.h>

#include "api/proto/containerd_events.pb-c.h"
#include "api/proto/runtime.pb-c.h"
#include "base/assert.h"
#include "base/buf.h"
#include "net/client.h"

struct method {
    const char *path;
    const ProtobufCMessageDescriptor *reply;
    uint64_t timeout_ms;
};

static const struct method methods[] = {
#define CRI_ROW(upper, lower, name, service, seconds)                                              \
    { "/runtime.v1." #service "/" #name, &runtime__v1__##lower##_response__descriptor,             \
      (seconds)*1000 },
    CRI_METHODS(CRI_ROW)
#undef CRI_ROW
};

/* Largest list of a node with some hundred pods, with room. */
#define CRI_MESSAGE_BYTES_MAX (16u << 20)

struct cri {
    struct http_client *client;
    struct buf scratch;
    void (*lost)(void *ctx);
    void (*closed)(void *ctx);
    void *ctx;
    void *closed_ctx;
    void (*told)(void *ctx, const char *id);
    struct grpc_call watch;
    bool watching;
    bool closing;
};

static void on_state(void *ctx, int status)
{
    struct cri *c = ctx;
    if (status != 0 && c->lost != NULL)
        c->lost(c->ctx);
}

struct cri *cri_new(struct env_loop *loop, const char *address, void (*lost)(void *ctx), void *ctx)
{
    struct cri *c = mem_alloc(sizeof *c);
    c->lost = lost;
    c->ctx = ctx;
    buf_init(&c->scratch);
    c->client =
        http_client_new(loop, &(struct http_client_options){ .address = address,
                                                             .authority = "localhost",
                                                             .protocol = HTTP_PROTOCOL_HTTP2,
                                                             .state = on_state,
                                                             .ctx = c });
    return c;
}

static void on_closed(void *ctx)
{
    struct cri *c = ctx;
    void (*closed)(void *) = c->closed;
    void *closed_ctx = c->closed_ctx;
    buf_deinit(&c->scratch);
    mem_free(c);
    if (closed != NULL)
        closed(closed_ctx);
}

void cri_close(struct cri *c, void (*closed)(void *ctx), void *ctx)
{
    c->lost = NULL;
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    http_client_close(c->client, on_closed, c);
}

struct http_client *cri_connection(struct cri *c)
{
    return c->client;
}

/* ---- messages ---- */

static void *allocate(void *data, size_t size)
{
    return arena_alloc(data, size);
}

static void forget(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

ProtobufCAllocator cri_allocator(struct arena *a)
{
    return (ProtobufCAllocator){ .alloc = allocate, .free = forget, .allocator_data = a };
}

static void on_done(struct grpc_call *g)
{
    struct cri_call *c = g->user;
    c->status = grpc_call_error(g, &c->err);
    /* The runtime's own words only: they end in events and statuses. */
    if (c->status != 0 && g->message.len > 0)
        (void)snprintf(c->err.msg, sizeof c->err.msg, "%.*s", STR_ARG(g->message));
    if (c->status == 0) {
        ProtobufCAllocator allocator = cri_allocator(&c->arena);
        c->reply = protobuf_c_message_unpack(methods[c->method].reply, &allocator, g->reply.len,
                                             (const uint8_t *)g->reply.data);
        if (c->reply == NULL)
            c->status = err_set(&c->err, ERR_PROTOCOL, "%s: the answer does not parse",
                                methods[c->method].path);
    }
    grpc_call_deinit(g);
    *g = (struct grpc_call){ 0 };
    c->cri = NULL;
    c->done(c);
}

void cri_call_start(struct cri *c, struct cri_call *call, enum cri_method method,
                    const void *request)
{
    static const struct grpc_call_events events = { .done = on_done };
    ASSERT(call->cri == NULL);
    ASSERT(call->done != NULL);
    size_t len = protobuf_c_message_get_packed_size(request);
    buf_clear(&c->scratch);
    buf_reserve(&c->scratch, len);
    protobuf_c_message_pack(request, c->scratch.data);
    c->scratch.len = len;
    /* Only now: the request may have been built in the call's own arena. */
    arena_reset(&call->arena);
    call->cri = c;
    call->method = method;
    call->reply = NULL;
    call->status = 0;
    call->err = (struct err){ 0 };
    call->grpc = (struct grpc_call){ .path = methods[method].path,
                                     .kind = GRPC_UNARY,
                                     .timeout_ms = methods[method].timeout_ms + call->extra_ms,
                                     .message_bytes_max = CRI_MESSAGE_BYTES_MAX,
                                     .events = &events,
                                     .user = call };
    grpc_call_start(c->client, &call->grpc, buf_str(&c->scratch));
}

bool cri_call_active(const struct cri_call *call)
{
    return call->cri != NULL;
}

void cri_call_deinit(struct cri_call *call)
{
    ASSERT(call->cri == NULL);
    arena_deinit(&call->arena);
}

/* ---- containerd's events ---- */

#define EVENT_FILTER "namespace==k8s.io,topic==\"/tasks/delete\""

/* Each event is small; what is larger is none of ours and ends the stream. */
#define EVENT_BYTES_MAX (64u << 10)

static void on_event(struct grpc_call *g, struct str bytes)
{
    struct cri *c = g->user;
    struct arena a;
    arena_init(&a);
    ProtobufCAllocator allocator = cri_allocator(&a);
    const Containerd__Services__Events__V1__Envelope *envelope =
        containerd__services__events__v1__envelope__unpack(&allocator, bytes.len,
                                                           (const uint8_t *)bytes.data);
    const Containerd__Services__Events__V1__TaskDelete *ended = NULL;
    if (envelope != NULL && envelope->event != NULL)
        ended = containerd__services__events__v1__task_delete__unpack(
            &allocator, envelope->event->value.len, envelope->event->value.data);
    /* Processes run into a container have an id of their own. */
    if (ended != NULL && !c->closing &&
        (ended->id[0] == '\0' || str_eq_c(str_from(ended->id), ended->container_id)))
        c->told(c->ctx, ended->container_id);
    arena_deinit(&a);
}

static void on_events_end(struct grpc_call *g)
{
    struct cri *c = g->user;
    /* A runtime without events stays without: the relist is enough. */
    c->watching = g->code == GRPC_UNIMPLEMENTED;
    grpc_call_deinit(g);
    *g = (struct grpc_call){ 0 };
}

void cri_watch(struct cri *c, void (*told)(void *ctx, const char *id))
{
    static const struct grpc_call_events events = { .message = on_event, .done = on_events_end };
    Containerd__Services__Events__V1__SubscribeRequest q =
        CONTAINERD__SERVICES__EVENTS__V1__SUBSCRIBE_REQUEST__INIT;
    char *filters[] = { (char *)EVENT_FILTER };
    uint8_t packed[128];
    if (c->watching || c->closing)
        return;
    q.filters = filters;
    q.n_filters = 1;
    ASSERT(containerd__services__events__v1__subscribe_request__get_packed_size(&q) <=
           sizeof packed);
    size_t len = containerd__services__events__v1__subscribe_request__pack(&q, packed);
    c->told = told;
    c->watching = true;
    c->watch = (struct grpc_call){ .path = "/containerd.services.events.v1.Events/Subscribe",
                                   .kind = GRPC_SERVER_STREAM,
                                   .message_bytes_max = EVENT_BYTES_MAX,
                                   .events = &events,
                                   .user = c };
    grpc_call_start(c->client, &c->watch, str_of(packed, len));
}
