/* Bodies: what they say they are, strictness, and the texts of refusals. */
#include "controlplane/apiserver/body.h"

#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/quote.h"
#include "api/schema/yaml.h"
#include "controlplane/apiserver/body_items.h"
#include "controlplane/apiserver/request.h"

/* Of a body that is not understood, so many bytes are shown. */
#define SUMMARY_BYTES 30
/* Upstream's own name for its table of types, in its own words. */
#define SCHEME "pkg/api/legacyscheme/scheme.go:30"

/* What Go calls the types of JSON. */
static const char *const go_names[] = { "null",   "bool",  "number", "number",
                                        "string", "array", "object" };

/* What was found before the struct: duplicate keys. */
struct notes {
    const char **texts;
    size_t count;
    size_t capacity;
    struct arena *arena;
    const char *prefix; /* of each; "" for none */
    bool yaml;          /* upstream makes one error of them */
};

static int bad(struct request *r, struct str message)
{
    return status_bad_request(&r->status, message);
}

/* ---- refusals ---- */

static struct str short_version(struct str api_version)
{
    ptrdiff_t slash = str_find_char(api_version, '/', 0);
    return slash < 0 ? api_version : str_slice(api_version, (size_t)slash + 1, api_version.len);
}

/* Upstream's wrapper around everything that goes wrong inside an object. */
static int cannot_handle(struct request *r, const struct body_type *type, struct str kind,
                         struct str api_version, struct str why)
{
    return bad(r, str_printf(&r->arena, "%.*s in version \"%.*s\" cannot be handled as a %s: %.*s",
                             STR_ARG(kind), STR_ARG(short_version(api_version)), type->kind,
                             STR_ARG(why)));
}

static struct str summary(struct request *r)
{
    bool more = r->body.len > SUMMARY_BYTES;
    struct str head = str_slice(r->body, 0, SUMMARY_BYTES);
    if (r->body.len == 0) {
        return str_lit("<empty>");
    }
    if (r->body.data[0] != '{' || str_find_char(head, '\0', 0) >= 0) {
        head = str_hex(&r->arena, head);
    }
    return str_printf(&r->arena, "%.*s%s", STR_ARG(head), more ? " ..." : "");
}

/* Upstream's wrapper around a body that does not even say what it is. */
static int unrecognized(struct request *r, const struct body_type *type, struct str why)
{
    return bad(r,
               str_printf(&r->arena,
                          "the object provided is unrecognized (must be of type %s): %.*s (%.*s)",
                          type->kind, STR_ARG(why), STR_ARG(summary(r))));
}

/* ---- what a body says it is ---- */

/* A kind we have, under whatever name of its group: what upstream converts between. */
static struct str internal_name(struct arena *a, const char *kind, const char *api_version)
{
    struct str version = str_from(api_version);
    ptrdiff_t slash = str_find_char(version, '/', 0);
    struct str group = slash < 0 ? str_lit("core") : str_slice(version, 0, (size_t)slash);
    ptrdiff_t dot = str_find_char(group, '.', 0);
    group = dot < 0 ? group : str_slice(group, 0, (size_t)dot);
    return str_printf(a, "%.*s.%s", STR_ARG(group), kind);
}

static int not_registered(struct request *r, const struct body_type *type, struct str kind,
                          struct str api_version)
{
    struct str why = str_printf(
        &r->arena, "no kind \"%.*s\" is registered for version \"%.*s\" in scheme \"%s\"",
        STR_ARG(kind), STR_ARG(api_version), SCHEME);
    return cannot_handle(r, type, kind, api_version, why);
}

static int check_type(struct request *r, const struct body_type *type, struct str kind,
                      struct str api_version)
{
    struct arena *a = &r->arena;
    if (type->api_version == NULL) {
        /* A body of another kind was not meant as this, whatever it would do. */
        return kind.len == 0 || str_eq_c(kind, type->kind)
                   ? 0
                   : not_registered(r, type, kind, api_version);
    }
    if (str_find_char(api_version, '/', 0) >= 0 &&
        str_find_char(api_version, '/', (size_t)str_find_char(api_version, '/', 0) + 1) >= 0) {
        return unrecognized(
            r, type, str_printf(a, "unexpected GroupVersion string: %.*s", STR_ARG(api_version)));
    }
    kind = kind.len == 0 ? str_from(type->kind) : kind;
    api_version = api_version.len == 0 ? str_from(type->api_version) : api_version;
    if (str_eq_c(kind, type->kind) &&
        (str_eq_c(api_version, type->api_version) ||
         (type->older != NULL && str_eq_c(api_version, type->older)))) {
        return 0;
    }
    const struct kind_info *said = kind_by_type(api_version, kind);
    if (said != NULL && str_eq_c(kind, type->kind)) {
        return bad(r, str_printf(a,
                                 "the API version in the data (%.*s) does not match the expected "
                                 "API version (%s)",
                                 STR_ARG(api_version), type->api_version));
    }
    if (said == NULL) {
        return not_registered(r, type, kind, api_version);
    }
    struct str why = str_printf(a, "converting (%.*s.%.*s) to (%.*s): unknown conversion",
                                STR_ARG(short_version(api_version)), STR_ARG(kind),
                                STR_ARG(internal_name(a, type->kind, type->api_version)));
    return cannot_handle(r, type, kind, api_version, why);
}

