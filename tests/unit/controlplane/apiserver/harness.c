/* Blocking sockets are fine here: the server runs on loops of its own. */
#include "tests/unit/controlplane/apiserver/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "controlplane/apiserver/apiserver.h"
#include "controlplane/apiserver/backends.h"
#include "net/pki.h"
#include "net/tls.h"
#include "store/store.h"
#include "tests/unit/unit.h"

static void open_store(struct harness *h, size_t ring_bytes)
{
    struct err e = { 0 };
    static char data[96];
    (void)snprintf(data, sizeof(data), "%s/data", h->folder);
    struct store_config config = { .env = h->env,
                                   .folder = data,
                                   .member_id = 1,
                                   .members_count = 1,
                                   .start = STORE_START_FOUND,
                                   .peer_listen_fd = -1,
                                   .raft_listen_fd = -1,
                                   .map_bytes = 256u << 20,
                                   .ring_bytes = ring_bytes,
                                   .heartbeat_ms = 20,
                                   .election_ms = 100 };
    config.members[0].id = 1;
    (void)snprintf(config.members[0].name, sizeof(config.members[0].name), "a");
    (void)snprintf(config.members[0].peer_address, sizeof(config.members[0].peer_address),
                   "tcp:127.0.0.1:0");
    int rc = env_dir_make(h->env, data, 0700, &e);
    rc = rc == 0 ? store_open(&config, &h->store, &e) : rc;
    if (rc != 0) {
        fail_msg("store: %s", e.msg);
    }
}

int harness_setup(void **state)
{
    return harness_setup_tls(state, env_uv_new(), NULL);
}

static void to_this_machine(struct backend *to)
{
    to->address = str_lit("127.0.0.1");
}

/* ring_bytes and the fields of config that are set. */
static int setup(void **state, struct env *env, size_t ring_bytes, struct apiserver_config config)
{
    struct harness *h = mem_alloc(sizeof(*h));
    struct err e = { 0 };
    h->env = env;
    arena_init(&h->arena);
    (void)snprintf(h->folder, sizeof(h->folder), "/tmp/apiserver-test-XXXXXX");
    assert_non_null(mkdtemp(h->folder));
    open_store(h, ring_bytes);
    h->loop = env_loop_new(h->env, "api");
    config.env = h->env;
    config.group = store_group(h->store, STORE_CLUSTER);
    config.bus = store_group(h->store, STORE_BUS);
    config.loops = &h->loop;
    config.loops_count = 1;
    config.plain_user = "admin";
    config.proxy_redirect = to_this_machine;
    h->server = apiserver_new(&config);
    if (apiserver_listen(h->server, "tcp:127.0.0.1:0", &h->port, &e) != 0) {
        fail_msg("listen: %s", e.msg);
    }
    env_loop_start(h->loop);
    for (int i = 0; i < HARNESS_WAIT_MS / 10 && !apiserver_ready(h->server); i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_true(apiserver_ready(h->server));
    *state = h;
    return 0;
}

int harness_setup_tls(void **state, struct env *env, struct tls_context *kubelet)
{
    return setup(state, env, 0, (struct apiserver_config){ .kubelet_tls = kubelet });
}

int harness_setup_watch(void **state, size_t ring_bytes, uint64_t bookmark_ms)
{
    return setup(state, env_uv_new(), ring_bytes,
                 (struct apiserver_config){ .bookmark_ms = bookmark_ms });
}

int harness_setup_services(void **state, const struct service_ranges *services)
{
    return setup(state, env_uv_new(), 0, (struct apiserver_config){ .services = services });
}

static void on_stopped(void *ctx)
{
    env_loop_stop(ctx);
}

int harness_teardown(void **state)
{
    struct harness *h = *state;
    apiserver_stop(h->server, 100, on_stopped, h->loop);
    env_loop_join(h->loop);
    store_close(h->store);
    apiserver_free(h->server);
    env_loop_free(h->loop);
    if (h->extra != NULL) {
        env_loop_free(h->extra);
    }
    (void)env_remove_tree(h->env, h->folder, NULL);
    env_uv_free(h->env);
    arena_deinit(&h->arena);
    mem_free(h);
    return 0;
}

/* ---- the client ---- */

static int dial(const struct harness *h)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)h->port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (h->receive_bytes > 0) {
        assert_int_equal(
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &h->receive_bytes, sizeof(h->receive_bytes)), 0);
    }
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void write_request(int fd, const char *method, const char *target, const char *headers,
                          struct str body)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s", method, target,
               headers == NULL ? "" : headers);
    if (body.data != NULL) {
        buf_printf(&b, "Content-Length: %zu\r\n", body.len);
    }
    buf_append_c(&b, "\r\n");
    buf_append_str(&b, body);
    size_t sent = 0;
    while (sent < b.len) {
        ssize_t n = send(fd, b.data + sent, b.len - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            break; /* the server may answer, and close, before it has read everything */
        }
        sent += (size_t)n;
    }
    buf_deinit(&b);
}

