/* Error texts are upstream's field.Error phrases; err_list adds the phrase of each code. */
#include "controlplane/resources/rules.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta/labels.h"
#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "api/schema/json.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"

struct field_path path_field(const struct field_path *up, const char *name)
{
    return (struct field_path){ .up = up, .name = name };
}

struct field_path path_key(const struct field_path *up, const char *key)
{
    return (struct field_path){ .up = up, .key = key };
}

struct field_path path_index(const struct field_path *up, size_t index)
{
    return (struct field_path){ .up = up, .index = index };
}

const char *path_text(struct arena *a, const struct field_path *p)
{
    if (p == NULL)
        return "";
    const char *up = path_text(a, p->up);
    struct str text;
    if (p->name != NULL)
        text = str_printf(a, "%s%s%s", up, p->up == NULL ? "" : ".", p->name);
    else if (p->key != NULL)
        text = str_printf(a, "%s[%s]", up, p->key);
    else
        text = str_printf(a, "%s[%zu]", up, p->index);
    return str_dup(a, text);
}

const char *text_quoted(struct arena *a, const char *s)
{
    struct buf b;
    struct str all = str_from(text_of(s));
    size_t len = all.len < RULE_VALUE_BYTES_MAX ? all.len : RULE_VALUE_BYTES_MAX;
    while (len > 0 && len < all.len && ((uint8_t)all.data[len] & 0xc0) == 0x80)
        len--; /* not in the middle of a character */
    buf_init(&b);
    quote_write(&b, str_slice(all, 0, len));
    const char *quoted = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return quoted;
}

static void add(struct err_list *out, const struct field_path *p, enum field_error_code code,
                const char *text)
{
    err_list_add(out, path_text(out->arena, p), code, text);
}

/* ---- white space ---- */

static size_t space_at(struct str s, bool at_end)
{
    static const char *const spaces[] = {
        " ",
        "\t",
        "\n",
        "\v",
        "\f",
        "\r",
        "\xc2\x85",
        "\xc2\xa0",
        "\xe1\x9a\x80",
        "\xe2\x80\x80",
        "\xe2\x80\x81",
        "\xe2\x80\x82",
        "\xe2\x80\x83",
        "\xe2\x80\x84",
        "\xe2\x80\x85",
        "\xe2\x80\x86",
        "\xe2\x80\x87",
        "\xe2\x80\x88",
        "\xe2\x80\x89",
        "\xe2\x80\x8a",
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
        "\xe2\x80\xaf",
        "\xe2\x81\x9f",
        "\xe3\x80\x80",
    };
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        struct str space = str_from(spaces[i]);
        if (at_end ? str_ends(s, space) : str_starts(s, space))
            return space.len;
    }
    return 0;
}

struct str text_trimmed(struct str s)
{
    for (size_t n = space_at(s, false); n > 0; n = space_at(s, false))
        s = str_slice(s, n, s.len);
    for (size_t n = space_at(s, true); n > 0; n = space_at(s, true))
        s = str_slice(s, 0, s.len - n);
    return s;
}

/* ---- errors ---- */

void rule_required(struct err_list *out, const struct field_path *p, const char *detail)
{
    if (err_list_full(out))
        return;
    add(out, p, FIELD_REQUIRED, text_empty(detail) ? NULL : detail);
}

void rule_forbidden(struct err_list *out, const struct field_path *p, const char *detail)
{
    if (err_list_full(out))
        return;
    add(out, p, FIELD_FORBIDDEN, detail);
}

void rule_invalid(struct err_list *out, const struct field_path *p, const char *value,
                  const char *detail)
{
    if (err_list_full(out))
        return;
    struct arena *a = out->arena;
    struct str text = text_empty(detail) ? str_from(value) : str_printf(a, "%s: %s", value, detail);
    add(out, p, FIELD_INVALID, str_dup(a, text));
}

void rule_invalid_text(struct err_list *out, const struct field_path *p, const char *value,
                       const char *detail)
{
    if (err_list_full(out))
        return;
    rule_invalid(out, p, text_quoted(out->arena, value), detail);
}

void rule_invalid_number(struct err_list *out, const struct field_path *p, int64_t value,
                         const char *detail)
{
    if (err_list_full(out))
        return;
    struct arena *a = out->arena;
    rule_invalid(out, p, str_dup(a, str_printf(a, "%lld", (long long)value)), detail);
}

void rule_invalid_list(struct err_list *out, const struct field_path *p, char *const *list,
                       size_t count, const char *detail)
{
    if (err_list_full(out))
        return;
    struct buf b;
    buf_init(&b);
    buf_append_byte(&b, '[');
    for (size_t i = 0; i < count && b.len < RULE_VALUE_BYTES_MAX; i++)
        buf_printf(&b, "%s%s", i > 0 ? "," : "", text_quoted(out->arena, list[i]));
    buf_append_byte(&b, ']');
    rule_invalid(out, p, str_dup(out->arena, buf_str(&b)), detail);
    buf_deinit(&b);
}

void rule_invalid_message(struct err_list *out, const struct field_path *p,
                          const struct schema *schema, const void *message, const char *detail)
{
    if (err_list_full(out))
        return;
    struct buf b;
    buf_init(&b);
    const char *shown = "null";
    if (message != NULL && schema_struct_to_json(&b, schema, message, NULL, NULL) == 0)
        shown = str_dup(out->arena, str_slice(buf_str(&b), 0, RULE_VALUE_BYTES_MAX));
    buf_deinit(&b);
    rule_invalid(out, p, shown, detail);
}

static int entry_order(const void *x, const void *y)
{
    return strcmp(entries_key(x, 0), entries_key(y, 0));
}

