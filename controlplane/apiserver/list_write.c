/* The envelope of a list in every form it is sent in, and the items in between. */
#include "controlplane/apiserver/list_write.h"

#include "api/meta/object.h"

void list_writer_init(struct list_writer *w, struct request *r)
{
    *w = (struct list_writer){ .request = r, .kind = r->kind, .style = object_style_of(r) };
    w->style.item = true;
    buf_init(&w->head);
    buf_init(&w->tail);
    arena_init(&w->scratch);
}

void list_writer_deinit(struct list_writer *w)
{
    buf_deinit(&w->head);
    buf_deinit(&w->tail);
    arena_deinit(&w->scratch);
}

int list_writer_add(struct list_writer *w, struct str payload, uint64_t revision, struct err *e)
{
    return list_writer_put(w, &w->request->out, payload, revision, e);
}

int list_writer_put(struct list_writer *w, struct buf *out, struct str payload, uint64_t revision,
                    struct err *e)
{
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
 * other way round. */
static void frame_protobuf(struct list_writer *w, const struct list_meta *meta, size_t items_bytes)
{
    struct buf field;
    struct buf value;
    bool old = w->style.media.transform == TRANSFORM_PARTIAL && w->style.media.v1beta1;
    const struct encoding encoding = { .api_version = list_version(w), .kind = list_kind(w) };
    buf_init(&field);
    buf_init(&value);
    put_list_meta(&value, meta);
    buf_put_varint(&field, (old ? 2u : 1u) << 3 | 2);
    buf_put_bytes(&field, buf_str(&value));
    envelope_begin(&w->head, &encoding, field.len + items_bytes);
    buf_append_str(old ? &w->tail : &w->head, buf_str(&field));
    envelope_end(&w->tail);
    buf_deinit(&value);
    buf_deinit(&field);
}

static void frame_text(struct list_writer *w, const struct list_meta *meta)
{
    struct buf *head = &w->head;
    if (w->style.media.transform == TRANSFORM_TABLE) {
        table_begin(head, w->kind, meta, &w->style);
        table_end(&w->tail);
        return;
    }
    buf_printf(head,
               "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",\"metadata\":", STR_ARG(list_kind(w)),
               STR_ARG(list_version(w)));
    list_meta_write(head, meta);
    buf_append_c(head, ",\"items\":[");
    buf_append_c(&w->tail, "]}");
}

void list_writer_frame(struct list_writer *w, const struct list_meta *meta, size_t items_bytes)
{
    if (w->request->media.type == MEDIA_PROTOBUF) {
        frame_protobuf(w, meta, items_bytes);
    } else {
        frame_text(w, meta);
    }
}

enum request_run list_writer_answer(struct list_writer *w, const struct list_meta *meta)
{
    struct request *r = w->request;
    list_writer_frame(w, meta, r->out.len);
    buf_append_str(&r->out, buf_str(&w->tail));
    if (r->pretty || r->media.type == MEDIA_YAML) {
        /* Both are made from the whole text. */
        buf_append_str(&w->head, buf_str(&r->out));
        buf_clear(&r->out);
        buf_append_str(&r->out, buf_str(&w->head));
        buf_clear(&w->head);
    }
    enum request_run run = object_answer_out(r, 200);
    r->answer_head = str_copy(&r->arena, buf_str(&w->head));
    return run;
}
