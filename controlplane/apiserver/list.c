/*
 * GET of a collection.
 *
 * Every page is read at one revision, in slices: each slice is one short read transaction in one
 * turn of the loop, encoded as it is read; then the request suspends and goes on after the last key
 * it saw, at the same revision.
 *
 * A page of up to LIST_WHOLE_BYTES is sent when it is complete. A longer one is sent in pieces as
 * the client takes them (list_stream.h), so that no list takes more memory than that. What stands
 * before its items may need to know the page's end, or in protobuf its length: such a list is
 * walked twice, and what was gathered waits.
 */
#include "api/meta/object.h"
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/list_stream.h"
#include "controlplane/apiserver/list_write.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/remaining.h"
#include "controlplane/apiserver/selection.h"

static const char expired_text[] =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list.";

#define LIST_WHOLE_BYTES (256u << 10)
/* YAML is made from the whole text. */
#define LIST_YAML_BYTES_MAX (16u << 20)

enum list_phase {
    LIST_GATHER, /* items go to r->out */
    LIST_LOOK,   /* they are counted, and measured for protobuf */
    LIST_STREAM  /* they go to r->out, a piece at a time */
};

struct listing {
    struct request *request;
    enum list_phase phase;
    struct list_options options;
    struct selection selection;
    struct list_writer writer;
    struct str prefix;
    uint64_t revision;          /* of every slice; 0 before the first */
    struct buf after;           /* the last key seen */
    bool full;                  /* the limit is reached and a key follows */
    bool paused;                /* the piece is large enough */
    struct remaining remaining; /* after the page */
    /* Of a list that is streamed: what was gathered, and all items. */
    struct buf gathered_after;
    int64_t gathered_count;
    size_t items_bytes;
    struct buf measured;
    struct list_stream stream;
    int status;
    struct err err;
};

static int list_fill(struct request *r);

static int list_prepare(struct request *r)
{
    struct listing *l = arena_new(&r->arena, struct listing);
    r->state = l;
    l->request = r;
    remaining_init(&l->remaining);
    buf_init(&l->after);
    buf_init(&l->gathered_after);
    buf_init(&l->measured);
    list_writer_init(&l->writer, r);
    list_stream_init(&l->stream, &l->writer, list_fill);
    int rc = list_options_parse(r, &l->options);
    rc = rc == 0 ? selection_parse(r, &l->selection) : rc;
    if (rc != 0) {
        return rc;
    }
    l->prefix = selection_prefix(&r->arena, &l->selection);
    if (l->options.after.len > 0) {
        buf_append_str(&l->after, l->prefix);
        buf_append_str(&l->after, l->options.after);
    }
    return 0;
}

static void list_release(struct request *r)
{
    struct listing *l = r->state;
    if (l != NULL) {
        buf_deinit(&l->after);
        buf_deinit(&l->gathered_after);
        buf_deinit(&l->measured);
        remaining_deinit(&l->remaining);
        list_stream_deinit(&l->stream);
        list_writer_deinit(&l->writer);
    }
}

/* An item that is looked at: counted, and as long as it will be. */
static int measure(struct listing *l, struct str payload, uint64_t revision)
{
    struct list_writer *w = &l->writer;
    if (l->request->media.type != MEDIA_PROTOBUF) {
        w->count++;
        return 0;
    }
    buf_clear(&l->measured);
    int rc = list_writer_put(w, &l->measured, payload, revision, &l->err);
    l->items_bytes += l->measured.len;
    return rc;
}

/* How much of the answer may be in memory before the next slice. */
static size_t bytes_max(const struct listing *l)
{
    return l->phase == LIST_STREAM                ? LIST_STREAM_PIECE_BYTES
           : l->request->media.type == MEDIA_YAML ? LIST_YAML_BYTES_MAX
                                                  : LIST_WHOLE_BYTES;
}

static bool visit(void *ctx, const struct store_version *v)
{
    struct listing *l = ctx;
    struct str payload;
    if (l->phase != LIST_LOOK && l->request->out.len > bytes_max(l)) {
        l->paused = true;
        return false;
    }
    l->status = object_payload(v->value, &payload, &l->err);
    if (l->status != 0) {
        return false;
    }
    if (selection_matches(&l->selection, payload)) {
        if (l->options.limit > 0 && l->writer.count == l->options.limit) {
            l->full = true;
            return false;
        }
        l->status = l->phase == LIST_LOOK
                        ? measure(l, payload, v->revision)
                        : list_writer_add(&l->writer, payload, v->revision, &l->err);
        if (l->status != 0) {
            return false;
        }
    }
    buf_clear(&l->after);
    buf_append_str(&l->after, v->key);
    return true;
}

/* What remains after a page: what remained before it, without its items; else it is counted. 1: a
 * slice follows. */
static int page_is_full(struct listing *l)
{
    if (l->options.left >= l->writer.count) {
        l->remaining.count = l->options.left - l->writer.count;
        return 0;
    }
    remaining_begin(&l->remaining, buf_str(&l->after));
    return 1;
}