/* The kind and apiVersion of a tree, before anything else of it is looked at. */
static int check_tree(struct request *r, const struct body_type *type, const struct json *tree)
{
    static const char *const names[] = { "apiVersion", "kind" };
    struct str said[2] = { { 0 } };
    if (tree->type == JSON_NULL) {
        return 0; /* an object without members, to Go */
    }
    if (tree->type != JSON_OBJECT) {
        return unrecognized(
            r, type,
            str_printf(&r->arena,
                       "couldn't get version/kind; json parse error: json: cannot unmarshal %s "
                       "into Go value of type struct { APIVersion string "
                       "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                       "\"json:\\\"kind,omitempty\\\"\" }",
                       go_names[tree->type]));
    }
    for (size_t i = 0; i < 2; i++) {
        const struct json *member = json_get_c(tree, names[i]);
        if (member != NULL && member->type != JSON_STRING && member->type != JSON_NULL) {
            return unrecognized(
                r, type,
                str_printf(&r->arena,
                           "couldn't get version/kind; json parse error: json: cannot unmarshal "
                           "%s into Go struct field .%s of type string",
                           go_names[member->type], names[i]));
        }
        said[i] = member == NULL ? str_lit("") : json_str(member);
    }
    return check_type(r, type, said[1], said[0]);
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

/* ---- strictness ---- */

static enum schema_strictness strictness_of(const struct request *r)
{
    struct str v = route_param(&r->route, "fieldValidation");
    if (str_eq_c(v, "Strict")) {
        return SCHEMA_STRICT;
    }
    return str_eq_c(v, "Ignore") ? SCHEMA_IGNORE : SCHEMA_WARN;
}

static void note(void *context, const char *text)
{
    struct notes *n = context;
    n->texts = arena_grow(n->arena, n->texts, n->count, &n->capacity, sizeof(*n->texts));
    n->texts[n->count++] = text;
}

static void note_duplicate(void *context, const char *path)
{
    struct notes *n = context;
    struct buf text;
    if (n->count >= SCHEMA_WARNINGS_MAX) {
        return;
    }
    buf_init(&text);
    buf_printf(&text, "%sduplicate field ", n->prefix);
    quote_write(&text, str_from(path));
    note(n, str_dup(n->arena, buf_str(&text)));
    buf_deinit(&text);
}

/* One sentence of everything that strict decoding refuses. */
static struct str strict_text(struct request *r, const struct notes *before,
                              const struct schema_warnings *found)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "strict decoding error: ");
    const char *separator = before->yaml ? "\n  " : ", ";
    for (size_t i = 0; i < before->count; i++) {
        buf_append_c(&b, i > 0 ? separator : before->yaml ? "yaml: unmarshal errors:\n  " : "");
        buf_append_c(&b, before->texts[i]);
    }
    for (size_t i = 0; i < found->count; i++) {
        buf_append_c(&b, i > 0 || before->count > 0 ? ", " : "");
        buf_append_c(&b, found->texts[i]);
    }
    struct str text = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Tree to struct. *why: what to say when it fails. */
