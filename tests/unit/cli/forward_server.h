/*
 * A server of port-forward for tests: discovery, one pod, its watch, and a tunnel that gives back
 * what comes on its data stream. Once a tunnel is there it connects to `port`, says hello, ends its
 * side, reads what comes back, and then deletes the pod.
 */
#ifndef TESTS_UNIT_CLI_FORWARD_SERVER_H
#define TESTS_UNIT_CLI_FORWARD_SERVER_H

#include "base/buf.h"
#include "base/env.h"
#include "cli/verb.h"
#include "net/http.h"
#include "net/spdy.h"
#include "net/websocket.h"

#define FORWARD_POD(phase)                                                                         \
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"namespace\":"          \
    "\"default\",\"uid\":\"u\",\"resourceVersion\":\"7\"},\"spec\":{\"containers\":[{\"name\":"    \
    "\"a\"}]},\"status\":{\"phase\":\"" phase "\"}}"

struct forward_server {
    struct env *env;
    struct env_loop *loop;
    struct http_server *server;
    struct env_msg msg;
    struct cli cli;
    char address[64];
    /* What it does. */
    const char *pod;   /* the object; NULL: it is not found */
    const char *event; /* of the watch, at once; NULL: none */
    int refusal;       /* instead of 101; 0: none */
    const char *error; /* said on the error stream; NULL: none */
    uint16_t port;     /* to connect to; 0: none */
    /* What it saw. */
    char port_header[16];
    struct buf back; /* of the connection it made */
    int watches;
    /* Its own. */
    struct http_exchange *watch;
    struct http_exchange *tunnel;
    struct websocket_decoder frames;
    struct spdy_decoder decoder;
    struct spdy_encoder encoder;
    uint32_t error_stream;
    struct env_timer timer;
    struct env_connect connect;
    struct env_stream *stream;
};

int forward_server_setup(void **state);
int forward_server_teardown(void **state);
void forward_server_reset(struct forward_server *s);

#endif
