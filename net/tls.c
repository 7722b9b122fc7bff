/*
 * One TLS connection. Its BIO has no memory of its own: it reads from the bytes given to the
 * present call and appends to the output buffer of the present call, so an idle connection holds
 * nothing but OpenSSL's own state.
 */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "net/tls_internal.h"

#define READ_BYTES         (16u << 10) /* one TLS record */
#define RECORD_EXTRA_BYTES 64u         /* its header, nonce, tag, and room */

const struct tls_identity tls_identity_none = { 0 };

struct tls {
    struct tls_context *context;
    SSL *ssl;
    struct str in;   /* what the present call may read */
    struct buf *out; /* where the present call writes */
    struct arena arena;
    struct tls_identity peer;
    int64_t not_before_s; /* when every certificate of the peer's chain is within its dates */
    int64_t not_after_s;
    bool chain_bad; /* for another reason than its dates */
    bool dates_bad; /* as OpenSSL saw them in the handshake */
    bool ready;
    bool peer_ended;
    bool failed;
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *to, size_t len, size_t *out_read)
{
    struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (t->in.len == 0) {
        BIO_set_retry_read(bio);
        *out_read = 0;
        return 0;
    }
    size_t take = t->in.len < len ? t->in.len : len;
    memcpy(to, t->in.data, take);
    t->in = str_slice(t->in, take, t->in.len);
    *out_read = take;
    return 1;
}

static int bio_write(BIO *bio, const char *from, size_t len, size_t *out_written)
{
    struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_append(t->out, from, len);
    *out_written = len;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gantry");
    ASSERT(m != NULL);
    BIO_meth_set_read_ex(m, bio_read);
    BIO_meth_set_write_ex(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

int tls_on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *t = SSL_get_app_data(ssl);
    int error = X509_STORE_CTX_get_error(store);
    if (!ok && (error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED)) {
        t->dates_bad = true;
        X509_STORE_CTX_set_error(store, X509_V_OK); /* tls_check_dates goes on from here */
    } else if (!ok) {
        t->chain_bad = true;
    }
    return 1; /* the HTTP layer answers 401; the handshake goes on */
}

/* ---- the peer's names ---- */

static bool name_str(struct tls *t, const ASN1_STRING *s, struct str *out)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);
    if (len < 0)
        return false;
    /* A NUL inside would let one name pass for another wherever it meets C strings. */
    bool good = memchr(utf8, 0, (size_t)len) == NULL;
    *out = str_copy(&t->arena, str_of(utf8, (size_t)len));
    OPENSSL_free(utf8);
    return good;
}

static bool read_subject(struct tls *t, X509 *x)
{
    X509_NAME *subject = X509_get_subject_name(x);
    int count = X509_NAME_entry_count(subject);
    if (count > TLS_NAMES_MAX)
        return false;
    t->peer.organizations = arena_array(&t->arena, (size_t)count, sizeof(struct str));
    for (int i = 0; i < count; i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        struct str value;
        if (nid != NID_commonName && nid != NID_organizationName)
            continue;
        if (!name_str(t, X509_NAME_ENTRY_get_data(entry), &value))
            return false;
        if (nid == NID_commonName)
            t->peer.common_name = value;
        else
            t->peer.organizations[t->peer.organization_count++] = value;
    }
    return true;
}

static bool read_alternatives(struct tls *t, X509 *x)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    if (names == NULL)
        return true;
    int count = sk_GENERAL_NAME_num(names);
    bool good = count <= TLS_NAMES_MAX;
    size_t room = good ? (size_t)count : 0;
    t->peer.dns_names = arena_array(&t->arena, room, sizeof(struct str));
    t->peer.uris = arena_array(&t->arena, room, sizeof(struct str));
    for (int i = 0; good && i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            good = name_str(t, name->d.dNSName, &t->peer.dns_names[t->peer.dns_name_count++]);
        else if (name->type == GEN_URI)
            good =
                name_str(t, name->d.uniformResourceIdentifier, &t->peer.uris[t->peer.uri_count++]);
    }
    GENERAL_NAMES_free(names);
    return good;
}

static bool seconds_of(const ASN1_TIME *time, int64_t *out_s)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *out_s = timegm(&tm);
    return true;
}

/* The time in which no certificate of the chain is out of its dates. */
static bool read_dates(struct tls *t)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(t->ssl);
    t->not_before_s = INT64_MIN;
    t->not_after_s = INT64_MAX;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *x = sk_X509_value(chain, i);
        int64_t before;
        int64_t after;
        if (!seconds_of(X509_get0_notBefore(x), &before) ||
            !seconds_of(X509_get0_notAfter(x), &after))
            return false;
        if (before > t->not_before_s)
            t->not_before_s = before;
        if (after < t->not_after_s)
            t->not_after_s = after;
    }
    return true;
}

static void read_peer(struct tls *t)
{
    X509 *x = SSL_get0_peer_certificate(t->ssl);
    if (x == NULL)
        return;
    t->peer.shown = true;
    int hashed = X509_digest(x, EVP_sha256(), t->peer.certificate_sha256, NULL);
    ASSERT(hashed == 1);
    if (!read_subject(t, x) || !read_alternatives(t, x) || !read_dates(t) ||
        SSL_get_verify_result(t->ssl) != X509_V_OK)
        t->chain_bad = true;
    t->peer.verified = !t->chain_bad && !t->dates_bad;
}

void tls_check_dates(struct tls *t, int64_t now_s)
{
    if (!t->ready || !t->peer.shown || t->chain_bad)
        return;
    t->peer.verified = t->not_before_s <= now_s && now_s <= t->not_after_s;
}

