/* What a fetch is made of, and its work on the pool; for fetch.c and fetch_work.c only. */
#ifndef STORE_FETCH_STATE_H
#define STORE_FETCH_STATE_H

#include "store/fetch.h"
#include "store/folder.h"
#include "store/peers.h"

enum fetch_state { FETCH_LOOK, FETCH_ASK, FETCH_BEGIN, FETCH_READ, FETCH_CHECK, FETCH_END };

struct chunk {
    struct peer_call call; /* first */
    struct fetch *fetch;
    bool taken; /* has a place: offset, len */
    bool in_flight;
    bool arrived;
    uint64_t offset;
    uint32_t len;
    struct buf bytes;
};

struct fetch {
    struct fetch_config config;
    char folder[FOLDER_BYTES_MAX];
    char path[FOLDER_BYTES_MAX + 16];
    enum fetch_state state;
    struct env_msg poke;
    bool poked;
    struct env_timer timer;
    bool cancelled;
    bool switched; /* another member is to be asked */
    int status;    /* of END */
    struct err err;

    struct peer_call ask;
    bool asking;
    uint64_t asked_member;
    unsigned failures; /* of the other side, in a row */
    unsigned polls;
    uint64_t wait_until_ms;
    unsigned wrong_digests;

    struct copy_info info; /* what is fetched, from ASK on */
    struct folder_note note;
    bool noted; /* staging holds a part of it */
    uint64_t written;
    uint64_t synced;
    uint64_t next; /* first byte without a chunk */
    struct chunk chunks[FETCH_WINDOW];

    struct env_work work;
    bool working;
    bool ended; /* and its end not yet looked at */
    int work_status;
    struct err work_err;
    struct env_file *file;
    struct chunk *writing;
    bool sync;

    /* The rate: bytes asked for since a moment. */
    uint64_t rate_since_ms;
    uint64_t rate_bytes;
    uint64_t log_ms;
    uint64_t log_bytes;
};

/* Each sets work_status, and work_err when it is not 0. While one runs, file, note, noted, written,
 * and the chunk being written are its own. */
void fetch_look_work(struct env_work *w);
void fetch_begin_work(struct env_work *w);
void fetch_write_work(struct env_work *w);
void fetch_check_work(struct env_work *w);

#endif
