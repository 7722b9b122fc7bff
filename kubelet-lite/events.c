/* Recording events (see the header): one call at a time, in order. */
#include "kubelet-lite/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/client/client.h"
#include "api/meta/text.h"
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

#define MESSAGE_BYTES_MAX 1024
#define NAME_BYTES_MAX    300
#define COMPONENT         "kubelet"
/* The first of several waits: what it tells of is mostly a pod that starts, which it would slow. */
#define LATER_MS 250

struct known {
    char name[NAME_BYTES_MAX];
    uint32_t count;
    int64_t first_s;
};

struct waiting {
    struct list node;
    struct event_subject about; /* strings owned */
    bool warning;
    char *reason;
    char message[MESSAGE_BYTES_MAX];
    int64_t now_s;
    uint64_t stamp_ns; /* no two waiting have the same */
};

struct events {
    struct client *client;
    char *node;
    struct list queue;
    size_t queued;
    uint64_t stamp_ns; /* given last */
    struct map known;
    struct client_call call;
    struct arena arena; /* of the call */
    struct buf body;
    char *key; /* of the event being created */
    struct env_timer later;
    bool busy;
    bool closing;
};

static void send_next(struct events *e);

static void on_later(struct env_timer *t)
{
    send_next(container_of(t, struct events, later));
}

struct events *events_new(struct client *client, const char *node)
{
    struct events *e = mem_alloc(sizeof *e);
    e->client = client;
    e->node = mem_strdup(node);
    list_init(&e->queue);
    map_init(&e->known);
    arena_init(&e->arena);
    buf_init(&e->body);
    env_timer_init(client->loop, &e->later, on_later);
    return e;
}

static void forget_known(struct events *e)
{
    map_foreach (it, &e->known)
        mem_free(it.value);
    map_deinit(&e->known);
    map_init(&e->known);
}

static void waiting_free(struct waiting *w)
{
    mem_free((char *)w->about.kind);
    mem_free((char *)w->about.namespace);
    mem_free((char *)w->about.name);
    mem_free((char *)w->about.uid);
    mem_free((char *)w->about.field_path);
    mem_free(w->reason);
    mem_free(w);
}

static void destroy(struct events *e)
{
    struct list *node;
    while ((node = list_pop(&e->queue)) != NULL)
        waiting_free(container_of(node, struct waiting, node));
    forget_known(e);
    map_deinit(&e->known);
    arena_deinit(&e->arena);
    buf_deinit(&e->body);
    mem_free(e->node);
    mem_free(e);
}

void events_free(struct events *e)
{
    if (e == NULL)
        return;
    e->closing = true;
    env_timer_deinit(&e->later);
    if (!e->busy)
        destroy(e);
}

/* ---- sending ---- */

static void on_sent(struct client_call *c)
{
    struct events *e = c->priv;
    /* Counted on an event that is gone (they expire): it is made again next time. */
    if (c->status != 0 && e->key != NULL)
        mem_free(map_remove(&e->known, str_from(e->key)));
    e->busy = false;
    e->key = NULL;
    arena_reset(&e->arena);
    if (e->closing)
        destroy(e);
    else
        send_next(e);
}

static Time *time_of(struct arena *a, int64_t seconds)
{
    Time *t = arena_new(a, Time);
    time__init(t);
    t->has_seconds = 1;
    t->seconds = seconds;
    return t;
}

static Event *make(struct events *e, const struct waiting *w, const struct known *k)
{
    struct arena *a = &e->arena;
    Event *ev = schema_new(a, &schema_Event);
    ev->metadata = schema_new(a, &schema_ObjectMeta);
    ev->metadata->name = (char *)k->name;
    ev->metadata->namespace_ = (char *)w->about.namespace;
    ev->involved_object = schema_new(a, &schema_ObjectReference);
    ev->involved_object->api_version = (char *)"v1";
    ev->involved_object->kind = (char *)w->about.kind;
    ev->involved_object->namespace_ = (char *)w->about.namespace;
    ev->involved_object->name = (char *)w->about.name;
    ev->involved_object->uid = (char *)w->about.uid;
    ev->involved_object->field_path = (char *)w->about.field_path;
    ev->reason = w->reason;
    ev->message = (char *)w->message;
    ev->source = schema_new(a, &schema_EventSource);
    ev->source->component = (char *)COMPONENT;
    ev->source->host = e->node;
    ev->reporting_component = (char *)COMPONENT;
    ev->reporting_instance = e->node;
    ev->first_timestamp = time_of(a, w->now_s);
    ev->last_timestamp = time_of(a, w->now_s);
    ev->has_count = 1;
    ev->count = 1;
    ev->type = (char *)(w->warning ? "Warning" : "Normal");
    return ev;
}

