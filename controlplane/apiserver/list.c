/*
 * GET of a collection.
 *
 * Every page is read at one revision, in slices: each slice is one short read transaction in one
 * turn of the loop, encoded as it is read; then the request suspends and goes on after the last key
 * it saw, at the same revision.
 */
#include "api/meta/object.h"
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/list_write.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/selection.h"

static const char expired_text[] =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list.";

struct listing {
    struct request *request;
    struct list_options options;
    struct selection selection;
    struct list_writer writer;
    struct str prefix;
    uint64_t revision; /* of every slice; 0 before the first */
    struct buf after;  /* the last key seen */
    bool full;         /* the limit is reached and a key follows */
    int64_t remaining;
    int status;
    struct err err;
};

static int list_prepare(struct request *r)
{
    struct listing *l = arena_new(&r->arena, struct listing);
    r->state = l;
    l->request = r;
    l->remaining = -1;
    buf_init(&l->after);
    list_writer_init(&l->writer, r);
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
        list_writer_deinit(&l->writer);
    }
}

static bool visit(void *ctx, const struct store_version *v)
{
    struct listing *l = ctx;
    struct str payload;
    l->status = object_payload(v->value, &payload, &l->err);
    if (l->status != 0) {
        return false;
    }
    if (selection_matches(&l->selection, payload)) {
        if (l->options.limit > 0 && l->writer.count == l->options.limit) {
            l->full = true;
            return false;
        }
        l->status = list_writer_add(&l->writer, payload, v->revision, &l->err);
        if (l->status != 0) {
            return false;
        }
    }
    buf_clear(&l->after);
    buf_append_str(&l->after, v->key);
    return true;
}

/* One slice. 1: more slices follow. */
static int read_slice(struct listing *l)
{
    struct store_read read;
    bool more = false;
    uint64_t at = l->revision != 0 ? l->revision : l->options.exact ? l->options.revision : 0;
    int rc = store_read_begin(l->request->server->config.group, at, &read);
    if (rc != 0) {
        return rc;
    }
    l->revision = read.revision;
    rc = store_read_scan(&read, l->prefix, buf_str(&l->after), visit, l, &more);
    if (rc == 0 && l->status == 0 && l->full && l->selection.everything) {
        l->remaining =
            (int64_t)store_read_count(&read, l->prefix, buf_str(&l->after), LIST_REMAINING_MAX);
    }
    store_read_end(&read);
    rc = rc != 0 ? rc : l->status;
    return rc != 0 ? rc : more && !l->full ? 1 : 0;
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
    if (l->options.resumed || l->writer.count > 0) {
        r->status.message = str_lit(expired_text);
        struct str after = buf_str(&l->after);
        r->status.continue_token =
            continue_encode(&r->arena, -1, str_slice(after, l->prefix.len, after.len));
    }
    return rc;
}

static struct list_meta make_meta(struct listing *l)
{
    struct arena *a = &l->request->arena;
    struct list_meta meta = { .resource_version = object_rv(a, l->revision), .remaining = -1 };
    if (l->full) {
        struct str after = buf_str(&l->after);
        meta.continue_token =
            continue_encode(a, (int64_t)l->revision, str_slice(after, l->prefix.len, after.len));
        meta.remaining = l->remaining;
    }
    return meta;
}

static enum request_run list_run(struct request *r)
{
    struct listing *l = r->state;
    int rc = read_slice(l);
    if (rc == 1) {
        return RUN_SUSPEND;
    }
    if (rc < 0) {
        (void)slice_failed(l, rc);
        return RUN_FAIL;
    }
    const struct list_meta meta = make_meta(l);
    return list_writer_answer(&l->writer, &meta);
}

const struct operation operation_list = {
    .name = "list",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = list_prepare,
    .run = list_run,
    .release = list_release,
};
