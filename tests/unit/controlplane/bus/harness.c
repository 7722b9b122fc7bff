/* See the header. Nothing on the loop's thread asserts: what it finds is looked at by the test. */
#include "tests/unit/controlplane/bus/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/env_uv.h"
#include "net/server.h"
#include "tests/unit/unit.h"

/* ---- crossing to the loop ---- */

struct crossing {
    struct env_msg msg;
    void (*fn)(void *ctx);
    void *ctx;
    _Atomic int done;
};

static void run_crossing(struct env_msg *m)
{
    struct crossing *c = container_of(m, struct crossing, msg);
    c->fn(c->ctx);
    atomic_store(&c->done, 1);
}

void harness_sleep(uint32_t ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    (void)nanosleep(&t, NULL);
}

void harness_run(struct harness *h, void (*fn)(void *ctx), void *ctx)
{
    struct crossing c = { .fn = fn, .ctx = ctx };
    env_post(h->loop, &c.msg, run_crossing);
    for (int waits = 0; atomic_load(&c.done) == 0; waits++) {
        struct timespec nap = { .tv_nsec = 20000 };
        (void)nanosleep(&nap, NULL);
        ASSERT(waits < HARNESS_WAIT_MS * 50);
    }
}

struct condition {
    bool (*fn)(void *ctx);
    void *ctx;
    bool met;
};

static void run_condition(void *ctx)
{
    struct condition *c = ctx;
    c->met = c->fn(c->ctx);
}

void harness_until(struct harness *h, bool (*fn)(void *ctx), void *ctx)
{
    struct condition c = { .fn = fn, .ctx = ctx };
    uint64_t until = env_now_ns(h->env) + HARNESS_WAIT_MS * ENV_MS;
    for (;;) {
        harness_run(h, run_condition, &c);
        if (c.met)
            return;
        if (env_now_ns(h->env) > until)
            fail_msg("waited %d ms in vain", HARNESS_WAIT_MS);
        harness_sleep(2);
    }
}

/* ---- life ---- */

static void open_store(struct harness *h)
{
    struct err e = { 0 };
    char data[96];
    (void)snprintf(data, sizeof data, "%s/data", h->folder);
    struct store_config config = { .env = h->env,
                                   .folder = data,
                                   .member_id = 1,
                                   .members_count = 1,
                                   .start = STORE_START_FOUND,
                                   .peer_listen_fd = -1,
                                   .raft_listen_fd = -1,
                                   .map_bytes = 256u << 20,
                                   .heartbeat_ms = 20,
                                   .election_ms = 100 };
    config.members[0] = h->member;
    int rc = env_dir_make(h->env, data, 0700, &e);
    rc = rc == 0 ? store_open(&config, &h->store, &e) : rc;
    if (rc != 0)
        fail_msg("store: %s", e.msg);
}

static void none_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static void serve(void *ctx, struct http_exchange *x)
{
    static const struct http_exchange_events events = { .closed = none_closed };
    struct harness *h = ctx;
    const struct grpc_service *services[] = { bus_service(h->bus) };
    if (grpc_serve(x, services, 1))
        return;
    x->events = &events;
    http_reply(x, 404, NULL, str_lit(""));
}

static bool leads(void *ctx)
{
    return ((struct harness *)ctx)->bus->leading;
}

static void open_client(void *ctx)
{
    struct harness *h = ctx;
    struct http_client_options options = { .address = h->address,
                                           .authority = "bus.test",
                                           .protocol = HTTP_PROTOCOL_HTTP2 };
    h->client = http_client_new(h->loop, &options);
}

static void open_bus(struct harness *h)
{
    struct err e = { 0 };
    h->loop = env_loop_new(h->env, "bus");
    struct bus_config config = { .env = h->env,
                                 .loop = h->loop,
                                 .group = store_group(h->store, STORE_BUS),
                                 .members = &h->member,
                                 .members_count = 1,
                                 .depth_max = HARNESS_DEPTH };
    h->bus = bus_new(&config);
    struct http_server_options server = { .address = "tcp:127.0.0.1:0",
                                          .handler = serve,
                                          .ctx = h };
    if (http_server_open(h->loop, &server, &h->server, &e) != 0)
        fail_msg("server: %s", e.msg);
    (void)snprintf(h->address, sizeof h->address, "tcp:127.0.0.1:%d", http_server_port(h->server));
    env_loop_start(h->loop);
    harness_run(h, open_client, h);
    harness_until(h, leads, h);
}

