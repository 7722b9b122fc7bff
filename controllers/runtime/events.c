/*
 * The event recorder (see events.h). One struct known per distinct event; those with something to
 * write stand in a list, and one call at a time works it off. A retryable failure pauses the list
 * and sends the same write, with the same request id, again; any other failure drops that write.
 */
#include "controllers/runtime/events.h"

#include <stdio.h>
#include <string.h>

#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

#define RETRY_MS     500
#define ATTEMPTS_MAX 20

struct known {
    struct list node; /* in recorder.pending while something is to be written */
    struct event_about about;
    struct str component, type, reason, message; /* owned, as the strings of about */
    struct str name;                             /* of the Event object */
    int32_t count;                               /* seen */
    int32_t written;                             /* count last acknowledged; 0: no object yet */
    int64_t first_seconds, last_seconds;
    uint64_t stamp_ns; /* when it was last seen; the end of its object's name */
    bool forgotten;    /* no longer in the map: freed when written */
};

struct event_recorder {
    struct client *client;
    char *instance;
    uint64_t term;
    uint64_t nonce; /* makes request ids of this recorder its own */
    uint64_t sequence;
    uint64_t stamp_ns; /* given last: no two are the same */
    struct map events; /* text of all fields -> struct known */
    struct list pending;
    size_t pending_count;
    struct client_call call;
    struct known *writing;
    int32_t writing_count;
    uint32_t attempts;
    char request_id[CLIENT_REQUEST_ID_MAX + 1];
    struct buf body;
    struct env_timer timer;
    bool in_flight;
    bool freed;
    uint64_t given, written, dropped;
};

static void write_next(struct event_recorder *r);

static struct str own(struct str s)
{
    return str_of(mem_dup(s.data, s.len), s.len);
}

static void disown(struct str s)
{
    mem_free((char *)(uintptr_t)s.data);
}

static void known_free(struct known *k)
{
    disown(k->about.namespace);
    disown(k->about.name);
    disown(k->about.uid);
    disown(k->about.resource_version);
    disown(k->component);
    disown(k->type);
    disown(k->reason);
    disown(k->message);
    disown(k->name);
    mem_free(k);
}

/* The wall clock, a nanosecond on at least. */
static uint64_t next_stamp(struct event_recorder *r)
{
    uint64_t now = env_wall_ns(env_of(r->client->loop));

    r->stamp_ns = now > r->stamp_ns ? now : r->stamp_ns + 1;
    return r->stamp_ns;
}

/* Cluster-scoped objects have their events in the namespace default. */
static struct str event_namespace(const struct known *k)
{
    return k->about.namespace.len > 0 ? k->about.namespace : str_lit("default");
}

/* ---- writing ---- */

static Time *time_of(struct arena *a, int64_t seconds)
{
    Time *t = arena_new(a, Time);

    time__init(t);
    t->has_seconds = 1;
    t->seconds = seconds;
    return t;
}

static ObjectReference *reference_of(struct arena *a, const struct known *k)
{
    ObjectReference *ref = arena_new(a, ObjectReference);

    object_reference__init(ref);
    ref->kind = (char *)(uintptr_t)kind_info(k->about.kind)->name;
    ref->api_version = (char *)(uintptr_t)kind_api_version(k->about.kind);
    ref->namespace_ = str_dup(a, k->about.namespace);
    ref->name = str_dup(a, k->about.name);
    ref->uid = str_dup(a, k->about.uid);
    ref->resource_version = str_dup(a, k->about.resource_version);
    return ref;
}

