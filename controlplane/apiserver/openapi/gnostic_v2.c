/* OpenAPIv2.proto. */
#include "base/buf.h"
#include "controlplane/apiserver/openapi/gnostic.h"

#define MESSAGE(name, extension_)                                                                  \
    static const struct gnostic_message name = { name##_fields,                                    \
                                                 sizeof(name##_fields) / sizeof(name##_fields[0]), \
                                                 extension_ }

/* The only field of a wrapper message. */
enum { ONLY = 1 };

/* ---- schemas ---- */

static gnostic_put put_schema, put_items, put_additional, put_type, put_properties;

static const struct gnostic_field schema_fields[] = { { "$ref", 1, gnostic_string },
                                                      { "format", 2, gnostic_string },
                                                      { "description", 4, gnostic_string },
                                                      { "default", 5, gnostic_any },
                                                      { "uniqueItems", 16, gnostic_bool },
                                                      { "required", 19, gnostic_strings },
                                                      { "enum", 20, gnostic_anys },
                                                      { "additionalProperties", 21,
                                                        put_additional },
                                                      { "type", 22, put_type },
                                                      { "items", 23, put_items },
                                                      { "properties", 25, put_properties } };
MESSAGE(schema, 31);

static void put_schema(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &schema, j);
}

/* Items and additional properties lie in a message with the schema as field 1. */
static void put_items(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &schema, j);
}

static void put_additional(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &schema, j);
}

/* A list of types, of which there is one. */
static void put_type(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_string(out, ONLY, j);
    gnostic_wrap(out, from, number);
}

static void put_properties(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_put_named(out, ONLY, j, put_schema);
    gnostic_wrap(out, from, number);
}

/* ---- parameters ---- */

static const struct gnostic_field body_fields[] = { { "description", 1, gnostic_string },
                                                    { "name", 2, gnostic_string },
                                                    { "in", 3, gnostic_string },
                                                    { "required", 4, gnostic_bool },
                                                    { "schema", 5, put_schema } };
MESSAGE(body, 6);

static const struct gnostic_field query_fields[] = {
    { "required", 1, gnostic_bool },      { "in", 2, gnostic_string },
    { "description", 3, gnostic_string }, { "name", 4, gnostic_string },
    { "type", 6, gnostic_string },        { "uniqueItems", 20, gnostic_bool }
};
MESSAGE(query, 23);

static const struct gnostic_field path_parameter_fields[] = {
    { "required", 1, gnostic_bool },      { "in", 2, gnostic_string },
    { "description", 3, gnostic_string }, { "name", 4, gnostic_string },
    { "type", 5, gnostic_string },        { "uniqueItems", 19, gnostic_bool }
};
MESSAGE(path_parameter, 22);

/* A parameter is one of several messages, each in a choice of its own: ParametersItem.parameter,
 * then body_parameter or non_body_parameter, then by place. */
static void put_parameters(struct buf *out, uint32_t number, const struct json *j)
{
    enum { PARAMETER = 1, BODY = 1, NON_BODY = 2, QUERY = 3, PATH = 4 };
    const uint32_t as_body[] = { BODY, PARAMETER, number, 0 };
    const uint32_t as_query[] = { QUERY, NON_BODY, PARAMETER, number, 0 };
    const uint32_t as_path[] = { PATH, NON_BODY, PARAMETER, number, 0 };
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++) {
        const struct json *p = &j->u.items[i];
        struct str in = json_str(json_get_c(p, "in"));
        if (str_eq_c(in, "body"))
            gnostic_put_message(out, as_body, &body, p);
        else if (str_eq_c(in, "path"))
            gnostic_put_message(out, as_path, &path_parameter, p);
        else
            gnostic_put_message(out, as_query, &query, p);
    }
}

/* ---- operations ---- */

static void put_response_schema(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &schema, j);
}

static const struct gnostic_field response_fields[] = { { "description", 1, gnostic_string },
                                                        { "schema", 2, put_response_schema } };
MESSAGE(response, 5);

static void put_response(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ ONLY, number, 0 }, &response, j);
}

static void put_responses(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    gnostic_put_named(out, ONLY, j, put_response);
    gnostic_wrap(out, from, number);
}

static const struct gnostic_field operation_fields[] = {
    { "tags", 1, gnostic_strings },       { "description", 3, gnostic_string },
    { "operationId", 5, gnostic_string }, { "produces", 6, gnostic_strings },
    { "consumes", 7, gnostic_strings },   { "parameters", 8, put_parameters },
    { "responses", 9, put_responses },    { "schemes", 10, gnostic_strings }
};
MESSAGE(operation, 13);

static void put_operation(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &operation, j);
}

static const struct gnostic_field item_fields[] = {
    { "get", 2, put_operation },     { "put", 3, put_operation },
    { "post", 4, put_operation },    { "delete", 5, put_operation },
    { "options", 6, put_operation }, { "head", 7, put_operation },
    { "patch", 8, put_operation },   { "parameters", 9, put_parameters }
};
MESSAGE(item, 10);

static void put_item(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &item, j);
}

/* ---- the document ---- */

static void put_paths(struct buf *out, uint32_t number, const struct json *j)
{
    enum { PATHS_PATH = 2 };
    size_t from = out->len;
    gnostic_put_named(out, PATHS_PATH, j, put_item);
    gnostic_wrap(out, from, number);
}

static const struct gnostic_field info_fields[] = { { "title", 1, gnostic_string },
                                                    { "version", 2, gnostic_string } };
MESSAGE(info, 7);

static void put_info(struct buf *out, uint32_t number, const struct json *j)
{
    gnostic_put_message(out, (const uint32_t[]){ number, 0 }, &info, j);
}

static const struct gnostic_field document_fields[] = { { "swagger", 1, gnostic_string },
                                                        { "info", 2, put_info },
                                                        { "paths", 8, put_paths },
                                                        { "definitions", 9, put_properties } };
MESSAGE(document, 16);

void gnostic_write_v2(struct buf *out, const struct json *j)
{
    gnostic_write(out, &document, j);
}
