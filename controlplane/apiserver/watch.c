/*
 * One watch: a stream of events to one client.
 *
 *   listing   -> catching up -> live
 *                ^               |  (the client reads too slowly, or the hub lost its place)
 *                +---------------+
 *
 * listing sends what is there at one revision as ADDED, slice by slice; catching up reads the
 * store's events at the client's pace; live is a membership in the loop's hub. Between slices the
 * watch posts itself a message, or waits for its output to drain. It ends at its timeout, when the
 * server stops, with an in-stream 410 when its place in the history is gone, and when the client
 * goes.
 */
#include "api/meta/object.h"
#include "api/schema/err_list.h"
#include "base/assert.h"
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/socket.h"
#include "controlplane/apiserver/table.h"
#include "controlplane/apiserver/watch_hub.h"
#include "net/websocket.h"

#define WATCH_TIMEOUT_MIN_S    1800 /* the default is drawn from here to twice as much */
#define WATCH_BOOKMARK_MS      60000
#define WATCH_LAST_BOOKMARK_MS 2000 /* before the timeout */
#define WATCH_EVENTS_PER_TURN  256  /* given to one watcher before others have their turn */

enum watch_state { WATCH_LISTING, WATCH_CATCHING_UP, WATCH_LIVE, WATCH_ENDED };

struct watch {
    struct watch_member member;
    struct request *request;
    struct watch_hub *hub;
    struct socket *socket; /* NULL: the events are a body */
    struct selection selection;
    struct selection_text text;
    enum watch_state state;
    bool initial; /* what is there comes first, as ADDED, and ends with a bookmark */
    bool bookmarks;
    bool started; /* timer and head are there */
    bool posted;
    uint64_t list_revision; /* 0 before the first slice */
    struct buf after;
    struct str prefix;
    unsigned given;  /* in this turn */
    uint64_t within; /* the revision being given: all of it or nothing */
    uint64_t deadline_ms;
    struct env_timer timer;
    struct env_msg msg;
};

static struct watch *watch_of(struct request *r)
{
    return r->state;
}

static bool keeps_up(const struct watch *w)
{
    return http_queued(w->request->x) < HTTP_QUEUE_HIGH_BYTES;
}

/* A message of a WebSocket is an event, and needs no length of its own. */
static void send_event(struct watch *w, struct shared *bytes)
{
    struct str event = shared_str(bytes);
    if (w->socket == NULL) {
        http_write_shared(w->request->x, bytes);
    } else if (w->member.style.media.type == MEDIA_PROTOBUF) {
        socket_write(w->socket, str_slice(event, WATCH_LENGTH_BYTES, event.len));
    } else {
        socket_write(w->socket, event);
    }
}

static void write_event(struct watch *w, struct shared *bytes)
{
    if (bytes != NULL) {
        send_event(w, bytes);
        w->member.style.columns = false;
    }
}

static void end_watch(struct watch *w)
{
    if (w->state != WATCH_ENDED) {
        w->state = WATCH_ENDED;
        watch_hub_leave(w->hub, &w->member);
        env_timer_stop(&w->timer);
        if (w->socket != NULL) {
            socket_end(w->socket, WEBSOCKET_NORMAL);
        } else {
            http_end(w->request->x);
        }
    }
}

static void end_with_status(struct watch *w)
{
    struct watch_cache cache;
    watch_cache_init(&cache);
    send_event(w, watch_encode_error(&cache, &w->request->status, w->member.style.media.type));
    watch_cache_deinit(&cache);
    end_watch(w);
}

static void send_bookmark(struct watch *w, bool end)
{
    struct watch_cache cache;
    watch_cache_init(&cache);
    write_event(w, watch_encode_bookmark(&cache, w->request->kind, w->member.position, end,
                                         &w->member.style));
    watch_cache_deinit(&cache);
}

/* ---- at the client's own pace ---- */

static void on_turn(struct env_msg *msg);

static void next_turn(struct watch *w)
{
    if (!w->posted) {
        w->posted = true;
        request_hold(w->request);
        env_post(w->request->loop->loop, &w->msg, on_turn);
    }
}

static bool may_give(struct watch *w)
{
    return w->given < WATCH_EVENTS_PER_TURN && keeps_up(w);
}

