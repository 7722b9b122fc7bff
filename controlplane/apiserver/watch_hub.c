/*
 * Groups live in two maps: by the text they were asked for, so that equal watches meet, and by
 * their place (watch_hub.h). A walk over a group's members may end members; groups left empty by it
 * are freed after the walk.
 *
 * The hub's position only ever stands between two revisions. All that is live has been given every
 * event up to it, which is what a bookmark promises.
 */
#include "controlplane/apiserver/watch_hub.h"

#include <string.h>

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "base/assert.h"
#include "base/metrics.h"

/* After so long a walk gives way to the loop's other work, and goes on in its next turn. */
#define HUB_TURN_NS (5 * ENV_MS)

struct watch_group {
    struct list node;  /* of its place */
    struct list empty; /* hub->emptied, or alone */
    struct arena arena;
    struct selection selection;
    struct str text; /* what was asked for, as a map key */
    struct str at;   /* its place, as a map key */
    struct list members;
};

struct place {
    struct list groups;
};

struct watch_hub {
    struct api_loop *loop;
    struct store_subscriber subscriber;
    uint64_t position;
    size_t members;
    bool giving;          /* inside a walk: groups that become empty wait for sweep */
    uint64_t began;       /* position at the walk's begin */
    uint64_t within;      /* the revision being given */
    uint64_t turn_end_ns; /* of the walk */
    struct list emptied;  /* groups that may be empty */
    struct list behind;   /* members to let go when the revision is whole */
    struct map groups;    /* by text */
    struct map places;
    struct watch_cache cache;
    struct arena scratch;
};

static struct metric tests_total = { .name = "apiserver_watch_tests_total",
                                     .help = "selections tested against an event",
                                     .type = METRIC_COUNTER };
static struct metric given_total = { .name = "apiserver_watch_given_total",
                                     .help = "events given to live watchers",
                                     .type = METRIC_COUNTER };
static struct metric behind_total = { .name = "apiserver_watch_behind_total",
                                      .help = "watchers let go because they did not keep up",
                                      .type = METRIC_COUNTER };
struct metric *const watch_hub_metrics[] = { &tests_total, &given_total, &behind_total, NULL };

static void group_free(struct watch_hub *hub, struct watch_group *g)
{
    list_remove(&g->node);
    list_remove(&g->empty);
    (void)map_remove(&hub->groups, g->text);
    struct place *place = map_get(&hub->places, g->at);
    if (list_empty(&place->groups)) {
        (void)map_remove(&hub->places, g->at);
        mem_free(place);
    }
    arena_deinit(&g->arena);
    mem_free(g);
}

/* Frees the groups that a walk left empty. */
static void sweep(struct watch_hub *hub)
{
    for (struct list *n = list_pop(&hub->emptied); n != NULL; n = list_pop(&hub->emptied)) {
        struct watch_group *g = container_of(n, struct watch_group, empty);
        if (list_empty(&g->members)) {
            group_free(hub, g);
        }
    }
}

/* ---- places ---- */

static struct str place_of_kind(struct arena *a, enum kind kind)
{
    return str_printf(a, "k%d", (int)kind);
}

static struct str place_of_namespace(struct arena *a, enum kind kind, struct str ns)
{
    return str_printf(a, "n%d/%.*s", (int)kind, STR_ARG(ns));
}

static struct str place_of_object(struct arena *a, struct str key)
{
    return str_printf(a, "o%.*s", STR_ARG(key));
}

static struct str place_of_term(struct arena *a, enum kind kind, const struct store_term *t)
{
    return str_printf(a, "t%d/%u/%.*s", (int)kind, t->index, STR_ARG(t->bytes));
}

/* The narrowest place that holds every match of the selection. */
static struct str place_of(struct arena *a, const struct selection *s)
{
    struct store_term term;
    struct key key;
    struct err e;
    enum kind kind = kind_store(s->kind->kind); /* events come under it */
    struct str prefix = selection_prefix(a, s);
    if (key_parse(prefix, &key, &e) == 0) {
        return place_of_object(a, prefix);
    }
    if (resource_index_for(s->resource, &s->fields, &term)) {
        return place_of_term(a, kind, &term);
    }
    return s->ns.len > 0 ? place_of_namespace(a, kind, s->ns) : place_of_kind(a, kind);
}

/* ---- giving out ---- */

/* False: old or new bytes that are not an object; treated as absent. */
static bool payload_of(struct str value, struct str *out)
{
    struct err e;
    return value.len > 0 && object_payload(value, out, &e) == 0;
}

int watch_event_type(const struct selection *s, const struct store_event *event,
                     struct str *out_payload)
{
    struct str old = { 0 };
    struct str new = { 0 };
    bool had = payload_of(event->old_value, &old) && selection_matches(s, old);
    bool has = !event->deleted && payload_of(event->value, &new) && selection_matches(s, new);
    if (!had && !has) {
        return -1;
    }
    *out_payload = has ? new : old;
    return has ? (had ? WATCH_MODIFIED : WATCH_ADDED) : WATCH_DELETED;
}

