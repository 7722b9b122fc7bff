/*
 * Many watch streams over few connections, and what came over each: every event carries a marker
 * with its group, its number in the group and when its write was sent, so that a stream knows what
 * it missed or got twice. Gantry: one HTTP/2 stream a watcher. etcd: one gRPC stream a connection
 * that carries its watchers, as etcd's own client does.
 */
#ifndef TESTS_BENCH_WATCH_STREAMS_H
#define TESTS_BENCH_WATCH_STREAMS_H

#include "tests/bench/bench_client.h"
#include "tests/bench/samples.h"

#define MARKER_BYTES 34 /* #, 8 hex group, 8 hex number, 16 hex ns, # */

struct watcher {
    struct watch_streams *all;
    struct http_request http;
    uint32_t group;
    uint32_t last; /* number */
    bool opened;
    size_t kept; /* of an unfinished marker */
    char tail[MARKER_BYTES];
};

struct watch_connection {
    struct watch_streams *all;
    struct http_client *client;
    struct grpc_call call;
};

struct watch_streams {
    struct bench *bench;
    struct watcher *watchers;
    size_t count;
    struct watch_connection *connections;
    size_t connections_count;
    /* Where a group's watchers look: a target with query, or an etcd prefix. In the arena. */
    struct str (*target)(struct watch_streams *w, uint32_t group);
    size_t groups;
    void *user;
    size_t opened;
    uint64_t delivered;
    uint64_t missed;
    uint64_t twice;
    uint64_t ended; /* streams cut or refused */
    struct samples latency_us;
    void (*all_opened)(struct watch_streams *w);
};

/* Opens count watchers: watcher i is in group i % groups, on connection i % connections. */
void watch_streams_open(struct watch_streams *w);
void watch_marker(char out[MARKER_BYTES + 1], uint32_t group, uint32_t number, uint64_t now_ns);

#endif
