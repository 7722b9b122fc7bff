/* Functions over structs: defaults, structural validation, copies, comparison. */
#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "api/schema/path.h"
#include "api/schema/scalar.h"
#include "api/schema/unpack.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

/* ---- defaults ---- */

static bool has_defaults(const struct schema *s)
{
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if ((f->flags & SCHEMA_DEFAULT) != 0)
            return true;
        bool reached =
            f->type == SCHEMA_MESSAGE && f->card == SCHEMA_ONE && (f->flags & SCHEMA_POINTER) == 0;
        if (reached && has_defaults(f->message))
            return true;
    }
    return false;
}

static bool is_unset(const struct schema_field *f, const void *message)
{
    int64_t wide = 0;
    if (f->type == SCHEMA_STRING) {
        const char *text = field_pointer(message, f);
        return text == NULL || (*text == '\0' && (f->flags & SCHEMA_POINTER) == 0);
    }
    if (f->type == SCHEMA_MESSAGE)
        return field_pointer(message, f) == NULL;
    if (!field_has(message, f))
        return true;
    memcpy(&wide, field_at_const(message, f), type_size(f->type));
    return wide == 0 && (f->flags & SCHEMA_POINTER) == 0;
}

/* The default is JSON text that schemagen took over as it stands: a string, number, bool or {}. */
static void set_default(struct arena *a, const struct schema_field *f, void *message)
{
    struct str text = str_from(f->default_value);
    int64_t number = 0;
    int32_t narrow = 0;
    switch (f->type) {
    case SCHEMA_STRING:
        ASSERT(text.len >= 2);
        field_set_pointer(message, f, str_dup(a, str_slice(text, 1, text.len - 1)));
        return;
    case SCHEMA_BOOL:
        *(protobuf_c_boolean *)field_at(message, f) = str_eq_c(text, "true");
        break;
    case SCHEMA_INT32:
        (void)str_to_i64(text, &number); /* a marker of ours; the tests set every default */
        narrow = (int32_t)number;
        memcpy(field_at(message, f), &narrow, sizeof(narrow));
        break;
    case SCHEMA_INT64:
        (void)str_to_i64(text, &number); /* as above */
        memcpy(field_at(message, f), &number, sizeof(number));
        break;
    case SCHEMA_MESSAGE:
        if (str_eq_c(text, "{}"))
            field_set_pointer(message, f, schema_new(a, f->message));
        return;
    default:
        return;
    }
    field_set_has(message, f);
}

static void default_children(struct arena *a, const struct schema_field *f, void *message)
{
    if (f->card == SCHEMA_ONE) {
        void *child = field_pointer(message, f);
        if (child == NULL && (f->flags & SCHEMA_POINTER) == 0 && has_defaults(f->message)) {
            child = schema_new(a, f->message);
            field_set_pointer(message, f, child);
        }
        if (child != NULL)
            schema_default(a, f->message, child);
        return;
    }
    void **items = field_pointer(message, f);
    for (size_t i = 0; i < field_count(message, f); i++) {
        void *child = items[i];
        if (f->card == SCHEMA_MAP)
            memcpy(&child, (char *)items[i] + f->entry_value, sizeof(child));
        if (child != NULL)
            schema_default(a, f->message, child);
    }
}

void schema_default(struct arena *a, const struct schema *s, void *message)
{
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if ((f->flags & SCHEMA_DEFAULT) != 0 && f->card == SCHEMA_ONE && is_unset(f, message))
            set_default(a, f, message);
        if (f->type == SCHEMA_MESSAGE && f->message->form == SCHEMA_FORM_OBJECT)
            default_children(a, f, message);
    }
}

/* ---- validation ---- */

static void validate(const struct schema *s, const void *message, const struct path *up,
                     struct err_list *errors);

static void report_required(const struct path *p, struct err_list *errors)
{
    struct buf text;
    buf_init(&text);
    path_write(&text, p, true);
    buf_append_byte(&text, '\0');
    err_list_add(errors, (const char *)text.data, FIELD_REQUIRED, NULL);
    buf_deinit(&text);
}

