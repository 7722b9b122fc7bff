/* Decoding bodies and encoding answers: the only file that knows all forms of an object. */
#include "controlplane/apiserver/object.h"

#include <string.h>

#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/yaml.h"
#include "base/assert.h"
#include "controlplane/apiserver/table.h"

struct body_type body_type_of(const struct kind_info *k)
{
    return (struct body_type){ .schema = k->schema,
                               .kind = k->name,
                               .api_version = kind_api_version(k->kind) };
}

/* ---- in ---- */

static struct str short_version(struct str api_version)
{
    ptrdiff_t slash = str_find_char(api_version, '/', 0);
    return slash < 0 ? api_version : str_slice(api_version, (size_t)slash + 1, api_version.len);
}

static int bad(struct request *r, struct str message)
{
    return status_bad_request(&r->status, message);
}

/* Upstream's wrapper around everything that goes wrong inside an object. */
static int cannot_handle(struct request *r, const struct body_type *type, struct str kind,
                         struct str api_version, const char *why)
{
    return bad(r, str_printf(&r->arena, "%.*s in version \"%.*s\" cannot be handled as a %s: %s",
                             STR_ARG(kind), STR_ARG(short_version(api_version)), type->kind, why));
}

static int check_type(struct request *r, const struct body_type *type, struct str kind,
                      struct str api_version)
{
    if (type->api_version == NULL) {
        return 0;
    }
    if (api_version.len > 0 && !str_eq_c(api_version, type->api_version)) {
        return bad(r, str_printf(&r->arena,
                                 "the API version in the data (%.*s) does not match the expected "
                                 "API version (%s)",
                                 STR_ARG(api_version), type->api_version));
    }
    if (kind.len > 0 && !str_eq_c(kind, type->kind)) {
        return cannot_handle(r, type, kind, str_from(type->api_version),
                             "the kind of the object does not match the resource");
    }
    return 0;
}

/* A body without metadata has an empty one, as upstream's structs do: all that follows reads it. */
static void ensure_metadata(struct request *r, const struct schema *s, void *object)
{
    const struct schema_field *f = schema_field_by_number(s, 1);
    if (f == NULL || f->message != &schema_ObjectMeta || f->card != SCHEMA_ONE) {
        return;
    }
    void **member = (void **)(void *)((char *)object + f->offset);
    if (*member == NULL) {
        *member = schema_new(&r->arena, f->message);
    }
}

static enum schema_strictness strictness_of(const struct request *r)
{
    struct str v = route_param(&r->route, "fieldValidation");
    if (str_eq_c(v, "Strict")) {
        return SCHEMA_STRICT;
    }
    return str_eq_c(v, "Ignore") ? SCHEMA_IGNORE : SCHEMA_WARN;
}

int object_decode_tree(struct request *r, const struct body_type *type, const struct json *tree,
                       void **out)
{
    struct err e;
    struct schema_warnings warnings = { 0 };
    struct str api_version = str_from(type->api_version == NULL ? "v1" : type->api_version);
    if (tree->type != JSON_OBJECT) {
        return cannot_handle(r, type, str_from(type->kind), api_version,
                             "json: cannot unmarshal into Go value: not an object");
    }
    const struct json *kind = json_get_c(tree, "kind");
    const struct json *version = json_get_c(tree, "apiVersion");
    int rc = check_type(r, type, kind == NULL ? str_lit("") : json_str(kind),
                        version == NULL ? str_lit("") : json_str(version));
    if (rc != 0) {
        return rc;
    }
    rc = schema_decode(&r->arena, type->schema, tree, strictness_of(r), out, &warnings, &e);
    if (rc != 0) {
        return cannot_handle(r, type, str_from(type->kind), api_version, e.msg);
    }
    for (size_t i = 0; i < warnings.count; i++) {
        request_warn(r, warnings.texts[i]);
    }
    ensure_metadata(r, type->schema, *out);
    return 0;
}

static int decode_protobuf(struct request *r, const struct body_type *type, void **out)
{
    struct err e;
    struct envelope envelope;
    if (envelope_open(r->body, &envelope, &e) != 0) {
        return bad(r, str_printf(&r->arena,
                                 "the object provided is unrecognized (must be of type %s): %s",
                                 type->kind, e.msg));
    }
    int rc = check_type(r, type, envelope.kind, envelope.api_version);
    if (rc == 0 && schema_unpack(&r->arena, type->schema, envelope.raw, out, &e) != 0) {
        rc = cannot_handle(r, type, envelope.kind, envelope.api_version, e.msg);
    }
    if (rc == 0) {
        ensure_metadata(r, type->schema, *out);
    }
    return rc;
}

int object_decode_body(struct request *r, const struct body_type *type, void **out)
{
    struct err e;
    enum media_type media;
    const struct json *tree = NULL;
    struct str content_type =
        r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "content-type");
    int rc = media_content(content_type, &media, &e);
    if (rc != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    if (media == MEDIA_PROTOBUF || envelope_is(r->body)) {
        return decode_protobuf(r, type, out);
    }
    rc = media == MEDIA_YAML ? yaml_parse(&r->arena, r->body, &tree, &e)
                             : json_parse(&r->arena, r->body, &tree, &e);
    if (rc != 0) {
        return bad(r, str_printf(&r->arena,
                                 "the object provided is unrecognized (must be of type %s): "
                                 "couldn't get version/kind; json parse error: %s",
                                 type->kind, e.msg));
    }
    return object_decode_tree(r, type, tree, out);
}

int object_unpack(struct request *r, const struct kind_info *k, struct str payload, void **out)
{
    struct err e;
    if (schema_unpack(&r->arena, k->schema, payload, out, &e) != 0) {
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
    /* Server-side apply is a later issue: nobody reads managed fields, so none are kept. */
    meta->n_managed_fields = 0;
    meta->managed_fields = NULL;
    buf_init(&b);
    object_put_header(&b);
    schema_pack(&b, k->schema, object);
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
    return revision == 0 ? str_lit("") : str_printf(a, "%llu", (unsigned long long)revision);
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
    if (style->media.transform == TRANSFORM_PARTIAL) {
        schema = &schema_PartialObjectMetadata;
        encoding.kind = str_lit("PartialObjectMetadata");
        encoding.api_version =
            style->media.v1beta1 ? str_lit("meta.k8s.io/v1beta1") : str_lit("meta.k8s.io/v1");
        payload = partial_payload(a, payload);
    }
    if (style->media.type == MEDIA_PROTOBUF) {
        if (style->item) {
            schema_splice_rv(out, schema, payload, encoding.resource_version, false);
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
    json_indent(&r->out, text);
    buf_append_c(&r->out, "\n");
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
