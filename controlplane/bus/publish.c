/*
 * gantry.bus.v1.Bus/Publish: one request, one transaction, one response, in order.
 *
 * Requests wait in the order they came; a response leaves when it and every one before it is
 * answered. The first failure ends the stream with its status: what follows was perhaps published,
 * and the publisher sends it again with the same producer and sequence.
 */
#include "controlplane/bus/publish.h"

#include "api/proto/bus.pb-c.h"
#include "base/assert.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

struct publish_stream {
    struct grpc_stream *stream; /* NULL once closed */
    struct list pending;        /* struct publish_write, oldest first */
    size_t pending_count;
    bool half_closed;
    bool paused;
    bool failed;
};

struct publish_write {
    struct list node;
    struct publish_stream *owner;
    struct store_write write;
    bool answered;
};

size_t publish_ops(struct arena *a, uint64_t wall_ns, struct str topic, struct str producer,
                   const struct publish_message_in *messages, size_t count, struct store_op *ops)
{
    size_t n = 0;
    ops[n++] = (struct store_op){ .type = STORE_OP_ROW_PUT, .key = topic_row_key(a, topic) };
    for (size_t i = 0; i < count; i++)
        ops[n++] = (struct store_op){ .type = STORE_OP_APPEND,
                                      .key = topic,
                                      .value = topic_record(a, wall_ns, messages[i].body),
                                      .producer = producer,
                                      .producer_sequence = messages[i].sequence };
    return n;
}

int publish_check_depth(struct store_group *group, struct str topic, struct err *e)
{
    struct store_read r;
    int rc = store_read_begin(group, 0, &r);
    if (rc != 0)
        return err_set(e, (enum err_code) - rc, "the bus cannot be read now");
    uint64_t first = 0;
    uint64_t last = 0;
    rc = store_read_stream_bounds(&r, topic, &first, &last);
    store_read_end(&r);
    if (rc == 0 && last >= first && last - first >= TOPIC_DEPTH_MAX && !topic_is_system(topic))
        return err_set(e, ERR_TOO_MANY_REQUESTS,
                       "topic %.*s holds %u messages that its channels have not acknowledged",
                       STR_ARG(topic), TOPIC_DEPTH_MAX);
    return 0;
}

static void publish_free_if_done(struct publish_stream *p)
{
    if (p->stream == NULL && p->pending_count == 0)
        mem_free(p);
}

static void publish_fail(struct publish_stream *p, int code, const struct err *e)
{
    p->failed = true;
    if (p->stream != NULL)
        grpc_stream_finish_err(p->stream, code, e);
}

static void publish_respond(struct publish_stream *p, uint64_t sequence)
{
    Gantry__Bus__V1__PublishResponse response = GANTRY__BUS__V1__PUBLISH_RESPONSE__INIT;
    response.sequence = sequence;
    uint8_t bytes[16];
    ASSERT(gantry__bus__v1__publish_response__get_packed_size(&response) <= sizeof bytes);
    size_t len = gantry__bus__v1__publish_response__pack(&response, bytes);
    grpc_stream_send(p->stream, str_of(bytes, len));
}

/* Responses leave in the order of their requests. */
static void publish_drain(struct publish_stream *p)
{
    while (!list_empty(&p->pending)) {
        struct publish_write *w = container_of(p->pending.next, struct publish_write, node);
        if (!w->answered)
            break;
        const struct store_result *result = &w->write.result;
        if (result->status == 0 && p->stream != NULL && !p->failed) {
            publish_respond(p, result->sequence);
        } else if (result->status != 0 && !p->failed) {
            struct err e;
            (void)err_set(&e, (enum err_code) - result->status, "publish: %s; send it again",
                          err_name(result->status));
            publish_fail(p, result->status, &e);
        }
        list_remove(&w->node);
        p->pending_count--;
        mem_free(w);
    }
    if (p->paused && p->pending_count < PUBLISH_PENDING_MAX / 2 && p->stream != NULL) {
        p->paused = false;
        grpc_stream_resume(p->stream);
    }
    if (p->half_closed && p->pending_count == 0 && p->stream != NULL && !p->failed)
        grpc_stream_finish(p->stream, GRPC_OK, str_of(NULL, 0));
    publish_free_if_done(p);
}

