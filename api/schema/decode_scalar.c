/* JSON tree → the leaves of structs, with the errors Go's decoder gives. */
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/decode.h"
#include "api/schema/scalar.h"
#include "base/arena.h"
#include "base/buf.h"

static const char *value_name(const struct json *j)
{
    static const char *const names[] = { "null",   "bool",  "number", "number",
                                         "string", "array", "object" };
    return names[j->type];
}

static const char *type_name(const struct schema_field *f)
{
    static const char *const names[] = { "bool",   "int32",   "int64",  "float64",
                                         "string", "[]uint8", "string", "" };
    return names[f->type];
}

static bool is_number(const struct json *j)
{
    return j->type == JSON_INT || j->type == JSON_DOUBLE;
}

/* As it stands in the source, or as Go prints it. */
static struct str number_text(struct arena *a, const struct json *j)
{
    struct buf b;
    if (j->text != NULL)
        return str_of(j->text, j->count);
    buf_init(&b);
    json_write(&b, j, false);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Where to note a problem that Go reads on after; NULL when one is noted already. */
static struct err *soft_error(struct decoder *d)
{
    return d->soft.code == ERR_NONE ? &d->soft : NULL;
}

/* Of a map of quantities, of a message, of a scalar. */
static struct str field_type(struct arena *a, const struct schema_field *f, uint8_t card)
{
    bool message = f->message != NULL;
    if (card == SCHEMA_MAP && message && f->message->form == SCHEMA_FORM_QUANTITY)
        return str_lit("v1.ResourceList");
    return str_printf(a, "%s%s%s",
                      card == SCHEMA_LIST  ? "[]"
                      : card == SCHEMA_MAP ? "map[string]"
                                           : "",
                      message ? "v1." : "", message ? schema_kind(f->message) : type_name(f));
}

int decode_type_error(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                      uint8_t card, const struct json *j, const struct path *path)
{
    struct buf text;
    buf_init(&text);
    path_write(&text, path, false);
    bool whole =
        (f->type == SCHEMA_INT32 || f->type == SCHEMA_INT64) && card == SCHEMA_ONE && is_number(j);
    struct str number = whole ? number_text(d->arena, j) : (struct str){ 0 };
    struct str type = field_type(d->arena, f, card);
    (void)err_set(soft_error(d), ERR_INVALID_ARGUMENT,
                  "json: cannot unmarshal %s%s%.*s into Go struct field %s.%.*s of type %.*s",
                  value_name(j), whole ? " " : "", STR_ARG(number), schema_kind(owner),
                  STR_ARG(buf_str(&text)), STR_ARG(type));
    buf_deinit(&text);
    return 0;
}

static int at_path(struct decoder *d, const struct path *path, int rc)
{
    struct buf text;
    buf_init(&text);
    path_write(&text, path, true);
    rc = err_wrap(d->e, rc, "%.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    return rc;
}

/* A C string in the arena. */
static int copy_string(struct decoder *d, struct str s, const struct path *path, void *at)
{
    if (s.len > 0 && memchr(s.data, 0, s.len) != NULL)
        return at_path(d, path,
                       err_set(d->e, ERR_INVALID_ARGUMENT, "a string may not contain NUL"));
    char *copy = str_dup(d->arena, s);
    memcpy(at, &copy, sizeof(copy));
    return 0;
}

/* Where Go's decoder gives up: the first byte that cannot stand there, or the beginning of what is
 * no whole group of four. */
static size_t base64_fault(struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    size_t group = 0;
    size_t start = 0;
    for (; at < s.len; at++) {
        char c = s.data[at];
        if (c == '\r' || c == '\n')
            continue;
        if (c == '\0' || strchr(digits, c) == NULL)
            break;
        start = group == 0 ? at : start;
        group = (group + 1) % 4;
    }
    if (at == s.len)
        return start;
    if (s.data[at] != '=' || group < 2)
        return at;
    at++;
    if (group == 3)
        return at; /* what follows the padding */
    while (at < s.len && (s.data[at] == '\r' || s.data[at] == '\n'))
        at++;
    return at < s.len && s.data[at] == '=' ? at + 1 : at;
}

static int decode_bytes(struct decoder *d, const struct schema_field *f, struct str s, void *at)
{
    struct str bytes = s;
    if (f->type == SCHEMA_BYTES) {
        if (str_base64_decode(d->arena, s, &bytes) != 0) {
            (void)err_set(soft_error(d), ERR_INVALID_ARGUMENT,
                          "illegal base64 data at input byte %zu", base64_fault(s));
            return 0;
        }
    } else {
        bytes = str_copy(d->arena, s);
    }
    ProtobufCBinaryData out = { .len = bytes.len, .data = (uint8_t *)(uintptr_t)bytes.data };
    if (out.data == NULL)
        out.data = arena_alloc(d->arena, 1); /* empty, not nil */
    memcpy(at, &out, sizeof(out));
    return 0;
}

int decode_scalar(struct decoder *d, const struct schema *owner, const struct schema_field *f,
                  const struct json *j, const struct path *path, void *at)
{
    int32_t i32;
    double number;
    switch (f->type) {
    case SCHEMA_BOOL:
        if (j->type != JSON_BOOL)
            break;
        *(protobuf_c_boolean *)at = j->u.boolean;
        return 0;
    case SCHEMA_INT32:
        if (j->type != JSON_INT || j->u.integer < INT32_MIN || j->u.integer > INT32_MAX)
            break;
        i32 = (int32_t)j->u.integer;
        memcpy(at, &i32, sizeof(i32));
        return 0;
    case SCHEMA_INT64:
        if (j->type != JSON_INT)
            break;
        memcpy(at, &j->u.integer, sizeof(j->u.integer));
        return 0;
    case SCHEMA_DOUBLE:
        if (j->type != JSON_INT && j->type != JSON_DOUBLE)
            break;
        number = j->type == JSON_INT ? (double)j->u.integer : j->u.number;
        memcpy(at, &number, sizeof(number));
        return 0;
    case SCHEMA_STRING:
        if (j->type != JSON_STRING)
            break;
        return copy_string(d, json_str(j), path, at);
    default:
        if (j->type != JSON_STRING)
            break;
        return decode_bytes(d, f, json_str(j), at);
    }
    return decode_type_error(d, owner, f, SCHEMA_ONE, j, path);
}

/* ---- forms ---- */

/* Where a form stands, for its errors. */
struct place {
    const struct schema *owner;
    const struct path *path;
};

/* number: the type is one whose errors quote the number. */
static int wrong_value(struct decoder *d, const struct place *at, const struct json *j,
                       const char *type, bool number)
{
    struct str shown = number && is_number(j) ? number_text(d->arena, j) : (struct str){ 0 };
    struct buf path;
    buf_init(&path);
    path_write(&path, at->path, false);
    int rc = err_set(d->e, ERR_INVALID_ARGUMENT,
                     "json: cannot unmarshal %s%s%.*s into Go struct field %s.%.*s of type %s",
                     value_name(j), shown.len > 0 ? " " : "", STR_ARG(shown),
                     schema_kind(at->owner), STR_ARG(buf_str(&path)), type);
    buf_deinit(&path);
    return rc;
}

static void set_int64(void *message, const struct schema_field *f, int64_t value)
{
    if (f->type == SCHEMA_INT32) {
        int32_t narrow = (int32_t)value;
        memcpy(field_at(message, f), &narrow, sizeof(narrow));
    } else {
        memcpy(field_at(message, f), &value, sizeof(value));
    }
    field_set_has(message, f);
}

static int decode_time(struct decoder *d, const struct place *where, const struct schema *s,
                       const struct json *j, void *message)
{
    int64_t seconds;
    int32_t nanos;
    if (j->type != JSON_STRING)
        return wrong_value(d, where, j, "string", false);
    struct str text = json_str(j);
    bool micro = s->form == SCHEMA_FORM_MICRO_TIME;
    int rc = (micro ? scalar_micro_time_parse : scalar_time_parse)(text, &seconds, &nanos, d->e);
    if (rc != 0)
        return rc;
    nanos = micro ? nanos : 0;
    if (seconds == SCALAR_ZERO_TIME && nanos == 0)
        return 0;
    set_int64(message, &s->fields[0], seconds);
    set_int64(message, &s->fields[1], nanos);
    return 0;
}

static int decode_quantity(struct decoder *d, const struct schema *s, const struct json *j,
                           void *message)
{
    char text[SCALAR_TEXT_BYTES];
    size_t len;
    struct str source = json_str(j);
    if (is_number(j))
        source = number_text(d->arena, j);
    else if (j->type != JSON_STRING)
        source = str_lit("?"); /* upstream parses the text of true, [] or {}: no number either */
    int rc = scalar_quantity(str_trim(source), text, &len, d->e);
    if (rc != 0)
        return rc;
    field_set_pointer(message, &s->fields[0], str_dup(d->arena, str_of(text, len)));
    return 0;
}

static int decode_int_or_string(struct decoder *d, const struct place *where,
                                const struct schema *s, const struct json *j, void *message)
{
    /* The wire's type: 0 a number, 1 a string. */
    if (j->type == JSON_STRING) {
        set_int64(message, &s->fields[0], 1);
        return copy_string(d, json_str(j), where->path, field_at(message, &s->fields[2]));
    }
    if (j->type != JSON_INT || j->u.integer < INT32_MIN || j->u.integer > INT32_MAX)
        return wrong_value(d, where, j, "int32", true);
    set_int64(message, &s->fields[0], 0);
    set_int64(message, &s->fields[1], j->u.integer);
    return 0;
}

static int decode_raw(struct decoder *d, const struct schema *s, const struct json *j,
                      void *message)
{
    struct buf text;
    buf_init(&text);
    json_write(&text, j, false);
    ProtobufCBinaryData bytes = { .len = text.len,
                                  .data = arena_copy(d->arena, text.data, text.len) };
    buf_deinit(&text);
    memcpy(field_at(message, &s->fields[0]), &bytes, sizeof(bytes));
    field_set_has(message, &s->fields[0]);
    return 0;
}

static int decode_string_list(struct decoder *d, const struct place *where, const struct schema *s,
                              const struct json *j, void *message)
{
    const struct schema_field *f = &s->fields[0];
    if (j->type != JSON_ARRAY)
        return wrong_value(d, where, j, "[]string", false);
    char **items = arena_array(d->arena, j->count, sizeof(*items));
    for (size_t i = 0; i < j->count; i++) {
        int rc = j->u.items[i].type == JSON_NULL
                     ? copy_string(d, (struct str){ 0 }, where->path, &items[i])
                     : decode_scalar(d, s, f, &j->u.items[i], where->path, &items[i]);
        if (rc != 0)
            return rc;
    }
    field_set_pointer(message, f, items);
    field_set_count(message, f, j->count);
    return 0;
}

int decode_form(struct decoder *d, const struct schema *owner, const struct schema *s,
                const struct json *j, const struct path *path, void *message)
{
    const struct place where = { .owner = owner, .path = path };
    int64_t nanos;
    int rc;
    switch (s->form) {
    case SCHEMA_FORM_TIME:
    case SCHEMA_FORM_MICRO_TIME:
        return decode_time(d, &where, s, j, message);
    case SCHEMA_FORM_QUANTITY:
        return decode_quantity(d, s, j, message);
    case SCHEMA_FORM_INT_OR_STRING:
        return decode_int_or_string(d, &where, s, j, message);
    case SCHEMA_FORM_RAW:
        return decode_raw(d, s, j, message);
    case SCHEMA_FORM_STRING_LIST:
        return decode_string_list(d, &where, s, j, message);
    default:
        if (j->type != JSON_STRING)
            return wrong_value(d, &where, j, "string", false);
        rc = scalar_duration_parse(json_str(j), &nanos, d->e);
        if (rc == 0)
            set_int64(message, &s->fields[0], nanos);
        return rc;
    }
}