static bool is_empty(const struct schema_field *f, const void *message)
{
    if (f->card != SCHEMA_ONE)
        return field_count(message, f) == 0;
    if (f->type != SCHEMA_STRING && f->type != SCHEMA_MESSAGE)
        return (f->flags & SCHEMA_POINTER) != 0 && !field_has(message, f);
    const char *p = field_pointer(message, f);
    return p == NULL || (f->type == SCHEMA_STRING && *p == '\0');
}

static void validate_field(const struct schema_field *f, const void *message, const struct path *up,
                           struct err_list *errors)
{
    struct path name = { .up = up, .name = f->name, .index = -1 };
    if ((f->flags & SCHEMA_REQUIRED) != 0 && is_empty(f, message))
        report_required(&name, errors);
    if (f->type != SCHEMA_MESSAGE || f->message->form != SCHEMA_FORM_OBJECT)
        return;
    if (f->card == SCHEMA_ONE) {
        const void *child = field_pointer(message, f);
        if (child != NULL)
            validate(f->message, child, (f->flags & SCHEMA_INLINE) != 0 ? up : &name, errors);
        return;
    }
    void *const *items = field_pointer(message, f);
    for (size_t i = 0; f->card == SCHEMA_LIST && i < field_count(message, f); i++) {
        struct path item = { .up = &name, .index = (ptrdiff_t)i };
        validate(f->message, items[i], &item, errors);
    }
}

static void validate(const struct schema *s, const void *message, const struct path *up,
                     struct err_list *errors)
{
    for (size_t i = 0; i < s->field_count; i++)
        validate_field(&s->fields[i], message, up, errors);
}

void schema_validate(const struct schema *s, const void *message, const char *path,
                     struct err_list *errors)
{
    struct path root = { .name = str_from(path), .index = -1 };
    validate(s, message, &root, errors);
}

/* ---- copies ---- */

void *schema_copy(struct arena *a, const struct schema *s, const void *message)
{
    struct buf stored;
    buf_init(&stored);
    schema_pack(&stored, s, message);
    /* No scan: text that is no UTF-8 must not abort who copies it; it is refused when it comes in.
     */
    void *copy = unpack_trusted(a, s, buf_str(&stored));
    ASSERT(copy != NULL);
    buf_deinit(&stored);
    return copy;
}

/* ---- comparison ---- */

static void unify(struct arena *a, const struct schema *s, void *message);

static void unify_message(struct arena *a, const struct schema *s, void *message)
{
    char text[SCALAR_TEXT_BYTES];
    size_t len = 0;
    if (message == NULL)
        return;
    if (s->form == SCHEMA_FORM_OBJECT) {
        unify(a, s, message);
    } else if (s->form == SCHEMA_FORM_QUANTITY) {
        const char *amount = field_pointer(message, &s->fields[0]);
        if (amount != NULL && scalar_quantity_canonical(str_from(amount), text, &len, NULL) == 0)
            field_set_pointer(message, &s->fields[0], str_dup(a, str_of(text, len)));
    }
}

/* Gives quantities of one amount one text. */
static void unify(struct arena *a, const struct schema *s, void *message)
{
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        if (f->type != SCHEMA_MESSAGE)
            continue;
        if (f->card == SCHEMA_ONE) {
            unify_message(a, f->message, field_pointer(message, f));
            continue;
        }
        void **items = field_pointer(message, f);
        for (size_t k = 0; k < field_count(message, f); k++) {
            void *child = items[k];
            if (f->card == SCHEMA_MAP)
                memcpy(&child, (char *)items[k] + f->entry_value, sizeof(child));
            unify_message(a, f->message, child);
        }
    }
}

static bool same_bytes(const struct schema *s, const void *x, const void *y)
{
    struct buf a;
    struct buf b;
    buf_init(&a);
    buf_init(&b);
    schema_pack(&a, s, x);
    schema_pack(&b, s, y);
    bool equal = str_eq(buf_str(&a), buf_str(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    return equal;
}

bool schema_equal(const struct schema *s, const void *x, const void *y)
{
    struct arena a;
    if (same_bytes(s, x, y))
        return true;
    arena_init(&a);
    void *left = schema_copy(&a, s, x);
    void *right = schema_copy(&a, s, y);
    unify_message(&a, s, left);
    unify_message(&a, s, right);
    bool equal = same_bytes(s, left, right);
    arena_deinit(&a);
    return equal;
}
