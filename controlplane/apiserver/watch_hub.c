/*
 * Groups live in two maps: by the text they were asked for, so that equal watches meet, and, for
 * those that pin an indexed field, by that term. A walk over a group's members may end members;
 * groups left empty by it are freed after the walk.
 */
#include "controlplane/apiserver/watch_hub.h"

#include <string.h>

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "base/assert.h"

struct watch_group {
    struct list node; /* hub->kinds[kind], or of a term */
    struct arena arena;
    struct selection selection;
    struct str text; /* what was asked for, as a map key */
    struct str term; /* map key of hub->terms; empty: tested by every event of the kind */
    struct list members;
};

/* Groups that pin one indexed value. */
struct term_groups {
    struct list groups;
};

struct watch_hub {
    struct api_loop *loop;
    struct store_subscriber subscriber;
    uint64_t position;
    size_t members;
    bool giving;       /* inside a walk: groups that become empty wait for sweep */
    bool emptied;      /* some did */
    struct map groups; /* by text */
    struct map terms;  /* by kind, index and bytes: struct term_groups */
    struct list kinds[KIND_COUNT];
    struct watch_cache cache;
    struct arena scratch;
};

static void group_free(struct watch_hub *hub, struct watch_group *g)
{
    list_remove(&g->node);
    (void)map_remove(&hub->groups, g->text);
    struct term_groups *groups = g->term.len == 0 ? NULL : map_get(&hub->terms, g->term);
    if (groups != NULL && list_empty(&groups->groups)) {
        (void)map_remove(&hub->terms, g->term);
        mem_free(groups);
    }
    arena_deinit(&g->arena);
    mem_free(g);
}

/* Frees the groups that a walk left empty. */
static void sweep(struct watch_hub *hub)
{
    bool found = true;
    while (found) {
        found = false;
        map_foreach (it, &hub->groups) {
            struct watch_group *g = it.value;
            if (list_empty(&g->members)) {
                group_free(hub, g);
                found = true;
                break;
            }
        }
    }
    hub->emptied = false;
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
            m->position = event->revision;
            m->event(m, bytes, event->revision);
        }
    }
}

static void give_all(struct watch_hub *hub, struct list *groups, struct str ns,
                     const struct store_event *event)
{
    list_foreach_safe (node, groups) {
        struct watch_group *g = container_of(node, struct watch_group, node);
        if (g->selection.ns.len == 0 || str_eq(g->selection.ns, ns)) {
            give(hub, g, event);
        }
    }
}

static struct str term_key(struct arena *a, enum kind kind, const struct store_term *t)
{
    return str_printf(a, "%d/%u/%.*s", (int)kind, t->index, STR_ARG(t->bytes));
}

static void give_by_terms(struct watch_hub *hub, enum kind kind, struct str ns,
                          const struct store_event *event)
{
    if (map_count(&hub->terms) == 0) {
        return;
    }
    for (size_t i = 0; i < event->terms_count + event->old_terms_count; i++) {
        bool old = i >= event->terms_count;
        const struct store_term *t =
            old ? &event->old_terms[i - event->terms_count] : &event->terms[i];
        bool seen = false;
        for (size_t j = 0; old && j < event->terms_count; j++) {
            seen = seen ||
                   (event->terms[j].index == t->index && str_eq(event->terms[j].bytes, t->bytes));
        }
        struct term_groups *groups =
            seen ? NULL : map_get(&hub->terms, term_key(&hub->scratch, kind, t));
        if (groups != NULL) {
            give_all(hub, &groups->groups, ns, event);
        }
    }
    arena_reset(&hub->scratch);
}

static bool on_event(void *ctx, const struct store_event *event)
{
    struct watch_hub *hub = ctx;
    struct key key;
    struct err e;
    if (key_parse(event->key, &key, &e) == 0) {
        watch_cache_clear(&hub->cache);
        give_all(hub, &hub->kinds[key.kind], key.namespace, event);
        give_by_terms(hub, key.kind, key.namespace, event);
    }
    hub->position = event->revision;
    return true;
}

/* The ring and the history are gone at our place: everybody catches up alone. */
static void lose_all(struct watch_hub *hub, uint64_t revision)
{
    hub->position = revision;
    map_foreach (it, &hub->groups) {
        struct watch_group *g = it.value;
        while (!list_empty(&g->members)) {
            struct watch_member *m = container_of(g->members.next, struct watch_member, node);
            list_remove(&m->node);
            m->group = NULL;
            hub->members--;
            m->lost(m);
        }
    }
}

static void on_published(struct store_subscriber *s, uint64_t revision)
{
    struct watch_hub *hub = container_of(s, struct watch_hub, subscriber);
    if (hub->members == 0) {
        store_subscriber_rest(s); /* until somebody joins */
        return;
    }
    hub->giving = true;
    while (hub->position < revision) {
        uint64_t last = hub->position;
        uint64_t before = hub->position;
        int rc = store_events(hub->loop->server->config.group, before, on_event, hub, &last);
        if (rc != 0) {
            lose_all(hub, revision);
            hub->emptied = true;
            break;
        }
        hub->position = last > hub->position ? last : hub->position;
        if (hub->position == before) {
            break; /* nothing there yet: the next publication goes on */
        }
    }
    hub->giving = false;
    if (hub->emptied) {
        sweep(hub);
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
    struct store_term term;
    enum kind kind = g->selection.kind->kind;
    if (!resource_index_for(g->selection.resource, &g->selection.fields, &term)) {
        list_append(&hub->kinds[kind], &g->node);
        return;
    }
    g->term = term_key(&g->arena, kind, &term);
    struct term_groups *groups = map_get(&hub->terms, g->term);
    if (groups == NULL) {
        groups = mem_alloc(sizeof(*groups));
        list_init(&groups->groups);
        (void)map_put(&hub->terms, g->term, groups);
    }
    list_append(&groups->groups, &g->node);
}

static struct watch_group *group_new(struct watch_hub *hub, const struct selection_text *text)
{
    struct watch_group *g = mem_alloc(sizeof(*g));
    struct err e;
    arena_init(&g->arena);
    list_init(&g->members);
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
        hub->position = m->position;
        store_subscriber_wake(&hub->subscriber);
    }
    struct watch_group *g = map_get(&hub->groups, group_text(&hub->scratch, text));
    arena_reset(&hub->scratch);
    m->group = g != NULL ? g : group_new(hub, text);
    list_append(&m->group->members, &m->node);
    hub->members++;
}

void watch_hub_leave(struct watch_hub *hub, struct watch_member *m)
{
    struct watch_group *g = m->group;
    if (g == NULL) {
        return;
    }
    list_remove(&m->node);
    m->group = NULL;
    hub->members--;
    if (list_empty(&g->members)) {
        if (hub->giving) {
            hub->emptied = true;
        } else {
            group_free(hub, g);
        }
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
    map_init(&hub->terms);
    for (int k = 0; k < KIND_COUNT; k++) {
        list_init(&hub->kinds[k]);
    }
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
    sweep(hub);
    map_deinit(&hub->groups);
    map_deinit(&hub->terms);
    watch_cache_deinit(&hub->cache);
    arena_deinit(&hub->scratch);
    mem_free(hub);
}
