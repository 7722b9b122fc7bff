/* A field is written behind what is there and wrapped in place. */
#include "controlplane/apiserver/openapi/gnostic.h"

#include <string.h>

#include "base/buf.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { NAMED_NAME = 1, NAMED_VALUE = 2 };
enum { ANY_YAML = 2 };

static void put_tag(struct buf *out, uint32_t number, uint32_t wire)
{
    buf_put_varint(out, number << 3 | wire);
}

void gnostic_wrap(struct buf *out, size_t from, uint32_t number)
{
    struct buf head;
    size_t len = out->len - from;
    buf_init(&head);
    put_tag(&head, number, WIRE_BYTES);
    buf_put_varint(&head, len);
    buf_append(out, head.data, head.len); /* room */
    memmove(out->data + from + head.len, out->data + from, len);
    memcpy(out->data + from, head.data, head.len);
    buf_deinit(&head);
}

void gnostic_string(struct buf *out, uint32_t number, const struct json *j)
{
    put_tag(out, number, WIRE_BYTES);
    buf_put_bytes(out, json_str(j));
}

void gnostic_strings(struct buf *out, uint32_t number, const struct json *j)
{
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++)
        gnostic_string(out, number, &j->u.items[i]);
}

void gnostic_bool(struct buf *out, uint32_t number, const struct json *j)
{
    put_tag(out, number, WIRE_VARINT);
    buf_put_varint(out, j->type == JSON_BOOL && j->u.boolean ? 1 : 0);
}

void gnostic_any(struct buf *out, uint32_t number, const struct json *j)
{
    size_t from = out->len;
    json_write(out, j, false);
    gnostic_wrap(out, from, ANY_YAML);
    gnostic_wrap(out, from, number);
}

void gnostic_anys(struct buf *out, uint32_t number, const struct json *j)
{
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++)
        gnostic_any(out, number, &j->u.items[i]);
}

static void put_named(struct buf *out, uint32_t number, const struct json_member *m,
                      gnostic_put *value)
{
    size_t from = out->len;
    put_tag(out, NAMED_NAME, WIRE_BYTES);
    buf_put_bytes(out, m->key);
    value(out, NAMED_VALUE, &m->value);
    gnostic_wrap(out, from, number);
}

void gnostic_put_named(struct buf *out, uint32_t number, const struct json *j, gnostic_put *value)
{
    for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->count; i++)
        put_named(out, number, &j->u.members[i], value);
}

static const struct gnostic_field *find(const struct gnostic_message *m, struct str key)
{
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq_c(key, m->fields[i].key))
            return &m->fields[i];
    }
    return NULL;
}

void gnostic_write(struct buf *out, const struct gnostic_message *m, const struct json *j)
{
    for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->count; i++) {
        const struct json_member *member = &j->u.members[i];
        const struct gnostic_field *f = find(m, member->key);
        if (f != NULL)
            f->put(out, f->number, &member->value);
        else if (m->extension != 0 && str_starts(member->key, str_lit("x-")))
            put_named(out, m->extension, member, gnostic_any);
    }
}

void gnostic_put_message(struct buf *out, const uint32_t *path, const struct gnostic_message *m,
                         const struct json *j)
{
    size_t from = out->len;
    gnostic_write(out, m, j);
    for (; *path != 0; path++)
        gnostic_wrap(out, from, *path);
}
