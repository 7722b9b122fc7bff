/*
 * exec, attach and port-forward on the agent's port, as a kubelet's:
 *   /exec/NAMESPACE/POD/CONTAINER?command=..&input=1&output=1&error=1&tty=1
 *   /attach/NAMESPACE/POD/CONTAINER?input=1&output=1&error=1&tty=1
 *   /portForward/NAMESPACE/POD
 * The request asks for an upgrade to SPDY/3.1. The runtime is asked for a stream of its own (CRI
 * gives a URL on loopback that speaks SPDY) and the two are joined. Agent's loop.
 */
#ifndef KUBELET_LITE_STREAMS_H
#define KUBELET_LITE_STREAMS_H

#include <stdbool.h>

#include "base/str.h"

struct cri;
struct env_loop;
struct http_exchange;
struct pods;

/* Arguments of one command: what the API server takes parameters. */
#define STREAMS_COMMAND_MAX 16384

struct streams {
    struct env_loop *loop;
    struct pods *pods;
    struct cri *cri;
    /* A stream that streams_serve began is gone. */
    void (*ended)(void *ctx);
    void *ctx;
};

/* Is the path one of ours? */
bool streams_path(struct str path);
/* Takes the exchange over. True: ended is called once, later; false: it was answered already. */
bool streams_serve(const struct streams *s, struct http_exchange *x);

/* The host and port ("127.0.0.1:4321") and the target of the URL the runtime gave: only http on
 * this machine. */
bool streams_url(struct str url, struct str *out_host, struct str *out_target);

#endif
