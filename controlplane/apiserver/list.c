/*
 * GET of a collection.
 *
 * Every page is read at one revision, in slices: each slice is one short read transaction in one
 * turn of the loop, encoded as it is read; then the request suspends and goes on after the last key
 * it saw, at the same revision.
 */
#include "api/meta/object.h"
#include "api/proto/schemas.h"
#include "controlplane/apiserver/list_options.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/selection.h"
#include "controlplane/apiserver/table.h"

/* Counting what remains stops here; a larger remainder is told as this. */
#define LIST_REMAINING_MAX 1000000

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
    struct object_style style;
    struct str prefix;
    uint64_t revision; /* of every slice; 0 before the first */
    struct buf after;  /* the last key seen */
    struct buf item;
    struct arena scratch;
    int64_t count;
    bool full; /* the limit is reached and a key follows */
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
    buf_init(&l->item);
    arena_init(&l->scratch);
    int rc = list_options_parse(r, &l->options);
    rc = rc == 0 ? selection_parse(r, &l->selection) : rc;
    if (rc == 0 && table_include_parse(route_param(&r->route, "includeObject"),
                                       &l->style.include_object, &l->err) != 0) {
        rc = status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &l->err);
    }
    if (rc != 0) {
        return rc;
    }
    l->style = object_style_of(r);
    l->style.item = true;
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
        buf_deinit(&l->item);
        arena_deinit(&l->scratch);
    }
}

/* Appends one object to r->out in the list's form. */
static int append_item(struct listing *l, const struct store_version *v, struct str payload)
{
    struct buf *out = &l->request->out;
    const struct kind_info *k = l->selection.kind;
    if (l->style.media.type == MEDIA_PROTOBUF) {
        buf_clear(&l->item);
        int rc = object_write(&l->scratch, &l->item, k, payload, v->revision, &l->style, &l->err);
        buf_put_varint(out, 2 << 3 | 2); /* items */
        buf_put_bytes(out, buf_str(&l->item));
        return rc;
    }
    if (l->count > 0) {
        buf_append_c(out, ",");
    }
    return l->style.media.transform == TRANSFORM_TABLE
               ? table_row(&l->scratch, out, k, payload, v->revision, &l->style, &l->err)
               : object_write(&l->scratch, out, k, payload, v->revision, &l->style, &l->err);
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
        if (l->options.limit > 0 && l->count == l->options.limit) {
            l->full = true;
            return false;
        }
        l->status = append_item(l, v, payload);
        arena_reset(&l->scratch);
        if (l->status != 0) {
            return false;
        }
        l->count++;
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
    if (l->options.resumed || l->count > 0) {
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

static struct str list_kind(const struct listing *l)
{
    return l->style.media.transform == TRANSFORM_PARTIAL ? str_lit("PartialObjectMetadataList")
                                                         : str_from(l->selection.kind->list_name);
}

static struct str list_version(const struct listing *l)
{
    if (l->style.media.transform != TRANSFORM_PARTIAL) {
        return str_from(kind_api_version(l->selection.kind->kind));
    }
    return l->style.media.v1beta1 ? str_lit("meta.k8s.io/v1beta1") : str_lit("meta.k8s.io/v1");
}

/* ListMeta as field 1, the items as they were appended, all in the envelope. */
static enum request_run answer_protobuf(struct listing *l, const struct list_meta *meta)
{
    struct request *r = l->request;
    struct buf whole;
    const struct encoding encoding = { .api_version = list_version(l), .kind = list_kind(l) };
    buf_clear(&l->item);
    buf_put_varint(&l->item, 1 << 3 | 2);
    buf_put_bytes(&l->item, str_lit("")); /* selfLink, always there */
    buf_put_varint(&l->item, 2 << 3 | 2);
    buf_put_bytes(&l->item, meta->resource_version);
    buf_put_varint(&l->item, 3 << 3 | 2);
    buf_put_bytes(&l->item, meta->continue_token);
    if (meta->remaining >= 0) {
        buf_put_varint(&l->item, 4 << 3);
        buf_put_varint(&l->item, (uint64_t)meta->remaining);
    }
    buf_init(&whole);
    buf_put_varint(&whole, 1 << 3 | 2);
    buf_put_bytes(&whole, buf_str(&l->item));
    buf_append_str(&whole, buf_str(&r->out));
    buf_clear(&r->out);
    const struct schema *schema = l->style.media.transform == TRANSFORM_PARTIAL
                                      ? &schema_PartialObjectMetadataList
                                      : l->selection.kind->list_schema;
    envelope_write(&r->out, schema, buf_str(&whole), &encoding);
    buf_deinit(&whole);
    return object_answer_out(r, 200);
}

static enum request_run answer_text(struct listing *l, const struct list_meta *meta)
{
    struct request *r = l->request;
    struct buf *head = &l->item;
    bool table = l->style.media.transform == TRANSFORM_TABLE;
    buf_clear(head);
    if (table) {
        table_begin(head, l->selection.kind, meta, &l->style);
        table_end(&r->out);
    } else {
        buf_printf(head, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",\"metadata\":",
                   STR_ARG(list_kind(l)), STR_ARG(list_version(l)));
        list_meta_write(head, meta);
        buf_append_c(head, ",\"items\":[");
        buf_append_c(&r->out, "]}");
    }
    if (r->pretty || r->media.type == MEDIA_YAML) {
        /* Both are made from the whole text. */
        buf_append_str(head, buf_str(&r->out));
        buf_clear(&r->out);
        buf_append_str(&r->out, buf_str(head));
        buf_clear(head);
    }
    enum request_run run = object_answer_out(r, 200);
    r->answer_head = str_copy(&r->arena, buf_str(head));
    return run;
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
    return r->media.type == MEDIA_PROTOBUF ? answer_protobuf(l, &meta) : answer_text(l, &meta);
}

const struct operation operation_list = {
    .name = "list",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = list_prepare,
    .run = list_run,
    .release = list_release,
};
