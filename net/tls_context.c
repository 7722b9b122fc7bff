/* TLS configuration: certificates, roots, versions, ALPN. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/assert.h"
#include "net/tls_internal.h"

/* More roots or intermediates than this in one PEM text is a mistake. */
#define CERTIFICATES_MAX 256

int tls_error(struct err *e, enum err_code code, const char *what)
{
    char text[200] = "unknown";
    unsigned long number = ERR_peek_last_error();
    if (number != 0)
        ERR_error_string_n(number, text, sizeof(text));
    ERR_clear_error();
    return err_set(e, code, "%s: %s", what, text);
}

/* Calls use for each certificate of the PEM text; returns their number or -1. */
static int each_certificate(struct str pem, void *ctx, bool (*use)(void *ctx, X509 *x, int index))
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    ASSERT(bio != NULL);
    int count = 0;
    bool ok = true;
    while (ok && count < CERTIFICATES_MAX) {
        X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (x == NULL)
            break;
        ok = use(ctx, x, count++);
        X509_free(x);
    }
    BIO_free(bio);
    if (!ok || count == 0)
        return -1;
    ERR_clear_error(); /* "no start line" at the end */
    return count;
}

static bool add_root(void *ctx, X509 *x, int index)
{
    struct tls_context *c = ctx;
    (void)index;
    if (c->server && SSL_CTX_add_client_CA(c->ctx, x) != 1)
        return false;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), x) == 1;
}

static bool add_own(void *ctx, X509 *x, int index)
{
    struct tls_context *c = ctx;
    if (index == 0)
        return SSL_CTX_use_certificate(c->ctx, x) == 1;
    return SSL_CTX_add1_chain_cert(c->ctx, x) == 1;
}

static int use_own(struct tls_context *c, const struct tls_options *o, struct err *e)
{
    if (o->certificate_pem.len == 0)
        return c->server ? err_set(e, ERR_INVALID_ARGUMENT, "a server needs a certificate") : 0;
    if (each_certificate(o->certificate_pem, c, add_own) < 0)
        return tls_error(e, ERR_PARSE, "certificate");
    BIO *bio = BIO_new_mem_buf(o->key_pem.data, (int)o->key_pem.len);
    ASSERT(bio != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (key == NULL)
        return tls_error(e, ERR_PARSE, "private key");
    bool ok = SSL_CTX_use_PrivateKey(c->ctx, key) == 1 && SSL_CTX_check_private_key(c->ctx) == 1;
    EVP_PKEY_free(key);
    return ok ? 0 : tls_error(e, ERR_INVALID_ARGUMENT, "private key does not fit");
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    const struct tls_context *c = arg;
    (void)ssl;
    unsigned char *chosen = NULL;
    int rc = SSL_select_next_proto(&chosen, out_len, c->alpn, (unsigned)c->alpn_len, in, in_len);
    if (rc != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void use_alpn(struct tls_context *c, const char *const *alpn)
{
    for (; alpn != NULL && *alpn != NULL; alpn++) {
        size_t len = strlen(*alpn);
        ASSERT(c->alpn_len + len + 1 <= sizeof(c->alpn));
        c->alpn[c->alpn_len++] = (unsigned char)len;
        memcpy(c->alpn + c->alpn_len, *alpn, len);
        c->alpn_len += len;
    }
    if (c->alpn_len == 0)
        return;
    if (c->server)
        SSL_CTX_set_alpn_select_cb(c->ctx, on_alpn, c);
    else
        SSL_CTX_set_alpn_protos(c->ctx, c->alpn, (unsigned)c->alpn_len);
}

static int use_pin(struct tls_context *c, const struct tls_options *o, struct err *e)
{
    if (o->ca_sha256.len != sizeof(c->pin) || o->ca_pem.len > 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "a CA is known by its certificate or its hash");
    memcpy(c->pin, o->ca_sha256.data, sizeof(c->pin));
    c->pinned = true;
    SSL_CTX_set_cert_verify_callback(c->ctx, tls_pin_verify, c);
    return 0;
}

static struct tls_context *context_new(bool server, const struct tls_options *o, struct err *e)
{
    struct tls_context *c = mem_alloc(sizeof(*c));
    c->server = server;
    c->references = 1;
    c->bio = tls_bio_method();
    c->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    ASSERT(c->ctx != NULL);
    SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* No resumption: a resumed session would carry an old verdict on the client. */
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c->ctx, 0);
    SSL_CTX_set_verify_depth(c->ctx, TLS_CHAIN_DEPTH_MAX);
    use_alpn(c, o->alpn);
    c->wants_certificate = server ? o->ca_pem.len > 0 : !o->any_server;
    int rc = use_own(c, o, e);
    if (rc == 0 && !server && o->ca_sha256.len > 0)
        rc = use_pin(c, o, e);
    else if (rc == 0 && !server && (o->ca_pem.len == 0) != o->any_server)
        rc = err_set(e, ERR_INVALID_ARGUMENT, "a client needs the server's CA, or takes any");
    if (rc == 0 && o->ca_pem.len > 0 && each_certificate(o->ca_pem, c, add_root) < 0)
        rc = tls_error(e, ERR_PARSE, "CA certificates");
    if (c->wants_certificate)
        SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, server ? tls_on_verify : NULL);
    if (rc != 0) {
        tls_context_unref(c);
        return NULL;
    }
    return c;
}

struct tls_context *tls_server_context_new(const struct tls_options *o, struct err *e)
{
    return context_new(true, o, e);
}

struct tls_context *tls_client_context_new(const struct tls_options *o, struct err *e)
{
    return context_new(false, o, e);
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    int before = __atomic_fetch_add(&c->references, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (c == NULL || __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    SSL_CTX_free(c->ctx);
    BIO_meth_free(c->bio);
    mem_free(c);
}