static void publish_written(struct store_write *write)
{
    struct publish_write *w = container_of(write, struct publish_write, write);
    w->answered = true;
    publish_drain(w->owner);
}

static int publish_validate(const Gantry__Bus__V1__PublishRequest *r, struct err *e)
{
    if (!topic_name_valid(str_from(r->topic)))
        return err_set(e, ERR_INVALID_ARGUMENT, "topic must be 1 to 64 of [.a-zA-Z0-9_-]");
    if (r->n_bodies == 0 || r->n_bodies > TOPIC_BODIES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "a request has 1 to %u bodies", TOPIC_BODIES_MAX);
    for (size_t i = 0; i < r->n_bodies; i++) {
        if (r->bodies[i].len > TOPIC_BODY_BYTES_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "a body is at most %u bytes",
                           TOPIC_BODY_BYTES_MAX);
    }
    if (str_from(r->producer).len > TOPIC_NAME_BYTES_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "a producer's name is at most %d bytes",
                       TOPIC_NAME_BYTES_MAX);
    if (r->producer[0] != '\0' && r->sequence == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "a producer's sequences begin at 1");
    return 0;
}

static void publish_submit(struct publish_stream *p, struct bus *b,
                           const Gantry__Bus__V1__PublishRequest *r)
{
    struct arena a;
    arena_init(&a);
    struct publish_message_in *messages = arena_array(&a, r->n_bodies, sizeof *messages);
    struct store_op *ops = arena_array(&a, r->n_bodies + 1, sizeof *ops);
    for (size_t i = 0; i < r->n_bodies; i++)
        messages[i] = (struct publish_message_in){
            .body = str_of(r->bodies[i].data, r->bodies[i].len),
            .sequence = r->sequence == 0 ? 0 : r->sequence + i,
        };
    struct store_txn txn = { .ops = ops };
    txn.ops_count = publish_ops(&a, env_wall_ns(b->config.env), str_from(r->topic),
                                str_from(r->producer), messages, r->n_bodies, ops);
    struct publish_write *w = mem_alloc(sizeof *w);
    w->owner = p;
    w->write.loop = p->stream->x->loop;
    w->write.done = publish_written;
    list_append(&p->pending, &w->node);
    p->pending_count++;
    store_submit(b->config.group, &w->write, &txn);
    arena_deinit(&a);
    if (p->pending_count >= PUBLISH_PENDING_MAX) {
        p->paused = true;
        grpc_stream_pause(p->stream);
    }
}

void publish_open(struct grpc_stream *s)
{
    struct publish_stream *p = mem_alloc(sizeof *p);
    p->stream = s;
    list_init(&p->pending);
    s->user = p;
    grpc_stream_headers(s, NULL, 0);
}

void publish_message(struct grpc_stream *s, struct str bytes)
{
    struct publish_stream *p = s->user;
    struct bus *b = s->ctx;
    struct err e;
    if (p->failed)
        return;
    Gantry__Bus__V1__PublishRequest *r =
        gantry__bus__v1__publish_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    int rc = 0;
    if (r == NULL)
        rc = err_set(&e, ERR_INVALID_ARGUMENT, "not a gantry.bus.v1.PublishRequest");
    if (rc == 0)
        rc = publish_validate(r, &e);
    if (rc == 0)
        rc = publish_check_depth(b->config.group, str_from(r->topic), &e);
    if (rc == 0)
        publish_submit(p, b, r);
    else
        publish_fail(p, rc, &e);
    if (r != NULL)
        gantry__bus__v1__publish_request__free_unpacked(r, NULL);
}

void publish_half_close(struct grpc_stream *s)
{
    struct publish_stream *p = s->user;
    p->half_closed = true;
    if (p->pending_count == 0 && !p->failed)
        grpc_stream_finish(s, GRPC_OK, str_of(NULL, 0));
}

void publish_closed(struct grpc_stream *s, int status)
{
    (void)status;
    struct publish_stream *p = s->user;
    p->stream = NULL;
    publish_free_if_done(p);
}
