/*
 * Members that only talk: struct links of three members, over mutual TLS on loopback in the real
 * world (one loop on a thread of its own), or plain in a simulated one (a loop a member).
 *
 * The test's thread touches nothing of a loop: it gives the loop work and waits (links_world_do),
 * or waits until something holds there (links_world_until).
 */
#ifndef TESTS_UNIT_STORE_LINKS_WORLD_H
#define TESTS_UNIT_STORE_LINKS_WORLD_H

#include <raft.h>
#include <semaphore.h>
#include <stdbool.h>

#include "base/env.h"
#include "net/pki.h"
#include "store/links.h"
#include "store/links_impl.h"
#include "store/store.h"

#define LINKS_WORLD_MEMBERS 3

struct links_world;

struct links_got {
    struct list node;
    enum store_group_id group;
    struct raft_message message;
    char address[64];
};

struct links_member {
    struct links_world *world;
    struct env_loop *loop;
    struct links *links; /* NULL: not open */
    char cert[600];
    char key[600];
    struct list got; /* of struct links_got, oldest first */
    size_t got_count;
    struct wire_read reads[8]; /* the first ones */
    size_t reads_count;
    uint64_t reads_from;             /* the last one's sender */
    enum store_group_id reads_group; /* and its group */
    struct str writes[4];            /* the first transactions, in the world's arena */
    size_t writes_count;
    uint64_t writes_call;                 /* the last frame's */
    bool nonsense;                        /* writes are refused */
    size_t lost[LINKS_WORLD_MEMBERS + 1]; /* by id */
    size_t lost_from[LINKS_WORLD_MEMBERS + 1];
    size_t gone[LINKS_WORLD_MEMBERS + 1]; /* by id */
    bool in_call;                         /* links_send is on the stack: nothing may call back */
    void (*on_message)(struct links_member *m, const struct raft_message *message); /* or NULL */
};

struct links_world {
    bool sim;
    struct env *env;
    struct env_loop *loop; /* the real world's */
    struct arena arena;
    struct pki_pair ca;
    char folder[512];
    char ca_file[600];
    struct store_member roster[LINKS_WORLD_MEMBERS];
    struct links_member members[LINKS_WORLD_MEMBERS];
};

/* A message under way. */
struct links_sent {
    struct raft_io_send req;
    struct links_member *from;
    int refused; /* what links_send returned */
    int calls;   /* of the callback */
    int status;  /* of the last */
};

struct links_world *links_world_new(bool sim);
/* Closes who is open. */
void links_world_free(struct links_world *w);
/* The same as cmocka's setup and teardown, in a simulated or in the real world. */
int links_world_setup_sim(void **state);
int links_world_setup_real(void **state);
int links_world_teardown(void **state);

/* Runs fn on the loop of member i and waits for it. */
void links_world_do(struct links_world *w, int i, void (*fn)(void *ctx), void *ctx);
/* Waits until holds is true on the loop of member i; fails the test after two minutes. */
void links_world_until(struct links_world *w, int i, bool (*holds)(void *ctx), void *ctx);

/* A certificate for DNS name, signed by ca; PEM in the world's arena. */
struct pki_pair links_world_issue(struct links_world *w, const struct pki_pair *ca,
                                  const char *name);

/* listen NULL: its roster address, or where the real world first finds a free port. */
void links_world_open(struct links_world *w, int i, const char *listen);
void links_world_close(struct links_world *w, int i);
/* Gives member i the roster as it is now: count of it. */
void links_world_roster(struct links_world *w, int i, size_t count);
/* All three open and connected with each other, both kinds. */
void links_world_connect(struct links_world *w);
/* Both kinds of connections from i to j. */
void links_world_await(struct links_world *w, int i, int j);

/* From member i; message->server_id says to whom. */
void links_world_send(struct links_world *w, int i, enum store_group_id group,
                      const struct raft_message *message, struct links_sent *sent);
void links_world_await_sent(struct links_world *w, struct links_sent *sent);
void links_world_await_got(struct links_world *w, int i, size_t count);
/* Forgets what member i got. */
void links_world_clear(struct links_world *w, int i);

/* An AppendEntries for member `to` with count entries of entry_bytes, from index first on; the
 * entries live in the world's arena. */
struct raft_message links_world_entries(struct links_world *w, uint64_t to, uint64_t first,
                                        unsigned count, size_t entry_bytes);

#endif
