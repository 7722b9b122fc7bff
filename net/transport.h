/*
 * A connection under an engine: an env_stream, perhaps TLS, output gathered per loop turn, one
 * timer, one place that frees. Private to net/: server.c and client.c sit on it.
 *
 * The owner embeds it. Calls of the owner's ops never nest inside the owner's own calls here,
 * except that transport_cut and transport_finish may be called from any of them.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "net/tls.h"

/* Output is asked of the engine while the kernel owes us less than this. */
#define TRANSPORT_QUEUE_BYTES (256u << 10)
/* How long a finished connection waits for the peer to end its side. */
#define TRANSPORT_LINGER_MS 1000
/* How long one with output left waits for the peer to take some of it: who pauses reading is not
 * yet gone. */
#define TRANSPORT_STALL_MS 30000

struct transport;

struct transport_ops {
    void (*ready)(struct transport *t);                  /* TLS is complete, or there is none */
    void (*data)(struct transport *t, struct str bytes); /* plaintext */
    void (*turn)(struct transport *t, struct buf *out, size_t bytes_max); /* events; output */
    bool (*again)(struct transport *t);                                   /* is another turn due? */
    void (*ended)(struct transport *t); /* the peer's orderly end */
    /* The connection is lost, cut or refused by TLS: once; e may say why. */
    void (*failed)(struct transport *t, int status, const struct err *e);
    void (*timer)(struct transport *t);
    void (*closed)(struct transport *t); /* last: the memory is the owner's again */
};

/* Shared by the connections of one owner: they never work at the same time. */
struct transport_scratch {
    struct buf plain;
    struct buf cipher;
    struct buf out;
};

struct transport {
    const struct transport_ops *ops;
    struct transport_scratch *scratch;
    struct env_loop *loop;
    struct env_stream *stream;
    struct tls *tls;
    struct env_msg msg;
    struct env_timer timer;
    uint64_t written;     /* bytes given to the stream */
    size_t linger_queued; /* while finishing: the least that was left; and when that was seen */
    uint64_t linger_since_ms;
    bool posted;
    bool start_failed;
    bool shut; /* our side of the stream is closed */
    bool ready;
    bool finishing;     /* our side is complete: only the peer's end is awaited */
    bool failed;        /* ops->failed was called, or nothing is to be told any more */
    bool closing;       /* env_stream_close was called */
    bool stream_closed; /* and it is gone */
};

void transport_scratch_init(struct transport_scratch *s);
void transport_scratch_deinit(struct transport_scratch *s);

/* Takes the stream and starts. tls (or NULL) is owned from here on. ready comes in a later turn. */
void transport_open(struct transport *t, const struct transport_ops *ops, struct env_loop *loop,
                    struct env_stream *stream, struct tls *tls, struct transport_scratch *scratch);
void transport_wake(struct transport *t);
size_t transport_queued(const struct transport *t);
uint64_t transport_sent(const struct transport *t); /* bytes the kernel took so far */
void transport_pause(struct transport *t, bool pause);
/* Ends in order: what is queued goes out, close_notify, half close, a short wait. */
void transport_finish(struct transport *t);
/* Ends at once; ops->failed is not called. closed follows. */
void transport_cut(struct transport *t);

#endif
