/*
 * The log's bytes: checksums, records, the heads of its files, metadata slots, the snapshot file.
 *
 * Everything is little endian and carries the id of its log, drawn when the log was made: a file of
 * another log, or bytes of a payload that look like a record, never verify. A record's checksums
 * are seeded with the sequence of its file besides, so that what a recycled file held before reads
 * as nothing. The head of a record has a checksum of its own: it tells which group was there even
 * when the bytes that follow are gone.
 *
 *   record  0 body checksum (seeded with the head's)   4 head checksum     8 length
 *          12 kind  13 type  14 zero  16 index  24 term  32 group  40 group start  44 group end
 *   and its bytes, padded with zeros (checksummed as well) to 8.
 */
#ifndef STORE_WAL_FORMAT_H
#define STORE_WAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/wal.h"

struct buf;

#define WAL_FORMAT          1u
#define WAL_BLOCK_BYTES     4096u /* never torn across another block's content */
#define WAL_RECORD_BYTES    48u
#define WAL_RECORD_ALIGN    8u /* records begin at multiples of it */
#define WAL_FILE_HEAD_BYTES 64u
#define WAL_SLOT_BYTES      64u
#define WAL_FILE_BYTES_MAX  (256u << 20) /* a larger log file is not ours */
#define WAL_SNAPSHOT_MAX    4096u        /* bytes of the snapshot file */
#define WAL_PATH_BYTES      1024

/* CRC-32C (Castagnoli), continuing from crc; 0 to begin. */
uint32_t wal_crc(uint32_t crc, const void *data, size_t len);
uint32_t wal_crc_table(uint32_t crc, const void *data, size_t len); /* without the instruction */

enum wal_kind {
    WAL_ENTRY = 1,
    WAL_TRUNCATE, /* entries from index on are gone */
    WAL_RESET,    /* all entries are gone; the next one has index + 1; term: of a snapshot there */
    WAL_KINDS
};

struct wal_record {
    enum wal_kind kind;
    uint8_t type;
    uint64_t index;
    uint64_t term;
    uint64_t group; /* its number, and the part of the file it takes: [start, end) */
    uint32_t start;
    uint32_t end;
    uint32_t length; /* of the bytes that follow */
    uint32_t check;  /* the head's checksum */
};

/* A record's length in the file. */
uint64_t wal_record_span(uint64_t length);
uint32_t wal_seed(uint64_t id, uint64_t sequence);
void wal_record_put(uint8_t out[WAL_RECORD_BYTES], const struct wal_record *r, uint32_t seed,
                    struct str bytes);
/* Does a record's head stand there? Only what verifies is set. */
bool wal_record_get(const uint8_t *at, uint32_t seed, struct wal_record *out);
/* The next place, not before at, where a head can stand: goes over zeros, which are most of a
 * preallocated file and which a head's second word, with its kind, never is. at <= len. */
uint64_t wal_past_zeros(const uint8_t *bytes, uint64_t at, uint64_t len);
bool wal_record_body_ok(const uint8_t *at, const struct wal_record *r);

/* The first block of a file: how the log went on from the file before. Written with the file's
 * first group, hence durable with it. */
struct wal_file_head {
    uint64_t last;         /* index of the last entry before this file */
    uint64_t group;        /* number of its first group */
    uint64_t before_at;    /* where the file before ends; what follows there was dropped */
    uint64_t before_group; /* the last group there */
};

void wal_file_head_put(uint8_t out[WAL_FILE_HEAD_BYTES], const struct wal_file_head *h, uint64_t id,
                       uint64_t sequence);
/* -ERR_NOT_FOUND: none of this log and sequence stands there. -ERR_UNIMPLEMENTED: a newer format */
int wal_file_head_get(const uint8_t at[WAL_FILE_HEAD_BYTES], uint64_t id, uint64_t sequence,
                      struct wal_file_head *out);

struct wal_slot {
    uint64_t version; /* newer is larger */
    uint64_t term;
    uint64_t vote;
    uint64_t id; /* of the log */
};

void wal_slot_put(uint8_t out[WAL_SLOT_BYTES], const struct wal_slot *s);
int wal_slot_get(const uint8_t at[WAL_SLOT_BYTES], struct wal_slot *out); /* as above */

void wal_snapshot_encode(const struct wal_snapshot *s, uint64_t id, struct buf *out);
int wal_snapshot_decode(struct str bytes, uint64_t id, struct wal_snapshot *out, struct err *e);

/* Names in the folder: "<folder>/<name>", and with a sequence "<folder>/<name>-<16 hex>". */
void wal_path(char out[WAL_PATH_BYTES], const char *folder, const char *name);
void wal_path_of(char out[WAL_PATH_BYTES], const char *folder, const char *name, uint64_t sequence);
/* The sequence of a name "<prefix>-<16 hex>"; 0 when it is not one. */
uint64_t wal_name_sequence(struct str name, const char *prefix);

/* -ERR_CORRUPT that says where, why, and what an operator does next. */
int wal_corrupt(struct err *e, const char *path, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
