/* An apply's request before it is applied: its options, its body as YAML or JSON, its kind. */
#include "controlplane/apiserver/apply_config.h"

#include "api/schema/yaml.h"
#include "base/buf.h"
#include "controlplane/apiserver/body.h"
#include "controlplane/apiserver/body_items.h"
#include "controlplane/apiserver/request.h"

int apply_config_check_type(struct request *r, enum patch_type type)
{
    const struct status_cause forced = {
        .reason = str_lit("FieldValueForbidden"),
        .message = str_lit("Forbidden: may not be specified for non-apply patch"),
        .field = str_lit("force"),
    };
    const struct status_cause nameless = {
        .reason = str_lit("FieldValueRequired"),
        .message = str_lit("Required value: is required for apply patch"),
        .field = str_lit("fieldManager"),
    };
    const struct status_cause *cause = NULL;
    if (type == PATCH_APPLY && route_param(&r->route, "fieldManager").len == 0) {
        cause = &nameless;
    } else if (type != PATCH_APPLY && route_param(&r->route, "force").len > 0) {
        cause = &forced;
    }
    return cause == NULL
               ? 0
               : status_invalid_field(&r->arena, &r->status, str_lit("PatchOptions.meta.k8s.io"),
                                      str_lit("PatchOptions"), str_lit("meta.k8s.io"), str_lit(""),
                                      cause);
}

static int check_config(struct request *r, const struct body_type *type, const struct json *config)
{
    struct str version = json_str(json_get_c(config, "apiVersion"));
    struct str kind = json_str(json_get_c(config, "kind"));
    const struct json *entries = json_get_c(json_get_c(config, "metadata"), "managedFields");
    if (!str_eq_c(version, type->api_version) || !str_eq_c(kind, type->kind)) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena, "invalid object type: %s%.*s, Kind=%.*s",
                                             str_find_char(version, '/', 0) < 0 ? "/" : "",
                                             STR_ARG(version), STR_ARG(kind)));
    }
    if (entries != NULL && entries->type == JSON_ARRAY) {
        return status_bad_request(&r->status, str_lit("metadata.managedFields must be nil"));
    }
    return 0;
}

static void count_duplicate(void *context, const char *path)
{
    (void)path;
    ++*(size_t *)context;
}

/* Upstream reads a configuration as YAML, so what it says of keys that come twice is YAML's. */
static int check_duplicates(struct request *r, const struct json *config)
{
    struct yaml_duplicates twice = { 0 };
    struct str validation = route_param(&r->route, "fieldValidation");
    const struct json *again = NULL;
    struct buf text;
    size_t count = 0;
    (void)json_duplicates(&r->arena, config, count_duplicate, &count); /* the same number */
    if (count == 0 || str_eq_c(validation, "Ignore") ||
        yaml_parse_body(&r->arena, r->body, &again, &twice, NULL) != 0) {
        return 0;
    }
    buf_init(&text);
    buf_append_c(&text, "error converting YAML to JSON: yaml: unmarshal errors:");
    for (size_t i = 0; i < twice.count; i++) {
        buf_printf(&text, "\n  %s", twice.texts[i]);
        if (!str_eq_c(validation, "Strict")) {
            request_warn(r, twice.texts[i]);
        }
    }
    struct str all = str_copy(&r->arena, buf_str(&text));
    buf_deinit(&text);
    return !str_eq_c(validation, "Strict")
               ? 0
               : status_bad_request(
                     &r->status,
                     str_printf(&r->arena, "error strict decoding YAML: %.*s", STR_ARG(all)));
}

/* Once: a run that has seen old state is followed by another. JSON is faster read as what it is. */
static void parse_body(struct request *r)
{
    struct err e = { 0 };
    if (r->patch != NULL || r->patch_problem.len > 0) {
        return;
    }
    if (json_parse(&r->arena, r->body, &r->patch, NULL) != 0 &&
        yaml_parse(&r->arena, r->body, &r->patch, &e) != 0) {
        r->patch = NULL;
        r->patch_problem = str_copy(&r->arena, str_from(e.msg));
    }
}

/* The tree of the body; nothing at all is an object without members. */
static int parse_config(struct request *r, const struct json **out)
{
    static const char *const types[] = { "null",   "bool",  "number", "number",
                                         "string", "array", "object" };
    static const struct json empty = { .type = JSON_OBJECT };
    parse_body(r);
    if (r->patch == NULL) {
        return status_bad_request(
            &r->status,
            str_printf(&r->arena, "error decoding YAML: error converting YAML to JSON: %.*s",
                       STR_ARG(r->patch_problem)));
    }
    *out = r->patch->type == JSON_NULL ? &empty : r->patch;
    if ((*out)->type != JSON_OBJECT) {
        return status_bad_request(
            &r->status, str_printf(&r->arena,
                                   "error decoding YAML: error unmarshaling JSON: while decoding "
                                   "JSON: json: cannot unmarshal %s into Go value of type "
                                   "map[string]interface {}",
                                   types[(*out)->type]));
    }
    return 0;
}

int apply_config_read(struct request *r, const struct body_type *type, const struct json **out)
{
    const struct json *tree = NULL;
    int rc = parse_config(r, &tree);
    rc = rc == 0 ? check_config(r, type, tree) : rc;
    rc = rc == 0 ? body_check_items(r, type, NULL, tree) : rc;
    rc = rc == 0 ? check_duplicates(r, tree) : rc;
    if (rc == 0) {
        *out = tree;
    }
    return rc;
}
