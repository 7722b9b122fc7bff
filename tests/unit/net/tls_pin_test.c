/* A server known by the hash of its CA's key: who is believed, and who is not. */
#include <string.h>

#include "base/arena.h"
#include "net/pki.h"
#include "net/tls.h"
#include "tests/unit/unit.h"

#define NOW_S 1700000000u

struct fixture {
    struct arena a;
    struct pki_pair ca;
    struct pki_pair other_ca;
    uint8_t pin[PKI_SHA256_BYTES];
};

static struct pki_pair issue(struct fixture *f, const struct pki_pair *ca, const char *name,
                             uint64_t now_s, uint32_t days)
{
    struct str names[] = { str_from(name) };
    struct pki_request r = { .common_name = str_lit("server"),
                             .dns_names = names,
                             .dns_name_count = 1,
                             .server = true,
                             .now_s = now_s,
                             .days = days };
    struct pki_pair pair;
    assert_int_equal(pki_issue(&f->a, ca, &r, &pair, NULL), 0);
    return pair;
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    arena_init(&f->a);
    assert_int_equal(pki_make_ca(&f->a, str_lit("ca"), NOW_S, 36500, &f->ca, NULL), 0);
    assert_int_equal(pki_make_ca(&f->a, str_lit("ca"), NOW_S, 36500, &f->other_ca, NULL), 0);
    assert_int_equal(pki_key_sha256(f->ca.certificate_pem, f->pin, NULL), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->a);
    mem_free(f);
    return 0;
}

struct side {
    struct tls *t;
    struct buf plain;
    struct buf cipher;
    int rc;
};

static void carry(struct side *a, struct side *b)
{
    while (a->cipher.len + b->cipher.len > 0) {
        for (int i = 0; i < 2; i++) {
            struct side *from = i == 0 ? a : b;
            struct side *to = i == 0 ? b : a;
            struct buf bytes = from->cipher;
            buf_init(&from->cipher);
            if (to->rc == 0 && bytes.len > 0)
                to->rc = tls_receive(to->t, buf_str(&bytes), &to->plain, &to->cipher, NULL);
            buf_deinit(&bytes);
        }
    }
}

static void side_free(struct side *s)
{
    tls_free(s->t);
    buf_deinit(&s->plain);
    buf_deinit(&s->cipher);
}

/* What a client with the pin comes to at a server that shows the chain. */
static int handshake(struct str chain_pem, struct str key_pem, const uint8_t *pin)
{
    struct tls_options server = { .certificate_pem = chain_pem, .key_pem = key_pem };
    struct tls_options client = { .ca_sha256 = str_of(pin, PKI_SHA256_BYTES) };
    struct tls_context *server_context = tls_server_context_new(&server, NULL);
    struct tls_context *client_context = tls_client_context_new(&client, NULL);
    assert_non_null(server_context);
    assert_non_null(client_context);
    struct side c = { .t = tls_client_new(client_context, "m1.test") };
    struct side s = { .t = tls_server_new(server_context) };
    c.rc = tls_start(c.t, &c.cipher, NULL);
    carry(&c, &s);
    int rc = c.rc;
    if (rc == 0)
        assert_true(tls_ready(c.t));
    side_free(&c);
    side_free(&s);
    tls_context_unref(server_context);
    tls_context_unref(client_context);
    return rc;
}

static struct str joined(struct fixture *f, struct str one, struct str two)
{
    return str_printf(&f->a, "%.*s\n%.*s", STR_ARG(one), STR_ARG(two));
}

static void test_who_is_believed(void **state)
{
    struct fixture *f = *state;
    struct pki_pair good = issue(f, &f->ca, "m1.test", NOW_S, 36500);
    struct pki_pair elsewhere = issue(f, &f->ca, "m2.test", NOW_S, 36500);
    struct pki_pair old = issue(f, &f->ca, "m1.test", NOW_S, 1);
    struct pki_pair foreign = issue(f, &f->other_ca, "m1.test", NOW_S, 36500);
    /* An issuer that is no CA: what a member's own key could sign. */
    struct pki_pair below = issue(f, &good, "m1.test", NOW_S, 36500);
    uint8_t leaf_pin[PKI_SHA256_BYTES];
    uint8_t wrong_pin[PKI_SHA256_BYTES];
    memcpy(wrong_pin, f->pin, sizeof wrong_pin);
    wrong_pin[31] ^= 1;
    assert_int_equal(pki_key_sha256(good.certificate_pem, leaf_pin, NULL), 0);
    const struct {
        const char *about;
        struct str leaf;
        struct str rest;
        struct str key;
        const uint8_t *pin;
        int rc;
    } cases[] = {
        { "ours", good.certificate_pem, f->ca.certificate_pem, good.key_pem, f->pin, 0 },
        { "ours, with a stranger before the CA", good.certificate_pem,
          joined(f, f->other_ca.certificate_pem, f->ca.certificate_pem), good.key_pem, f->pin, 0 },
        { "a wrong pin", good.certificate_pem, f->ca.certificate_pem, good.key_pem, wrong_pin,
          -ERR_UNAUTHENTICATED },
        { "no CA in the chain", good.certificate_pem, str_lit(""), good.key_pem, f->pin,
          -ERR_UNAUTHENTICATED },
        { "a foreign chain", foreign.certificate_pem, f->other_ca.certificate_pem, foreign.key_pem,
          f->pin, -ERR_UNAUTHENTICATED },
        { "a foreign leaf beside our CA", foreign.certificate_pem, f->ca.certificate_pem,
          foreign.key_pem, f->pin, -ERR_UNAUTHENTICATED },
        { "a foreign leaf, its CA and ours", foreign.certificate_pem,
          joined(f, f->other_ca.certificate_pem, f->ca.certificate_pem), foreign.key_pem, f->pin,
          -ERR_UNAUTHENTICATED },
        { "a self-signed leaf with our CA behind it", f->other_ca.certificate_pem,
          f->ca.certificate_pem, f->other_ca.key_pem, f->pin, -ERR_UNAUTHENTICATED },
        { "the CA itself as the leaf", f->ca.certificate_pem, str_lit(""), f->ca.key_pem, f->pin,
          -ERR_UNAUTHENTICATED },
        { "a leaf of a leaf", below.certificate_pem,
          joined(f, good.certificate_pem, f->ca.certificate_pem), below.key_pem, f->pin,
          -ERR_UNAUTHENTICATED },
        { "the pin of a leaf", below.certificate_pem, good.certificate_pem, below.key_pem, leaf_pin,
          -ERR_UNAUTHENTICATED },
        { "another name", elsewhere.certificate_pem, f->ca.certificate_pem, elsewhere.key_pem,
          f->pin, -ERR_UNAUTHENTICATED },
        { "out of date", old.certificate_pem, f->ca.certificate_pem, old.key_pem, f->pin,
          -ERR_UNAUTHENTICATED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = handshake(joined(f, cases[i].leaf, cases[i].rest), cases[i].key, cases[i].pin);
        if (rc != cases[i].rc)
            fail_msg("%s: %d, not %d", cases[i].about, rc, cases[i].rc);
    }
}

static void test_a_pin_is_whole_and_alone(void **state)
{
    struct fixture *f = *state;
    struct tls_options o = { .ca_sha256 = str_of(f->pin, 31) };
    struct err e = { 0 };
    assert_null(tls_client_context_new(&o, &e));
    assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
    o = (struct tls_options){ .ca_sha256 = str_of(f->pin, 32), .ca_pem = f->ca.certificate_pem };
    assert_null(tls_client_context_new(&o, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_is_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pin_is_whole_and_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
