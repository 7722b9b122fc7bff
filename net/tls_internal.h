/* What tls.c and tls_context.c share. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "net/tls.h"

struct tls_context {
    SSL_CTX *ctx;
    BIO_METHOD *bio; /* reads from the bytes being received, appends to the output given */
    bool server;
    bool wants_certificate;
    bool pinned;
    unsigned char pin[32]; /* SHA-256 of the root's SubjectPublicKeyInfo */
    size_t alpn_len;
    unsigned char alpn[64];
    int references; /* atomic */
};

/* Called by OpenSSL for every certificate of the peer's chain. */
int tls_on_verify(int ok, X509_STORE_CTX *store);
/* Verifies a server whose root is known by c->pin only; SSL_CTX_set_cert_verify_callback. */
int tls_pin_verify(X509_STORE_CTX *store, void *context);
/* Sets e from OpenSSL's error queue, and empties it. */
int tls_error(struct err *e, enum err_code code, const char *what);
BIO_METHOD *tls_bio_method(void);

#endif