static void build_create(struct event_recorder *r, const struct known *k)
{
    struct arena a;
    Event *ev;

    arena_init(&a);
    ev = schema_new(&a, kind_info(KIND_EVENT)->schema);
    ev->metadata = arena_new(&a, ObjectMeta);
    object_meta__init(ev->metadata);
    ev->metadata->name = str_dup(&a, k->name);
    ev->metadata->namespace_ = str_dup(&a, event_namespace(k));
    ev->involved_object = reference_of(&a, k);
    ev->reason = str_dup(&a, k->reason);
    ev->message = str_dup(&a, k->message);
    ev->type = str_dup(&a, k->type);
    ev->source = arena_new(&a, EventSource);
    event_source__init(ev->source);
    ev->source->component = str_dup(&a, k->component);
    ev->reporting_component = ev->source->component;
    ev->reporting_instance = r->instance;
    ev->first_timestamp = time_of(&a, k->first_seconds);
    ev->last_timestamp = time_of(&a, k->last_seconds);
    ev->has_count = 1;
    ev->count = k->count;
    client_wrap(&r->body, str_from(kind_api_version(KIND_EVENT)), str_lit("Event"),
                schema_pack_arena(&a, kind_info(KIND_EVENT)->schema, ev));
    arena_deinit(&a);
}

static void build_patch(struct event_recorder *r, const struct known *k)
{
    char when[TIME_TEXT_MAX];

    (void)time_format(k->last_seconds, when); /* the length is not needed */
    buf_printf(&r->body, "{\"count\":%d,\"lastTimestamp\":\"%s\"}", (int)k->count, when);
}

static void writing_ended(struct event_recorder *r)
{
    struct known *k = r->writing;

    r->writing = NULL;
    if (k->forgotten)
        known_free(k);
}

static void on_written(struct client_call *call)
{
    struct event_recorder *r = call->priv;
    struct known *k = r->writing;
    bool again = err_retryable(call->status) && call->status != -ERR_CANCELED;

    r->in_flight = false;
    if (r->freed) {
        event_recorder_free(r);
        return;
    }
    if (call->status == 0) {
        r->written++;
        k->written = r->writing_count;
    } else if (again && ++r->attempts < ATTEMPTS_MAX) {
        env_timer_start(&r->timer, RETRY_MS);
        return;
    } else {
        r->dropped++;
        k->written = 0; /* gone by its time to live, or never made: the next one makes it anew */
    }
    writing_ended(r);
    write_next(r);
}

static void send(struct event_recorder *r)
{
    struct known *k = r->writing;
    bool fresh = k->written == 0;

    r->call = (struct client_call){ .verb = fresh ? CLIENT_CREATE : CLIENT_PATCH,
                                    .kind = KIND_EVENT,
                                    .namespace = event_namespace(k),
                                    .name = fresh ? str_of(NULL, 0) : k->name,
                                    .content = fresh ? CLIENT_PROTOBUF : CLIENT_MERGE_PATCH,
                                    .body = buf_str(&r->body),
                                    .fence_term = r->term,
                                    .request_id = str_from(r->request_id),
                                    .done = on_written,
                                    .priv = r };
    r->in_flight = true;
    client_call(r->client, &r->call);
}

static void write_next(struct event_recorder *r)
{
    struct list *node;

    if (r->writing != NULL || r->freed)
        return;
    node = list_pop(&r->pending);
    if (node == NULL)
        return;
    r->pending_count--;
    r->writing = container_of(node, struct known, node);
    r->writing_count = r->writing->count;
    r->attempts = 0;
    (void)snprintf(r->request_id, sizeof(r->request_id), "ev:%llx.%llx",
                   (unsigned long long)r->nonce, (unsigned long long)++r->sequence);
    buf_clear(&r->body);
    if (r->writing->written == 0) {
        disown(r->writing->name);
        /* As upstream's: a list, which is in the order of names, is in the order of time too. */
        buf_printf(&r->body, "%.*s.%llx", STR_ARG(r->writing->about.name),
                   (unsigned long long)r->writing->stamp_ns);
        r->writing->name = own(buf_str(&r->body));
        buf_clear(&r->body);
        build_create(r, r->writing);
    } else {
        build_patch(r, r->writing);
    }
    send(r);
}

static void on_timer(struct env_timer *t)
{
    send(container_of(t, struct event_recorder, timer));
}

/* ---- public ---- */