static int decode_struct(struct request *r, const struct body_type *type, const struct json *tree,
                         const struct notes *before, void **out, struct str *why)
{
    static const struct json empty = { .type = JSON_OBJECT };
    struct err e = { 0 };
    struct schema_warnings found = { 0 };
    enum schema_strictness strictness = strictness_of(r);
    tree = tree->type == JSON_NULL ? &empty : tree;
    /* Strict refuses here: an err has no room for all of it. */
    int rc = schema_decode(&r->arena, type->schema, tree,
                           strictness == SCHEMA_STRICT ? SCHEMA_WARN : strictness, out, &found, &e);
    if (rc != 0) {
        *why = str_copy(&r->arena, str_from(e.msg));
        return rc;
    }
    if (strictness == SCHEMA_STRICT && before->count + found.count > 0) {
        *why = strict_text(r, before, &found);
        return -ERR_INVALID_ARGUMENT;
    }
    for (size_t i = 0; strictness == SCHEMA_WARN && i < before->count; i++) {
        request_warn(r, before->texts[i]);
    }
    for (size_t i = 0; i < found.count; i++) {
        request_warn(r, found.texts[i]);
    }
    ensure_metadata(r, type->schema, *out);
    const struct json *entries = json_get_c(json_get_c(tree, "metadata"), "managedFields");
    r->managed_fields_emptied =
        entries != NULL && entries->type == JSON_ARRAY && entries->count == 0;
    return 0;
}

/* What reads itself does not know the field it stands in, when nobody decodes JSON around it. */
static struct str without_field(struct request *r, struct str why)
{
    static const struct str field = STR(" into Go struct field ");
    static const struct str type = STR(" of type ");
    ptrdiff_t from = str_find(why, field);
    ptrdiff_t to = from < 0 ? -1 : str_find(str_slice(why, (size_t)from, why.len), type);
    if (to < 0) {
        return why;
    }
    return str_printf(&r->arena, "%.*s into Go value of type %.*s", (int)from, why.data,
                      STR_ARG(str_slice(why, (size_t)(from + to) + type.len, why.len)));
}

/* The same of what upstream brings to a struct by way of maps. */
static int restore_struct(struct request *r, const struct body_type *type, const struct json *tree,
                          const struct notes *before, void **out, struct str *why)
{
    const struct json *whole = NULL;
    int rc = decode_struct(r, type, tree, before, out, why);
    if (rc == 0 || !schema_restore(&r->arena, type->schema, tree, &whole, why)) {
        return rc;
    }
    if (whole != tree) {
        return decode_struct(r, type, whole, before, out, why);
    }
    *why = without_field(r, *why);
    if (str_starts(*why, str_lit("illegal base64"))) {
        *why = str_printf(&r->arena, "error decoding from json: %.*s", STR_ARG(*why));
    }
    return rc;
}

static int decode_tree(struct request *r, const struct body_type *type, const struct json *tree,
                       const struct notes *before, void **out)
{
    struct str why;
    struct str version = str_from(type->api_version == NULL ? "v1" : type->api_version);
    int rc = check_tree(r, type, tree);
    rc = rc == 0 ? body_check_items(r, type, NULL, tree) : rc;
    if (rc == 0 && decode_struct(r, type, tree, before, out, &why) != 0) {
        rc = cannot_handle(r, type, str_from(type->kind), version, why);
    }
    return rc;
}

int object_decode_tree(struct request *r, const struct body_type *type, const struct json *tree,
                       void **out)
{
    static const struct notes none;
    return decode_tree(r, type, tree, &none, out);
}

/* ---- whole bodies ---- */

static int decode_protobuf(struct request *r, const struct body_type *type, void **out)
{
    struct err e;
    struct envelope envelope;
    if (envelope_open(r->body, &envelope, &e) != 0) {
        return unrecognized(r, type, str_from(e.msg));
    }
    int rc = check_type(r, type, envelope.kind, envelope.api_version);
    rc = rc == 0 ? body_check_items_wire(r, type, envelope.raw) : rc;
    if (rc != 0) {
        return rc;
    }
    if (schema_unpack(&r->arena, type->schema, envelope.raw, out, &e) != 0) {
        struct str version = str_from(type->api_version == NULL ? "v1" : type->api_version);
        return cannot_handle(r, type, str_from(type->kind), version, str_from(e.msg));
    }
    ensure_metadata(r, type->schema, *out);
    return 0;
}

/* What a run of the request found; the next one, when what this one saw was old, finds it again. */
struct body_yaml {
    const struct json *tree; /* NULL: it is none, and why */
    struct str problem;
    struct yaml_duplicates duplicates;
};

static const struct body_yaml *parse_yaml(struct request *r)
{
    struct err e = { 0 };
    if (r->yaml == NULL) {
        struct body_yaml *y = arena_new(&r->arena, struct body_yaml);
        if (yaml_parse_body(&r->arena, r->body, &y->tree, &y->duplicates, &e) != 0) {
            y->tree = NULL;
            y->problem = str_copy(&r->arena, str_from(e.msg));
        }
        r->yaml = y;
    }
    return r->yaml;
}

