/* One http_client per kind and address, made when first needed. */
#include "controlplane/apiserver/backends.h"

#include "base/arena.h"
#include "base/map.h"
#include "net/client.h"
#include "net/tls.h"

struct backends {
    struct env_loop *loop;
    struct tls_context *kubelet;
    struct tls_context *any; /* of proxies: no certificate of ours, any of theirs */
    struct map clients;      /* by kind and "address:port" */
    size_t open;             /* not yet closed: in the map, or on their way out */
    bool closing;
    void (*closed)(void *ctx);
    void *ctx;
};

struct backends *backends_new(struct env_loop *loop, struct tls_context *kubelet)
{
    struct backends *b = mem_alloc(sizeof(*b));
    b->loop = loop;
    b->kubelet = kubelet;
    map_init(&b->clients);
    return b;
}

static void on_closed(void *ctx)
{
    struct backends *b = ctx;
    b->open--;
    if (b->closing) {
        b->closed(b->ctx);
    }
}

size_t backends_close(struct backends *b, void (*closed)(void *ctx), void *ctx)
{
    struct map_iter it = { 0 };
    b->closing = true;
    b->closed = closed;
    b->ctx = ctx;
    while (map_next(&b->clients, &it)) {
        struct http_client *client = it.value;
        (void)map_remove(&b->clients, it.key);
        http_client_close(client, on_closed, b);
        it = (struct map_iter){ 0 };
    }
    return b->open;
}

void backends_free(struct backends *b)
{
    if (b == NULL) {
        return;
    }
    map_deinit(&b->clients);
    tls_context_unref(b->any);
    mem_free(b);
}

/* False: all are in use. */
static bool make_room(struct backends *b)
{
    struct map_iter it = { 0 };
    if (map_count(&b->clients) < BACKENDS_MAX) {
        return true;
    }
    while (map_next(&b->clients, &it)) {
        struct http_client *client = it.value;
        if (http_client_idle(client)) {
            (void)map_remove(&b->clients, it.key);
            http_client_close(client, on_closed, b);
            return true;
        }
    }
    return false;
}

struct str backend_host(struct arena *a, const struct backend *to)
{
    bool v6 = str_find_char(to->address, ':', 0) >= 0;
    return str_printf(a, v6 ? "[%.*s]:%d" : "%.*s:%d", STR_ARG(to->address), to->port);
}

static struct str key_of(struct arena *a, const struct backend *to)
{
    static const char marks[] = {
        [BACKEND_KUBELET] = 'k', [BACKEND_HTTP] = 'h', [BACKEND_HTTPS] = 's'
    };
    struct str host = backend_host(a, to);
    return str_printf(a, "%c%.*s", marks[to->kind], STR_ARG(host));
}

/* NULL: there is none, and *out_why says why. */
static struct tls_context *tls_for(struct backends *b, enum backend_kind kind, const char **out_why)
{
    if (kind == BACKEND_KUBELET) {
        *out_why = "this server has no certificate to show to node agents";
        return b->kubelet;
    }
    if (b->any == NULL) {
        struct err e;
        static const char *const alpn[] = { "http/1.1", NULL };
        const struct tls_options options = { .any_server = true, .alpn = alpn };
        b->any = tls_client_context_new(&options, &e);
    }
    *out_why = "TLS cannot be set up";
    return b->any;
}

static struct http_client *make_client(struct backends *b, const struct backend *to,
                                       const char **out_why)
{
    struct tls_context *tls = NULL;
    struct arena a;
    if (to->kind != BACKEND_HTTP && (tls = tls_for(b, to->kind, out_why)) == NULL) {
        return NULL;
    }
    if (!make_room(b)) {
        *out_why = "this server has connections to too many addresses at once";
        return NULL;
    }
    arena_init(&a);
    struct str host = backend_host(&a, to);
    const struct http_client_options options = {
        .address = str_dup(&a, str_printf(&a, "tcp:%.*s", STR_ARG(host))),
        .authority = str_dup(&a, host),
        .server_name = str_dup(&a, to->address),
        .tls = tls,
        .protocol = HTTP_PROTOCOL_HTTP1,
        .connections_max = BACKEND_CONNECTIONS_MAX,
    };
    struct http_client *client = http_client_new(b->loop, &options);
    b->open++;
    arena_deinit(&a);
    return client;
}

struct http_client *backends_get(struct backends *b, const struct backend *to, const char **out_why)
{
    struct arena a;
    if (b->closing) {
        *out_why = "the server is stopping";
        return NULL;
    }
    arena_init(&a);
    struct str key = key_of(&a, to);
    struct http_client *client = map_get(&b->clients, key);
    if (client == NULL) {
        client = make_client(b, to, out_why);
        if (client != NULL) {
            (void)map_put(&b->clients, key, client);
        }
    }
    arena_deinit(&a);
    return client;
}

void backends_release(struct backends *b, const struct backend *to)
{
    struct arena a;
    if (to->kind == BACKEND_KUBELET) {
        return;
    }
    arena_init(&a);
    struct str key = key_of(&a, to);
    struct http_client *client = map_get(&b->clients, key);
    if (client != NULL && http_client_idle(client)) {
        (void)map_remove(&b->clients, key);
        http_client_close(client, on_closed, b);
    }
    arena_deinit(&a);
}
