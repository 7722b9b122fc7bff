/* grpc.health.v1.Health: Check and Watch. Its two messages are small enough to be read by hand. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "net/grpc.h"

/* Watchers of one server; more are refused. */
#define WATCHERS_MAX 1024
#define NAME_BYTES   256

enum { HEALTH_SERVING = 1, HEALTH_NOT_SERVING = 2, HEALTH_SERVICE_UNKNOWN = 3 };

struct grpc_health {
    struct grpc_service service;
    struct map states; /* name → one of the two rows below */
    struct list watchers;
    uint32_t watcher_count;
};

struct watcher {
    struct list node;
    struct grpc_stream *stream;
    struct str name; /* in the exchange's arena */
};

static int serving = HEALTH_SERVING;
static int not_serving = HEALTH_NOT_SERVING;

/* HealthCheckRequest: string service = 1; other fields are skipped. */
static int read_request(struct str bytes, struct str *out_name)
{
    struct reader r;
    reader_init(&r, bytes);
    *out_name = str_lit("");
    while (reader_left(&r) > 0 && reader_ok(&r)) {
        uint64_t tag = reader_varint(&r);
        struct str value = { 0 };
        switch (tag & 7) {
        case 0:
            (void)reader_varint(&r); /* a field we do not know */
            break;
        case 1:
            (void)reader_take(&r, 8);
            break;
        case 2:
            value = reader_bytes(&r);
            if (tag >> 3 == 1)
                *out_name = value;
            break;
        case 5:
            (void)reader_take(&r, 4);
            break;
        default:
            return -ERR_PARSE;
        }
    }
    return reader_ok(&r) && out_name->len <= NAME_BYTES ? 0 : -ERR_PARSE;
}

static int state_of(const struct grpc_health *h, struct str name)
{
    const int *state = map_get(&h->states, name);
    return state != NULL ? *state : HEALTH_SERVICE_UNKNOWN;
}

static void send_state(struct grpc_stream *s, int state)
{
    uint8_t message[2] = { 1 << 3, (uint8_t)state }; /* HealthCheckResponse: status = 1 */
    grpc_stream_send(s, str_of(message, sizeof(message)));
}

static void on_check(struct grpc_stream *s, struct str bytes)
{
    struct str name;
    if (read_request(bytes, &name) != 0) {
        grpc_stream_finish(s, GRPC_INVALID_ARGUMENT, str_lit("malformed request"));
        return;
    }
    int state = state_of(s->ctx, name);
    if (state == HEALTH_SERVICE_UNKNOWN) {
        grpc_stream_finish(s, GRPC_NOT_FOUND, str_lit("unknown service"));
        return;
    }
    send_state(s, state);
    grpc_stream_finish(s, GRPC_OK, (struct str){ 0 });
}

static void on_watch(struct grpc_stream *s, struct str bytes)
{
    struct grpc_health *h = s->ctx;
    struct str name;
    if (read_request(bytes, &name) != 0) {
        grpc_stream_finish(s, GRPC_INVALID_ARGUMENT, str_lit("malformed request"));
        return;
    }
    if (h->watcher_count >= WATCHERS_MAX) {
        grpc_stream_finish(s, GRPC_RESOURCE_EXHAUSTED, str_lit("too many watchers"));
        return;
    }
    struct watcher *w = arena_new(&s->x->arena, struct watcher);
    w->stream = s;
    w->name = str_copy(&s->x->arena, name);
    list_append(&h->watchers, &w->node);
    h->watcher_count++;
    s->user = w;
    send_state(s, state_of(h, name));
}

static void on_watch_closed(struct grpc_stream *s, int status)
{
    struct grpc_health *h = s->ctx;
    struct watcher *w = s->user;
    (void)status;
    if (w == NULL)
        return;
    list_remove(&w->node);
    h->watcher_count--;
}

struct grpc_health *grpc_health_new(void)
{
    static const struct grpc_method methods[] = {
        { .path = "/grpc.health.v1.Health/Check",
          .kind = GRPC_UNARY,
          .message_bytes_max = 4096,
          .message = on_check },
        { .path = "/grpc.health.v1.Health/Watch",
          .kind = GRPC_SERVER_STREAM,
          .message_bytes_max = 4096,
          .message = on_watch,
          .closed = on_watch_closed },
    };
    struct grpc_health *h = mem_alloc(sizeof(*h));
    h->service = (struct grpc_service){
        .name = "grpc.health.v1.Health", .methods = methods, .method_count = 2, .ctx = h
    };
    map_init(&h->states);
    list_init(&h->watchers);
    return h;
}

void grpc_health_free(struct grpc_health *h)
{
    if (h == NULL)
        return;
    ASSERT(list_empty(&h->watchers));
    map_deinit(&h->states);
    mem_free(h);
}

void grpc_health_set(struct grpc_health *h, const char *name, bool is_serving)
{
    int *state = is_serving ? &serving : &not_serving;
    if (map_put(&h->states, str_from(name), state) == state)
        return;
    list_foreach (node, &h->watchers) {
        struct watcher *w = container_of(node, struct watcher, node);
        if (str_eq_c(w->name, name))
            send_state(w->stream, *state);
    }
}

const struct grpc_service *grpc_health_service(struct grpc_health *h)
{
    return &h->service;
}