static void forget(void *ctx)
{
    *(void **)ctx = NULL;
}

static void close_net(void *ctx)
{
    struct harness *h = ctx;
    http_client_close(h->client, forget, &h->client);
    http_server_close(h->server, 0, forget, &h->server);
}

static bool net_closed(void *ctx)
{
    struct harness *h = ctx;
    return h->client == NULL && h->server == NULL;
}

/* No write under way, and none begins: the store may go. */
static bool bus_quiet(void *ctx)
{
    struct bus *b = ((struct harness *)ctx)->bus;
    if (b->flushing || b->trimming || b->consumers_count > 0 || b->waiting_count > 0)
        return false;
    b->leading = false;
    env_timer_stop(&b->flush_timer);
    env_timer_stop(&b->trim_timer);
    env_timer_stop(&b->due_timer);
    return true;
}

static void close_bus(struct harness *h)
{
    harness_run(h, close_net, h);
    harness_until(h, net_closed, h);
    harness_until(h, bus_quiet, h);
    env_loop_stop(h->loop);
    env_loop_join(h->loop);
}

static void free_bus(struct harness *h)
{
    bus_free(h->bus);
    env_loop_free(h->loop);
}

int harness_setup(void **state)
{
    struct harness *h = mem_alloc(sizeof *h);
    h->env = env_uv_new();
    (void)snprintf(h->folder, sizeof h->folder, "/tmp/bus-test-XXXXXX");
    assert_non_null(mkdtemp(h->folder));
    h->member.id = 1;
    (void)snprintf(h->member.name, sizeof h->member.name, "solo");
    (void)snprintf(h->member.peer_address, sizeof h->member.peer_address, "tcp:127.0.0.1:0");
    open_store(h);
    open_bus(h);
    *state = h;
    return 0;
}

int harness_teardown(void **state)
{
    struct harness *h = *state;
    close_bus(h);
    store_close(h->store);
    free_bus(h);
    (void)env_remove_tree(h->env, h->folder, NULL); /* only a temporary folder */
    env_uv_free(h->env);
    mem_free(h);
    return 0;
}

void harness_restart(struct harness *h)
{
    close_bus(h);
    store_close(h->store);
    free_bus(h);
    open_store(h);
    open_bus(h);
}

struct edge {
    struct harness *h;
    bool leading;
};

static void run_edge(void *ctx)
{
    struct edge *edge = ctx;
    struct bus *b = edge->h->bus;
    b->leadership.changed(&b->leadership, edge->leading, b->term);
}

void harness_lead(struct harness *h, bool leading)
{
    struct edge edge = { h, leading };
    harness_run(h, run_edge, &edge);
}

/* ---- the store ---- */

struct write {
    struct store_write write;
    struct harness *h;
    struct store_group *group;
    const struct store_txn *txn;
    bool done;
};

static void on_written(struct store_write *w)
{
    container_of(w, struct write, write)->done = true;
}

static void run_write(void *ctx)
{
    struct write *w = ctx;
    w->write.loop = w->h->loop;
    w->write.done = on_written;
    store_submit(w->group, &w->write, w->txn);
}

static bool write_done(void *ctx)
{
    return ((struct write *)ctx)->done;
}

struct store_result harness_write(struct harness *h, enum store_group_id group,
                                  const struct store_txn *txn)
{
    struct write w = { .h = h, .group = store_group(h->store, group), .txn = txn };
    harness_run(h, run_write, &w);
    harness_until(h, write_done, &w);
    return w.write.result;
}

void harness_bounds(struct harness *h, const char *topic, uint64_t *out_first, uint64_t *out_last)
{
    struct store_read r;
    *out_first = 0;
    *out_last = 0;
    assert_int_equal(store_read_begin(store_group(h->store, STORE_BUS), 0, &r), 0);
    (void)store_read_stream_bounds(&r, str_from(topic), out_first, out_last); /* none: 0, 0 */
    store_read_end(&r);
}

