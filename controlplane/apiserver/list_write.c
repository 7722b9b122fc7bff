/* The envelope of a list in every form it is sent in, and the items in between. */
#include "controlplane/apiserver/list_write.h"

#include "api/meta/object.h"

void list_writer_init(struct list_writer *w, struct request *r)
{
    *w = (struct list_writer){ .request = r, .kind = r->kind, .style = object_style_of(r) };
    w->style.item = true;
    buf_init(&w->head);
    arena_init(&w->scratch);
}

void list_writer_deinit(struct list_writer *w)
{
    buf_deinit(&w->head);
    arena_deinit(&w->scratch);
}

int list_writer_add(struct list_writer *w, struct str payload, uint64_t revision, struct err *e)
{
    struct buf *out = &w->request->out;
    if (w->count > 0 && w->style.media.type != MEDIA_PROTOBUF) {
        buf_append_c(out, ",");
    }
    int rc = w->style.media.transform == TRANSFORM_TABLE
                 ? table_row(&w->scratch, out, w->kind, payload, revision, &w->style, e)
                 : object_write(&w->scratch, out, w->kind, payload, revision, &w->style, e);
    arena_reset(&w->scratch);
    w->count += rc == 0 ? 1 : 0;
    return rc;
}

static struct str list_kind(const struct list_writer *w)
{
    return w->style.media.transform == TRANSFORM_PARTIAL ? str_lit("PartialObjectMetadataList")
                                                         : str_from(w->kind->list_name);
}

static struct str list_version(const struct list_writer *w)
{
    if (w->style.media.transform != TRANSFORM_PARTIAL) {
        return str_from(kind_api_version(w->kind->kind));
    }
    return w->style.media.v1beta1 ? str_lit("meta.k8s.io/v1beta1") : str_lit("meta.k8s.io/v1");
}

static void put_list_meta(struct buf *b, const struct list_meta *meta)
{
    buf_put_varint(b, 1 << 3 | 2);
    buf_put_bytes(b, str_lit("")); /* selfLink, always there */
    buf_put_varint(b, 2 << 3 | 2);
    buf_put_bytes(b, meta->resource_version);
    buf_put_varint(b, 3 << 3 | 2);
    buf_put_bytes(b, meta->continue_token);
    if (meta->remaining >= 0) {
        buf_put_varint(b, 4 << 3);
        buf_put_varint(b, (uint64_t)meta->remaining);
    }
}

/* ListMeta as field 1, the items as they were appended, all in the envelope; v1beta1 has them the
 * other way round. What stands before the items is the answer's head, so that they need not be
 * moved. */
static enum request_run answer_protobuf(struct list_writer *w, const struct list_meta *meta)
{
    struct request *r = w->request;
    struct buf *head = &w->head;
    struct buf field;
    bool old = w->style.media.transform == TRANSFORM_PARTIAL && w->style.media.v1beta1;
    const struct encoding encoding = { .api_version = list_version(w), .kind = list_kind(w) };
    buf_init(&field);
    put_list_meta(head, meta);
    buf_put_varint(&field, (old ? 2u : 1u) << 3 | 2);
    buf_put_bytes(&field, buf_str(head));
    buf_clear(head);
    envelope_begin(head, &encoding, field.len + r->out.len);
    buf_append_str(old ? &r->out : head, buf_str(&field));
    buf_deinit(&field);
    envelope_end(&r->out);
    enum request_run run = object_answer_out(r, 200);
    r->answer_head = str_copy(&r->arena, buf_str(head));
    return run;
}

static enum request_run answer_text(struct list_writer *w, const struct list_meta *meta)
{
    struct request *r = w->request;
    struct buf *head = &w->head;
    bool table = w->style.media.transform == TRANSFORM_TABLE;
    if (table) {
        table_begin(head, w->kind, meta, &w->style);
        table_end(&r->out);
    } else {
        buf_printf(head, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",\"metadata\":",
                   STR_ARG(list_kind(w)), STR_ARG(list_version(w)));
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

enum request_run list_writer_answer(struct list_writer *w, const struct list_meta *meta)
{
    return w->request->media.type == MEDIA_PROTOBUF ? answer_protobuf(w, meta)
                                                    : answer_text(w, meta);
}
