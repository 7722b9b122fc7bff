/* Field numbers here are ObjectMeta's and OwnerReference's, as api/proto/meta.proto has them. */
#include "api/meta/object.h"

#include <stdatomic.h>
#include <string.h>

#include "api/meta/peek.h"
#include "base/arena.h"

enum {
    OBJECT_METADATA = 1,
    META_NAME = 1,
    META_GENERATE_NAME = 2,
    META_NAMESPACE = 3,
    META_UID = 5,
    META_GENERATION = 7,
    META_CREATION_TIMESTAMP = 8,
    META_DELETION_TIMESTAMP = 9,
    META_DELETION_GRACE = 10,
    META_LABELS = 11,
    META_ANNOTATIONS = 12,
    META_OWNERS = 13,
    META_FINALIZERS = 14,
    META_MANAGED_FIELDS = 17,
    OWNER_KIND = 1,
    OWNER_NAME = 3,
    OWNER_UID = 4,
    OWNER_API_VERSION = 5,
    OWNER_CONTROLLER = 6,
    OWNER_BLOCK_DELETION = 7,
    TIME_SECONDS = 1
};

void object_put_header(struct buf *out)
{
    buf_append_byte(out, OBJECT_PROTOBUF);
    buf_append_byte(out, OBJECT_STORAGE_VERSION);
}

int object_payload(struct str value, struct str *out_payload, struct err *e)
{
    if (value.len < OBJECT_HEADER_BYTES)
        return err_set(e, ERR_CORRUPT, "stored value of %zu bytes has no header", value.len);
    if (value.data[0] != OBJECT_PROTOBUF || value.data[1] != OBJECT_STORAGE_VERSION)
        return err_set(e, ERR_CORRUPT, "stored value has form %d version %d, which is not known",
                       value.data[0], value.data[1]);
    *out_payload = str_slice(value, OBJECT_HEADER_BYTES, value.len);
    return 0;
}

static int64_t seconds_of(struct str time)
{
    struct peek_field field;
    return peek_field(time, TIME_SECONDS, &field) ? (int64_t)field.number_value : 0;
}

static void scan_field(const struct peek_field *f, struct object_meta *out)
{
    switch (f->number) {
    case META_NAME:
        out->name = f->bytes;
        break;
    case META_GENERATE_NAME:
        out->generate_name = f->bytes;
        break;
    case META_NAMESPACE:
        out->namespace = f->bytes;
        break;
    case META_UID:
        out->uid = f->bytes;
        break;
    case META_GENERATION:
        out->generation = (int64_t)f->number_value;
        break;
    case META_CREATION_TIMESTAMP:
        out->creation_seconds = seconds_of(f->bytes);
        break;
    case META_DELETION_TIMESTAMP:
        out->deleting = true;
        out->deletion_seconds = seconds_of(f->bytes);
        break;
    case META_DELETION_GRACE:
        out->has_deletion_grace = true;
        out->deletion_grace_seconds = (int64_t)f->number_value;
        break;
    case META_OWNERS:
        out->owners_count++;
        break;
    case META_FINALIZERS:
        out->finalizers_count++;
        break;
    default:
        break;
    }
}

void object_meta_scan(struct str payload, struct object_meta *out)
{
    struct peek_field field;
    size_t at = 0;
    *out = (struct object_meta){ 0 };
    if (!peek_field(payload, OBJECT_METADATA, &field))
        return;
    out->bytes = field.bytes;
    while (peek_next(out->bytes, &at, &field))
        scan_field(&field, out);
}

void object_put_identity(struct buf *out, struct str payload)
{
    struct peek_field metadata;
    struct peek_field f;
    struct buf kept;
    size_t at = 0;
    if (!peek_field(payload, OBJECT_METADATA, &metadata))
        return;
    buf_init(&kept);
    for (size_t from = 0; peek_next(metadata.bytes, &at, &f); from = at)
        if (f.number != META_LABELS && f.number != META_ANNOTATIONS &&
            f.number != META_MANAGED_FIELDS)
            buf_append_str(&kept, str_slice(metadata.bytes, from, at));
    buf_put_varint(out, OBJECT_METADATA << 3 | PEEK_BYTES);
    buf_put_bytes(out, buf_str(&kept));
    buf_deinit(&kept);
}

struct labels object_meta_labels(const struct object_meta *m)
{
    return labels_of_message(m->bytes, META_LABELS);
}

bool object_meta_label(const struct object_meta *m, struct str key, struct str *out_value)
{
    struct labels l = labels_of_message(m->bytes, META_LABELS);
    return labels_get(&l, key, out_value);
}

bool object_meta_annotation(const struct object_meta *m, struct str key, struct str *out_value)
{
    struct labels l = labels_of_message(m->bytes, META_ANNOTATIONS);
    return labels_get(&l, key, out_value);
}

static bool next_of(struct str message, uint32_t number, size_t *at, struct str *out)
{
    struct peek_field field;
    while (peek_next(message, at, &field)) {
        if (field.number == number && field.wire == PEEK_BYTES) {
            *out = field.bytes;
            return true;
        }
    }
    return false;
}

bool object_meta_finalizer(const struct object_meta *m, size_t *at, struct str *out)
{
    return next_of(m->bytes, META_FINALIZERS, at, out);
}

bool object_meta_owner(const struct object_meta *m, size_t *at, struct object_owner *out)
{
    struct str bytes;
    if (!next_of(m->bytes, META_OWNERS, at, &bytes))
        return false;
    struct peek_field field;
    size_t inner = 0;
    *out = (struct object_owner){ 0 };
    while (peek_next(bytes, &inner, &field)) {
        switch (field.number) {
        case OWNER_KIND:
            out->kind = field.bytes;
            break;
        case OWNER_NAME:
            out->name = field.bytes;
            break;
        case OWNER_UID:
            out->uid = field.bytes;
            break;
        case OWNER_API_VERSION:
            out->api_version = field.bytes;
            break;
        case OWNER_CONTROLLER:
            out->controller = field.number_value != 0;
            break;
        case OWNER_BLOCK_DELETION:
            out->block_owner_deletion = field.number_value != 0;
            break;
        default:
            break;
        }
    }
    return true;
}

bool object_meta_controller(const struct object_meta *m, struct object_owner *out)
{
    struct object_owner owner;
    size_t at = 0;
    while (object_meta_owner(m, &at, &owner)) {
        if (owner.controller) {
            *out = owner;
            return true;
        }
    }
    return false;
}

/* Key and value follow the struct in one allocation. */
struct object {
    _Atomic unsigned refs;
    uint64_t revision;
    size_t key_len;
    size_t value_len;
    char bytes[];
};

struct object *object_new(struct str key, uint64_t revision, struct str value)
{
    struct object *o = mem_alloc_with(sizeof(*o), key.len + value.len);
    atomic_init(&o->refs, 1);
    o->revision = revision;
    o->key_len = key.len;
    o->value_len = value.len;
    if (key.len > 0)
        memcpy(o->bytes, key.data, key.len);
    if (value.len > 0)
        memcpy(o->bytes + key.len, value.data, value.len);
    return o;
}

struct object *object_ref(struct object *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    return o;
}

void object_unref(struct object *o)
{
    if (o != NULL && atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1)
        mem_free(o);
}

struct str object_key(const struct object *o)
{
    return str_of(o->bytes, o->key_len);
}

uint64_t object_revision(const struct object *o)
{
    return o->revision;
}

struct str object_value(const struct object *o)
{
    return str_of(o->bytes + o->key_len, o->value_len);
}
