/*
 * The client: one shape for every caller of the Kubernetes API, whatever carries the bytes.
 *
 * struct client is a vtable and the loop it lives on. Two implementations: api/client/client_http.h
 * (HTTP/2 and TLS to one of several endpoints) and controlplane/apiserver/local.h (the same route,
 * authorization and admission inside a member, without HTTP). Callers cannot tell them apart.
 *
 * Bodies are Kubernetes protobuf. A request body is what the wire would carry: the "k8s\0" envelope
 * for CLIENT_PROTOBUF (client_wrap builds it), the patch document itself for the patch types. A
 * response is given twice: `response` as the wire carried it and `result` with the envelope taken
 * off, so that it decodes with the schema of `result_kind` at once. Implementations hand status and
 * wire body to client_call_finish, which does this and turns a failure Status into `err`.
 *
 * Asynchrony: the caller embeds the call or watch and keeps it, and every string it points to,
 * alive until done/end ran. Exactly one done per client_call and one end per client_watch, never
 * inside the submitting call, on the client's loop. Everything here belongs to that loop's thread.
 */
#ifndef API_CLIENT_CLIENT_H
#define API_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/meta/kinds.h"
#include "base/env.h"
#include "base/err.h"
#include "base/str.h"

struct buf;
struct client;

enum client_verb {
    CLIENT_GET,
    CLIENT_LIST,
    CLIENT_CREATE,
    CLIENT_UPDATE,
    CLIENT_PATCH,
    CLIENT_DELETE,
    CLIENT_DELETE_COLLECTION
};

/* What the request body is; also decides the Content-Type header. */
enum client_content {
    CLIENT_NO_BODY,
    CLIENT_PROTOBUF, /* application/vnd.kubernetes.protobuf, with its envelope */
    CLIENT_JSON,
    CLIENT_JSON_PATCH,
    CLIENT_MERGE_PATCH,
    CLIENT_STRATEGIC_PATCH,
    CLIENT_APPLY /* JSON or YAML; the query names fieldManager, and force=true or not */
};

/* A call that names no deadline ends after this long with -ERR_TIMEOUT. */
#define CLIENT_CALL_TIMEOUT_MS 30000
/* A response body above this is refused with -ERR_LIMIT (a page of a list is far smaller). */
#define CLIENT_RESPONSE_BYTES_MAX (32u << 20)
#define CLIENT_REQUEST_ID_MAX     64

struct client_call {
    /* ---- the request; the caller's ---- */
    enum client_verb verb;
    enum kind kind;
    struct str namespace;   /* empty: cluster scope, or a list across namespaces */
    struct str name;        /* empty for list, create and delete-collection */
    struct str subresource; /* "status", "binding", "scale", "finalize", ... or empty */
    struct str query;       /* "limit=500&continue=...", already escaped; empty: none */
    enum client_content content;
    struct str body;
    uint64_t fence_term; /* 0: none; else the write is refused (-ERR_FENCED) under another term */
    struct str
        request_id;       /* at most CLIENT_REQUEST_ID_MAX; a retry with it gets the first answer */
    uint64_t deadline_ms; /* env_loop_now_ms of the client's loop; 0: CLIENT_CALL_TIMEOUT_MS */
    void (*done)(struct client_call *c);
    void *priv;

    /* ---- the answer; valid inside done only (strings are borrowed) ---- */
    int status;             /* 0 for HTTP 2xx, else -ERR_X as in err */
    int http_status;        /* 0 when no answer came (status says why) */
    struct str response;    /* as on the wire */
    struct str result;      /* without the envelope; empty when the answer has none */
    struct str result_kind; /* "Pod", "PodList", "Status", ... */
    struct err err;         /* Status.message and the code its reason maps to */

    void *impl; /* the implementation's */
};

enum client_event_type {
    CLIENT_ADDED,
    CLIENT_MODIFIED,
    CLIENT_DELETED, /* object: the last state, with the deletion's revision */
    CLIENT_BOOKMARK /* object is empty: only revision counts */
};

struct client_event {
    enum client_event_type type;
    struct str object; /* bare protobuf message of the watched kind; borrowed for the call */
    uint64_t revision;
    bool initial_end; /* BOOKMARK that ends the initial events (sendInitialEvents) */
};

struct client_watch {
    /* ---- the request ---- */
    enum kind kind;
    struct str namespace;      /* empty: all */
    struct str label_selector; /* not escaped; empty: none */
    struct str field_selector;
    uint64_t revision; /* events strictly after it; 0: start with ADDED for all that is there */
    bool bookmarks;
    uint32_t timeout_s; /* 0: the server's choice */
    void (*event)(struct client_watch *w, const struct client_event *ev);
    /* 0: the server ended it in good order; -ERR_EXPIRED: list again; else -ERR_X. e->msg says
     * more. The last call for this watch; the struct may be reused from inside. */
    void (*end)(struct client_watch *w, int status, const struct err *e);
    void *priv;

    void *impl; /* the implementation's */
};

struct client_ops {
    void (*call)(struct client *c, struct client_call *call);
    /* The call's done still comes, on a later turn, with -ERR_CANCELED (or its answer). */
    void (*cancel)(struct client *c, struct client_call *call);
    void (*watch)(struct client *c, struct client_watch *w);
    /* The watch's end still comes, on a later turn, with -ERR_CANCELED; no event precedes it. */
    void (*unwatch)(struct client *c, struct client_watch *w);
};

/* Embedded first by implementations. */
struct client {
    const struct client_ops *ops;
    struct env_loop *loop;
};

/* Clears the answer and submits. Asserts: on the loop, done set, names fit the verb. */
void client_call(struct client *c, struct client_call *call);
void client_cancel(struct client *c, struct client_call *call);
void client_watch(struct client *c, struct client_watch *w);
void client_unwatch(struct client *c, struct client_watch *w);

/* ---- for implementations, and callers that build bodies ---- */

/* Appends the "k8s\0" envelope around raw, a packed message of that version and kind. */
void client_wrap(struct buf *out, struct str api_version, struct str kind, struct str raw);

/* Takes the envelope off: *out_raw and *out_kind point into bytes. -ERR_PARSE when it is none. */
int client_unwrap(struct str bytes, struct str *out_kind, struct str *out_raw);

/*
 * Fills the answer from an HTTP status and the wire body, then calls done (last; the call may be
 * freed by it). status < 0 without http_status: transport failure, message says which. A body with
 * the protobuf envelope is unwrapped; a failure Status, in protobuf or JSON, becomes err.
 */
void client_call_finish(struct client_call *call, int http_status, struct str body);
void client_call_fail(struct client_call *call, int code, const char *message);

/* The code of a Status reason ("NotFound", ...), else of the HTTP status. */
enum err_code client_code(struct str reason, int http_status);

const char *client_content_type(enum client_content content);

/* Appends text escaped for a query value (everything but unreserved characters as %XX). */
void client_query_escape(struct buf *out, struct str text);

#endif
