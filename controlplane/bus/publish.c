/*
 * gantry.bus.v1.Bus/Publish: one response per request, in order.
 *
 * A stream has one transaction in flight; requests that come meanwhile wait, and the next
 * transaction takes a run of them with the same topic and producer. Pipelining transactions instead
 * would lose messages: when one fails and a later one is applied, the later one's sequence makes
 * the retry of the first look like a duplicate.
 *
 * The first failure ends the stream with its status: that transaction was perhaps applied, nothing
 * behind it was, and the publisher sends all of it again with the same producer and sequences.
 */
#include "controlplane/bus/publish.h"

#include "api/proto/bus.pb-c.h"
#include "base/assert.h"
#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/request.h"
#include "controlplane/bus/topic.h"

struct publish_stream {
    struct grpc_stream *stream; /* NULL once closed */
    struct env_loop *loop;
    struct bus *bus;
    struct list waiting; /* struct publish_request, oldest first */
    struct list flight;  /* those in the transaction */
    size_t pending;      /* of both lists */
    size_t pending_bytes;
    struct store_write write;
    bool half_closed;
    bool paused;
    bool failed;
};

struct publish_request {
    struct list node;
    Gantry__Bus__V1__PublishRequest *in;
    size_t bytes; /* of the bodies */
};

bool publish_forgets(const struct bus *b)
{
    return store_feature_level(b->config.group) >= 2;
}

size_t publish_ops(struct arena *a, uint64_t wall_ns, struct str topic, struct str producer,
                   bool forget, const struct publish_message_in *messages, size_t count,
                   struct store_op *ops)
{
    size_t n = 0;
    uint64_t expires_ms = forget && producer.len > 0 ? wall_ns / ENV_MS + PUBLISH_PRODUCER_MS : 0;
    ops[n++] = (struct store_op){ .type = STORE_OP_ROW_PUT, .key = topic_row_key(a, topic) };
    for (size_t i = 0; i < count; i++)
        ops[n++] = (struct store_op){ .type = STORE_OP_APPEND,
                                      .key = topic,
                                      .value = topic_record(a, wall_ns, messages[i].body),
                                      .producer = producer,
                                      .producer_sequence = messages[i].sequence,
                                      .expires_ms = expires_ms };
    return n;
}

/* ---- limits ---- */

static bool publish_count_topic(void *ctx, struct str key, struct str value)
{
    (void)key;
    (void)value;
    size_t *count = ctx;
    return ++*count < TOPIC_COUNT_MAX;
}

static int publish_check_read(const struct bus *b, struct store_read *r, struct arena *a,
                              struct str topic, struct err *e)
{
    uint64_t first = 0;
    uint64_t last = 0;
    if (store_read_stream_bounds(r, topic, &first, &last) == 0) {
        if (last + 1 - first < b->config.depth_max || topic_is_system(topic))
            return 0;
        return err_set(e, ERR_TOO_MANY_REQUESTS,
                       "topic %.*s holds %llu messages, its limit, that its channels have not "
                       "acknowledged",
                       STR_ARG(topic), (unsigned long long)b->config.depth_max);
    }
    struct str row;
    if (store_read_row(r, topic_row_key(a, topic), &row) == 0)
        return 0;
    size_t count = 0;
    bool more = false;
    (void)store_read_rows(r, str_lit("topic/"), str_of(NULL, 0), publish_count_topic, &count,
                          &more); /* none: 0 */
    if (count < TOPIC_COUNT_MAX)
        return 0;
    return err_set(e, ERR_TOO_MANY_REQUESTS, "the bus holds %u topics, its limit; %.*s is new",
                   TOPIC_COUNT_MAX, STR_ARG(topic));
}

int publish_check(struct bus *b, struct str topic, struct err *e)
{
    struct store_read r;
    int rc = store_read_begin(b->config.group, 0, &r);
    if (rc != 0)
        return err_set(e, (enum err_code)(-rc), "the bus cannot be read now; try again");
    struct arena a;
    arena_init(&a);
    rc = publish_check_read(b, &r, &a, topic, e);
    arena_deinit(&a);
    store_read_end(&r);
    return rc;
}

/* ---- the stream ---- */

static void publish_forget(struct publish_stream *p, struct list *requests)
{
    for (struct list *node = list_pop(requests); node != NULL; node = list_pop(requests)) {
        struct publish_request *request = container_of(node, struct publish_request, node);
        p->pending--;
        p->pending_bytes -= request->bytes;
        gantry__bus__v1__publish_request__free_unpacked(request->in, NULL);
        mem_free(request);
    }
}

static void publish_free_if_done(struct publish_stream *p)
{
    if (p->stream == NULL && p->pending == 0)
        mem_free(p);
}

