/*
 * Raft's messages as bytes: the frames of links.h. Pure functions, no I/O.
 *
 * A frame is a header of WIRE_HEADER_BYTES and a body; every integer is little endian:
 *
 *   header          le32 bytes of the body, u8 group, u8 type, u8 version, u8 0
 *   HELLO           u8 kind, le64 sender's id, le64 receiver's id, u8 length of the sender's name,
 *                   its bytes; the group is 0
 *   PING, PONG      nothing; the group is 0
 *   REQUEST_VOTE    le64 term, candidate, last index, last term; u8 flags: 1 disrupt, 2 pre-vote
 *   ..._RESULT      le64 term; u8 granted; u8 0, 1, 2: pre-vote unknown, yes, no
 *   APPEND_ENTRIES  le64 term, previous index, previous term, commit; le32 count; for each entry
 *                   le64 term, le32 length, u8 type; then the entries' bytes
 *   ..._RESULT      le64 term, rejected, last index
 *   INSTALL_SNAPSHOT le64 term, last index, last term, index of the configuration; u8 count; for
 *                   each server le64 id, u8 role, u8 length of its address, the address; then what
 *                   is left is the manifest
 *   TIMEOUT_NOW     le64 term, last index, last term
 *   CONFIRM, CONFIRMED, READ, READ_RESULT
 *                   what members ask each other about reads (readindex.h): le64 the asker's round,
 *                   le64 value (of CONFIRM the term, of READ the term in which the asker follows,
 *                   0 for none, of READ_RESULT the index), u8 yes (of results)
 *   FORWARD         writes for the leader (writes.h): le64 the asker's call, le32 count; for each
 *                   le32 ms that it may still wait, le32 length, the encoded transaction
 *   FORWARDED       what came of them: le64 call, le32 count; for each le32 -status, le64 revision,
 *                   le64 sequence, le32 appended, le32 failed guard, u8 replayed
 *
 * Decoding trusts nothing: every length is checked before memory is taken for it, what is left over
 * is refused, and there is one encoding of a message (what decodes encodes to the same bytes).
 */
#ifndef STORE_RAFT_WIRE_H
#define STORE_RAFT_WIRE_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

#define WIRE_VERSION            1
#define WIRE_HEADER_BYTES       8
#define WIRE_BODY_BYTES_MAX     (8u << 20)
#define WIRE_ENTRIES_MAX        65536u /* in one frame */
#define WIRE_ENTRY_HEADER_BYTES 13u
/* One entry with its frame's own fields: an entry above could never be sent. */
#define WIRE_ENTRY_BYTES_MAX    (WIRE_BODY_BYTES_MAX - 64u)
#define WIRE_SERVERS_MAX        16u
#define WIRE_ADDRESS_BYTES_MAX  255u
#define WIRE_MANIFEST_BYTES_MAX 4096u
#define WIRE_NAME_BYTES_MAX     63u
#define WIRE_HELLO_BYTES_MAX    (18u + WIRE_NAME_BYTES_MAX)
#define WIRE_READ_BYTES         17u
#define WIRE_WRITES_HEAD_BYTES  12u /* of FORWARD and FORWARDED, before the items */
#define WIRE_FORWARD_ITEM_BYTES 8u  /* and a transaction's bytes */
#define WIRE_RESULT_BYTES       29u

/* Raft's own types keep libraft's numbers, 1..6. */
enum wire_type {
    WIRE_HELLO = 64,
    WIRE_PING = 65,
    WIRE_PONG = 66,
    WIRE_CONFIRM = 67,   /* do you follow me in this term? */
    WIRE_CONFIRMED = 68, /* yes or no */
    WIRE_READ = 69,      /* what must a reader see? */
    WIRE_READ_RESULT = 70,
    /* Only to members of feature level 3. */
    WIRE_FORWARD = 71,
    WIRE_FORWARDED = 72
};

struct wire_header {
    uint32_t length; /* of the body */
    uint8_t group;
    uint8_t type;
    uint8_t version;
};

struct wire_hello {
    uint8_t kind; /* of the connection: links' own numbers */
    uint64_t from;
    uint64_t to;
    struct str name; /* the sender's; borrowed from the body */
};