bool harness_row(struct harness *h, struct str key)
{
    struct store_read r;
    struct str value;
    assert_int_equal(store_read_begin(store_group(h->store, STORE_BUS), 0, &r), 0);
    bool found = store_read_row(&r, key, &value) == 0;
    store_read_end(&r);
    return found;
}

struct wanted_row {
    struct harness *h;
    struct str key;
};

static bool row_is_there(void *ctx)
{
    struct wanted_row *w = ctx;
    return harness_row(w->h, w->key);
}

void harness_wait_row(struct harness *h, const char *key)
{
    struct wanted_row w = { h, str_from(key) };
    harness_until(h, row_is_there, &w);
}

/* ---- publishing ---- */

static void publish_message_came(struct grpc_call *call, struct str bytes)
{
    struct published *p = call->user;
    Gantry__Bus__V1__PublishResponse *r =
        gantry__bus__v1__publish_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    ASSERT(r != NULL);
    ASSERT(p->count < HARNESS_ROWS);
    p->sequences[p->count++] = r->sequence;
    gantry__bus__v1__publish_response__free_unpacked(r, NULL);
}

static void publish_done(struct grpc_call *call)
{
    struct published *p = call->user;
    p->code = call->code;
    (void)snprintf(p->message, sizeof p->message, "%.*s", STR_ARG(call->message));
    p->done = true;
}

struct publishing {
    struct harness *h;
    struct published *p;
    const Gantry__Bus__V1__PublishRequest *requests;
    size_t count;
};

static void run_publish(void *ctx)
{
    static const struct grpc_call_events events = { .message = publish_message_came,
                                                    .done = publish_done };
    struct publishing *all = ctx;
    struct grpc_call *call = &all->p->call;
    *call = (struct grpc_call){
        .path = "/gantry.bus.v1.Bus/Publish", .kind = GRPC_BIDI, .events = &events, .user = all->p
    };
    grpc_call_start(all->h->client, call, str_of(NULL, 0));
    for (size_t i = 0; i < all->count; i++) {
        size_t size = gantry__bus__v1__publish_request__get_packed_size(&all->requests[i]);
        uint8_t *bytes = mem_alloc(size + 1);
        (void)gantry__bus__v1__publish_request__pack(&all->requests[i], bytes);
        grpc_call_send(call, str_of(bytes, size));
        mem_free(bytes);
    }
    grpc_call_end(call);
}

static bool publish_is_done(void *ctx)
{
    return ((struct published *)ctx)->done;
}

static void free_call(void *ctx)
{
    grpc_call_deinit(ctx);
}

void harness_publish_all(struct harness *h, struct published *out,
                         const Gantry__Bus__V1__PublishRequest *requests, size_t count)
{
    struct publishing all = { h, out, requests, count };
    memset(out, 0, sizeof *out);
    harness_run(h, run_publish, &all);
    harness_until(h, publish_is_done, out);
    harness_run(h, free_call, &out->call);
}

uint64_t harness_publish(struct harness *h, const char *topic, const char *producer,
                         uint64_t sequence, const char *body, size_t count,
                         enum grpc_code *out_code)
{
    static char texts[256][32];
    static ProtobufCBinaryData bodies[256];
    static struct published p;
    assert_true(count <= 256);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%s%zu", body, i);
        bodies[i].data = (uint8_t *)texts[i];
        bodies[i].len = strlen(texts[i]);
    }
    Gantry__Bus__V1__PublishRequest request = GANTRY__BUS__V1__PUBLISH_REQUEST__INIT;
    request.topic = (char *)(uintptr_t)topic;
    request.producer = (char *)(uintptr_t)producer;
    request.sequence = sequence;
    request.bodies = bodies;
    request.n_bodies = count;
    harness_publish_all(h, &p, &request, 1);
    if (out_code != NULL)
        *out_code = p.code;
    else if (p.code != GRPC_OK || p.count != 1)
        fail_msg("publish: %s %s", grpc_code_name(p.code), p.message);
    return p.count > 0 ? p.sequences[0] : 0;
}