static void give(struct watch_hub *hub, struct watch_group *g, const struct store_event *event)
{
    struct str payload;
    metric_add(&tests_total, 1);
    int type = watch_event_type(&g->selection, event, &payload);
    if (type < 0) {
        return;
    }
    list_foreach_safe (node, &g->members) {
        struct watch_member *m = container_of(node, struct watch_member, node);
        if (event->revision > m->position) {
            struct shared *bytes =
                watch_encode(&hub->cache, (enum watch_type)type, g->selection.kind, payload,
                             event->revision, &m->style);
            metric_add(&given_total, 1);
            if (!m->event(m, bytes) && m->group != NULL && list_empty(&m->behind)) {
                list_append(&hub->behind, &m->behind);
            }
        }
    }
}

static void give_at(struct watch_hub *hub, struct str at, struct str ns,
                    const struct store_event *event)
{
    struct place *place = map_get(&hub->places, at);
    if (place == NULL) {
        return;
    }
    list_foreach_safe (node, &place->groups) {
        struct watch_group *g = container_of(node, struct watch_group, node);
        if (g->selection.ns.len == 0 || str_eq(g->selection.ns, ns)) {
            give(hub, g, event);
        }
    }
}

static bool has_term(const struct store_term *terms, size_t count, const struct store_term *t)
{
    for (size_t i = 0; i < count; i++) {
        if (terms[i].index == t->index && str_eq(terms[i].bytes, t->bytes)) {
            return true;
        }
    }
    return false;
}

/* Places of its terms: where it is now, then where it was and no longer is. */
static void give_by_terms(struct watch_hub *hub, const struct key *key,
                          const struct store_event *event)
{
    for (size_t i = 0; i < event->terms_count; i++) {
        give_at(hub, place_of_term(&hub->scratch, key->kind, &event->terms[i]), key->namespace,
                event);
    }
    for (size_t i = 0; i < event->old_terms_count; i++) {
        if (!has_term(event->terms, event->terms_count, &event->old_terms[i])) {
            give_at(hub, place_of_term(&hub->scratch, key->kind, &event->old_terms[i]),
                    key->namespace, event);
        }
    }
}

/* The member has been given all up to the hub's position. */
static void let_go(struct watch_hub *hub, struct watch_member *m)
{
    m->position = hub->position > m->position ? hub->position : m->position;
    watch_hub_leave(hub, m);
    m->left(m);
}

static void whole_revision(struct watch_hub *hub, uint64_t revision)
{
    hub->position = revision;
    while (!list_empty(&hub->behind)) {
        metric_add(&behind_total, 1);
        let_go(hub, container_of(hub->behind.next, struct watch_member, behind));
    }
}

static bool on_event(void *ctx, const struct store_event *event)
{
    struct watch_hub *hub = ctx;
    struct key key;
    struct err e;
    if (event->revision != hub->within) {
        /* Between revisions, and once there was progress. */
        if (hub->position > hub->began &&
            env_now_ns(hub->loop->server->config.env) >= hub->turn_end_ns) {
            return false;
        }
        hub->within = event->revision;
    }
    if (key_parse(event->key, &key, &e) == 0) {
        struct arena *a = &hub->scratch;
        watch_cache_clear(&hub->cache);
        give_at(hub, place_of_kind(a, key.kind), key.namespace, event);
        if (key.namespace.len > 0) {
            give_at(hub, place_of_namespace(a, key.kind, key.namespace), key.namespace, event);
        }
        give_at(hub, place_of_object(a, event->key), key.namespace, event);
        give_by_terms(hub, &key, event);
        arena_reset(a);
    }
    if (!event->more) {
        whole_revision(hub, event->revision);
    }
    return true;
}

/* The ring and the history are gone at our place: everybody catches up alone. */
static void lose_all(struct watch_hub *hub, uint64_t revision)
{
    map_foreach (it, &hub->groups) {
        struct watch_group *g = it.value;
        while (!list_empty(&g->members)) {
            let_go(hub, container_of(g->members.next, struct watch_member, node));
        }
    }
    hub->position = revision;
}

/* Up to revision, for one turn. 0, or -ERR_X: the place is lost. */
static int walk(struct watch_hub *hub, uint64_t revision)
{
    const struct apiserver_config *config = &hub->loop->server->config;
    hub->began = hub->position;
    hub->turn_end_ns = env_now_ns(config->env) + HUB_TURN_NS;
    while (hub->members > 0 && hub->position < revision) {
        uint64_t before = hub->position;
        uint64_t last = before;
        int rc = store_events_of(config->group, str_lit(""), before, on_event, hub, &last);
        if (rc != 0) {
            return rc;
        }
        hub->position = last > hub->position ? last : hub->position;
        if (env_now_ns(config->env) >= hub->turn_end_ns || hub->position == before) {
            break;
        }
    }
    return 0;
}

