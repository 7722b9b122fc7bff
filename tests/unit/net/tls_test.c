/* TLS handshakes and data in memory, between our own two sides. */
#include <openssl/pem.h>
#include <string.h>

#include "base/arena.h"
#include "net/digest.h"
#include "net/pki.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

#define NOW_S     1700000000u
#define BIG_BYTES 200000u

static const char *const alpn[] = { "h2", "http/1.1", NULL };

struct fixture {
    struct arena a;
    struct pki_pair ca;
    struct pki_pair other_ca;
    struct pki_pair server;
    struct tls_context *server_context;
};

struct side {
    struct tls *t;
    struct buf plain;
    struct buf cipher; /* to the other side */
    int rc;
    struct err e;
};

static struct pki_pair issue_for(struct fixture *f, const struct pki_pair *ca, bool server,
                                 uint32_t days)
{
    static const struct str names[] = { STR("api.test") };
    static const struct str addresses[] = { STR("10.0.0.1") };
    static const struct str groups[] = { STR("system:masters"), STR("team") };
    struct pki_request r = { .common_name = server ? str_lit("api") : str_lit("admin"),
                             .organizations = groups,
                             .organization_count = server ? 0 : 2,
                             .dns_names = names,
                             .dns_name_count = 1,
                             .addresses = addresses,
                             .address_count = 1,
                             .server = server,
                             .client = !server,
                             .now_s = NOW_S,
                             .days = days };
    struct pki_pair pair;
    assert_int_equal(pki_issue(&f->a, ca, &r, &pair, NULL), 0);
    return pair;
}

static struct pki_pair issue(struct fixture *f, const struct pki_pair *ca, bool server)
{
    return issue_for(f, ca, server, 36500);
}

/* Of the DER inside the PEM. */
static void certificate_sha256(struct str pem, uint8_t out[DIGEST_SHA256_BYTES])
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t *der = NULL;
    int len = i2d_X509(x, &der);
    assert_true(len > 0);
    digest_sha256(str_of((const char *)der, (size_t)len), out);
    OPENSSL_free(der);
    X509_free(x);
    BIO_free(bio);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    arena_init(&f->a);
    assert_int_equal(pki_make_ca(&f->a, str_lit("ca"), NOW_S, 36500, &f->ca, NULL), 0);
    assert_int_equal(pki_make_ca(&f->a, str_lit("ca"), NOW_S, 36500, &f->other_ca, NULL), 0);
    f->server = issue(f, &f->ca, true);
    struct tls_options o = { .certificate_pem = f->server.certificate_pem,
                             .key_pem = f->server.key_pem,
                             .ca_pem = f->ca.certificate_pem,
                             .alpn = alpn };
    f->server_context = tls_server_context_new(&o, NULL);
    assert_non_null(f->server_context);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tls_context_unref(f->server_context);
    arena_deinit(&f->a);
    mem_free(f);
    return 0;
}

static void side_free(struct side *s)
{
    tls_free(s->t);
    buf_deinit(&s->plain);
    buf_deinit(&s->cipher);
}

/* Carries bytes both ways, piece by piece, until neither side has any. */
static void carry(struct side *a, struct side *b, size_t piece)
{
    while (a->cipher.len + b->cipher.len > 0) {
        for (int i = 0; i < 2; i++) {
            struct side *from = i == 0 ? a : b;
            struct side *to = i == 0 ? b : a;
            struct str bytes = str_slice(buf_str(&from->cipher), 0, piece);
            if (to->rc == 0 && bytes.len > 0)
                to->rc = tls_receive(to->t, bytes, &to->plain, &to->cipher, &to->e);
            buf_consume(&from->cipher, bytes.len);
        }
    }
}

