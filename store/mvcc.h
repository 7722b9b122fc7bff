/*
 * Versions of keys over the ordered map: rows of `rev` and `cur`, and reading them at a revision.
 *
 * rev: (revision, sub) -> everything about one version, its value stored once, and the place of the
 * version before it. cur: key -> place of the newest version (a tombstone until compacted) and the
 * row's hash. A read at R takes cur and follows back links until <= R. A back link may lead to a
 * row that compaction took: that reads as "not there", which is right for every R still served.
 *
 * A key that is written all the time has many versions, and a read of an old one must not walk over
 * each. From feature level 4 a row also has a skip link, to a version at most MVCC_SKIP before it:
 * with N newer versions a read looks at N / MVCC_SKIP + 2 * MVCC_SKIP rows at most. Versions
 * written below that level are walked one by one until compaction has taken them.
 *
 * Rows of ours that do not decode are corruption below us: they abort.
 */
#ifndef STORE_MVCC_H
#define STORE_MVCC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "store/kv.h"
#include "store/store.h"

struct arena;

/* Versions between two that skip links lead to: a page of history, half of what a slice reads. */
#define MVCC_SKIP 512u

struct place {
    uint64_t revision; /* 0: none */
    uint32_t sub;
};

/* A row of rev, decoded in place. */
struct version {
    struct store_version v; /* borrowed from the row */
    uint32_t sub;
    struct place previous;
    struct place skip;  /* a version before previous, or previous */
    uint32_t since;     /* versions from skip, or from the first that counted, to this one */
    struct str terms;   /* encoded: version_terms */
    struct str charges; /* encoded: version_charge */
};

/* A row of cur. */
struct newest {
    struct place place;
    bool tombstone;
    uint64_t hash; /* of the rev row: what it adds to the digest when present */
};

/* Hash of one row for the digest: table, key and value, each with its length. */
uint64_t row_hash(enum kv_table table, struct str key, struct str value);

/* Sets the skip link of the version after old, which is at this place. */
void version_skip(struct version *version, const struct version *old, struct place place);
/* The row of a version; terms and charges come from op (NULL: a tombstone). */
void version_encode(struct buf *b, const struct version *version, const struct store_op *op);
/* The same version with another value. */
void version_rewrap(struct buf *b, struct str row, struct str value);
void version_decode(struct str rev_key, struct str row, struct version *out);

/* Decodes terms into the arena. */
size_t version_terms(const struct version *version, struct arena *a,
                     const struct store_term **out_terms);
/* Takes the next charge off *charges; false at the end. */
bool version_charge(struct str *charges, struct store_charge *out);
/* The same for terms, without an arena. */
bool version_term(struct str *terms, struct store_term *out);

bool mvcc_newest(struct kv_txn *t, struct str key, struct newest *out);
void mvcc_set_newest(struct kv_txn *t, struct str key, const struct newest *n);
void newest_decode(struct str row, struct newest *out);
/* The version at a place; false when compaction took it. */
bool mvcc_get(struct kv_txn *t, struct place place, struct version *out);
/* The version that was newest at `revision`, starting from n; false: none. May be a tombstone. */
bool mvcc_at(struct kv_txn *t, const struct newest *n, uint64_t revision, struct version *out);
/* The same; *steps grows by the versions that were looked at: a key that is written all the time
 * has many. */
bool mvcc_at_counted(struct kv_txn *t, const struct newest *n, uint64_t revision,
                     struct version *out, size_t *steps);

#endif