static bool list_visit(void *ctx, const struct store_version *v)
{
    struct watch *w = ctx;
    struct str payload;
    struct err e;
    if (!may_give(w)) {
        return false;
    }
    if (object_payload(v->value, &payload, &e) == 0 && selection_matches(&w->selection, payload)) {
        struct watch_cache *cache = watch_hub_cache(w->hub);
        watch_cache_clear(cache);
        write_event(w, watch_encode(cache, WATCH_ADDED, w->request->kind, payload, v->revision,
                                    &w->member.style));
        w->given++;
    }
    buf_clear(&w->after);
    buf_append_str(&w->after, v->key);
    return true;
}

/* The first slice of a selection that pins an indexed field: thousands of agents that come back do
 * not each walk every pod. What one turn does not hold is left to scans, at this read's revision
 * and after the last key given: the index is in the order of keys too. false: there is no such
 * index. */
static bool list_by_index(struct watch *w, struct store_read *read, int *out_rc, bool *out_more)
{
    struct store_term term;
    if (w->list_revision != 0 ||
        !resource_index_for(w->selection.resource, &w->selection.fields, &term)) {
        return false;
    }
    *out_rc = store_read_index(read, term.index, term.bytes, w->prefix, list_visit, w);
    *out_more = !may_give(w);
    return true;
}

/* One slice of what is there; the state changes with the last one. */
static int list_slice(struct watch *w)
{
    struct store_read read;
    bool more = false;
    int rc = store_read_begin(w->request->server->config.group, w->list_revision, &read);
    if (rc != 0) {
        return rc;
    }
    if (!list_by_index(w, &read, &rc, &more)) {
        rc = store_read_scan(&read, w->prefix, buf_str(&w->after), list_visit, w, &w->after, &more);
    }
    w->list_revision = read.revision;
    store_read_end(&read);
    if (rc == 0 && !more && may_give(w)) {
        w->member.position = w->list_revision;
        w->state = WATCH_CATCHING_UP;
        if (w->bookmarks) {
            send_bookmark(w, true);
        }
    }
    return rc;
}

/* Stops between two revisions only: the position knows no half of one. */
static bool event_visit(void *ctx, const struct store_event *event)
{
    struct watch *w = ctx;
    struct str payload;
    if (event->revision != w->within && !may_give(w)) {
        return false;
    }
    w->within = event->revision;
    int type = watch_event_type(&w->selection, event, &payload);
    if (type >= 0) {
        struct watch_cache *cache = watch_hub_cache(w->hub);
        watch_cache_clear(cache);
        write_event(w, watch_encode(cache, (enum watch_type)type, w->request->kind, payload,
                                    event->revision, &w->member.style));
        w->given++;
    }
    return true;
}

/* Keys of the selection start with its prefix. */
static int catch_up(struct watch *w)
{
    struct store_group *g = w->request->server->config.group;
    uint64_t hub_position = watch_hub_position(w->hub); /* first: what is read reaches it */
    uint64_t last = w->member.position;
    w->within = 0;
    int rc = store_events_of(g, w->prefix, w->member.position, event_visit, w, &last);
    if (rc != 0) {
        return rc;
    }
    w->member.position = last > w->member.position ? last : w->member.position;
    if (w->member.position >= hub_position) {
        w->state = WATCH_LIVE;
        watch_hub_join(w->hub, &w->text, &w->member);
    }
    return 0;
}

/* Below it the history of what is watched is gone. For people: it may have moved since. */
static uint64_t oldest_revision(const struct watch *w)
{
    struct store_group *g = w->request->server->config.group;
    struct store_read read;
    uint64_t oldest = store_compacted(g);
    if (store_read_begin(g, 0, &read) == 0) {
        uint64_t of_prefix = store_read_compacted(&read, w->prefix);
        oldest = of_prefix > oldest ? of_prefix : oldest;
        store_read_end(&read);
    }
    return oldest;
}

static void fail_watch(struct watch *w, int rc)
{
    struct request *r = w->request;
    struct err e;
    if (rc == -ERR_EXPIRED) {
        uint64_t wanted = w->state == WATCH_LISTING ? w->list_revision : w->member.position;
        (void)status_rv_too_old(&r->arena, &r->status, wanted, oldest_revision(w));
    } else {
        (void)err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc));
        (void)status_from_err(&r->arena, &r->status, rc, &e);
    }
    end_with_status(w);
}