/* A handshake with the given client identity (or none), as the client trusts ca. */
static void connect(struct fixture *f, struct side *client, struct side *server,
                    const struct pki_pair *identity, const struct pki_pair *ca,
                    const char *server_name, size_t piece)
{
    struct tls_options o = { .ca_pem = ca->certificate_pem, .alpn = alpn };
    if (identity != NULL) {
        o.certificate_pem = identity->certificate_pem;
        o.key_pem = identity->key_pem;
    }
    struct tls_context *context = tls_client_context_new(&o, NULL);
    assert_non_null(context);
    *client = (struct side){ .t = tls_client_new(context, server_name) };
    *server = (struct side){ .t = tls_server_new(f->server_context) };
    tls_context_unref(context);
    client->rc = tls_start(client->t, &client->cipher, &client->e);
    carry(client, server, piece);
}

static void test_handshake_data_and_end(void **state)
{
    struct fixture *f = *state;
    static const size_t pieces[] = { 1, 100, 1 << 20 };
    struct pki_pair identity = issue(f, &f->ca, false);
    for (size_t i = 0; i < 3; i++) {
        struct side c;
        struct side s;
        connect(f, &c, &s, &identity, &f->ca, i == 0 ? "10.0.0.1" : "api.test", pieces[i]);
        assert_true(tls_ready(c.t));
        assert_true(tls_ready(s.t));
        assert_true(str_eq_c(tls_alpn(c.t), "h2"));
        assert_true(str_eq_c(tls_alpn(s.t), "h2"));
        assert_string_equal(tls_version(s.t), "TLSv1.3");
        assert_true(tls_peer(c.t)->verified);
        const struct tls_identity *id = tls_peer(s.t);
        assert_true(id->verified);
        assert_true(str_eq_c(id->common_name, "admin"));
        assert_int_equal(id->organization_count, 2);
        assert_true(str_eq_c(id->organizations[1], "team"));
        assert_true(str_eq_c(id->dns_names[0], "api.test"));
        uint8_t sha256[DIGEST_SHA256_BYTES];
        certificate_sha256(identity.certificate_pem, sha256);
        assert_memory_equal(id->certificate_sha256, sha256, sizeof sha256);
        char *bytes = mem_alloc(BIG_BYTES);
        memset(bytes, 'x', BIG_BYTES);
        assert_int_equal(tls_send(c.t, str_of(bytes, BIG_BYTES), &c.cipher, NULL), 0);
        assert_int_equal(tls_send(s.t, str_lit("answer"), &s.cipher, NULL), 0);
        carry(&c, &s, pieces[i] * 50);
        assert_true(str_eq(buf_str(&s.plain), str_of(bytes, BIG_BYTES)));
        assert_true(str_eq_c(buf_str(&c.plain), "answer"));
        tls_shutdown(c.t, &c.cipher);
        carry(&c, &s, pieces[i]);
        assert_true(tls_peer_ended(s.t));
        assert_false(tls_peer_ended(c.t));
        mem_free(bytes);
        side_free(&c);
        side_free(&s);
    }
}

static void test_no_or_foreign_identity_is_nobody(void **state)
{
    struct fixture *f = *state;
    struct pki_pair stranger = issue(f, &f->other_ca, false);
    struct pki_pair wrong_use = issue(f, &f->ca, true);
    const struct pki_pair *identities[] = { NULL, &stranger, &wrong_use };
    for (size_t i = 0; i < 3; i++) {
        struct side c;
        struct side s;
        connect(f, &c, &s, identities[i], &f->ca, "api.test", 1000);
        assert_true(tls_ready(c.t));
        assert_true(tls_ready(s.t));
        assert_false(tls_peer(s.t)->verified);
        assert_int_equal(tls_peer(s.t)->shown, i != 0);
        side_free(&c);
        side_free(&s);
    }
}

