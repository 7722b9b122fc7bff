/*
 * From which state a list reads: resourceVersion, resourceVersionMatch, limit and continue.
 *
 * | resourceVersion | match        | limit | reads                                |
 * |-----------------|--------------|-------|--------------------------------------|
 * | ""              |              |       | the newest (a barrier)               |
 * | "0"             | NotOlderThan |       | what is published here               |
 * | N               | NotOlderThan |       | what is published, once N is         |
 * | N               |              | 0     | as NotOlderThan                      |
 * | N               |              | > 0   | exactly N                            |
 * | N               | Exact        |       | exactly N                            |
 * | continue        |              |       | exactly the token's revision         |
 *
 * A token is upstream's: base64url of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\0"}; rv -1
 * goes on at the newest state, inconsistently. Ours says with "left":N how many objects are left
 * from its start on, where that is known: they are counted once, and not for each page.
 */
#ifndef CONTROLPLANE_APISERVER_LIST_OPTIONS_H
#define CONTROLPLANE_APISERVER_LIST_OPTIONS_H

#include "controlplane/apiserver/request.h"

struct list_options {
    int64_t limit;     /* 0: none */
    bool exact;        /* read at `revision` and nowhere else */
    uint64_t revision; /* wanted; 0: none */
    bool resumed;      /* a continue token was given */
    struct str after;  /* what the store key's prefix is followed by; empty: from the first */
    int64_t left;      /* objects after it, as the token has it; -1: not known */
};

/* Checks everything and sets r->mode and r->revision. -ERR_X with r->status set. */
int list_options_parse(struct request *r, struct list_options *out);

struct err_list;

/* Forbidden or unsupported members of ListOptions: 422. */
int list_options_invalid(struct request *r, const struct err_list *list);
/* A resourceVersion that is no number: 400. */
int list_options_bad_revision(struct request *r, struct str rv);

/* Where a list goes on. */
struct list_place {
    int64_t revision; /* -1: the newest */
    struct str after;
    int64_t left; /* objects; -1: not known */
};

struct str continue_encode(struct arena *a, const struct list_place *place);
/* -ERR_INVALID_ARGUMENT when it is no token of ours. */
int continue_decode(struct arena *a, struct str token, struct list_place *out, struct err *e);

#endif