static void on_published(struct store_subscriber *s, uint64_t revision)
{
    struct watch_hub *hub = container_of(s, struct watch_hub, subscriber);
    hub->giving = true;
    if (walk(hub, revision) != 0) {
        lose_all(hub, revision);
    }
    hub->giving = false;
    sweep(hub);
    if (hub->members == 0) {
        store_subscriber_rest(s); /* until somebody joins */
    } else if (hub->position < store_published(hub->loop->server->config.group)) {
        /* Woken from rest it is posted again: for what is left of this walk. */
        store_subscriber_rest(s);
        store_subscriber_wake(s);
    }
}

/* ---- groups ---- */

static struct str group_text(struct arena *a, const struct selection_text *t)
{
    return str_printf(a, "%d\n%.*s\n%.*s\n%.*s\n%.*s", (int)t->kind->kind, STR_ARG(t->ns),
                      STR_ARG(t->name), STR_ARG(t->labels), STR_ARG(t->fields));
}

static void place_group(struct watch_hub *hub, struct watch_group *g)
{
    g->at = place_of(&g->arena, &g->selection);
    struct place *place = map_get(&hub->places, g->at);
    if (place == NULL) {
        place = mem_alloc(sizeof(*place));
        list_init(&place->groups);
        (void)map_put(&hub->places, g->at, place);
    }
    list_append(&place->groups, &g->node);
}

static struct watch_group *group_new(struct watch_hub *hub, const struct selection_text *text)
{
    struct watch_group *g = mem_alloc(sizeof(*g));
    struct err e;
    arena_init(&g->arena);
    list_init(&g->members);
    list_init(&g->empty);
    int rc = selection_build(&g->arena, text, &g->selection, &e);
    ASSERT(rc == 0); /* the request parsed the same text */
    g->text = group_text(&g->arena, text);
    (void)map_put(&hub->groups, g->text, g);
    place_group(hub, g);
    return g;
}

void watch_hub_join(struct watch_hub *hub, const struct selection_text *text,
                    struct watch_member *m)
{
    ASSERT(m->group == NULL);
    ASSERT(m->position >= hub->position);
    if (hub->members == 0) {
        uint64_t published = store_published(hub->loop->server->config.group);
        hub->position = m->position < published ? m->position : published;
        store_subscriber_wake(&hub->subscriber);
    }
    struct watch_group *g = map_get(&hub->groups, group_text(&hub->scratch, text));
    arena_reset(&hub->scratch);
    m->group = g != NULL ? g : group_new(hub, text);
    list_append(&m->group->members, &m->node);
    list_init(&m->behind);
    hub->members++;
}

void watch_hub_leave(struct watch_hub *hub, struct watch_member *m)
{
    struct watch_group *g = m->group;
    if (g == NULL) {
        return;
    }
    list_remove(&m->node);
    list_remove(&m->behind);
    m->group = NULL;
    hub->members--;
    if (!list_empty(&g->members)) {
        return;
    }
    if (!hub->giving) {
        group_free(hub, g);
    } else if (list_empty(&g->empty)) {
        list_append(&hub->emptied, &g->empty);
    }
}

uint64_t watch_hub_position(const struct watch_hub *hub)
{
    /* With no members it stands still: whoever joins first sets it. */
    return hub->members == 0 ? store_published(hub->loop->server->config.group) : hub->position;
}

size_t watch_hub_groups(const struct watch_hub *hub)
{
    return map_count(&hub->groups);
}

struct watch_cache *watch_hub_cache(struct watch_hub *hub)
{
    return &hub->cache;
}

struct watch_hub *watch_hub_new(struct api_loop *l)
{
    struct watch_hub *hub = mem_alloc(sizeof(*hub));
    hub->loop = l;
    map_init(&hub->groups);
    map_init(&hub->places);
    list_init(&hub->emptied);
    list_init(&hub->behind);
    watch_cache_init(&hub->cache);
    arena_init(&hub->scratch);
    hub->subscriber.loop = l->loop;
    hub->subscriber.published = on_published;
    hub->position = store_published(l->server->config.group);
    store_subscribe(l->server->config.group, &hub->subscriber);
    return hub;
}

void watch_hub_free(struct watch_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    ASSERT(hub->members == 0);
    ASSERT(map_count(&hub->groups) == 0);
    map_deinit(&hub->groups);
    map_deinit(&hub->places);
    watch_cache_deinit(&hub->cache);
    arena_deinit(&hub->scratch);
    mem_free(hub);
}