struct event_recorder *event_recorder_new(struct client *client, const char *instance,
                                          uint64_t term)
{
    struct event_recorder *r = mem_alloc(sizeof(*r));

    r->client = client;
    r->instance = mem_strdup(instance != NULL ? instance : "");
    r->term = term;
    r->nonce = env_random_u64(env_of(client->loop));
    map_init(&r->events);
    list_init(&r->pending);
    buf_init(&r->body);
    env_timer_init(client->loop, &r->timer, on_timer);
    return r;
}

static void forget_all(struct event_recorder *r)
{
    map_foreach (it, &r->events) {
        struct known *k = it.value;

        if (k == r->writing || !list_empty(&k->node))
            k->forgotten = true;
        else
            known_free(k);
    }
    map_deinit(&r->events);
    map_init(&r->events);
}

static struct known *known_new(const char *component, const struct event_about *about,
                               const char *type, const char *reason, struct str message)
{
    struct known *k = mem_alloc(sizeof(*k));

    list_init(&k->node);
    k->about.kind = about->kind;
    k->about.namespace = own(about->namespace);
    k->about.name = own(about->name);
    k->about.uid = own(about->uid);
    k->about.resource_version = own(about->resource_version);
    k->component = own(str_from(component));
    k->type = own(str_from(type));
    k->reason = own(str_from(reason));
    k->message = own(message);
    return k;
}

void event_record(struct event_recorder *r, const char *component, const struct event_about *about,
                  const char *type, const char *reason, struct str message)
{
    struct buf text;
    struct known *k;

    if (message.len > EVENT_MESSAGE_BYTES_MAX)
        message.len = EVENT_MESSAGE_BYTES_MAX;
    while (message.len > 0 && !str_utf8_valid(message))
        message.len--;
    r->given++;
    buf_init(&text);
    buf_printf(&text, "%d/%.*s/%.*s/%.*s/%s/%s/%s/", (int)about->kind, STR_ARG(about->namespace),
               STR_ARG(about->name), STR_ARG(about->uid), component, type, reason);
    buf_append_str(&text, message);
    k = map_get(&r->events, buf_str(&text));
    if (k == NULL && r->pending_count >= EVENTS_PENDING_MAX) {
        r->dropped++;
        buf_deinit(&text);
        return;
    }
    if (k == NULL) {
        if (map_count(&r->events) >= EVENTS_KNOWN_MAX)
            forget_all(r);
        k = known_new(component, about, type, reason, message);
        (void)map_put(&r->events, buf_str(&text), k); /* new: replaces nothing */
    }
    buf_deinit(&text);
    k->stamp_ns = next_stamp(r);
    k->last_seconds = (int64_t)(k->stamp_ns / ENV_S);
    if (k->count++ == 0)
        k->first_seconds = k->last_seconds;
    if (list_empty(&k->node)) {
        list_append(&r->pending, &k->node);
        r->pending_count++;
    }
    write_next(r);
}

void event_recorder_free(struct event_recorder *r)
{
    if (r == NULL)
        return;
    if (!r->freed) {
        r->freed = true;
        env_timer_stop(&r->timer);
        if (r->in_flight) {
            client_cancel(r->client, &r->call);
            return;
        }
    }
    if (r->in_flight)
        return;
    if (r->writing != NULL)
        writing_ended(r);
    for (struct list *node; (node = list_pop(&r->pending)) != NULL;) {
        struct known *k = container_of(node, struct known, node);

        if (k->forgotten)
            known_free(k);
    }
    forget_all(r);
    map_deinit(&r->events);
    buf_deinit(&r->body);
    env_timer_deinit(&r->timer);
    mem_free(r->instance);
    mem_free(r);
}

void event_recorder_counts(const struct event_recorder *r, uint64_t *out_given,
                           uint64_t *out_written, uint64_t *out_dropped)
{
    *out_given = r->given;
    *out_written = r->written;
    *out_dropped = r->dropped;
}
