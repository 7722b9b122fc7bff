/* Secrets: stringData is written into data; typed secrets carry their keys; type never changes. */
#include "api/meta/labels.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "controlplane/resources/config_data.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/strategies.h"

#define ACCOUNT_ANNOTATION "kubernetes.io/service-account.name"

static Secret__DataEntry *entry_of(struct arena *a, const Secret__StringDataEntry *from)
{
    Secret__DataEntry *entry = arena_new(a, Secret__DataEntry);
    secret__data_entry__init(entry);
    entry->key = text_new(a, text_of(from->key));
    entry->has_value = 1;
    entry->value = from->value;
    return entry;
}

/* stringData is for writing only: its values win over data's and are never stored apart. */
static void merge_string_data(struct arena *a, Secret *s)
{
    if (s->n_string_data == 0)
        return;
    Secret__DataEntry **data = arena_array(a, s->n_data + s->n_string_data, sizeof(*data));
    struct keys names = keys_new(a, s->n_data);
    struct keys later = keys_new(a, s->n_string_data);
    size_t count = s->n_data;
    for (size_t i = 0; i < s->n_data; i++) {
        data[i] = s->data[i];
        keys_add(&names, (struct key){ .text = s->data[i]->key });
    }
    for (size_t i = s->n_string_data; i > 0; i--)
        keys_add(&later, (struct key){ .text = s->string_data[i - 1]->key });
    keys_sort(&names);
    keys_sort(&later);
    for (size_t i = 0; i < s->n_string_data; i++) {
        if (keys_repeated(&later, s->n_string_data - 1 - i))
            continue; /* only protobuf has a key twice: the last one counts */
        ptrdiff_t at = keys_find(&names, (struct key){ .text = s->string_data[i]->key });
        data[at < 0 ? count++ : (size_t)at] = entry_of(a, s->string_data[i]);
    }
    s->data = data;
    s->n_data = count;
    s->n_string_data = 0;
    s->string_data = NULL;
}

static void defaults(struct arena *a, void *object)
{
    merge_string_data(a, object);
}

static void require_key(const Secret *s, const char *key, struct err_list *out)
{
    struct str ignored;
    struct field_path data = path_field(NULL, "data");
    struct field_path p = path_key(&data, key);
    if (!config_get(s->data, s->n_data, key, &ignored))
        rule_required(out, &p, "");
}

/* Unlike the files of a certificate, a private key may not be empty. */
static void require_private_key(const Secret *s, struct err_list *out)
{
    struct str value;
    struct field_path data = path_field(NULL, "data");
    struct field_path p = path_key(&data, "ssh-privatekey");
    if (!config_get(s->data, s->n_data, "ssh-privatekey", &value) || value.len == 0)
        rule_required(out, &p, "");
}

/* What Go says of a value that is no object. */
static const char *type_error(struct arena *a, const struct json *value)
{
    static const char *const names[] = {
        [JSON_BOOL] = "bool",     [JSON_INT] = "number",  [JSON_DOUBLE] = "number",
        [JSON_STRING] = "string", [JSON_ARRAY] = "array",
    };
    if (value->type == JSON_OBJECT || value->type == JSON_NULL)
        return NULL;
    struct str text =
        str_printf(a, "json: cannot unmarshal %s into Go value of type map[string]interface {}",
                   names[value->type]);
    return str_dup(a, text);
}

/* A registry login must be there and be JSON. */
static void require_json(const Secret *s, const char *key, struct err_list *out)
{
    struct str value;
    const struct json *parsed;
    const char *why = NULL;
    struct field_path data = path_field(NULL, "data");
    struct field_path p = path_key(&data, key);
    struct err e;
    if (!config_get(s->data, s->n_data, key, &value)) {
        rule_required(out, &p, "");
        return;
    }
    if (json_parse(out->arena, value, &parsed, &e) < 0)
        why = str_dup(out->arena, json_error_text(e.msg));
    else
        why = type_error(out->arena, parsed);
    if (why != NULL)
        rule_invalid_text(out, &p, "<secret contents redacted>", why);
}

static void require_account(const Secret *s, struct err_list *out)
{
    struct field_path meta = path_field(NULL, "metadata");
    struct field_path annotations = path_field(&meta, "annotations");
    struct field_path p = path_key(&annotations, ACCOUNT_ANNOTATION);
    const ObjectMeta *m = s->metadata;
    if (m == NULL || text_empty(entries_get(m->annotations, m->n_annotations, ACCOUNT_ANNOTATION)))
        rule_required(out, &p, "");
}

static void require_login(const Secret *s, struct err_list *out)
{
    struct str ignored;
    struct field_path data = path_field(NULL, "data");
    struct field_path user = path_key(&data, "username");
    struct field_path password = path_key(&data, "password");
    if (config_get(s->data, s->n_data, "username", &ignored) ||
        config_get(s->data, s->n_data, "password", &ignored))
        return;
    rule_required(out, &user, "");
    rule_required(out, &password, "");
}

static void validate_type(const Secret *s, struct err_list *out)
{
    if (text_eq(s->type, "kubernetes.io/service-account-token"))
        require_account(s, out);
    else if (text_eq(s->type, "kubernetes.io/dockercfg"))
        require_json(s, ".dockercfg", out);
    else if (text_eq(s->type, "kubernetes.io/dockerconfigjson"))
        require_json(s, ".dockerconfigjson", out);
    else if (text_eq(s->type, "kubernetes.io/basic-auth"))
        require_login(s, out);
    else if (text_eq(s->type, "kubernetes.io/ssh-auth"))
        require_private_key(s, out);
    else if (text_eq(s->type, "kubernetes.io/tls")) {
        require_key(s, "tls.crt", out);
        require_key(s, "tls.key", out);
    }
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Secret *s = object;
    struct field_path data = path_field(NULL, "data");
    (void)c;
    if (config_validate_keys(s->data, s->n_data, &data, out) > CONFIG_DATA_BYTES_MAX)
        rule_too_long(out, &data, CONFIG_DATA_BYTES_MAX);
    validate_type(s, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    static const char frozen[] = "field is immutable when `immutable` is set";
    const Secret *s = object;
    const Secret *was = old;
    struct field_path type = path_field(NULL, "type");
    struct field_path immutable = path_field(NULL, "immutable");
    struct field_path data = path_field(NULL, "data");
    if (!text_eq(s->type, was->type))
        rule_invalid_text(out, &type, s->type, "field is immutable");
    if (!was->immutable)
        return;
    if (!s->immutable)
        rule_forbidden(out, &immutable, frozen);
    if (!config_equal(c->arena, s->data, s->n_data, was->data, was->n_data))
        rule_forbidden(out, &data, frozen);
}

const struct resource_strategy secret_strategy = { .defaults = defaults,
                                                   .validate = validate,
                                                   .validate_update = validate_update };
