/*
 * The same client against Gantry's API and etcd's, over HTTP/2 and TLS with a client certificate:
 * connections, and one call of each kind. A ConfigMap NS/NAME here is the key
 * /registry/configmaps/NS/NAME there.
 */
#ifndef TESTS_BENCH_BENCH_CLIENT_H
#define TESTS_BENCH_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/env.h"
#include "net/client.h"
#include "net/grpc.h"

#define BENCH_SERVERS_MAX 8

struct bench {
    struct env *env;
    struct env_loop *loop;
    struct arena arena;
    bool etcd;
    const char *servers; /* IP:PORT,... */
    const char *ca;
    const char *cert;
    const char *key;
    const char *addresses[BENCH_SERVERS_MAX]; /* tcp:IP:PORT */
    size_t addresses_count;
    struct tls_context *tls;
};

/* --mode gantry|etcd, --servers, --ca, --cert, --key. false: another flag, or a wrong value. */
bool bench_flag(struct bench *b, const char *flag, const char *value);
/* Makes env and loop and reads the certificates; complains on stderr. */
bool bench_open(struct bench *b, const char *name);
struct http_client *bench_connect(struct bench *b, size_t server);

/* Zeroed before first use; may be used again after done. */
struct bench_call {
    struct http_request http;
    struct grpc_call grpc;
    void (*done)(struct bench_call *c, bool ok);
    void *user;
    uint64_t timeout_ms; /* 0: none */
    bool etcd;
    bool exists_is_ok; /* a create of what is there counts as done */
    char error[160];
};

void bench_put(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
               const char *name, struct str value);
/* names PREFIX<first>.. in one call; etcd only (a Txn). */
void bench_put_many(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
                    uint64_t first, uint64_t count, struct str value);
/* fresh: linearizable; else what the member has. */
void bench_get(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns,
               const char *name, bool fresh);
/* All of a namespace in one answer. */
void bench_list(struct bench *b, struct http_client *to, struct bench_call *c, const char *ns);
/* Bytes of the answer, in done. */
size_t bench_answer_bytes(const struct bench_call *c);

/* A protobuf field of bytes. */
void bench_field(struct buf *b, uint32_t number, struct str bytes);
/* The Put request and the stored form of a ConfigMap, as they are sent. */
void bench_etcd_put(struct buf *out, struct str key, struct str value);
void bench_config_map(struct buf *out, struct str name, struct str value);

#endif
