/*
 * One request to the members' API, from its body to its answer: read, confirm that this member
 * knows the newest rows, ask all members what they see, decide, write, answer. What several files
 * of the API share.
 */
#ifndef CONTROLPLANE_MEMBERS_OP_H
#define CONTROLPLANE_MEMBERS_OP_H

#include <stdatomic.h>
#include <stdint.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/env.h"
#include "controlplane/identity.h"
#include "controlplane/members_api.h"
#include "net/http.h"
#include "store/admin.h"
#include "store/roster.h"
#include "store/roster_txn.h"

struct members_api {
    struct members_api_config config;
    char ca_hash[IDENTITY_CA_HASH_BYTES];
    _Atomic uint64_t second; /* of which tries are counted */
    _Atomic uint32_t tries;
};

struct members_op;

struct members_verb {
    const char *method;
    const char *name; /* the path's last word; NULL: of the collection */
    bool fresh;       /* this member must know the newest rows first */
    bool views;       /* and what the others see */
    void (*decide)(struct members_op *op);
};

struct members_op {
    struct members_api *api;
    struct http_exchange *x; /* NULL: the client went away */
    struct env_loop *loop;
    const struct members_verb *verb;
    struct arena arena;
    struct str name;         /* of the member in the path, decoded */
    const struct json *body; /* NULL: none */
    struct roster roster;
    unsigned attempts;
    uint64_t deadline_ms; /* of what is waited for */
    struct str answer;    /* once the write is committed */
    int answer_status;
    enum store_group_id group; /* whose leadership moves */
    enum store_group_id group_last;
    bool working;
    struct env_timer timer;
    struct store_barrier barrier;
    struct view_ask view;
    struct store_write write;
    struct transfer_ask transfer;
    struct env_work work;
    struct roster_txn txn;
    /* The joining one. */
    struct str ca_key_path;
    struct str csr;
    struct str address;
    struct str certificate;
    struct roster_row row;
    struct err err;
    int status;
};

#define MEMBERS_BODY_BYTES_MAX 16384
#define MEMBERS_ATTEMPTS_MAX   8
#define MEMBERS_WAIT_MS        10000
#define MEMBERS_POLL_MS        100

/* x is the op's from now on; name is copied. */
void members_op_begin(struct members_api *api, struct http_exchange *x,
                      const struct members_verb *verb, struct str name);
/* From the newest rows on, again. */
void members_op_again(struct members_op *op);
/* The same a little later, until deadline_ms; false: that has passed. */
bool members_op_later(struct members_op *op);
/* Ends it. body: JSON. */
void members_op_answer(struct members_op *op, int status, struct str body);
void members_op_fail(struct members_op *op, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Submits op->txn; op->answer with op->answer_status once it is committed. A guard that failed
 * decides anew. */
void members_op_write(struct members_op *op);
/* Fields of the body; absent or of another type: false, empty. */
bool members_op_flag(const struct members_op *op, const char *name);
struct str members_op_text(const struct members_op *op, const char *name);

/* ---- members_view.c: GET ---- */

void members_list(struct members_op *op);
/* Entries that the member lacks of a group; UINT64_MAX: its leader is not known, or nothing of the
 * member. */
uint64_t members_lag(const struct view *v, enum store_group_id group, uint64_t id);
const char *members_group_name(enum store_group_id group);
enum view_role members_role(const struct view *v, enum store_group_id group, uint64_t id);
bool members_answers(const struct view *v, uint64_t id);

/* ---- join_token.c ---- */

#define JOIN_PREFIX      "join-tokens.gantry/"
#define JOIN_TOKEN_BYTES 64 /* "ID.SECRET", NUL included */
#define JOIN_TOKEN_MS    (24ull * 3600 * 1000)

/* A new token for name goes into txn; its text to out. */
void join_token_make(struct env *env, struct roster_txn *txn, struct str name,
                     char out[JOIN_TOKEN_BYTES]);
/* The token is there, not expired, and its secret is right: the name it is for (in the arena) and
 * the revision of its key. */
bool join_token_check(struct store_group *cluster, struct arena *a, struct str token,
                      uint64_t now_ms, struct str *out_name, uint64_t *out_revision);
void join_token_key(struct str token, struct buf *out);
/* The key that stands for: this member's certificate was given. A second machine with the same id
 * would vote twice, and forget what the first has acknowledged. */
void join_given_key(uint64_t member_id, struct buf *out);
bool join_was_given(struct store_group *cluster, uint64_t member_id);

/* ---- join_api.c ---- */

/* Counts a try; false: too many in this second. */
bool join_may_try(struct members_api *api);
void join_decide(struct members_op *op);

#endif
