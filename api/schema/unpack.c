/*
 * Stored protobuf → struct. Nothing reaches protobuf-c unchecked: its unpack recurses without a
 * bound, cuts strings at NUL and takes any bytes for text.
 */
#include "api/schema/unpack.h"

#include <string.h>

#include "api/schema/access.h"
#include "api/schema/codec.h"
#include "api/schema/path.h"
#include "api/schema/scalar.h"
#include "api/schema/wire.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

static int scan_message(const struct schema *s, struct str bytes, const struct path *up, int depth,
                        struct err *e);

static int fail(const struct path *p, struct err *e, const char *reason)
{
    struct buf path;
    buf_init(&path);
    path_write(&path, p, true);
    int rc = path.len == 0
                 ? err_set(e, ERR_INVALID_ARGUMENT, "%s", reason)
                 : err_set(e, ERR_INVALID_ARGUMENT, "%.*s: %s", STR_ARG(buf_str(&path)), reason);
    buf_deinit(&path);
    return rc;
}

/* Eight bytes at a time while they are ASCII and not NUL. */
static bool text_ok(struct str s)
{
    size_t at = 0;
    for (; at + 8 <= s.len; at += 8) {
        uint64_t word;
        memcpy(&word, s.data + at, 8);
        if (((word | (word - 0x0101010101010101ull)) & 0x8080808080808080ull) != 0)
            break;
    }
    bool ascii = true;
    for (size_t i = at; i < s.len; i++) {
        if (s.data[i] == '\0')
            return false;
        ascii &= (s.data[i] & 0x80) == 0;
    }
    return ascii || str_utf8_valid(str_slice(s, at, s.len));
}

static int scan_string(struct str s, const struct path *p, struct err *e)
{
    if (text_ok(s))
        return 0;
    return fail(p, e,
                memchr(s.data, 0, s.len) != NULL ? "a string may not contain NUL"
                                                 : "a string must be UTF-8");
}

static int scan_packed(struct str bytes, uint8_t type, const struct path *p, struct err *e)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    uint64_t ignored;
    if (type == SCHEMA_DOUBLE)
        return bytes.len % 8 == 0 ? 0 : fail(p, e, "proto: wrong length of a packed list");
    while (at != NULL && at < end)
        at = wire_varint(at, end, &ignored);
    return at != NULL ? 0 : fail(p, e, "proto: unexpected end of a packed list");
}

static int scan_value(const struct schema_field *f, const struct wire_field *w,
                      const struct path *p, int depth, struct err *e)
{
    if (w->wire != type_wire(f->type)) {
        if (f->card == SCHEMA_LIST && w->wire == WIRE_LENGTH && f->type < SCHEMA_STRING)
            return scan_packed(w->bytes, f->type, p, e);
        return fail(p, e, "proto: wrong wire type");
    }
    if (f->type == SCHEMA_STRING)
        return scan_string(w->bytes, p, e);
    if (f->type == SCHEMA_MESSAGE)
        return scan_message(f->message, w->bytes, p, depth + 1, e);
    return 0;
}

static int scan_entry(const struct schema_field *f, struct str bytes, const struct path *p,
                      int depth, struct err *e)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    for (int rc = 0; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return fail(p, e, "proto: malformed map entry");
        if (w.number == 1)
            rc = w.wire == WIRE_LENGTH ? scan_string(w.bytes, p, e)
                                       : fail(p, e, "proto: wrong wire type");
        else if (w.number == 2)
            rc = scan_value(f, &w, p, depth, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* What only the special forms demand. */
static int scan_form(const struct schema *s, struct str bytes, const struct path *p, struct err *e)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    char text[SCALAR_TEXT_BYTES];
    size_t len;
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w) || w.number != 1 || w.wire != WIRE_LENGTH || w.bytes.len == 0)
            return 0; /* the generic scan said what is wrong */
        int rc = 0;
        struct err why = { 0 };
        if (s->form == SCHEMA_FORM_QUANTITY)
            rc = scalar_quantity(w.bytes, text, &len, &why);
        else if (!envelope_is(w.bytes))
            rc = json_check(w.bytes, &why);
        if (rc != 0)
            return fail(p, e, why.msg);
    }
    return 0;
}

static int scan_field(const struct schema_field *f, const struct wire_field *w,
                      const struct path *up, uint16_t *counts, int depth, struct err *e)
{
    struct path name = { .up = up, .name = f->name, .index = -1 };
    if (f->card == SCHEMA_ONE)
        return scan_value(f, w, &name, depth, e);
    if (f->card == SCHEMA_MAP)
        return w->wire == WIRE_LENGTH ? scan_entry(f, w->bytes, &name, depth, e)
                                      : fail(&name, e, "proto: wrong wire type");
    struct path item = { .up = &name, .index = *counts };
    if (*counts < UINT16_MAX)
        (*counts)++;
    return scan_value(f, w, &item, depth, e);
}

static int scan_message(const struct schema *s, struct str bytes, const struct path *up, int depth,
                        struct err *e)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.len;
    struct wire_field w;
    uint16_t counts[SCHEMA_FIELDS_MAX];
    if (depth > SCHEMA_DEPTH_MAX)
        return err_set(e, ERR_LIMIT, "messages nest deeper than %d", SCHEMA_DEPTH_MAX);
    memset(counts, 0, s->field_count * sizeof(counts[0]));
    for (; at < end; at = w.next) {
        if (!wire_next(at, end, &w))
            return fail(up, e, "proto: malformed message");
        const struct schema_field *f = schema_field_by_number(s, w.number);
        int rc = f == NULL ? 0 : scan_field(f, &w, up, &counts[f - s->fields], depth, e);
        if (rc != 0)
            return rc;
    }
    if (s->form == SCHEMA_FORM_QUANTITY || s->form == SCHEMA_FORM_RAW)
        return scan_form(s, bytes, up, e);
    return 0;
}

int schema_scan(const struct schema *s, struct str bytes, struct err *e)
{
    struct path root = PATH_ROOT;
    if (bytes.len > JSON_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "a message of %zu bytes", bytes.len);
    return scan_message(s, bytes, &root, 0, e);
}

/* ---- protobuf-c on an arena ---- */

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* the arena goes all at once */
}

void *unpack_trusted(struct arena *a, const struct schema *s, struct str bytes)
{
    ProtobufCAllocator allocator = { .alloc = allocate, .free = release, .allocator_data = a };
    return protobuf_c_message_unpack(s->pb, &allocator, bytes.len, (const uint8_t *)bytes.data);
}

int schema_unpack(struct arena *a, const struct schema *s, struct str bytes, void **out,
                  struct err *e)
{
    int rc = schema_scan(s, bytes, e);
    if (rc != 0)
        return rc;
    void *message = unpack_trusted(a, s, bytes);
    if (message == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "proto: malformed %s", s->name);
    *out = message;
    return 0;
}