/* Reads what is there; false at the end. Fails the test after HARNESS_WAIT_MS of silence. */
static bool read_some(int fd, struct buf *into)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char bytes[65536];
    if (poll(&p, 1, HARNESS_WAIT_MS) != 1) {
        fail_msg("no answer in time");
    }
    errno = 0;
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n <= 0) {
        return false;
    }
    buf_append(into, bytes, (size_t)n);
    return true;
}

static ptrdiff_t head_end(const struct buf *raw)
{
    ptrdiff_t at = str_find(buf_str(raw), str_lit("\r\n\r\n"));
    return at < 0 ? -1 : at + 4;
}

static int status_of(struct str head)
{
    uint64_t status = 0;
    assert_true(head.len > 12);
    assert_int_equal(str_to_u64(str_slice(head, 9, 12), &status), 0);
    return (int)status;
}

/* Moves whole chunks from raw to text; true when the last chunk was seen. */
static bool take_chunks(const struct buf *raw, size_t *at, struct buf *text)
{
    for (;;) {
        struct str rest = str_slice(buf_str(raw), *at, raw->len);
        ptrdiff_t line = str_find(rest, str_lit("\r\n"));
        if (line < 0) {
            return false;
        }
        char size_text[32] = { 0 };
        assert_true((size_t)line < sizeof(size_text));
        memcpy(size_text, rest.data, (size_t)line);
        size_t size = (size_t)strtoul(size_text, NULL, 16);
        if (rest.len < (size_t)line + 2 + size + 2) {
            return false;
        }
        if (size == 0) {
            return true;
        }
        buf_append(text, rest.data + line + 2, size);
        *at += (size_t)line + 2 + size + 2;
    }
}

struct reply harness_send_bytes(struct harness *h, const char *method, const char *target,
                                const char *headers, struct str body)
{
    struct reply r = { 0 };
    struct buf raw;
    struct buf text;
    buf_init(&raw);
    buf_init(&text);
    int fd = dial(h);
    write_request(fd, method, target, headers, body);
    while (read_some(fd, &raw)) {
    }
    (void)close(fd);
    ptrdiff_t head = head_end(&raw);
    assert_true(head > 0);
    r.headers = str_copy(&h->arena, str_slice(buf_str(&raw), 0, (size_t)head));
    r.status = status_of(r.headers);
    if (str_find(r.headers, str_lit("chunked")) >= 0) {
        size_t at = (size_t)head;
        assert_true(take_chunks(&raw, &at, &text));
        r.body = str_copy(&h->arena, buf_str(&text));
    } else {
        r.body = str_copy(&h->arena, str_slice(buf_str(&raw), (size_t)head, raw.len));
    }
    buf_deinit(&raw);
    buf_deinit(&text);
    return r;
}

struct reply harness_send(struct harness *h, const char *method, const char *target,
                          const char *headers, const char *body)
{
    return harness_send_bytes(h, method, target, headers,
                              body == NULL ? (struct str){ 0 } : str_from(body));
}

struct reply harness_get(struct harness *h, const char *target)
{
    return harness_send(h, "GET", target, NULL, NULL);
}

struct reply harness_post(struct harness *h, const char *target, const char *json)
{
    return harness_send(h, "POST", target, "Content-Type: application/json\r\n", json);
}

struct str harness_stored(struct harness *h, struct str key)
{
    struct store_version v;
    struct store_read read;
    /* Linearizable: what was acknowledged is published when it returns. */
    (void)harness_get(h, "/api/v1/namespaces/default");
    assert_int_equal(store_read_begin(store_group(h->store, STORE_CLUSTER), 0, &read), 0);
    assert_int_equal(store_read_get(&read, key, &v), 0);
    struct str value = str_copy(&h->arena, v.value);
    store_read_end(&read);
    return value;
}

static void on_written(struct store_write *w)
{
    (void)w;
}

/* What was acknowledged is published when this begins. */
static struct store_group *submit(struct harness *h, const struct store_txn *txn)
{
    static struct store_write write;
    struct store_group *g = store_group(h->store, STORE_CLUSTER);
    write = (struct store_write){ .loop = h->loop, .done = on_written };
    store_submit(g, &write, txn);
    return g;
}

void harness_commit(struct harness *h, const struct store_txn *txn)
{
    (void)harness_get(h, "/api/v1/namespaces/default");
    uint64_t before = store_published(store_group(h->store, STORE_CLUSTER));
    struct store_group *g = submit(h, txn);
    for (int i = 0; i < HARNESS_WAIT_MS && store_published(g) == before; i++) {
        (void)poll(NULL, 0, 1);
    }
    assert_true(store_published(g) > before);
}

