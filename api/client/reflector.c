/*
 * The reflector (see reflector.h). States:
 *
 *   listing  -> a page is asked for; the next page, or watching
 *   watching -> events are applied; end decides: watch again, list again, or back off first
 *   waiting  -> the back-off timer runs; then what `resume_list` says
 *   stopped  -> a call or watch may still be ending; freed when it has
 *
 * A continue token that expired starts the list over. A list that is under way has already marked
 * what it saw; starting over marks anew, so that nothing vanishes on half a list.
 */
#include "api/client/reflector.h"

#include <stdio.h>
#include <string.h>

#include "api/client/cache.h"
#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"

enum { LIST_META = 1, LIST_ITEMS = 2 };

struct reflector {
    struct reflector_config config;
    struct cache *cache;
    struct client_call call;
    struct client_watch watch;
    struct env_timer timer;
    struct buf query;
    struct buf continue_token;
    struct buf kept; /* scratch of config.keep */
    uint64_t list_revision;
    uint64_t failures;
    uint64_t lists, watches;
    bool started, synced, stopped, freed;
    bool resume_list; /* after the back-off: list, else watch */
    bool in_flight;   /* a call or a watch has not ended */
    bool watching;    /* in_flight is the watch */
    bool progress;    /* the watch delivered something */
    char *namespace, *label_selector, *field_selector;
};

static void list_page(struct reflector *r);
static void watch_start(struct reflector *r);

static struct env_loop *loop_of(const struct reflector *r)
{
    return r->config.client->loop;
}

static void destroy(struct reflector *r)
{
    env_timer_deinit(&r->timer);
    cache_free(r->cache);
    buf_deinit(&r->query);
    buf_deinit(&r->continue_token);
    buf_deinit(&r->kept);
    mem_free(r->namespace);
    mem_free(r->label_selector);
    mem_free(r->field_selector);
    mem_free(r);
}

/* True when the completion that just came finds a stopped reflector: the caller returns at once. */
static bool ended(struct reflector *r)
{
    r->in_flight = false;
    if (!r->stopped)
        return false;
    if (r->freed)
        destroy(r);
    return true;
}

static void back_off(struct reflector *r, bool list)
{
    uint64_t delay = REFLECTOR_BACKOFF_MIN_MS;

    for (uint64_t i = 0; i < r->failures && delay < REFLECTOR_BACKOFF_MAX_MS; i++)
        delay *= 2;
    if (delay > REFLECTOR_BACKOFF_MAX_MS)
        delay = REFLECTOR_BACKOFF_MAX_MS;
    r->failures++;
    r->resume_list = list;
    delay = delay / 2 + env_random_u64(env_of(loop_of(r))) % (delay / 2 + 1);
    env_timer_start(&r->timer, delay);
}

static void on_timer(struct env_timer *t)
{
    struct reflector *r = container_of(t, struct reflector, timer);

    if (r->resume_list)
        list_page(r);
    else
        watch_start(r);
}

/* ---- applying what comes ---- */

static void advance(struct reflector *r, uint64_t revision)
{
    cache_set_revision(r->cache, revision);
    if (r->config.advanced != NULL)
        r->config.advanced(r->config.ctx, lister_revision(cache_lister(r->cache)));
}

static bool item_of(struct str bytes, uint64_t revision, struct lister_item *out)
{
    struct object_meta meta;

    object_meta_scan(bytes, &meta);
    *out = (struct lister_item){
        .namespace = meta.namespace, .name = meta.name, .bytes = bytes, .revision = revision
    };
    return meta.name.len > 0;
}

static void apply_upsert(struct reflector *r, const struct lister_item *item)
{
    struct lister_item old = { 0 }, kept = *item;
    struct str old_bytes = { NULL, 0 };

    if (cache_find(r->cache, item->namespace, item->name, &old)) {
        /* The cache frees the old bytes when the new ones come. */
        old_bytes = str_of(mem_dup(old.bytes.data, old.bytes.len), old.bytes.len);
        old.bytes = old_bytes;
    }
    buf_clear(&r->kept);
    if (r->config.keys_only)
        kept.bytes = str_of(NULL, 0);
    else if (r->config.keep != NULL)
        kept.bytes = r->config.keep(r->config.ctx, item, &r->kept);
    if (cache_put(r->cache, &kept) && r->config.upsert != NULL)
        r->config.upsert(r->config.ctx, &old, item);
    mem_free((char *)(uintptr_t)old_bytes.data);
}

static void apply_removed(struct reflector *r, const struct lister_item *item)
{
    if (!cache_remove(r->cache, item->namespace, item->name))
        return;
    if (r->config.removed != NULL)
        r->config.removed(r->config.ctx, item);
}

/* ---- list ---- */

static void on_dropped(void *ctx, const struct lister_item *item)
{
    struct reflector *r = ctx;

    if (r->config.removed != NULL)
        r->config.removed(r->config.ctx, item);
}

static void take_page(struct reflector *r, struct str list)
{
    static const uint8_t revision_path[] = { 1, 6, 0 }; /* metadata.resourceVersion */
    struct peek_field field;
    size_t at = 0;

    while (peek_next(list, &at, &field)) {
        struct lister_item item;
        uint64_t revision;

        if (field.number != LIST_ITEMS || field.wire != PEEK_BYTES)
            continue;
        if (str_to_u64(peek_string(field.bytes, revision_path), &revision) == 0 &&
            item_of(field.bytes, revision, &item))
            apply_upsert(r, &item);
        if (r->stopped)
            return;
    }
}

