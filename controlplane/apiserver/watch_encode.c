/* Encodings of one event, kept while it is given out. */
#include "controlplane/apiserver/watch_encode.h"

#include <string.h>

#include "api/meta/object.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "controlplane/apiserver/table.h"

static const char *const type_names[] = { "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR" };

void watch_cache_init(struct watch_cache *c)
{
    memset(c, 0, sizeof(*c));
    arena_init(&c->arena);
    buf_init(&c->object);
    buf_init(&c->event);
}

void watch_cache_clear(struct watch_cache *c)
{
    for (size_t i = 0; i < c->count; i++) {
        shared_unref(c->entries[i].bytes);
    }
    c->count = 0;
    arena_reset(&c->arena);
}

void watch_cache_deinit(struct watch_cache *c)
{
    watch_cache_clear(c);
    arena_deinit(&c->arena);
    buf_deinit(&c->object);
    buf_deinit(&c->event);
}

static bool same_style(const struct object_style *a, const struct object_style *b)
{
    return a->media.type == b->media.type && a->media.transform == b->media.transform &&
           a->media.v1beta1 == b->media.v1beta1 && a->columns == b->columns &&
           a->include_object == b->include_object;
}

/* Wraps c->object as one event. */
static struct shared *frame(struct watch_cache *c, enum watch_type type, enum media_type media)
{
    buf_clear(&c->event);
    if (media != MEDIA_PROTOBUF) {
        buf_printf(&c->event, "{\"type\":\"%s\",\"object\":", type_names[type]);
        buf_append_str(&c->event, buf_str(&c->object));
        buf_append_c(&c->event, "}\n");
        return shared_from_buf(&c->event);
    }
    struct buf raw;
    buf_init(&raw);
    buf_put_varint(&raw, 1 << 3 | 2);
    buf_put_bytes(&raw, buf_str(&c->object));
    struct buf body;
    buf_init(&body);
    buf_put_varint(&body, 1 << 3 | 2);
    buf_put_bytes(&body, str_from(type_names[type]));
    buf_put_varint(&body, 2 << 3 | 2);
    buf_put_bytes(&body, buf_str(&raw));
    buf_put_be32(&c->event, (uint32_t)body.len);
    buf_append_str(&c->event, buf_str(&body));
    buf_deinit(&body);
    buf_deinit(&raw);
    return shared_from_buf(&c->event);
}

struct shared *watch_encode(struct watch_cache *c, enum watch_type type, const struct kind_info *k,
                            struct str payload, uint64_t revision, const struct object_style *style)
{
    struct err e;
    for (size_t i = 0; i < c->count; i++) {
        if (c->entries[i].type == type && c->entries[i].kind == k &&
            same_style(&c->entries[i].style, style)) {
            return c->entries[i].bytes;
        }
    }
    if (c->count == WATCH_CACHE_MAX) {
        watch_cache_clear(c);
    }
    buf_clear(&c->object);
    if (object_write(&c->arena, &c->object, k, payload, revision, style, &e) != 0) {
        return NULL;
    }
    struct shared *bytes = frame(c, type, style->media.type);
    c->entries[c->count].type = type;
    c->entries[c->count].kind = k;
    c->entries[c->count].style = *style;
    c->entries[c->count].bytes = bytes;
    c->count++;
    return bytes;
}

/* The reference goes to the cache until it is cleared. */
static struct shared *keep(struct watch_cache *c, struct shared *bytes)
{
    if (c->count == WATCH_CACHE_MAX) {
        watch_cache_clear(c);
    }
    memset(&c->entries[c->count], 0, sizeof(c->entries[c->count]));
    c->entries[c->count].type = WATCH_ERROR; /* never looked for */
    c->entries[c->count++].bytes = bytes;
    return bytes;
}

static struct str bookmark_payload(struct arena *a, bool end)
{
    PartialObjectMetadata *m = schema_new(a, &schema_PartialObjectMetadata);
    m->metadata = schema_new(a, &schema_ObjectMeta);
    if (end) {
        ObjectMeta__AnnotationsEntry *entry = arena_new(a, ObjectMeta__AnnotationsEntry);
        object_meta__annotations_entry__init(entry);
        entry->key = str_dup(a, str_lit("k8s.io/initial-events-end"));
        entry->value = str_dup(a, str_lit("true"));
        m->metadata->annotations = arena_array(a, 1, sizeof(entry));
        m->metadata->annotations[0] = entry;
        m->metadata->n_annotations = 1;
    }
    return schema_pack_arena(a, &schema_PartialObjectMetadata, m);
}

struct shared *watch_encode_bookmark(struct watch_cache *c, const struct kind_info *k,
                                     uint64_t revision, bool end, const struct object_style *style)
{
    struct err e;
    buf_clear(&c->object);
    struct object_style plain = *style;
    if (style->media.transform == TRANSFORM_TABLE) {
        plain.columns = false;
        /* The end of the initial events is told in the row's metadata, whatever was asked for. */
        if (end && plain.include_object == TABLE_NONE) {
            plain.include_object = TABLE_METADATA;
        }
    }
    if (object_write(&c->arena, &c->object, k, bookmark_payload(&c->arena, end), revision, &plain,
                     &e) != 0) {
        return NULL;
    }
    return keep(c, frame(c, WATCH_BOOKMARK, style->media.type));
}

struct shared *watch_encode_error(struct watch_cache *c, const struct status *s,
                                  enum media_type type)
{
    buf_clear(&c->object);
    status_encode(&c->arena, s, type, &c->object);
    if (type != MEDIA_PROTOBUF && c->object.len > 0) {
        c->object.len--; /* the newline */
    }
    return keep(c, frame(c, WATCH_ERROR, type));
}