static int decode_yaml(struct request *r, const struct body_type *type, void **out)
{
    const struct body_yaml *y = parse_yaml(r);
    if (y->tree == NULL) {
        return unrecognized(r, type, y->problem);
    }
    const struct notes before = { .texts = y->duplicates.texts,
                                  .count = y->duplicates.count,
                                  .yaml = true };
    return decode_tree(r, type, y->tree, &before, out);
}

static int decode_json(struct request *r, const struct body_type *type, void **out)
{
    struct err e;
    const struct json *tree = NULL;
    if (json_parse(&r->arena, r->body, &tree, &e) != 0) {
        return unrecognized(r, type,
                            str_printf(&r->arena,
                                       "couldn't get version/kind; json parse error: %.*s",
                                       STR_ARG(json_error_text(e.msg))));
    }
    return object_decode_tree(r, type, tree, out);
}

int object_decode_body(struct request *r, const struct body_type *type, void **out)
{
    struct err e;
    enum media_type media;
    struct str content_type =
        r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "content-type");
    int rc = media_content(content_type, &media, &e);
    if (rc != 0) {
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    r->body_is_text = media != MEDIA_PROTOBUF && !envelope_is(r->body);
    if (!r->body_is_text) {
        return decode_protobuf(r, type, out);
    }
    return media == MEDIA_YAML ? decode_yaml(r, type, out) : decode_json(r, type, out);
}

/* ---- patches ---- */

/* The operations of a JSON patch; null leaves out what it stands for. */
static int check_operations(struct request *r, const struct json *patch)
{
    static const char *const texts[] = { "op", "path", "from" };
    for (size_t i = 0; i < patch->count; i++) {
        const struct json *op = &patch->u.items[i];
        if (op->type != JSON_OBJECT && op->type != JSON_NULL) {
            return bad(r, str_printf(&r->arena,
                                     "error decoding patch: json: cannot unmarshal %s into Go "
                                     "value of type handlers.jsonPatchOp",
                                     go_names[op->type]));
        }
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
            const struct json *text = json_get_c(op, texts[k]);
            if (text != NULL && text->type != JSON_STRING && text->type != JSON_NULL) {
                return bad(r, str_printf(&r->arena,
                                         "error decoding patch: json: cannot unmarshal %s into Go "
                                         "struct field jsonPatchOp.%s of type string",
                                         go_names[text->type], texts[k]));
            }
        }
    }
    return 0;
}

/* What Go's decoder would have to make of the patch, and of what type it is. */
static int check_patch_type(struct request *r, enum patch_type type, const struct json *patch)
{
    bool list = type == PATCH_JSON;
    if (patch->type == (list ? JSON_ARRAY : JSON_OBJECT)) {
        return list ? check_operations(r, patch) : 0;
    }
    return bad(r, str_printf(&r->arena, "%sjson: cannot unmarshal %s into Go value of type %s",
                             type == PATCH_STRATEGIC ? "" : "error decoding patch: ",
                             go_names[patch->type],
                             list ? "[]handlers.jsonPatchOp" : "map[string]interface {}"));
}

static void count_duplicate(void *context, const char *path)
{
    (void)path;
    (*(size_t *)context)++;
}

/* Only what merges is a map to Go. The few bodies with duplicates pay for their search. */
static int drop_duplicates(struct request *r, const struct json **tree)
{
    size_t count = 0;
    (void)json_duplicates(&r->arena, *tree, count_duplicate, &count); /* the same number */
    if (count == 0) {
        return 0;
    }
    struct json copy = json_unique(&r->arena, *tree);
    *tree = arena_copy(&r->arena, &copy, sizeof(copy));
    return 0;
}

int body_parse_patch(struct request *r, enum patch_type type, const struct json **out)
{
    struct err e;
    if (json_parse(&r->arena, r->body, out, &e) != 0) {
        return bad(r, str_printf(&r->arena, "%s%.*s",
                                 type == PATCH_STRATEGIC ? "" : "error decoding patch: ",
                                 STR_ARG(json_error_text(e.msg))));
    }
    r->patch = *out;
    int rc = check_patch_type(r, type, *out);
    return rc == 0 && type != PATCH_JSON ? drop_duplicates(r, out) : rc;
}