/* ---- the connection ---- */

static struct tls *tls_new(struct tls_context *c)
{
    struct tls *t = mem_alloc(sizeof(*t));
    t->context = tls_context_ref(c);
    arena_init(&t->arena);
    t->ssl = SSL_new(c->ctx);
    BIO *bio = BIO_new(c->bio);
    ASSERT(t->ssl != NULL);
    ASSERT(bio != NULL);
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_app_data(t->ssl, t);
    return t;
}

struct tls *tls_server_new(struct tls_context *c)
{
    ASSERT(c->server);
    struct tls *t = tls_new(c);
    SSL_set_accept_state(t->ssl);
    return t;
}

struct tls *tls_client_new(struct tls_context *c, const char *server_name)
{
    ASSERT(!c->server);
    struct tls *t = tls_new(c);
    SSL_set_connect_state(t->ssl);
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    int rc = X509_VERIFY_PARAM_set1_ip_asc(param, server_name);
    if (rc != 1) {
        ERR_clear_error();
        rc = X509_VERIFY_PARAM_set1_host(param, server_name, 0);
        if (rc == 1)
            rc = SSL_set_tlsext_host_name(t->ssl, server_name) == 1;
    }
    if (rc != 1)
        t->failed = true; /* not a name at all: the start says so */
    return t;
}

void tls_offer_none(struct tls *t)
{
    (void)SSL_set_alpn_protos(t->ssl, NULL, 0); /* taking nothing cannot fail */
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    arena_deinit(&t->arena);
    tls_context_unref(t->context);
    mem_free(t);
}

/* What an OpenSSL call's result means: 0 when it only waits for bytes. */
static int outcome(struct tls *t, int rc, const char *what, struct err *e)
{
    int error = SSL_get_error(t->ssl, rc);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 0;
    if (error == SSL_ERROR_ZERO_RETURN) {
        t->peer_ended = true;
        return 0;
    }
    t->failed = true;
    long verdict = SSL_get_verify_result(t->ssl);
    if (!t->context->server && t->context->wants_certificate && verdict != X509_V_OK) {
        ERR_clear_error();
        return err_set(e, ERR_UNAUTHENTICATED, "server certificate: %s",
                       X509_verify_cert_error_string(verdict));
    }
    return tls_error(e, ERR_PROTOCOL, what);
}

static int handshake(struct tls *t, struct err *e)
{
    int rc = SSL_do_handshake(t->ssl);
    if (rc != 1)
        return outcome(t, rc, "TLS handshake", e);
    t->ready = true;
    read_peer(t);
    return 0;
}

int tls_start(struct tls *t, struct buf *cipher, struct err *e)
{
    if (t->failed)
        return err_set(e, ERR_INVALID_ARGUMENT, "TLS: the server's name is not usable");
    if (t->context->server)
        return 0;
    t->out = cipher;
    ERR_clear_error();
    int rc = handshake(t, e);
    t->out = NULL;
    return rc;
}

static int read_plain(struct tls *t, struct buf *plain, struct err *e)
{
    for (;;) {
        buf_reserve(plain, READ_BYTES);
        size_t n = 0;
        int rc = SSL_read_ex(t->ssl, plain->data + plain->len, READ_BYTES, &n);
        if (rc != 1)
            return outcome(t, rc, "TLS", e);
        plain->len += n;
    }
}

int tls_receive(struct tls *t, struct str bytes, struct buf *plain, struct buf *cipher,
                struct err *e)
{
    if (t->failed)
        return err_set(e, ERR_PROTOCOL, "TLS: the connection has failed");
    t->in = bytes;
    t->out = cipher;
    ERR_clear_error();
    int rc = t->ready ? 0 : handshake(t, e);
    if (rc == 0 && t->ready && !t->peer_ended)
        rc = read_plain(t, plain, e);
    t->in = (struct str){ 0 };
    t->out = NULL;
    return rc;
}

int tls_send(struct tls *t, struct str plain, struct buf *cipher, struct err *e)
{
    ASSERT(t->ready);
    if (t->failed)
        return err_set(e, ERR_PROTOCOL, "TLS: the connection has failed");
    t->out = cipher;
    buf_reserve(cipher, plain.len + (plain.len / READ_BYTES + 1) * RECORD_EXTRA_BYTES);
    ERR_clear_error();
    int result = 0;
    while (plain.len > 0) {
        size_t n = 0;
        int rc = SSL_write_ex(t->ssl, plain.data, plain.len, &n);
        if (rc != 1) {
            result = outcome(t, rc, "TLS", e);
            if (result == 0) /* the BIO takes everything: waiting here is a broken session */
                result = err_set(e, ERR_PROTOCOL, "TLS: cannot write");
            t->failed = true;
            break;
        }
        plain = str_slice(plain, n, plain.len);
    }
    t->out = NULL;
    return result;
}

void tls_shutdown(struct tls *t, struct buf *cipher)
{
    if (t->failed || !t->ready)
        return;
    t->out = cipher;
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl); /* only our half; the peer's answer is not awaited */
    ERR_clear_error();
    t->out = NULL;
}

bool tls_ready(const struct tls *t)
{
    return t->ready;
}

bool tls_peer_ended(const struct tls *t)
{
    return t->peer_ended;
}

struct str tls_alpn(const struct tls *t)
{
    const unsigned char *data = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(t->ssl, &data, &len);
    return str_of(data, len);
}

const char *tls_version(const struct tls *t)
{
    return SSL_get_version(t->ssl);
}

const struct tls_identity *tls_peer(const struct tls *t)
{
    return &t->peer;
}
