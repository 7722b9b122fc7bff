/*
 * TLS 1.2 and 1.3 as an engine: bytes in, bytes out, no sockets (OpenSSL on memory BIOs).
 *
 * struct tls_context is a configuration shared by many connections (counted; atomic, may cross
 * threads after it is built). struct tls is one connection's state, on one loop. The server asks
 * for a client certificate and never fails a handshake over it: a missing, expired or foreign
 * certificate shows as identity.verified == false, for the HTTP layer to answer 401. The client
 * verifies the server: chain, dates, and the name or address it was told to expect; only one made
 * with any_server does not.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "net/digest.h"

struct tls;
struct tls_context;

/* A chain longer than this or a certificate with more names is treated as no identity. */
#define TLS_CHAIN_DEPTH_MAX 8
#define TLS_NAMES_MAX       64

/* All PEM text is borrowed for the call. */
struct tls_options {
    struct str certificate_pem; /* leaf first, then intermediates; a client may leave it absent */
    struct str key_pem;
    struct str ca_pem; /* server: client CAs (absent: no certificate is asked for); client: roots */
    const char *const *alpn; /* NULL-ended, preferred first: {"h2", "http/1.1", NULL}; NULL: none */
    /* Client, instead of ca_pem: the one trusted root is the CA certificate that the server shows
     * in its chain and whose SubjectPublicKeyInfo has this SHA-256 (pki_key_sha256): 32 bytes. */
    struct str ca_sha256;
    /* Client, instead of both: whoever answers will do. What is read may come from anyone. */
    bool any_server;
};

struct tls_context *tls_server_context_new(const struct tls_options *o, struct err *e);
struct tls_context *tls_client_context_new(const struct tls_options *o, struct err *e);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c); /* NULL-safe */

/* Who the other side proved to be. Strings live as long as the struct tls. */
struct tls_identity {
    bool verified; /* a certificate was shown and its chain leads to our CA, in its dates */
    bool shown;    /* a certificate was shown, good or bad */
    struct str common_name;
    struct str *organizations;
    size_t organization_count;
    struct str *dns_names;
    size_t dns_name_count;
    struct str *uris;
    size_t uri_count;
    uint8_t certificate_sha256[DIGEST_SHA256_BYTES]; /* of the one that was shown, as sent (DER) */
};

/* The identity of a peer without TLS: nobody. */
extern const struct tls_identity tls_identity_none;

/* ---- one connection ---- */

struct tls *tls_server_new(struct tls_context *c);
/* server_name: DNS name or numeric address that the server's certificate must carry; also sent as
 * SNI when it is a name. */
struct tls *tls_client_new(struct tls_context *c, const char *server_name);
/* Before the start: this connection names no protocol, whatever its context offers. */
void tls_offer_none(struct tls *t);
void tls_free(struct tls *t);

/*
 * Takes ciphertext from the peer; appends plaintext that came out to plain and ciphertext to be
 * sent to cipher. 0, or -ERR_PROTOCOL (broken), -ERR_UNAUTHENTICATED (the server's certificate is
 * not who we expect): send cipher (it holds the alert), then close.
 */
int tls_receive(struct tls *t, struct str bytes, struct buf *plain, struct buf *cipher,
                struct err *e);
/* Starts the client's handshake (first bytes go to cipher); nothing for a server. */
int tls_start(struct tls *t, struct buf *cipher, struct err *e);
/* Encrypts all of plain, appending to cipher. Only after tls_ready. */
int tls_send(struct tls *t, struct str plain, struct buf *cipher, struct err *e);
/* Appends our close_notify. */
void tls_shutdown(struct tls *t, struct buf *cipher);
bool tls_ready(const struct tls *t);                      /* the handshake is complete */
bool tls_peer_ended(const struct tls *t);                 /* the peer's close_notify was seen */
struct str tls_alpn(const struct tls *t);                 /* what was agreed, or absent */
const char *tls_version(const struct tls *t);             /* "TLSv1.3" */
const struct tls_identity *tls_peer(const struct tls *t); /* never NULL; valid once ready */
/*
 * Of a server: sets verified of the client's identity by the dates of its certificates at now_s
 * (seconds since 1970). A server calls it before each request, because a connection outlives the
 * verdict of its handshake: certificates expire, and a clock that was wrong is set right.
 */
void tls_check_dates(struct tls *t, int64_t now_s);

#endif
