/*
 * One watch event as bytes: JSON lines, or protobuf frames of 4 bytes length and a WatchEvent.
 *
 * Encoded once per (type, bytes, media, transform) and shared by every watcher that wants it so: a
 * struct watch_cache holds the encodings of one event while it is given out.
 */
#ifndef CONTROLPLANE_APISERVER_WATCH_ENCODE_H
#define CONTROLPLANE_APISERVER_WATCH_ENCODE_H

#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/object.h"

enum watch_type { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

#define WATCH_CACHE_MAX 16
/* Before a WatchEvent in protobuf: its length, big-endian. */
#define WATCH_LENGTH_BYTES 4u

struct watch_cache {
    struct {
        enum watch_type type;
        const struct kind_info *kind;
        struct object_style style;
        struct shared *bytes;
    } entries[WATCH_CACHE_MAX];
    size_t count;
    struct arena arena;
    struct buf object;
    struct buf event;
};

void watch_cache_init(struct watch_cache *c);
/* Forgets the encodings: before the next event. */
void watch_cache_clear(struct watch_cache *c);
void watch_cache_deinit(struct watch_cache *c);

/* The event's bytes; the reference belongs to the cache. NULL when the object does not encode
 * (corrupt). All calls between two clears are about one object. */
struct shared *watch_encode(struct watch_cache *c, enum watch_type type, const struct kind_info *k,
                            struct str payload, uint64_t revision,
                            const struct object_style *style);
/* A bookmark: an empty object with a revision; end: it ends the initial events. */
struct shared *watch_encode_bookmark(struct watch_cache *c, const struct kind_info *k,
                                     uint64_t revision, bool end, const struct object_style *style);
/* An ERROR event around a Status. */
struct shared *watch_encode_error(struct watch_cache *c, const struct status *s,
                                  enum media_type type);

#endif
