/* Stored objects and answers: every form in which an object goes out. */
#include "controlplane/apiserver/object.h"

#include <string.h>

#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "api/meta/view.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/yaml.h"
#include "base/assert.h"
#include "controlplane/apiserver/table.h"

/* The field `items` of every list. */
#define LIST_ITEMS 2
/* But of PartialObjectMetadataList of meta.k8s.io/v1beta1. */
#define LIST_ITEMS_V1BETA1 1

struct body_type body_type_of(const struct kind_info *k)
{
    return (struct body_type){ .schema = k->schema,
                               .kind = k->name,
                               .api_version = kind_api_version(k->kind) };
}

const struct schema *object_schema(const struct kind_info *k)
{
    enum kind store = kind_store(k->kind);
    return store == KIND_NONE ? k->schema : kind_info(store)->schema;
}

int object_to_stored(struct request *r, const struct kind_info *k, void **object)
{
    struct err e;
    if (object_schema(k) == k->schema) {
        return 0;
    }
    struct str payload =
        view_to_stored(&r->arena, k->kind, schema_pack_arena(&r->arena, k->schema, *object));
    if (schema_unpack(&r->arena, object_schema(k), payload, object, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return 0;
}

int object_unpack(struct request *r, const struct kind_info *k, struct str payload, void **out)
{
    struct err e;
    if (schema_unpack(&r->arena, object_schema(k), payload, out, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return 0;
}

struct str object_pack(struct request *r, const struct kind_info *k, void *object)
{
    struct buf b;
    struct ObjectMeta *meta = resource_meta(object);
    meta->resource_version = NULL;
    meta->self_link = NULL;
    buf_init(&b);
    object_put_header(&b);
    schema_pack(&b, object_schema(k), object);
    struct str value = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return value;
}

struct str object_packed_payload(struct str value)
{
    ASSERT(value.len >= OBJECT_HEADER_BYTES);
    return str_slice(value, OBJECT_HEADER_BYTES, value.len);
}

/* ---- out ---- */

struct str object_rv(struct arena *a, uint64_t revision)
{
    char digits[20]; /* of 2^64 */
    size_t at = sizeof(digits);
    for (; revision > 0; revision /= 10) {
        digits[--at] = (char)('0' + revision % 10);
    }
    return str_copy(a, str_of(&digits[at], sizeof(digits) - at));
}

struct object_style object_style_of(const struct request *r)
{
    int include = TABLE_METADATA;
    struct err e;
    (void)table_include_parse(route_param(&r->route, "includeObject"), &include, &e);
    return (struct object_style){ .media = r->media,
                                  .columns = true,
                                  .include_object = include,
                                  .now_wall_ns = request_now_ns(r) };
}

/* The metadata alone, as a PartialObjectMetadata message. */
static struct str partial_payload(struct arena *a, struct str payload)
{
    struct buf b;
    struct peek_field meta;
    buf_init(&b);
    if (peek_field(payload, 1, &meta)) {
        buf_put_varint(&b, 1 << 3 | PEEK_BYTES);
        buf_put_bytes(&b, meta.bytes);
    }
    struct str partial = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return partial;
}

static int write_table(struct arena *a, struct buf *out, const struct kind_info *k,
                       struct str payload, uint64_t revision, const struct object_style *style,
                       struct err *e)
{
    const struct list_meta meta = { .resource_version = object_rv(a, revision), .remaining = -1 };
    table_begin(out, k, &meta, style);
    int rc = table_row(a, out, k, payload, revision, style, e);
    table_end(out);
    return rc;
}

static uint32_t partial_items(const struct object_style *style)
{
    return style->media.v1beta1 ? LIST_ITEMS_V1BETA1 : LIST_ITEMS;
}

int object_write(struct arena *a, struct buf *out, const struct kind_info *k, struct str payload,
                 uint64_t revision, const struct object_style *style, struct err *e)
{
    const struct schema *schema = k->schema;
    struct encoding encoding = { .api_version = str_from(kind_api_version(k->kind)),
                                 .kind = str_from(k->name),
                                 .resource_version = object_rv(a, revision) };
    if (style->media.transform == TRANSFORM_TABLE) {
        return write_table(a, out, k, payload, revision, style, e);
    }
    payload = view_of_stored(a, k->kind, payload);
    if (style->media.transform == TRANSFORM_PARTIAL) {
        schema = &schema_PartialObjectMetadata;
        encoding.kind = str_lit("PartialObjectMetadata");
        encoding.api_version =
            style->media.v1beta1 ? str_lit("meta.k8s.io/v1beta1") : str_lit("meta.k8s.io/v1");
        payload = partial_payload(a, payload);
    }
    if (style->media.type == MEDIA_PROTOBUF) {
        if (style->item) {
            schema_splice_item(out, schema == k->schema ? LIST_ITEMS : partial_items(style), schema,
                               payload, encoding.resource_version);
        } else {
            envelope_write(out, schema, payload, &encoding);
        }
        return 0;
    }
    if (style->item && style->media.transform == TRANSFORM_NONE) {
        encoding.kind = str_lit("");
        encoding.api_version = str_lit("");
    }
    return schema_encode_json(out, schema, payload, &encoding, e);
}

/* JSON in r->out becomes what was asked for: pretty, YAML, or with the final newline. */
static int finish_text(struct request *r, struct err *e)
{
    const struct json *tree = NULL;
    if (r->media.type != MEDIA_YAML && !r->pretty) {
        buf_append_c(&r->out, "\n");
        return 0;
    }
    struct str text = str_copy(&r->arena, buf_str(&r->out));
    buf_clear(&r->out);
    if (r->media.type == MEDIA_YAML) {
        int rc = json_parse(&r->arena, text, &tree, e);
        return rc != 0 ? rc : yaml_write(&r->out, tree, e);
    }
    json_indent(&r->out, text); /* without a line feed at the end, as upstream */
    return 0;
}

enum request_run object_answer_out(struct request *r, int status)
{
    struct err e;
    int rc = r->media.type == MEDIA_PROTOBUF ? 0 : finish_text(r, &e);
    if (rc != 0) {
        (void)status_internal(&r->arena, &r->status, str_from(e.msg));
        return RUN_FAIL;
    }
    request_answer(r, status, media_name(r->media.type, false), buf_str(&r->out));
    return RUN_ANSWER;
}

enum request_run object_answer(struct request *r, int status, const struct kind_info *k,
                               struct str payload, uint64_t revision)
{
    struct err e;
    const struct object_style style = object_style_of(r);
    buf_clear(&r->out);
    if (object_write(&r->arena, &r->out, k, payload, revision, &style, &e) != 0) {
        (void)status_internal(&r->arena, &r->status, str_from(e.msg));
        return RUN_FAIL;
    }
    return object_answer_out(r, status);
}
