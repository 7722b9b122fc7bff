/* Field errors, as Status causes show them. */
#include "api/schema/err_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

#define TEXT_BYTES_MAX 1024

static const struct {
    const char *reason;
    const char *phrase;
} codes[] = { [FIELD_REQUIRED] = { "FieldValueRequired", "Required value" },
              [FIELD_INVALID] = { "FieldValueInvalid", "Invalid value" },
              [FIELD_DUPLICATE] = { "FieldValueDuplicate", "Duplicate value" },
              [FIELD_NOT_SUPPORTED] = { "FieldValueNotSupported", "Unsupported value" },
              [FIELD_FORBIDDEN] = { "FieldValueForbidden", "Forbidden" },
              [FIELD_TOO_LONG] = { "FieldValueTooLong", "Too long" },
              [FIELD_TOO_MANY] = { "FieldValueTooMany", "Too many" },
              [FIELD_NOT_FOUND] = { "FieldValueNotFound", "Not found" },
              [FIELD_TYPE_INVALID] = { "FieldValueTypeInvalid", "Invalid value" },
              [FIELD_INTERNAL] = { "InternalError", "Internal error" } };

void err_list_init(struct err_list *l, struct arena *a)
{
    *l = (struct err_list){ .arena = a };
}

bool err_list_full(struct err_list *l)
{
    bool full = l->count >= ERR_LIST_MAX;
    l->dropped += full ? 1 : 0;
    return full;
}

void err_list_add(struct err_list *l, const char *path, enum field_error_code code,
                  const char *text)
{
    ASSERT((size_t)code < sizeof(codes) / sizeof(codes[0]));
    if (l->count >= ERR_LIST_MAX) {
        l->dropped++;
        return;
    }
    l->entries = arena_grow(l->arena, l->entries, l->count, &l->capacity, sizeof(*l->entries));
    l->entries[l->count++] = (struct field_error){
        .path = str_dup(l->arena, str_from(path)),
        .code = code,
        .text = text == NULL ? codes[code].phrase
                             : str_printf(l->arena, "%s: %s", codes[code].phrase, text).data
    };
}

static bool has(const struct err_list *l, const struct field_error *e)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].code == e->code && strcmp(l->entries[i].path, e->path) == 0 &&
            strcmp(l->entries[i].text, e->text) == 0)
            return true;
    return false;
}

void err_list_subtract(struct err_list *l, const struct err_list *old)
{
    size_t kept = 0;

    if (l->dropped > 0 || old->dropped > 0)
        return;
    for (size_t i = 0; i < l->count; i++)
        if (!has(old, &l->entries[i]))
            l->entries[kept++] = l->entries[i];
    l->count = kept;
}

void err_list_addf(struct err_list *l, const char *path, enum field_error_code code,
                   const char *format, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut to fit */
    va_end(args);
    err_list_add(l, path, code, text);
}

const char *field_error_reason(enum field_error_code code)
{
    ASSERT((size_t)code < sizeof(codes) / sizeof(codes[0]));
    return codes[code].reason;
}

void err_list_write(const struct err_list *l, struct buf *b)
{
    if (l->count > 1)
        buf_append_byte(b, '[');
    for (size_t i = 0; i < l->count; i++)
        buf_printf(b, "%s%s: %s", i == 0 ? "" : ", ", l->entries[i].path, l->entries[i].text);
    if (l->count > 1)
        buf_append_byte(b, ']');
}
