/*
 * Of a pod server: port-forward. The pod's watch, and a tunnel that gives back what comes on its
 * data stream. Once a tunnel is there it connects to `port`, says hello, ends its
 * side, reads what comes back, and then deletes the pod.
 */
#ifndef TESTS_UNIT_CLI_FORWARD_SERVER_H
#define TESTS_UNIT_CLI_FORWARD_SERVER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "net/spdy.h"
#include "tests/unit/cli/pod_server.h"

#define FORWARD_POD(phase)                                                                         \
    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"namespace\":"          \
    "\"default\",\"uid\":\"u\",\"resourceVersion\":\"7\"},\"spec\":{\"containers\":[{\"name\":"    \
    "\"a\"}]},\"status\":{\"phase\":\"" phase "\"}}"

struct forward_server {
    struct pod_server base;
    /* What it does. */
    const char *event;   /* of the watch, at once; NULL: none */
    const char *error;   /* said on the error stream; NULL: none */
    uint16_t port;       /* to connect to; 0: none */
    size_t answer_bytes; /* instead of what came, and at once; 0: what came */
    bool late;           /* data follows the end of data */
    bool holds;          /* it says nothing, and ends nothing */
    /* What it saw. */
    char port_header[16];
    struct buf back; /* of the connection it made */
    int watches;
    atomic_int tunnels_closed;
    /* Its own. */
    struct http_exchange *watch;
    struct http_exchange *tunnel;
    struct spdy_decoder decoder;
    struct spdy_encoder encoder;
    uint32_t error_stream;
    struct env_timer timer;
    struct env_connect connect;
    struct env_stream *stream;
    struct env_msg delete;
};

int forward_server_setup(void **state);
int forward_server_teardown(void **state);
void forward_server_reset(struct forward_server *s);
/* The watch says so; any thread. */
void forward_server_delete_pod(struct forward_server *s);

#endif