static void finish_list(struct reflector *r)
{
    cache_relist_end(r->cache, on_dropped, r);
    if (r->stopped)
        return;
    r->synced = true;
    r->failures = 0;
    advance(r, r->list_revision);
    if (!r->stopped)
        watch_start(r);
}

static void on_page(struct client_call *call)
{
    static const uint8_t revision_path[] = { LIST_META, 2, 0 };
    static const uint8_t continue_path[] = { LIST_META, 3, 0 };
    struct reflector *r = call->priv;
    struct str token;

    if (ended(r))
        return;
    if (call->status != 0) {
        buf_clear(&r->continue_token);
        back_off(r, true);
        return;
    }
    if (str_to_u64(peek_string(call->result, revision_path), &r->list_revision) != 0) {
        back_off(r, true);
        return;
    }
    token = peek_string(call->result, continue_path);
    buf_clear(&r->continue_token);
    buf_append_str(&r->continue_token, token);
    take_page(r, call->result);
    if (r->stopped)
        return;
    if (token.len > 0)
        list_page(r);
    else
        finish_list(r);
}

static void query_add(struct buf *query, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_printf(query, "%s%s=", query->len > 0 ? "&" : "", name);
    client_query_escape(query, value);
}

static void list_page(struct reflector *r)
{
    if (r->continue_token.len == 0) {
        r->lists++;
        cache_relist_begin(r->cache);
    }
    buf_clear(&r->query);
    buf_printf(&r->query, "limit=%d", REFLECTOR_PAGE);
    query_add(&r->query, "continue", buf_str(&r->continue_token));
    query_add(&r->query, "labelSelector", r->config.label_selector);
    query_add(&r->query, "fieldSelector", r->config.field_selector);
    r->call = (struct client_call){ .verb = CLIENT_LIST,
                                    .kind = r->config.kind,
                                    .namespace = r->config.namespace,
                                    .query = buf_str(&r->query),
                                    .done = on_page,
                                    .priv = r };
    r->in_flight = true;
    r->watching = false;
    client_call(r->config.client, &r->call);
}

/* ---- watch ---- */

static void on_event(struct client_watch *w, const struct client_event *ev)
{
    struct reflector *r = w->priv;
    struct lister_item item;

    if (r->stopped)
        return;
    r->progress = true;
    if (ev->type != CLIENT_BOOKMARK) {
        if (!item_of(ev->object, ev->revision, &item))
            return;
        if (ev->type == CLIENT_DELETED)
            apply_removed(r, &item);
        else
            apply_upsert(r, &item);
    }
    if (!r->stopped)
        advance(r, ev->revision);
}

static void on_watch_end(struct client_watch *w, int status, const struct err *e)
{
    struct reflector *r = w->priv;

    (void)e; /* the status decides; a message would only be logged, and libraries do not log */
    if (ended(r))
        return;
    if (r->progress)
        r->failures = 0;
    if (status == -ERR_EXPIRED || status == -ERR_GONE) {
        buf_clear(&r->continue_token);
        if (r->progress)
            list_page(r);
        else
            back_off(r, true);
    } else if (status == 0 && r->progress) {
        watch_start(r);
    } else {
        back_off(r, false);
    }
}

static void watch_start(struct reflector *r)
{
    r->watches++;
    r->progress = false;
    r->watch = (struct client_watch){ .kind = r->config.kind,
                                      .namespace = r->config.namespace,
                                      .label_selector = r->config.label_selector,
                                      .field_selector = r->config.field_selector,
                                      .revision = lister_revision(cache_lister(r->cache)),
                                      .bookmarks = true,
                                      .event = on_event,
                                      .end = on_watch_end,
                                      .priv = r };
    r->in_flight = true;
    r->watching = true;
    client_watch(r->config.client, &r->watch);
}

/* ---- public ---- */

static char *text_own(struct str s, struct str *out)
{
    char *text = mem_alloc(s.len + 1);

    if (s.len > 0)
        memcpy(text, s.data, s.len);
    *out = str_of(text, s.len);
    return text;
}

struct reflector *reflector_new(const struct reflector_config *config)
{
    struct reflector *r = mem_alloc(sizeof(*r));

    r->config = *config;
    r->namespace = text_own(config->namespace, &r->config.namespace);
    r->label_selector = text_own(config->label_selector, &r->config.label_selector);
    r->field_selector = text_own(config->field_selector, &r->config.field_selector);
    r->cache = cache_new(config->kind);
    buf_init(&r->query);
    buf_init(&r->continue_token);
    buf_init(&r->kept);
    env_timer_init(config->client->loop, &r->timer, on_timer);
    return r;
}

void reflector_free(struct reflector *r)
{
    if (r == NULL)
        return;
    ASSERT(!r->started || r->stopped);
    r->stopped = true;
    r->freed = true;
    if (!r->in_flight)
        destroy(r);
}

void reflector_start(struct reflector *r)
{
    ASSERT(!r->started);
    r->started = true;
    list_page(r);
}

void reflector_stop(struct reflector *r)
{
    if (!r->started || r->stopped)
        return;
    r->stopped = true;
    env_timer_stop(&r->timer);
    if (!r->in_flight)
        return;
    if (r->watching)
        client_unwatch(r->config.client, &r->watch);
    else
        client_cancel(r->config.client, &r->call);
}

bool reflector_synced(const struct reflector *r)
{
    return r->synced;
}

struct lister *reflector_lister(struct reflector *r)
{
    return cache_lister(r->cache);
}

uint64_t reflector_lists(const struct reflector *r)
{
    return r->lists;
}

uint64_t reflector_watches(const struct reflector *r)
{
    return r->watches;
}
