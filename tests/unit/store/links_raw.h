/*
 * An end of a connection that the test plays by hand, against members of links_world: it dials one
 * of them, or listens in the place of one, and says what it likes.
 */
#ifndef TESTS_UNIT_STORE_LINKS_RAW_H
#define TESTS_UNIT_STORE_LINKS_RAW_H

#include "net/tls.h"
#include "net/transport.h"
#include "tests/unit/store/links_world.h"

#define LINKS_RAW_ACCEPTS 8

struct links_raw {
    struct transport t;
    struct links_world *w;
    int member; /* whose loop it lives on */
    struct transport_scratch scratch;
    struct env_connect connect;
    struct tls_context *tls; /* borrowed; NULL: plain bytes */
    const char *server_name;
    const char *address;
    struct buf out;
    struct buf in; /* all that came */
    bool dialed;   /* the attempt is over */
    bool is_open;  /* there is, or was, a connection */
    bool ready;
    bool over; /* ended or failed, whoever did it */
    bool closed;
};

/* Identities: PEM may be empty. alpn false: none is offered. */
struct tls_context *links_raw_client_tls(struct links_world *w, const struct pki_pair *own,
                                         bool alpn);
struct tls_context *links_raw_server_tls(struct links_world *w, const struct pki_pair *own);

/* Dials from the loop of member `from`; waits until it is connected, or refused. */
void links_raw_dial(struct links_raw *r, struct links_world *w, int from, const char *address,
                    struct tls_context *tls, const char *server_name);
void links_raw_say(struct links_raw *r, struct str bytes);
/* A hello of the member with this id to another; name NULL: its own in the roster. */
void links_raw_hello_as(struct links_raw *r, uint8_t kind, uint64_t from, const char *name,
                        uint64_t to);
void links_raw_hello(struct links_raw *r, uint8_t kind, uint64_t from, uint64_t to);
/* Waits until so many bytes of plaintext have come. */
void links_raw_await_bytes(struct links_raw *r, size_t len);
/* Waits until the other side has cut the connection. */
void links_raw_await_over(struct links_raw *r);
/* Cuts it, waits and frees what it holds. */
void links_raw_deinit(struct links_raw *r);

/* Listens in the place of member i, on its loop. */
struct links_raw_door {
    struct links_world *w;
    int member;
    struct env_listener *listener;
    struct tls_context *tls;
    bool answer;             /* hellos, as member i would */
    uint64_t answer_id;      /* in whose name: 0: member i's */
    const char *answer_name; /* NULL: the name of answer_id */
    int answer_kind;         /* -1: as asked */
    bool pause_bulk;         /* reads no more once it has answered a hello for entries */
    struct str then;         /* what is said after an answer */
    struct links_raw *conns[LINKS_RAW_ACCEPTS];
    struct links_raw *answered[LINK_KINDS]; /* the last of each kind */
    size_t count; /* accepted; beyond LINKS_RAW_ACCEPTS they are closed at once */
};
/* Gives the roster its address in the real world. */
void links_raw_listen(struct links_raw_door *d, struct links_world *w, int i,
                      struct tls_context *tls);
void links_raw_door_deinit(struct links_raw_door *d);

#endif