/* Goes on until live, until the output is full (drained comes), or for one turn's share. */
static void pump(struct watch *w)
{
    w->given = 0;
    while (w->state == WATCH_LISTING || w->state == WATCH_CATCHING_UP) {
        enum watch_state before = w->state;
        int rc = w->state == WATCH_LISTING ? list_slice(w) : catch_up(w);
        if (rc != 0) {
            fail_watch(w, rc);
            return;
        }
        if (w->state == before) {
            if (keeps_up(w)) {
                next_turn(w);
            }
            return;
        }
    }
}

static void on_turn(struct env_msg *msg)
{
    struct watch *w = container_of(msg, struct watch, msg);
    struct request *r = w->request;
    w->posted = false;
    if (r->x != NULL && w->state != WATCH_ENDED) {
        pump(w);
    }
    request_unhold(r); /* may free r and w */
}

/* ---- live ---- */

static bool on_event(struct watch_member *m, struct shared *bytes)
{
    struct watch *w = container_of(m, struct watch, member);
    write_event(w, bytes);
    return keeps_up(w);
}

static void on_left(struct watch_member *m)
{
    struct watch *w = container_of(m, struct watch, member);
    w->state = WATCH_CATCHING_UP;
    if (keeps_up(w)) {
        next_turn(w);
    } /* else drained goes on */
}

static void watch_drained(struct request *r)
{
    struct watch *w = watch_of(r);
    if (w->state == WATCH_LISTING || w->state == WATCH_CATCHING_UP) {
        next_turn(w);
    }
}

static void arm(struct watch *w)
{
    uint64_t now = env_loop_now_ms(w->request->loop->loop);
    uint64_t left = w->deadline_ms > now ? w->deadline_ms - now : 0;
    uint64_t wait = left;
    if (w->bookmarks) {
        uint64_t every = w->request->server->config.bookmark_ms;
        every = every > 0 ? every : WATCH_BOOKMARK_MS;
        wait = left > WATCH_LAST_BOOKMARK_MS ? left - WATCH_LAST_BOOKMARK_MS : left;
        wait = wait > every ? every : wait;
    }
    env_timer_start(&w->timer, wait);
}

static void on_timer(struct env_timer *t)
{
    struct watch *w = container_of(t, struct watch, timer);
    if (w->request->x == NULL || w->state == WATCH_ENDED) {
        return;
    }
    if (env_loop_now_ms(w->request->loop->loop) >= w->deadline_ms) {
        end_watch(w);
        return;
    }
    if (w->bookmarks && w->state == WATCH_LIVE && keeps_up(w)) {
        /* Every event up to the hub's place was given to its live members; to one that catches up
         * nothing is promised. */
        uint64_t reached = watch_hub_position(w->hub);
        w->member.position = reached > w->member.position ? reached : w->member.position;
        if (w->member.position <= store_published(w->request->server->config.group)) {
            send_bookmark(w, false); /* else it began at a revision that is yet to come */
        }
    }
    arm(w);
}

/* ---- the start ---- */

