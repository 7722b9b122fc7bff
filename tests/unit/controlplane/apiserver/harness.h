/*
 * An API server over a real single-member store, in this process, and a small blocking HTTP client
 * to talk to it. No part of the server is faked, but that proxies connect to 127.0.0.1 for every
 * address.
 */
#ifndef TESTS_UNIT_CONTROLPLANE_APISERVER_HARNESS_H
#define TESTS_UNIT_CONTROLPLANE_APISERVER_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct apiserver;
struct env;
struct env_loop;
struct store;
struct store_txn;

#define HARNESS_WAIT_MS 10000 /* any step that takes longer fails the test */

struct harness {
    struct env *env;
    struct env_loop *loop;
    struct env_loop *extra; /* of a test, stopped; freed after the server */
    struct store *store;
    struct apiserver *server;
    struct arena arena; /* replies live here */
    char folder[64];
    int port;
    int receive_bytes; /* of connections made from now on; 0: the kernel's default */
};

struct reply {
    int status;
    struct str headers; /* as received */
    struct str body;    /* chunks joined */
};

/* Fixture functions for cmocka's group setup: *state is a struct harness. */
int harness_setup(void **state);
/* With a certificate to show to node agents (may be NULL). */
struct tls_context;
int harness_setup_tls(void **state, struct env *env, struct tls_context *kubelet);
/* With a watch ring of so many bytes, and a bookmark every so many ms. */
int harness_setup_watch(void **state, size_t ring_bytes, uint64_t bookmark_ms);
/* With other addresses and node ports for Services. */
struct service_ranges;
int harness_setup_services(void **state, const struct service_ranges *services);
int harness_teardown(void **state);

/* One request on a connection of its own. headers: "Name: value\r\n" lines, or NULL; body NULL:
 * none. */
struct reply harness_send(struct harness *h, const char *method, const char *target,
                          const char *headers, const char *body);
struct reply harness_send_bytes(struct harness *h, const char *method, const char *target,
                                const char *headers, struct str body);
struct reply harness_get(struct harness *h, const char *target);
struct reply harness_post(struct harness *h, const char *target, const char *json);

/* The stored bytes of a key that is there, in the harness's arena. */
struct str harness_stored(struct harness *h, struct str key);
/* Writes to the store past the server, and returns when that is published. */
void harness_commit(struct harness *h, const struct store_txn *txn);

/* History up to the newest revision is gone when this returns. */
void harness_compact(struct harness *h);

/* Asserts the status and prints the reply when it is another. */
void harness_expect(const struct reply *r, int status);
/* Asserts that the body contains text. */
void harness_contains(const struct reply *r, const char *text);
void harness_lacks(const struct reply *r, const char *text);
/* Asserts that two bodies are the same. */
void harness_same(const struct reply *a, const struct reply *b);
/* The first value of a JSON string member by name ("resourceVersion"); asserts that there is one.
 */
struct str harness_member(struct harness *h, const struct reply *r, const char *name);

/* A watch in progress. */
struct stream {
    int fd;
    struct buf raw;  /* bytes as received, headers included, chunk framing not yet taken off */
    struct buf text; /* body so far, without framing */
    size_t parsed;   /* of raw */
    size_t at;       /* of text: lines given */
    bool headers_done;
    bool ended;
    int status;
};

void stream_open(struct harness *h, struct stream *s, const char *target, const char *headers);
/* The same without waiting for the head of the answer, and with any method. */
void stream_start(struct harness *h, struct stream *s, const char *method, const char *target,
                  const char *headers);
/* One more piece into s->raw; false at the end. */
bool stream_more(struct stream *s);
/* Takes the framing off all that came of a body in chunks, into s->text. */
void stream_unframe(struct stream *s);
/* The next line of the body, in the harness's arena; empty at the orderly end. Fails the test when
 * none comes in time. */
struct str stream_line(struct harness *h, struct stream *s);
void stream_close(struct stream *s);

struct arena;
struct env;
struct pki_pair;
struct tls_context;

/* HTTP/1.1 over TLS at 127.0.0.1 with a certificate that ca issues now; for a peer of the member.
 */
struct tls_context *harness_tls(struct env *env, struct arena *a, bool server,
                                const struct pki_pair *ca);

#endif
