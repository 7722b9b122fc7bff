/* A client hello, or anything else, at a TLS server; the same bytes at a TLS client. */
#include "base/assert.h"
#include "net/pki.h"
#include "net/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW_S 1700000000u

static struct tls_context *server;
static struct tls_context *client;

/* Once per process: keys are not free. */
static void make_contexts(void)
{
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    struct arena a;
    struct pki_pair ca;
    struct pki_pair pair;
    struct pki_request request = {
        .common_name = str_lit("s"), .server = true, .now_s = NOW_S, .days = 1
    };
    arena_init(&a);
    int rc = pki_make_ca(&a, str_lit("ca"), NOW_S, 1, &ca, NULL);
    ASSERT(rc == 0);
    rc = pki_issue(&a, &ca, &request, &pair, NULL);
    ASSERT(rc == 0);
    struct tls_options o = { .certificate_pem = pair.certificate_pem,
                             .key_pem = pair.key_pem,
                             .ca_pem = ca.certificate_pem,
                             .alpn = alpn };
    server = tls_server_context_new(&o, NULL);
    struct tls_options roots = { .ca_pem = ca.certificate_pem, .alpn = alpn };
    client = tls_client_context_new(&roots, NULL);
    ASSERT(server != NULL);
    ASSERT(client != NULL);
    arena_deinit(&a);
}

static void feed(struct tls *t, struct str bytes, size_t piece)
{
    struct buf plain;
    struct buf cipher;
    buf_init(&plain);
    buf_init(&cipher);
    int rc = tls_start(t, &cipher, NULL);
    while (rc == 0 && bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        rc = tls_receive(t, in, &plain, &cipher, NULL);
    }
    ASSERT(!tls_ready(t));
    ASSERT(plain.len == 0);
    tls_shutdown(t, &cipher);
    tls_free(t);
    buf_deinit(&plain);
    buf_deinit(&cipher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (server == NULL)
        make_contexts();
    if (len == 0)
        return 0;
    size_t piece = data[0] == 0 ? len : data[0];
    feed(tls_server_new(server), str_of(data + 1, len - 1), piece);
    feed(tls_client_new(client, "localhost"), str_of(data + 1, len - 1), piece);
    return 0;
}