static void test_dates_decide_when_asked(void **state)
{
    struct fixture *f = *state;
    struct pki_pair expired = issue_for(f, &f->ca, false, 1);
    struct pki_pair stranger = issue_for(f, &f->other_ca, false, 1);
    struct side c;
    struct side s;
    connect(f, &c, &s, &expired, &f->ca, "api.test", 1000);
    assert_true(tls_ready(s.t));
    assert_true(tls_peer(s.t)->shown);
    assert_false(tls_peer(s.t)->verified);
    tls_check_dates(s.t, NOW_S);
    assert_true(tls_peer(s.t)->verified);
    tls_check_dates(s.t, (int64_t)NOW_S + 86400);
    assert_true(tls_peer(s.t)->verified);
    tls_check_dates(s.t, (int64_t)NOW_S + 86401);
    assert_false(tls_peer(s.t)->verified);
    tls_check_dates(s.t, (int64_t)NOW_S - 301);
    assert_false(tls_peer(s.t)->verified);
    side_free(&c);
    side_free(&s);
    connect(f, &c, &s, &stranger, &f->ca, "api.test", 1000);
    tls_check_dates(s.t, NOW_S);
    assert_false(tls_peer(s.t)->verified);
    side_free(&c);
    side_free(&s);
    connect(f, &c, &s, NULL, &f->ca, "api.test", 1000);
    tls_check_dates(s.t, NOW_S);
    assert_false(tls_peer(s.t)->verified);
    side_free(&c);
    side_free(&s);
}

static void test_the_server_must_be_who_we_expect(void **state)
{
    struct fixture *f = *state;
    struct side c;
    struct side s;
    connect(f, &c, &s, NULL, &f->ca, "other.test", 1000);
    assert_int_equal(c.rc, -ERR_UNAUTHENTICATED);
    assert_false(tls_ready(c.t));
    side_free(&c);
    side_free(&s);
    connect(f, &c, &s, NULL, &f->ca, "10.0.0.2", 1000);
    assert_int_equal(c.rc, -ERR_UNAUTHENTICATED);
    side_free(&c);
    side_free(&s);
    connect(f, &c, &s, NULL, &f->other_ca, "api.test", 1000);
    assert_int_equal(c.rc, -ERR_UNAUTHENTICATED);
    assert_int_not_equal(c.e.code, ERR_NONE);
    side_free(&c);
    side_free(&s);
}

static void test_nonsense_fails_once(void **state)
{
    struct fixture *f = *state;
    struct side s = { .t = tls_server_new(f->server_context) };
    s.rc = tls_receive(s.t, str_lit("GET / HTTP/1.1\r\n\r\n"), &s.plain, &s.cipher, &s.e);
    assert_int_equal(s.rc, -ERR_PROTOCOL);
    s.rc = tls_receive(s.t, str_lit("more"), &s.plain, &s.cipher, &s.e);
    assert_int_equal(s.rc, -ERR_PROTOCOL);
    assert_int_equal(s.plain.len, 0);
    side_free(&s);
}

/* A client that speaks HTTP/1.1 alone offers nothing, whatever its context has. */
static void test_no_offer(void **state)
{
    struct fixture *f = *state;
    struct tls_options o = { .ca_pem = f->ca.certificate_pem, .alpn = alpn };
    struct tls_context *context = tls_client_context_new(&o, NULL);
    struct side c = { .t = tls_client_new(context, "api.test") };
    struct side s = { .t = tls_server_new(f->server_context) };
    tls_context_unref(context);
    tls_offer_none(c.t);
    c.rc = tls_start(c.t, &c.cipher, &c.e);
    carry(&c, &s, 1 << 20);
    assert_true(tls_ready(c.t));
    assert_int_equal(tls_alpn(c.t).len, 0);
    assert_int_equal(tls_alpn(s.t).len, 0);
    side_free(&c);
    side_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_offer),
        cmocka_unit_test(test_handshake_data_and_end),
        cmocka_unit_test(test_no_or_foreign_identity_is_nobody),
        cmocka_unit_test(test_dates_decide_when_asked),
        cmocka_unit_test(test_the_server_must_be_who_we_expect),
        cmocka_unit_test(test_nonsense_fails_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
