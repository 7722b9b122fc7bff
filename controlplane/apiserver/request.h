/*
 * Private to the API server: the life of one request.
 *
 *   begin -> body -> run -> commit -> committed -> respond -> done
 *             |      ^ |       |          |
 *             |      | +-> barrier <------+        (read again what is newest, then run again)
 *             |      +---- suspend, make           (a long list takes another turn of the loop)
 *             +-> respond, stream               (respond packs a large answer first)
 *
 * begin does what needs no body: limits, identity, route, authorization, negotiation, and picks the
 * struct operation. An operation's run is a synchronous function over the request and the store at
 * one revision; it may be run again from the start, so it keeps nothing but what it puts into the
 * request at its end. It answers, fails, asks for a transaction to be committed, or takes the
 * exchange over (watch, log).
 *
 * Reads before a write are optimistic: run looks at the published state of this member and guards
 * its transaction with what it saw. A guard proves what was seen. An answer or a failure that no
 * guard proves is proved by a barrier: run once more after a linearizable read point.
 *
 * A request lives until its machine is done and its exchange closed, whichever is later. Its memory
 * is its arena. Everything is on the exchange's loop.
 */
#ifndef CONTROLPLANE_APISERVER_REQUEST_H
#define CONTROLPLANE_APISERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/kinds.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/sm.h"
#include "controlplane/apiserver/authn/authn.h"
#include "controlplane/apiserver/loop.h"
#include "controlplane/apiserver/media.h"
#include "controlplane/apiserver/route.h"
#include "controlplane/apiserver/status.h"
#include "controlplane/resources/registry.h"
#include "net/http.h"
#include "store/store.h"

/* How often a write is tried against a newer state before the client hears of the conflict. */
#define REQUEST_ATTEMPTS_MAX 8
#define REQUEST_ID_BYTES_MAX 64
/* Warnings of one answer. As upstream: once they are more than so many code points in all, each is
 * cut, and they end when that much is told. */
#define REQUEST_WARNINGS_MAX       256
#define REQUEST_WARNINGS_RUNES_MAX 4096
#define REQUEST_WARNING_RUNES_CUT  256
#define REQUEST_WAIT_RV_MS         3000 /* for a revision from the future */
#define REQUEST_WRITE_MS           34000
#define REQUEST_HEADERS_MAX        12
/* Answers above this are packed, as upstream has it. */
#define REQUEST_GZIP_BYTES_MIN (128u << 10)
/* A body over this is refused; upstream's limit and text. */
#define REQUEST_BODY_BYTES_MAX 3145728

enum request_run {
    RUN_ANSWER,  /* request_answer_* was called */
    RUN_FAIL,    /* r->status says why */
    RUN_COMMIT,  /* r->txn is to be committed */
    RUN_SUSPEND, /* run again in turn (turns.h) */
    RUN_MAKE,    /* r->make is to be called on a pool thread; then run again */
    RUN_STREAM   /* the operation answers on r->x itself from now on */
};

enum read_mode {
    READ_LOCAL,      /* whatever is published here: resourceVersion=0, plain paths */
    READ_OPTIMISTIC, /* writes: see above */
    READ_FRESH,      /* a barrier first */
    READ_AT_LEAST    /* wait until r->revision is published here */
};

struct request;

struct operation {
    const char *name;
    bool body;           /* needs the request's body */
    bool passes_body;    /* hears it in received and ended, from http_body_resume on; no limit */
    bool long_running;   /* does not count against the limit, has no deadline */
    enum read_mode mode; /* where reading starts; prepare may change it */
    int allow;           /* MEDIA_ALLOW_*: what the answer may be */
    /* After begin, before anything is read; may be NULL. 0, or -ERR_X with r->status set. */
    int (*prepare)(struct request *r);
    enum request_run (*run)(struct request *r);
    /* The transaction is committed at r->revision. */
    enum request_run (*committed)(struct request *r);
    /* Of streams; may be NULL: output drained, the server stops, the exchange is gone (last). */
    void (*drained)(struct request *r);
    void (*stop)(struct request *r);
    /* After request_upgrade, or of the body that passes: bytes of the client, and its end. ended is
     * not called for a body that ended before the stream began: see body_ended. */
    void (*received)(struct request *r, struct str bytes);
    void (*ended)(struct request *r);
    void (*closed)(struct request *r);
    /* Before the request's memory goes: what r->state holds outside the arena. May be NULL. */
    void (*release)(struct request *r);
};

struct request {
    struct sm sm;
    struct list node;
    struct api_loop *loop;
    struct apiserver *server;
    struct http_exchange *x; /* NULL once closed */
    struct arena arena;
    struct env_timer timer;
    struct turn turn;
    uint64_t began_ns;
    uint64_t body_ms; /* how long the body may take: APISERVER_REQUEST_MS, or less as asked for */
    bool counted;
    bool emptied; /* the answer is given; see request_empty */
    unsigned holds;