/* 0, or -ERR_PROTOCOL: another version, an unknown type or group, a body that is too long for the
 * type. */
int wire_header_decode(const void *bytes, struct wire_header *out, struct err *e);

/* A header whose length wire_frame_end fills in; what it gives is where the frame began. */
size_t wire_frame_begin(struct buf *out, uint8_t group, unsigned type);
void wire_frame_end(struct buf *out, size_t begun);

void wire_hello_encode(const struct wire_hello *hello, struct buf *out);
int wire_hello_decode(struct str body, struct wire_hello *out, struct err *e);
/* PING or PONG. */
void wire_signal_encode(enum wire_type type, struct buf *out);

/* CONFIRM to READ_RESULT: what a type does not use is zero. */
struct wire_read {
    enum wire_type type;
    uint64_t round;
    uint64_t value;
    bool yes;
};
bool wire_is_read(uint8_t type);
void wire_read_encode(const struct wire_read *read, enum store_group_id group, struct buf *out);
int wire_read_decode(const struct wire_header *h, struct str body, struct wire_read *out,
                     struct err *e);

/* FORWARD or FORWARDED: begin, add each item, end. */
size_t wire_writes_begin(enum wire_type type, uint64_t call, uint32_t count,
                         enum store_group_id group, struct buf *out);
void wire_forward_add(struct str txn, uint32_t wait_ms, struct buf *out);
void wire_forwarded_add(const struct store_result *result, struct buf *out);
void wire_writes_end(size_t begun, struct buf *out);

struct wire_writes {
    enum wire_type type;
    uint64_t call;
    uint32_t count;   /* of items left */
    struct str items; /* borrowed from the body, already checked: taking the next cannot fail; what
                         is in a transaction is not looked at */
};
bool wire_is_writes(uint8_t type);
int wire_writes_decode(const struct wire_header *h, struct str body, struct wire_writes *out,
                       struct err *e);
/* The next item, taken off; false at the end. */
bool wire_forward_next(struct wire_writes *w, struct str *out_txn, uint32_t *out_wait_ms);
bool wire_forwarded_next(struct wire_writes *w, struct store_result *out);

/* Could the message ever be sent: its entries, configuration and manifest are in bounds. */
bool wire_fits(const struct raft_message *m);
/* Bytes that the whole message takes, about: what a queue counts. */
size_t wire_bytes(const struct raft_message *m);

/*
 * Appends one frame. An AppendEntries is sent in pieces: this one holds the entries from `from` on,
 * at least one, then as many as fit into piece_bytes; its previous index and term are those of the
 * entry before, its commit index at most its own last entry. Returns the entry that the next piece
 * begins with: m is complete when that is n_entries (0 for all other types).
 */
unsigned wire_encode(const struct raft_message *m, enum store_group_id group, unsigned from,
                     size_t piece_bytes, struct buf *out);

/*
 * A message of one of Raft's types. On success what it carries is raft_malloc'ed and the caller's
 * (guard_drop_message): one array of entries and one batch with all their bytes, each entry's at a
 * multiple of 8; no entries: no array. server_id and server_address are left zero. On failure
 * (-ERR_PROTOCOL) nothing is kept.
 */
int wire_decode(const struct wire_header *h, struct str body, struct raft_message *out,
                struct err *e);

/* Cuts what arrives, in whatever pieces, into frames. At most one frame is kept in memory, and of
 * that only what has arrived. */
struct wire_input {
    struct buf pending;
    uint32_t body_bytes_max; /* beyond the type's own bound: little from a stranger */
};

/* Returns non-zero to stop: the connection is at its end. body is borrowed for the call. */
typedef int (*wire_frame_fn)(void *ctx, const struct wire_header *h, struct str body,
                             struct err *e);

void wire_input_init(struct wire_input *in, uint32_t body_bytes_max);
void wire_input_deinit(struct wire_input *in);
/* 0; -ERR_PROTOCOL for a bad header; or what frame returned. After a failure feed no more. */
int wire_input_feed(struct wire_input *in, struct str bytes, wire_frame_fn frame, void *ctx,
                    struct err *e);

#endif