void harness_compact(struct harness *h)
{
    (void)harness_get(h, "/api/v1/namespaces/default");
    const struct store_op op = { .type = STORE_OP_COMPACT,
                                 .revision =
                                     store_published(store_group(h->store, STORE_CLUSTER)) };
    const struct store_txn txn = { .ops = &op, .ops_count = 1 };
    struct store_group *g = submit(h, &txn);
    for (int i = 0; i < HARNESS_WAIT_MS / 10 && store_compacted(g) < op.revision; i++) {
        (void)poll(NULL, 0, 10);
    }
    assert_true(store_compacted(g) >= op.revision);
}

/* ---- expectations ---- */

void harness_expect(const struct reply *r, int status)
{
    if (r->status != status) {
        fail_msg("status %d, not %d: %.*s", r->status, status, STR_ARG(r->body));
    }
}

void harness_contains(const struct reply *r, const char *text)
{
    if (str_find(r->body, str_from(text)) < 0) {
        fail_msg("no '%s' in %.*s", text, STR_ARG(r->body));
    }
}

void harness_lacks(const struct reply *r, const char *text)
{
    if (str_find(r->body, str_from(text)) >= 0) {
        fail_msg("'%s' in %.*s", text, STR_ARG(r->body));
    }
}

void harness_same(const struct reply *a, const struct reply *b)
{
    if (!str_eq(a->body, b->body)) {
        fail_msg("%.*snot the same as %.*s", STR_ARG(a->body), STR_ARG(b->body));
    }
}

struct str harness_member(struct harness *h, const struct reply *r, const char *name)
{
    struct str needle = str_printf(&h->arena, "\"%s\":\"", name);
    ptrdiff_t at = str_find(r->body, needle);
    if (at < 0) {
        fail_msg("no member '%s' in %.*s", name, STR_ARG(r->body));
    }
    struct str rest = str_slice(r->body, (size_t)at + needle.len, r->body.len);
    ptrdiff_t end = str_find_char(rest, '"', 0);
    assert_true(end >= 0);
    return str_copy(&h->arena, str_slice(rest, 0, (size_t)end));
}

/* ---- streams ---- */

void stream_start(struct harness *h, struct stream *s, const char *method, const char *target,
                  const char *headers)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->raw);
    buf_init(&s->text);
    s->fd = dial(h);
    write_request(s->fd, method, target, headers, (struct str){ 0 });
}

bool stream_more(struct stream *s)
{
    return read_some(s->fd, &s->raw);
}

void stream_unframe(struct stream *s)
{
    if (s->parsed == 0 && head_end(&s->raw) > 0) {
        s->parsed = (size_t)head_end(&s->raw);
        s->status = status_of(buf_str(&s->raw));
    }
    s->ended = take_chunks(&s->raw, &s->parsed, &s->text) || s->ended;
}

void stream_open(struct harness *h, struct stream *s, const char *target, const char *headers)
{
    stream_start(h, s, "GET", target, headers);
    while (head_end(&s->raw) < 0) {
        assert_true(read_some(s->fd, &s->raw));
    }
    s->parsed = (size_t)head_end(&s->raw);
    s->status = status_of(buf_str(&s->raw));
}

struct str stream_line(struct harness *h, struct stream *s)
{
    for (;;) {
        s->ended = take_chunks(&s->raw, &s->parsed, &s->text) || s->ended;
        struct str rest = str_slice(buf_str(&s->text), s->at, s->text.len);
        ptrdiff_t end = str_find_char(rest, '\n', 0);
        if (end >= 0) {
            s->at += (size_t)end + 1;
            return str_copy(&h->arena, str_slice(rest, 0, (size_t)end));
        }
        if (s->ended) {
            return str_lit("");
        }
        if (!read_some(s->fd, &s->raw)) {
            fail_msg("the stream was cut: %s",
                     errno != 0 ? strerror(errno) : "closed by the server");
        }
    }
}

void stream_close(struct stream *s)
{
    (void)close(s->fd);
    buf_deinit(&s->raw);
    buf_deinit(&s->text);
}

struct tls_context *harness_tls(struct env *env, struct arena *a, bool server,
                                const struct pki_pair *ca)
{
    static const char *const alpn[] = { "http/1.1", NULL };
    struct str address = str_lit("127.0.0.1");
    struct pki_pair pair;
    struct err e = { 0 };
    const struct pki_request request = { .common_name = str_lit("test"),
                                         .addresses = &address,
                                         .address_count = 1,
                                         .server = server,
                                         .client = !server,
                                         .now_s = env_wall_ns(env) / ENV_S,
                                         .days = 2 };
    assert_int_equal(pki_issue(a, ca, &request, &pair, &e), 0);
    const struct tls_options options = { .certificate_pem = pair.certificate_pem,
                                         .key_pem = pair.key_pem,
                                         .ca_pem = ca->certificate_pem,
                                         .alpn = alpn };
    struct tls_context *c =
        server ? tls_server_context_new(&options, &e) : tls_client_context_new(&options, &e);
    assert_non_null(c);
    return c;
}
