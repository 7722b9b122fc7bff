/*
 * What members ask each other for readindex.h, and answer: small frames over links, from raft loop
 * to raft loop. A question that is lost is not told of: its round ends by READINDEX_ROUND_MS.
 *
 * Thread: the raft loop.
 */
#ifndef STORE_READS_H
#define STORE_READS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct replica;
struct wire_read;

struct reads {
    uint64_t round; /* whom it has asked: */
    struct {
        uint64_t id;
        bool heard;
    } asked[STORE_MEMBERS_MAX];
    size_t count;
    uint64_t quick[STORE_MEMBERS_MAX]; /* as they answered when all were last asked */
    size_t quick_count;
};

/* As readindex_ops say. */
unsigned reads_confirm(struct replica *r, uint64_t term, uint64_t round, unsigned most);
bool reads_ask(struct replica *r, uint64_t leader_id, uint64_t term, uint64_t round);
/* From another member: a question, or an answer. */
void reads_receive(struct replica *r, uint64_t from, const struct wire_read *read);

#endif
