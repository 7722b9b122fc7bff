/* OpenAPIv3.proto. Most things are a choice of the thing (1) and a reference to it (2). */
#include <string.h>

#include "base/buf.h"
#include "controlplane/apiserver/openapi/gnostic.h"

#define MESSAGE(name, extension_)                                                                  \
    static const struct gnostic_message name = { name##_fields,                                    \
                                                 sizeof(name##_fields) / sizeof(name##_fields[0]), \
                                                 extension_ }

/* The thing itself in a choice; the only field of a wrapper message. */
enum { ONLY = 1, REFERENCE = 2 };

static const struct gnostic_field reference_fields[] = { { "$ref", 1, gnostic_string },
                                                         { "description", 3, gnostic_string } };
MESSAGE(reference, 0);

/* ---- schemas ---- */

static gnostic_put put_schema, put_schema_list, put_items, put_properties, put_default;

static const struct gnostic_field schema_fields[] = { { "uniqueItems", 20, gnostic_bool },
                                                      { "required", 23, gnostic_strings },
                                                      { "enum", 24, gnostic_anys },
                                                      { "type", 25, gnostic_string },
                                                      { "allOf", 26, put_schema_list },
                                                      { "oneOf", 27, put_schema_list },
                                                      { "items", 30, put_items },
                                                      { "properties", 31, put_properties },
                                                      { "additionalProperties", 32, put_items },
                                                      { "default", 33, put_default },
                                                      { "description", 34, gnostic_string },
                                                      { "format", 35, gnostic_string } };
MESSAGE(schema, 36);

static void put_schema(struct buf *out, uint32_t number, const struct json *j)
{
    if (json_get_c(j, "$ref") != NULL)
        gnostic_put_message(out, (const uint32_t[]){ REFERENCE, number, 0 }, &reference, j);
    else
        gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &schema, j);
}

static void put_schema_list(struct buf *out, uint32_t number, const struct json *j)
{
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++)
        put_schema(out, number, &j->u.items[i]);
}

/* Items and additional properties lie in a message with the schema as field 1. */
static void put_items(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    put_schema(out, ONLY, j);
    gnostic_wrap(out, from, number);
}

static void put_properties(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_put_named(out, ONLY, j, put_schema);
    gnostic_wrap(out, from, number);
}

/* A number, a boolean or a string; gnostic has no other defaults. */
static void put_default(struct buf *out, uint32_t number, const struct json *j)
{
    enum { NUMBER = 1, BOOLEAN = 2, STRING = 3, WIRE_FIXED64 = 1 };
    size_t from = out->len;
    double value;
    uint64_t bits;
    switch (j->type) {
    case JSON_STRING:
        gnostic_string(out, STRING, j);
        break;
    case JSON_BOOL:
        gnostic_bool(out, BOOLEAN, j);
        break;
    case JSON_INT:
    case JSON_DOUBLE:
        value = j->type == JSON_INT ? (double)j->u.integer : j->u.number;
        memcpy(&bits, &value, sizeof(bits));
        buf_put_varint(out, NUMBER << 3 | WIRE_FIXED64);
        buf_put_le64(out, bits);
        break;
    default:
        return;
    }
    gnostic_wrap(out, from, number);
}

/* ---- parameters and bodies ---- */

static const struct gnostic_field parameter_fields[] = { { "name", 1, gnostic_string },
                                                         { "in", 2, gnostic_string },
                                                         { "description", 3, gnostic_string },
                                                         { "required", 4, gnostic_bool },
                                                         { "schema", 10, put_schema } };
MESSAGE(parameter, 14);

static void put_parameters(struct buf *out, uint32_t number, const struct json *j)
{
    const uint32_t path[] = { ONLY, number, 0 };
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++)
        gnostic_put_message(out, path, &parameter, &j->u.items[i]);
}

static const struct gnostic_field media_fields[] = { { "schema", 1, put_schema } };
MESSAGE(media, 5);

static void put_media(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &media, j);
}

static void put_content(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_put_named(out, ONLY, j, put_media);
    gnostic_wrap(out, from, number);
}

static const struct gnostic_field body_fields[] = { { "content", 2, put_content },
                                                    { "required", 3, gnostic_bool } };
MESSAGE(body, 4);

static void put_body(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &body, j);
}

static const struct gnostic_field response_fields[] = { { "description", 1, gnostic_string },
                                                        { "content", 3, put_content } };
MESSAGE(response, 5);

static void put_response(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &response, j);
}

static void put_responses(struct buf *out, uint32_t number, const struct json *j)
{
    enum { RESPONSE_OR_REFERENCE = 2 };
    size_t from = out->len;
    gnostic_put_named(out, RESPONSE_OR_REFERENCE, j, put_response);
    gnostic_wrap(out, from, number);
}

/* ---- paths ---- */

static const struct gnostic_field operation_fields[] = {
    { "tags", 1, gnostic_strings },       { "description", 3, gnostic_string },
    { "operationId", 5, gnostic_string }, { "parameters", 6, put_parameters },
    { "requestBody", 7, put_body },       { "responses", 8, put_responses }
};
MESSAGE(operation, 13);

static void put_operation(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &operation, j);
}

static const struct gnostic_field item_fields[] = {
    { "get", 4, put_operation },     { "put", 5, put_operation },
    { "post", 6, put_operation },    { "delete", 7, put_operation },
    { "options", 8, put_operation }, { "head", 9, put_operation },
    { "patch", 10, put_operation },  { "parameters", 13, put_parameters }
};
MESSAGE(item, 14);

static void put_item(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &item, j);
}

static void put_paths(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_put_named(out, ONLY, j, put_item);
    gnostic_wrap(out, from, number);
}

/* ---- the document ---- */

static const struct gnostic_field info_fields[] = { { "title", 1, gnostic_string },
                                                    { "version", 6, gnostic_string } };
MESSAGE(info, 7);

static void put_info(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &info, j);
}

static const struct gnostic_field components_fields[] = { { "schemas", 1, put_properties } };
MESSAGE(components, 10);

static void put_components(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &components, j);
}

static const struct gnostic_field document_fields[] = { { "openapi", 1, gnostic_string },
                                                        { "info", 2, put_info },
                                                        { "paths", 4, put_paths },
                                                        { "components", 5, put_components } };
MESSAGE(document, 9);

void gnostic_write_v3(struct buf *out, const struct json *j)
{
    gnostic_write(out, &document, j);
}
