/* One table per view: the stored field's number at the view's. */
#include "api/meta/view.h"

#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/buf.h"

#define FIELDS_MAX 16

/* What core/v1 Event calls: metadata, eventTime, series, reportingComponent, reportingInstance,
 * action, reason, involvedObject, related, message, type, source, firstTimestamp, lastTimestamp,
 * count. */
static const uint8_t event_fields[FIELDS_MAX] = { 0, 1,  10, 11, 14, 15, 12, 3,
                                                  2, 13, 4,  9,  5,  6,  7,  8 };

static const uint8_t *fields_of(enum kind kind)
{
    return kind == KIND_EVENTS_EVENT ? event_fields : NULL;
}

enum kind view_twin(enum kind kind)
{
    return kind == KIND_EVENT          ? KIND_EVENTS_EVENT
           : kind == KIND_EVENTS_EVENT ? KIND_EVENT
                                       : KIND_NONE;
}

uint32_t view_field_of_stored(enum kind kind, uint32_t number)
{
    const uint8_t *fields = fields_of(kind);
    if (fields == NULL)
        return number;
    for (uint32_t i = 1; i < FIELDS_MAX; i++) {
        if (fields[i] == number)
            return i;
    }
    return 0;
}

static void put(struct buf *out, uint32_t number, const struct peek_field *f)
{
    buf_put_varint(out, (uint64_t)number << 3 | (uint64_t)f->wire);
    if (f->wire == PEEK_BYTES) {
        buf_put_bytes(out, f->bytes);
    } else {
        buf_put_varint(out, f->number_value); /* no view has a fixed field */
    }
}

/* Fields that no table knows, of a later release, go along as they are: nothing is lost when this
 * one writes the object. */
static void put_unknown(struct buf *out, struct str payload)
{
    struct peek_field f;
    size_t at = 0;
    for (size_t from = 0; peek_next(payload, &at, &f); from = at) {
        if (f.number >= FIELDS_MAX)
            buf_append_str(out, str_slice(payload, from, at));
    }
}

/* numbers[i]: the field of payload that becomes field i. */
static struct str renumber(struct arena *a, const uint8_t *numbers, struct str payload)
{
    struct buf b;
    struct peek_field f;
    buf_init(&b);
    for (uint32_t i = 1; i < FIELDS_MAX; i++) {
        if (peek_field(payload, numbers[i], &f))
            put(&b, i, &f);
    }
    put_unknown(&b, payload);
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

struct str view_of_stored(struct arena *a, enum kind kind, struct str payload)
{
    const uint8_t *fields = fields_of(kind);
    return fields == NULL ? payload : renumber(a, fields, payload);
}

struct str view_to_stored(struct arena *a, enum kind kind, struct str payload)
{
    const uint8_t *fields = fields_of(kind);
    uint8_t inverse[FIELDS_MAX] = { 0 };
    if (fields == NULL)
        return payload;
    for (uint8_t i = 1; i < FIELDS_MAX; i++)
        inverse[fields[i]] = i;
    return renumber(a, inverse, payload);
}
