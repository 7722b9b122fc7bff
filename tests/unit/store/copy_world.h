/* Two groups in one process, copies of the first, and a service in between whose answers a test
 * loses, delays or damages. */
#ifndef TESTS_UNIT_STORE_COPY_WORLD_H
#define TESTS_UNIT_STORE_COPY_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "store/copy.h"
#include "store/copy_service.h"
#include "store/fetch.h"
#include "store/group.h"

#define COPY_WORLD_CHUNKS_MAX 64

struct copy_world {
    struct env *env;
    char base[256];
    char copies_folder[300];
    char staging[400];      /* of the receiver */
    struct env_loop *peers; /* where copies and fetches run */
    struct env_loop *raft;
    struct store_group *sender;
    struct store_group *receiver;
    uint64_t handed; /* to the sender */
    struct copies *copies;
    struct copy_service *service;

    /* What happens to answers; set before a fetch. Reads are counted from 1 as they are answered.
     */
    int reads;
    int cut_after; /* reads; then cut_calls calls fail; 0: never */
    int cut_calls;
    int damage_read; /* a byte of this one is flipped; -1: of the first of every chunk 0 */
    int shorten_read;
    uint64_t dead_member;      /* answers nothing but -ERR_UNAVAILABLE */
    struct str bad_answers[8]; /* given to Open instead of an answer, in order */
    size_t bad_count;
    size_t bad_given;
    _Atomic int opens;
    int delivered[COPY_WORLD_CHUNKS_MAX]; /* whole and right, by chunk */
    /* On the loop after so many reads were delivered; NULL: nothing. */
    void (*at_read)(struct copy_world *w, int reads);
    void *at_read_ctx;
    uint64_t cancel_at_got; /* 0: never */
    bool hold;              /* answers wait until this is taken back; on the loop */

    /* The last fetch. */
    struct fetch *fetch;
    atomic_bool done;
    int status;
    struct point point;
    struct err err;
    int troubles;
    struct err trouble; /* the last */
    uint64_t got;
    uint64_t total;
};

extern const struct fetch_calls copy_world_calls; /* ctx: the world */

int copy_world_setup(void **state);
int copy_world_teardown(void **state);
/* Runs fn on the peers loop and waits for it. */
void copy_world_run(struct copy_world *w, void (*fn)(struct copy_world *w, void *arg), void *arg);
void copy_world_wait(const atomic_bool *done);
void copy_world_nap(void);
bool copy_world_same_point(const struct point *a, const struct point *b);
/* Puts count values of bytes each into the sender, and waits until they are published. */
void copy_world_fill(struct copy_world *w, int count, size_t bytes);
/* Asks until it is made or refused. */
int copy_world_ask(struct copy_world *w, uint64_t min_index, struct copy_info *out, struct err *e);
/* Forgets what happens and what happened. */
void copy_world_reset(struct copy_world *w);
/* Fetches into staging and waits; 0: the default rate. */
int copy_world_fetch(struct copy_world *w, uint64_t min_index, uint64_t bytes_per_s);
void copy_world_fetch_start(struct copy_world *w, uint64_t min_index, uint64_t bytes_per_s);
/* Closes the sender's copies, and opens them again as a restart would. */
void copy_world_restart_sender(struct copy_world *w);

#endif
