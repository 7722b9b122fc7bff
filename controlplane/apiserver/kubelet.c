/* One http_client per node address, made when first needed. */
#include "controlplane/apiserver/kubelet.h"

#include "base/arena.h"
#include "base/map.h"
#include "net/client.h"
#include "net/tls.h"

struct kubelet_pool {
    struct env_loop *loop;
    struct tls_context *tls;
    struct map clients; /* by "address:port" */
};

struct kubelet_pool *kubelet_pool_new(struct env_loop *loop, struct tls_context *tls)
{
    struct kubelet_pool *p = mem_alloc(sizeof(*p));
    p->loop = loop;
    p->tls = tls;
    map_init(&p->clients);
    return p;
}

size_t kubelet_pool_close(struct kubelet_pool *p, void (*closed)(void *ctx), void *ctx)
{
    size_t count = 0;
    struct map_iter it = { 0 };
    while (map_next(&p->clients, &it)) {
        struct http_client *client = it.value;
        (void)map_remove(&p->clients, it.key);
        http_client_close(client, closed, ctx);
        it = (struct map_iter){ 0 };
        count++;
    }
    return count;
}

void kubelet_pool_free(struct kubelet_pool *p)
{
    if (p == NULL) {
        return;
    }
    map_deinit(&p->clients);
    mem_free(p);
}

/* Makes room by letting go of any one client; what it carries at the moment is cut. */
static void drop_one(struct kubelet_pool *p)
{
    struct map_iter it = { 0 };
    if (map_count(&p->clients) >= KUBELET_CLIENTS_MAX && map_next(&p->clients, &it)) {
        struct http_client *client = it.value;
        (void)map_remove(&p->clients, it.key);
        http_client_close(client, NULL, NULL);
    }
}

struct http_client *kubelet_pool_get(struct kubelet_pool *p, struct str address, int port)
{
    struct arena a;
    if (p->tls == NULL) {
        return NULL;
    }
    arena_init(&a);
    bool v6 = str_find_char(address, ':', 0) >= 0;
    struct str host = v6 ? str_printf(&a, "[%.*s]:%d", STR_ARG(address), port)
                         : str_printf(&a, "%.*s:%d", STR_ARG(address), port);
    struct http_client *client = map_get(&p->clients, host);
    if (client == NULL) {
        const struct http_client_options options = {
            .address = str_dup(&a, str_printf(&a, "tcp:%.*s", STR_ARG(host))),
            .authority = str_dup(&a, host),
            .server_name = str_dup(&a, address),
            .tls = p->tls,
            .protocol = HTTP_PROTOCOL_HTTP1,
            .connections_max = KUBELET_CONNECTIONS_MAX,
        };
        drop_one(p);
        client = http_client_new(p->loop, &options);
        (void)map_put(&p->clients, host, client);
    }
    arena_deinit(&a);
    return client;
}