    struct identity identity;
    struct route route;
    const struct kind_info *kind;    /* of the URL's resource; NULL for plain paths */
    const struct resource *resource; /* its registry row */
    const struct operation *operation;
    struct media media;
    bool pretty;
    bool takes_gzip;
    struct str user_agent;
    struct str request_id; /* sent by the client, or made up: never empty */
    bool request_id_sent;
    uint64_t fence_term;
    struct str body;
    bool body_is_text;           /* JSON or YAML: it cannot hold unknown protobuf fields */
    const struct json *patch;    /* the body of a PATCH, once parsed */
    struct str patch_problem;    /* of an apply: why there is none */
    struct body_yaml *yaml;      /* a body in YAML, once parsed (body.c) */
    bool managed_fields_emptied; /* the object it sent has an empty list of them */
    bool body_ended;             /* of a body that passes */

    bool fresh;  /* reads are at or after a barrier */
    bool looked; /* this run has read the store */
    enum read_mode mode;
    uint64_t revision; /* AT_LEAST: wanted; later: the read point, then the commit's */
    unsigned attempts;
    bool resubmitted; /* the transaction in flight may have been applied before */
    struct store_barrier barrier;
    struct store_write write;
    struct store_txn txn; /* in the arena */

    struct status status;
    const char *warnings[REQUEST_WARNINGS_MAX];
    size_t warnings_count;

    int answer_status;
    const char *answer_type;
    struct str answer_head; /* sent before the body */
    struct str answer_body;
    struct buf out;                   /* where answers are built */
    void (*make)(struct env_work *w); /* of r->work; looks at nothing that the loop changes */
    struct env_work work;
    struct buf packed; /* the answer again, by work */
    struct http_header answer_headers[REQUEST_HEADERS_MAX];
    size_t answer_headers_count;

    void *state; /* the operation's; in the arena */
    void *scope; /* a second one, for operations built of others */
};

/* Takes an exchange over; the first call for a request. */
void request_start(struct api_loop *l, struct http_exchange *x);
/* Who asks, and as whom: r->identity. -ERR_X with r->status set. */
int request_identify(struct request *r);
/* What the client says of itself and of this request, before anything may fail. */
int request_read_headers(struct request *r);
/* Whether the answer can be had in the form asked for, and how long the body may take. */
int request_check_options(struct request *r);
/* Sends what request_answer set; the state machine's last step. */
void request_send_answer(struct request *r);
/* A large answer to a client that takes gzip is packed on a pool thread: whether it is to be, that
 * work, and what the loop does with its result. */
bool request_packs_answer(const struct request *r);
void request_pack_answer(struct env_work *w);
void request_use_packed(struct request *r);
/* A request with holds is not freed: for a stream with a message of its own under way. */
void request_hold(struct request *r);
void request_unhold(struct request *r);
/* Ends what a stopping server must not wait for (streams), politely. */
void request_stop(struct request *r);

/* ---- for operations ---- */

/* Sets the answer. body lives in the arena (or is constant). */
void request_answer(struct request *r, int status, const char *content_type, struct str body);
void request_header(struct request *r, const char *name, struct str value);
/* Answers with r->status in the negotiated encoding. */
enum request_run request_answer_status(struct request *r);
/* Answers 101; then the operation's received and ended are called, and it writes to r->x. As
 * http_upgrade otherwise. Of streams. */
int request_upgrade(struct request *r, const struct http_header *headers, size_t count);
/* May this user do verb to what the URL names? -ERR_X with r->status set when not. Asked of every
 * request for its own verb; by an operation for what else it turns out to do. */
int request_check_verb(struct request *r, const char *verb);
/* One line of the Warning header; duplicates and what exceeds the limits are dropped. */
void request_warn(struct request *r, const char *text);
/* Sends the head of a stream now: what follows is written to r->x by the operation. */
void request_stream_head(struct request *r, const char *content_type);

struct resource_context request_context(struct request *r);
uint64_t request_now_ns(const struct request *r);

/* ---- what the store holds ---- */

struct stored {
    uint64_t revision;
    struct str payload; /* protobuf of the kind, in the arena */
    struct str value;   /* with its header */
    struct str request_id;
    uint64_t previous;
};

/* 0 with a copy in the arena, or -ERR_NOT_FOUND; other failures set r->status. */
int request_read(struct request *r, struct str key, struct stored *out);
/* The same as it was at a revision: also -ERR_EXPIRED and -ERR_INVALID_ARGUMENT, with r->status. */
int request_read_at(struct request *r, struct str key, uint64_t revision, struct stored *out);
/* What this very request removed from key on an earlier try, with the removal's revision; false
 * when it did not. */
bool request_find_removed(struct request *r, struct str key, struct stored *out);
/* The version of key at exactly this revision; waits for nothing. */
int request_read_version(struct request *r, struct str key, uint64_t revision, struct stored *out);
/* Looks for an earlier attempt of this request (same request id) among the newest versions of a
 * key, where there can be one. True: *out is that version. */
bool request_find_replay(struct request *r, struct str key, const struct stored *newest,
                         struct stored *out);
struct str request_key(struct request *r, enum kind kind, struct str ns, struct str name);

#endif
