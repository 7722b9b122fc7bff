/* A simulated world with one of our servers and one of our clients in it, plain or TLS. */
#ifndef TESTS_UNIT_NET_WORLD_H
#define TESTS_UNIT_NET_WORLD_H

#include "base/env.h"
#include "base/env_sim.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/pki.h"
#include "net/server.h"
#include "net/tls.h"

enum world_kind { WORLD_HTTP1, WORLD_HTTP2, WORLD_TLS_HTTP1, WORLD_TLS_HTTP2, WORLD_KINDS };

struct world {
    enum world_kind kind;
    struct env *env;
    struct env_loop *server_loop;
    struct env_loop *client_loop;
    struct http_server *server;
    struct http_client *client;
    struct http_client_options client_options;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct arena arena;
    struct pki_pair ca;
    int server_closed;
    int client_closed;
    int states; /* connections made */
    int last_state;
};

struct world *world_new(enum world_kind kind, http_handler_fn *handler, void *ctx);
/* Closes both sides if they are open, and checks that both say so. */
void world_free(struct world *w);
void world_run(struct world *w, uint64_t ms);
bool world_is_http2(const struct world *w);
/* Closes the server gracefully; world_run to see it happen. */
void world_close_server(struct world *w, uint64_t drain_ms);
/* Opens it again on the same address. */
void world_open_server(struct world *w, http_handler_fn *handler, void *ctx);

/* A request whose outcome is kept. */
struct world_call {
    struct http_request r;
    struct buf got; /* body bytes, when streamed is set */
    bool streamed;
    int responses;
    int drained;
    int done;
    int status; /* of done */
};

/* Fields of c->r may be set before; method and target are set here. */
void world_send(struct world *w, struct world_call *c, const char *method, const char *target);
void world_call_deinit(struct world_call *c);

#endif