/* sendInitialEvents and resourceVersionMatch go together or not at all. */
static int check_initial_events(struct request *r, struct str match)
{
    static const char field[] = "resourceVersionMatch";
    bool sends = route_has_param(&r->route, "sendInitialEvents");
    bool fits = str_eq_c(match, "NotOlderThan");
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (sends && !fits) {
        err_list_add(&errors, field, FIELD_FORBIDDEN,
                     "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (!sends && match.len > 0) {
        err_list_add(&errors, field, FIELD_FORBIDDEN,
                     "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                     "provided");
    }
    if (match.len > 0 && !fits) {
        err_list_addf(&errors, field, FIELD_NOT_SUPPORTED,
                      "\"%.*s\": supported values: \"NotOlderThan\"", STR_ARG(match));
    }
    if (match.len > 0 && route_param(&r->route, "continue").len > 0) {
        err_list_add(&errors, field, FIELD_FORBIDDEN,
                     "resourceVersionMatch is forbidden when continue is provided");
    }
    return errors.count == 0 ? 0 : list_options_invalid(r, &errors);
}

/* A watch from nowhere (resourceVersion "" or "0") starts as one with sendInitialEvents, the
 * closing bookmark included: what upstream makes of it. Without initial events a revision that is
 * yet to come is waited for in the stream itself: nothing up to it is given, what follows is. */
static int parse_start(struct request *r, struct watch *w)
{
    struct str rv = route_param(&r->route, "resourceVersion");
    bool sends = route_has_param(&r->route, "sendInitialEvents");
    uint64_t from = 0;
    if (check_initial_events(r, route_param(&r->route, "resourceVersionMatch")) != 0) {
        return -ERR_INVALID;
    }
    if (rv.len > 0 && str_to_u64(rv, &from) != 0) {
        return list_options_bad_revision(r, rv);
    }
    w->initial = sends ? route_param_bool(&r->route, "sendInitialEvents") : from == 0;
    w->member.position = from;
    r->revision = from;
    if (w->initial) {
        r->mode = from > 0 ? READ_AT_LEAST : READ_FRESH;
    } else {
        r->mode = rv.len > 0 ? READ_LOCAL : READ_FRESH;
    }
    return 0;
}

static int watch_prepare(struct request *r)
{
    struct watch *w = arena_new(&r->arena, struct watch);
    struct err e = { 0 };
    int64_t timeout_s = 0;
    w->request = r;
    w->hub = r->loop->hub;
    w->bookmarks = route_param_bool(&r->route, "allowWatchBookmarks");
    w->text = selection_text_of(r);
    buf_init(&w->after);
    r->state = w;
    if (r->media.type == MEDIA_YAML) {
        return status_from_err(&r->arena, &r->status, media_refused(true, &e), &e);
    }
    int rc = selection_parse(r, &w->selection);
    rc = rc == 0 ? parse_start(r, w) : rc;
    rc = rc == 0
             ? socket_new(
                   r, r->media.type == MEDIA_PROTOBUF ? SOCKET_BINARY_EVENTS : SOCKET_TEXT_EVENTS,
                   &w->socket)
             : rc;
    if (rc != 0) {
        return rc;
    }
    if (route_param_i64(&r->route, "timeoutSeconds", &timeout_s, &e) != 0) {
        return status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &e);
    }
    if (timeout_s <= 0) {
        timeout_s = WATCH_TIMEOUT_MIN_S +
                    (int64_t)(env_random_u64(r->server->config.env) % WATCH_TIMEOUT_MIN_S);
    }
    w->deadline_ms = env_loop_now_ms(r->loop->loop) + (uint64_t)timeout_s * 1000;
    w->prefix = selection_prefix(&r->arena, &w->selection);
    w->member.style = object_style_of(r);
    w->member.event = on_event;
    w->member.left = on_left;
    list_init(&w->member.node);
    return 0;
}

static enum request_run watch_run(struct request *r)
{
    struct watch *w = watch_of(r);
    struct store_group *g = r->server->config.group;
    if (r->loop->stopping) {
        struct err e;
        (void)status_from_err(&r->arena, &r->status,
                              err_set(&e, ERR_UNAVAILABLE, "the server is stopping"), &e);
        return RUN_FAIL;
    }
    r->x->stalls = HTTP_STALLS_CUT;
    if (w->socket == NULL) {
        request_stream_head(r, media_name(r->media.type, true));
    } else if (socket_open(w->socket) != 0) {
        (void)status_bad_request(&r->status, str_lit("an upgrade to WebSocket is not possible"));
        return RUN_FAIL;
    }
    env_timer_init(r->loop->loop, &w->timer, on_timer);
    w->started = true;
    if (!w->initial && w->member.position == 0) {
        w->member.position = store_published(g);
    }
    w->state = w->initial ? WATCH_LISTING : WATCH_CATCHING_UP;
    arm(w);
    pump(w);
    return RUN_STREAM;
}

static void watch_stop(struct request *r)
{
    end_watch(watch_of(r));
}

/* Of a WebSocket's client. */
static void watch_received(struct request *r, struct str bytes)
{
    struct watch *w = watch_of(r);
    if (!socket_received(w->socket, bytes)) {
        end_watch(w);
    }
}

/* It only listens, so an end means that it has gone. */
static void watch_ended(struct request *r)
{
    end_watch(watch_of(r));
}

static void watch_closed(struct request *r)
{
    struct watch *w = watch_of(r);
    w->state = WATCH_ENDED;
    watch_hub_leave(w->hub, &w->member);
    env_timer_stop(&w->timer);
}

static void watch_release(struct request *r)
{
    struct watch *w = watch_of(r);
    if (w == NULL) {
        return;
    }
    if (w->started) {
        env_timer_deinit(&w->timer);
    }
    buf_deinit(&w->after);
    socket_release(w->socket);
}

const struct operation operation_watch = {
    .name = "watch",
    .long_running = true,
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = watch_prepare,
    .run = watch_run,
    .drained = watch_drained,
    .stop = watch_stop,
    .received = watch_received,
    .ended = watch_ended,
    .closed = watch_closed,
    .release = watch_release,
};