static void send_new(struct events *e, const struct waiting *w, struct known *k)
{
    struct str raw;
    /* As upstream's: a list, which is in the order of names, is in the order of time too. */
    (void)snprintf(k->name, sizeof k->name, "%.236s.%llx", w->about.name,
                   (unsigned long long)w->stamp_ns);
    k->count = 1;
    k->first_s = w->now_s;
    raw = schema_pack_arena(&e->arena, &schema_Event, make(e, w, k));
    buf_clear(&e->body);
    client_wrap(&e->body, str_lit("v1"), str_lit("Event"), raw);
    e->call = (struct client_call){ .verb = CLIENT_CREATE, .content = CLIENT_PROTOBUF };
}

static void send_count(struct events *e, const struct waiting *w, struct known *k)
{
    char now[TIME_TEXT_MAX];
    k->count++;
    (void)time_format(w->now_s, now);
    buf_clear(&e->body);
    buf_printf(&e->body, "{\"count\":%u,\"lastTimestamp\":\"%s\"}", k->count, now);
    e->call = (struct client_call){ .verb = CLIENT_PATCH,
                                    .content = CLIENT_MERGE_PATCH,
                                    .name = str_copy(&e->arena, str_from(k->name)) };
}

static void send_next(struct events *e)
{
    struct list *node = list_pop(&e->queue);
    if (node == NULL)
        return;
    struct waiting *w = container_of(node, struct waiting, node);
    e->queued--;
    struct str key = str_printf(&e->arena, "%s/%s/%s/%s/%s", w->about.kind, w->about.uid,
                                w->about.field_path, w->reason, w->message);
    struct known *k = map_get(&e->known, key);
    if (k == NULL) {
        if (map_count(&e->known) >= EVENTS_KNOWN_MAX)
            forget_known(e);
        k = mem_alloc(sizeof *k);
        (void)map_put(&e->known, key, k);
        send_new(e, w, k);
    } else {
        send_count(e, w, k);
    }
    e->key = (char *)key.data;
    e->busy = true;
    e->call.kind = KIND_EVENT;
    e->call.namespace = str_copy(&e->arena, str_from(w->about.namespace));
    e->call.body = buf_str(&e->body);
    e->call.done = on_sent;
    e->call.priv = e;
    waiting_free(w);
    client_call(e->client, &e->call);
}

void events_record(struct events *e, const struct event_subject *about, bool warning,
                   const char *reason, const char *format, ...)
{
    if (e->queued >= EVENTS_QUEUE_MAX)
        return;
    struct waiting *w = mem_alloc(sizeof *w);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(w->message, sizeof w->message, format, args);
    va_end(args);
    w->about.kind = mem_strdup(text_of(about->kind));
    w->about.namespace = mem_strdup(text_of(about->namespace));
    w->about.name = mem_strdup(text_of(about->name));
    w->about.uid = mem_strdup(text_of(about->uid));
    w->about.field_path = mem_strdup(text_of(about->field_path));
    w->warning = warning;
    w->reason = mem_strdup(reason);
    uint64_t now = env_wall_ns(env_of(e->client->loop));
    e->stamp_ns = now > e->stamp_ns ? now : e->stamp_ns + 1;
    w->stamp_ns = e->stamp_ns;
    w->now_s = (int64_t)(now / ENV_S);
    list_append(&e->queue, &w->node);
    e->queued++;
    if (!e->busy && !env_timer_active(&e->later))
        env_timer_start(&e->later, LATER_MS);
}