/* One slice. 1: more slices follow. */
static int read_slice(struct listing *l)
{
    struct store_read read;
    bool more = false;
    if (l->remaining.counting) {
        return remaining_slice(&l->remaining, l->request->server->config.group, l->revision,
                               l->prefix);
    }
    uint64_t at = l->revision != 0 ? l->revision : l->options.exact ? l->options.revision : 0;
    int rc = store_read_begin(l->request->server->config.group, at, &read);
    if (rc != 0) {
        return rc;
    }
    l->revision = read.revision;
    l->paused = false;
    rc = store_read_scan(&read, l->prefix, buf_str(&l->after), visit, l, &l->after, &more);
    store_read_end(&read);
    rc = rc != 0 ? rc : l->status;
    if (rc == 0 && l->full && l->selection.everything && l->phase != LIST_STREAM) {
        return page_is_full(l);
    }
    return rc != 0 ? rc : (more || l->paused) && !l->full ? 1 : 0;
}

/* The next piece of a list that is streamed. */
static int list_fill(struct request *r)
{
    return read_slice(r->state);
}

static int slice_failed(struct listing *l, int rc)
{
    struct request *r = l->request;
    if (rc != -ERR_EXPIRED) {
        if (l->status == 0) {
            (void)err_set(&l->err, (enum err_code) - rc, "the store cannot be read: %s",
                          err_name(rc));
        }
        return status_from_err(&r->arena, &r->status, rc, &l->err);
    }
    (void)err_set(&l->err, ERR_EXPIRED, "The resourceVersion for the provided list is too old.");
    (void)status_from_err(&r->arena, &r->status, -ERR_EXPIRED, &l->err);
    if (l->options.resumed) {
        /* Nothing of this page was sent: it begins where it was to begin. */
        r->status.message = str_lit(expired_text);
        const struct list_place place = { .revision = -1, .after = l->options.after, .left = -1 };
        r->status.continue_token = continue_encode(&r->arena, &place);
    }
    return rc;
}

static struct list_meta make_meta(struct listing *l)
{
    struct arena *a = &l->request->arena;
    struct list_meta meta = { .resource_version = object_rv(a, l->revision), .remaining = -1 };
    if (l->full) {
        struct str after = buf_str(&l->after);
        const struct list_place place = { .revision = (int64_t)l->revision,
                                          .after = str_slice(after, l->prefix.len, after.len),
                                          .left = l->remaining.count };
        meta.continue_token = continue_encode(a, &place);
        meta.remaining = l->remaining.count;
    }
    return meta;
}

static enum request_run too_long(struct listing *l)
{
    struct request *r = l->request;
    (void)err_set(&l->err, ERR_TOO_LARGE,
                  "a list of more than %u bytes is not sent as YAML in one answer: ask for it in "
                  "pages with limit, or as JSON",
                  LIST_YAML_BYTES_MAX);
    (void)status_from_err(&r->arena, &r->status, -ERR_TOO_LARGE, &l->err);
    return RUN_FAIL;
}

static void start_looking(struct listing *l)
{
    buf_append_str(&l->gathered_after, buf_str(&l->after));
    l->gathered_count = l->writer.count;
    l->items_bytes = l->request->out.len;
    l->phase = LIST_LOOK;
}

/* The page's end is known: its items from the first one not gathered on. */
static enum request_run start_stream(struct listing *l)
{
    const struct list_meta meta = make_meta(l);
    list_writer_frame(&l->writer, &meta, l->items_bytes);
    buf_clear(&l->after);
    buf_append_str(&l->after, buf_str(&l->gathered_after));
    buf_deinit(&l->measured);
    l->writer.count = l->gathered_count;
    l->full = false;
    l->phase = LIST_STREAM;
    return list_stream_begin(&l->stream);
}

/* After a slice that is not the last. */
static enum request_run go_on(struct listing *l)
{
    struct request *r = l->request;
    if (l->phase == LIST_GATHER && l->paused) {
        if (r->media.type == MEDIA_YAML) {
            return too_long(l);
        }
        start_looking(l);
        if (r->media.type != MEDIA_PROTOBUF && l->options.limit == 0) {
            return start_stream(l);
        }
    }
    return RUN_SUSPEND;
}

static enum request_run list_run(struct request *r)
{
    struct listing *l = r->state;
    struct turns *turns = &r->loop->turns;
    if (!turns_free(turns)) {
        return RUN_SUSPEND;
    }
    uint64_t began_ns = env_now_ns(r->server->config.env);
    int rc = read_slice(l);
    turns_spend(turns, env_now_ns(r->server->config.env) - began_ns);
    if (rc == 1) {
        return go_on(l);
    }
    if (rc < 0) {
        (void)slice_failed(l, rc);
        return RUN_FAIL;
    }
    if (l->phase == LIST_LOOK) {
        return start_stream(l);
    }
    const struct list_meta meta = make_meta(l);
    return list_writer_answer(&l->writer, &meta);
}

static void list_drained(struct request *r)
{
    struct listing *l = r->state;
    list_stream_drained(&l->stream);
}

const struct operation operation_list = {
    .name = "list",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = list_prepare,
    .run = list_run,
    .drained = list_drained,
    .release = list_release,
};