/* Members of operations that RFC 6902 does not have. */
static void note_unknown_members(struct notes *n, const struct json *patch)
{
    static const char *const known[] = { "op", "path", "from", "value" };
    for (size_t i = 0; i < patch->count; i++) {
        const struct json *op = &patch->u.items[i];
        for (size_t k = 0; op->type == JSON_OBJECT && k < op->count; k++) {
            struct str key = op->u.members[k].key;
            bool found = false;
            for (size_t m = 0; m < sizeof(known) / sizeof(known[0]); m++) {
                found = found || str_eq_c(key, known[m]);
            }
            if (found || n->count >= SCHEMA_WARNINGS_MAX) {
                continue;
            }
            struct buf text;
            buf_init(&text);
            buf_printf(&text, "%sunknown field ", n->prefix);
            quote_write(&text, str_printf(n->arena, "[%zu].%.*s", i, STR_ARG(key)));
            note(n, str_dup(n->arena, buf_str(&text)));
            buf_deinit(&text);
        }
    }
}

/* 422, with what could not be read: the patched object, or of a strategic patch the patch. */
static int refuse_patched(struct request *r, enum patch_type type, const struct json *patched,
                          struct str why)
{
    struct buf shown;
    struct buf message;
    buf_init(&shown);
    buf_init(&message);
    if (type == PATCH_STRATEGIC) {
        quote_write_value(&shown, r->patch);
    } else {
        json_write(&shown, patched, true);
    }
    buf_append_c(&message, "Invalid value: ");
    quote_write(&message, str_slice(buf_str(&shown), 0, BODY_SHOWN_BYTES_MAX));
    buf_append_c(&message, ": ");
    buf_append_str(&message, why);
    const struct status_cause cause = {
        .reason = str_lit("FieldValueInvalid"),
        .message = str_copy(&r->arena, buf_str(&message)),
        .field = str_lit("patch"),
    };
    buf_deinit(&shown);
    buf_deinit(&message);
    return status_invalid_field(&r->arena, &r->status, str_lit(""), str_lit(""), str_lit(""),
                                str_lit(""), &cause);
}

int body_decode_patched(struct request *r, enum patch_type type, const struct body_type *body,
                        const struct json *current, const struct json *patched, void **out)
{
    struct str why;
    struct notes before = { .arena = &r->arena, .prefix = type == PATCH_JSON ? "json patch " : "" };
    int rc = check_tree(r, body, patched);
    rc = rc == 0 ? body_check_items(r, body, current, patched) : rc;
    if (rc != 0) {
        return rc;
    }
    (void)json_duplicates(&r->arena, r->patch, note_duplicate, &before); /* the count is in it */
    if (type == PATCH_JSON) {
        note_unknown_members(&before, r->patch);
    }
    rc = type == PATCH_STRATEGIC ? restore_struct(r, body, patched, &before, out, &why)
                                 : decode_struct(r, body, patched, &before, out, &why);
    return rc == 0 ? 0 : refuse_patched(r, type, patched, why);
}

/* ---- applies ---- */

int body_refuse_applied(struct request *r, const char *format, const struct json *config,
                        struct str why)
{
    const struct json *meta = json_get_c(config, "metadata");
    struct str type = str_printf(&r->arena, "%s%s, Kind=%s", r->kind->group[0] == '\0' ? "/" : "",
                                 kind_api_version(r->kind->kind), r->kind->name);
    struct str text =
        str_printf(&r->arena, "%.*s/%.*s; %.*s", STR_ARG(json_str(json_get_c(meta, "namespace"))),
                   STR_ARG(json_str(json_get_c(meta, "name"))), STR_ARG(type));
    return status_unforeseen(&r->status,
                             str_printf(&r->arena, format, STR_ARG(text), STR_ARG(why)));
}

int body_decode_applied(struct request *r, const struct body_type *type, const struct json *config,
                        const struct json *live, const struct json *applied, void **out)
{
    static const struct notes none;
    struct str why;
    if (body_check_items(r, type, live, applied) != 0) {
        return -ERR_INVALID;
    }
    if (restore_struct(r, type, applied, &none, out, &why) == 0) {
        return 0;
    }
    why = str_printf(&r->arena, "%s%s, Kind=%s: %.*s", r->kind->group[0] == '\0' ? "/" : "",
                     kind_api_version(r->kind->kind), r->kind->name, STR_ARG(why));
    return body_refuse_applied(r,
                               "failed to convert new object (%.*s) to proper version: unable to "
                               "convert unstructured object to %.*s",
                               config, why);
}
