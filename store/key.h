/*
 * Keys of rows: short names for long ones, and the layout of each table's key.
 *
 * An object's key is resource.group/namespace/name. LMDB takes at most 511 bytes, an index row
 * holds a term and a key, so both are bounded: a prefix (resource.group) over KEY_PREFIX_BYTES_MAX
 * becomes `~` and 32 hex digits of its SHA-256, an index term over STORE_TERM_BYTES_MAX becomes its
 * 32 SHA-256 bytes. The proposer shortens (key_shorten, txn_encode); readers shorten the same way.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/kv.h"
#include "store/store.h"

struct arena;

#define KEY_PREFIX_BYTES_MAX 64
#define KEY_PREFIX_HEX       32
/* A shortened term is this long and marked: no plain term of this length is confused with it. */
#define KEY_TERM_DIGEST_BYTES 32

/* prefix itself, or its short form in the arena. */
struct str key_shorten(struct arena *a, struct str prefix);

/* A row's key being built; always within KV_KEY_BYTES_MAX for inputs within store.h's limits. */
struct key {
    uint8_t bytes[KV_KEY_BYTES_MAX];
    size_t len;
};

struct str key_str(const struct key *k);

/* KV_REV: BE64 revision, BE32 sub. */
#define KEY_REV_BYTES 12
void key_rev(struct key *k, uint64_t revision, uint32_t sub);
void key_rev_parse(struct str key, uint64_t *out_revision, uint32_t *out_sub);

/* KV_INDEX: BE32 index, u8 length (0xff: a digest), term, key. */
void key_index(struct key *k, uint32_t index, struct str term, struct str key);
size_t key_index_term_bytes(struct str term); /* bytes before the object's key */

/* KV_STREAM: stream, NUL, BE64 sequence; KV_PRODUCER: stream, NUL, producer. A stream's name holds
 * no NUL. */
void key_stream(struct key *k, struct str stream, uint64_t sequence);
uint64_t key_stream_sequence(struct str key);
void key_producer(struct key *k, struct str stream, struct str producer);

#endif