static void publish_fail(struct publish_stream *p, int code, const struct err *e)
{
    p->failed = true;
    publish_forget(p, &p->waiting);
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

/*
 * What was appended lies in one run at the stream's end, and a producer's duplicates are the first
 * ones: so the last body's sequence gives every other's, and 0 stands for a duplicate's. The store
 * knows a duplicate's only when it is the newest of its producer.
 */
static void publish_respond_all(struct publish_stream *p)
{
    const struct store_result *result = &p->write.result;
    size_t behind = 0;
    list_foreach (node, &p->flight) {
        behind += container_of(node, struct publish_request, node)->in->n_bodies;
    }
    list_foreach (node, &p->flight) {
        behind -= container_of(node, struct publish_request, node)->in->n_bodies;
        bool known = behind == 0 || (behind < result->appended && behind < result->sequence);
        publish_respond(p, known ? result->sequence - behind : 0);
    }
}

static void publish_next(struct publish_stream *p);

static void publish_written(struct store_write *write)
{
    struct publish_stream *p = container_of(write, struct publish_stream, write);
    int status = write->result.status;
    struct err e;
    if (status == 0 && p->stream != NULL && !p->failed)
        publish_respond_all(p);
    publish_forget(p, &p->flight);
    if (status != 0 && !p->failed) {
        (void)err_set(&e, (enum err_code)(-status), "publish: %s%s", err_name(status),
                      err_retryable(status) ? "; send it again" : "");
        publish_fail(p, status, &e);
    }
    publish_next(p);
    publish_free_if_done(p);
}

/* Moves the first waiting requests of one topic and producer into the flight. */
static size_t publish_gather(struct publish_stream *p, struct publish_message_in *messages)
{
    const Gantry__Bus__V1__PublishRequest *first = NULL;
    size_t count = 0;
    size_t bytes = 0;
    while (!list_empty(&p->waiting)) {
        struct publish_request *request =
            container_of(p->waiting.next, struct publish_request, node);
        const Gantry__Bus__V1__PublishRequest *in = request->in;
        if (first == NULL)
            first = in;
        else if (!str_eq_c(str_from(in->topic), first->topic) ||
                 !str_eq_c(str_from(in->producer), first->producer) ||
                 count + in->n_bodies > PUBLISH_GATHER_BODIES_MAX ||
                 bytes + request->bytes > PUBLISH_GATHER_BYTES_MAX)
            break;
        for (size_t i = 0; i < in->n_bodies; i++)
            messages[count++] = (struct publish_message_in){
                .body = str_of(in->bodies[i].data, in->bodies[i].len),
                .sequence = in->sequence + i,
            };
        bytes += request->bytes;
        list_remove(&request->node);
        list_append(&p->flight, &request->node);
    }
    return count;
}

static void publish_submit(struct publish_stream *p)
{
    struct publish_message_in messages[PUBLISH_GATHER_BODIES_MAX];
    struct store_op ops[PUBLISH_GATHER_BODIES_MAX + 1];
    size_t count = publish_gather(p, messages);
    const Gantry__Bus__V1__PublishRequest *first =
        container_of(p->flight.next, struct publish_request, node)->in;
    struct arena a;
    arena_init(&a);
    struct store_txn txn = { .ops = ops };
    txn.ops_count =
        publish_ops(&a, env_wall_ns(p->bus->config.env), str_from(first->topic),
                    str_from(first->producer), publish_forgets(p->bus), messages, count, ops);
    p->write = (struct store_write){ .loop = p->loop, .done = publish_written };
    store_submit(p->bus->config.group, &p->write, &txn);
    arena_deinit(&a);
}

/* After anything changed: the next transaction, reading on or not, the end. */
static void publish_next(struct publish_stream *p)
{
    if (p->stream == NULL || p->failed)
        return;
    if (list_empty(&p->flight) && !list_empty(&p->waiting))
        publish_submit(p);
    bool full = p->pending >= PUBLISH_PENDING_MAX || p->pending_bytes >= PUBLISH_PENDING_BYTES_MAX;
    if (full && !p->paused) {
        p->paused = true;
        grpc_stream_pause(p->stream);
    } else if (!full && p->paused) {
        p->paused = false;
        grpc_stream_resume(p->stream);
    }
    if (p->half_closed && p->pending == 0)
        grpc_stream_finish(p->stream, GRPC_OK, str_of(NULL, 0));
}

/* ---- the method's events ---- */

void publish_open(struct grpc_stream *s)
{
    struct publish_stream *p = mem_alloc(sizeof *p);
    p->stream = s;
    p->loop = s->x->loop;
    p->bus = s->ctx;
    list_init(&p->waiting);
    list_init(&p->flight);
    s->user = p;
    grpc_stream_headers(s, NULL, 0);
}

void publish_message(struct grpc_stream *s, struct str bytes)
{
    struct publish_stream *p = s->user;
    struct err e;
    if (p->failed)
        return;
    Gantry__Bus__V1__PublishRequest *in = NULL;
    size_t body_bytes = 0;
    int rc = request_publish(bytes, &in, &body_bytes, &e);
    if (rc == 0)
        rc = publish_check(p->bus, str_from(in->topic), &e);
    if (rc != 0) {
        if (in != NULL)
            gantry__bus__v1__publish_request__free_unpacked(in, NULL);
        publish_fail(p, rc, &e);
        return;
    }
    struct publish_request *request = mem_alloc(sizeof *request);
    request->in = in;
    request->bytes = body_bytes;
    list_append(&p->waiting, &request->node);
    p->pending++;
    p->pending_bytes += body_bytes;
    publish_next(p);
}

void publish_half_close(struct grpc_stream *s)
{
    struct publish_stream *p = s->user;
    p->half_closed = true;
    publish_next(p);
}

void publish_closed(struct grpc_stream *s, int status)
{
    (void)status;
    struct publish_stream *p = s->user;
    p->stream = NULL;
    publish_forget(p, &p->waiting);
    publish_free_if_done(p);
}