void rule_invalid_map(struct err_list *out, const struct field_path *p, const void *entries,
                      size_t count, const char *detail)
{
    struct buf b;
    if (err_list_full(out))
        return;
    const void **sorted = arena_array(out->arena, count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = ((const void *const *)entries)[i];
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), entry_order);
    buf_init(&b);
    for (size_t i = 0; i < count && b.len < RULE_VALUE_BYTES_MAX; i++) {
        buf_append_c(&b, i == 0 ? "{" : ",");
        json_write_string(&b, str_from(entries_key(sorted, i)), true);
        buf_append_c(&b, ":");
        json_write_string(&b, str_from(entries_value(sorted, i)), true);
    }
    buf_append_c(&b, count == 0 ? "null" : "}");
    rule_invalid(out, p, str_dup(out->arena, buf_str(&b)), detail);
    buf_deinit(&b);
}

void rule_duplicate(struct err_list *out, const struct field_path *p, const char *value)
{
    if (err_list_full(out))
        return;
    add(out, p, FIELD_DUPLICATE, text_quoted(out->arena, value));
}

void rule_not_found(struct err_list *out, const struct field_path *p, const char *value)
{
    if (err_list_full(out))
        return;
    add(out, p, FIELD_NOT_FOUND, text_quoted(out->arena, value));
}

void rule_too_long(struct err_list *out, const struct field_path *p, size_t max)
{
    if (err_list_full(out))
        return;
    struct arena *a = out->arena;
    add(out, p, FIELD_TOO_LONG, str_dup(a, str_printf(a, "may not be more than %zu bytes", max)));
}

void rule_not_supported(struct err_list *out, const struct field_path *p, const char *value,
                        const char *const *allowed)
{
    if (err_list_full(out))
        return;
    struct arena *a = out->arena;
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, text_quoted(a, value));
    buf_append_c(&b, ": supported values: ");
    for (size_t i = 0; allowed[i] != NULL; i++)
        buf_printf(&b, "%s\"%s\"", i > 0 ? ", " : "", allowed[i]);
    add(out, p, FIELD_NOT_SUPPORTED, str_dup(a, buf_str(&b)));
    buf_deinit(&b);
}

bool check_name(struct err_list *out, const struct field_path *p, const char *value,
                bool (*syntax)(struct str value, struct name_messages *m))
{
    struct name_messages m;
    if (syntax(str_from(value), &m))
        return true;
    for (size_t i = 0; i < m.count; i++)
        rule_invalid_text(out, p, value, m.text[i]);
    return false;
}

bool check_not_negative(struct err_list *out, const struct field_path *p, int64_t value)
{
    if (value >= 0)
        return true;
    rule_invalid_number(out, p, value, "must be greater than or equal to 0");
    return false;
}

bool check_count(struct err_list *out, const struct field_path *p, size_t count, size_t max)
{
    struct arena *a = out->arena;
    if (count <= max)
        return true;
    struct str text = str_printf(a, "%zu: must have at most %zu items", count, max);
    add(out, p, FIELD_TOO_MANY, str_dup(a, text));
    return false;
}

bool check_one_of(struct err_list *out, const struct field_path *p, const char *value,
                  const char *const *allowed)
{
    for (size_t i = 0; allowed[i] != NULL; i++) {
        if (text_eq(value, allowed[i]))
            return true;
    }
    rule_not_supported(out, p, value, allowed);
    return false;
}

bool check_port(struct err_list *out, const struct field_path *p, int64_t port)
{
    if (port >= 1 && port <= 65535)
        return true;
    rule_invalid_number(out, p, port, "must be between 1 and 65535, inclusive");
    return false;
}

char *text_new(struct arena *a, const char *s)
{
    return str_dup(a, str_from(s));
}

void text_default(struct arena *a, char **member, const char *value)
{
    if (text_empty(*member))
        *member = text_new(a, value);
}

void *message_ensure(struct arena *a, void *member, const void *descriptor)
{
    const ProtobufCMessageDescriptor *d = descriptor;
    void *message;
    memcpy(&message, member, sizeof(message));
    if (message == NULL) {
        message = arena_alloc(a, d->sizeof_message);
        protobuf_c_message_init(d, message);
        memcpy(member, &message, sizeof(message));
    }
    return message;
}

enum { INT_OR_STRING_INT = 0, INT_OR_STRING_TEXT = 1 };

static IntOrString *int_or_string_new(struct arena *a, int64_t type)
{
    IntOrString *v = arena_new(a, IntOrString);
    int_or_string__init(v);
    v->has_type = 1;
    v->type = type;
    v->has_int_val = 1;
    v->str_val = text_new(a, "");
    return v;
}

struct IntOrString *int_or_string_of_int(struct arena *a, int32_t value)
{
    IntOrString *v = int_or_string_new(a, INT_OR_STRING_INT);
    v->int_val = value;
    return v;
}

struct IntOrString *int_or_string_of_text(struct arena *a, const char *value)
{
    IntOrString *v = int_or_string_new(a, INT_OR_STRING_TEXT);
    v->str_val = text_new(a, value);
    return v;
}

bool int_or_string_is_text(const struct IntOrString *v)
{
    return v->type == INT_OR_STRING_TEXT;
}

const char *int_or_string_shown(struct arena *a, const struct IntOrString *v)
{
    if (int_or_string_is_text(v))
        return text_quoted(a, v->str_val);
    return str_dup(a, str_printf(a, "%d", v->int_val));
}

struct Time *time_new(struct arena *a, int64_t seconds)
{
    Time *t = arena_new(a, Time);
    time__init(t);
    t->has_seconds = 1;
    t->seconds = seconds;
    t->has_nanos = 1;
    return t;
}
