/*
 * The agent's own HTTPS port, as a kubelet's: /healthz and
 * /containerLogs/NAMESPACE/POD/CONTAINER?follow&previous&tailLines&sinceSeconds&sinceTime&
 * timestamps&limitBytes, and the streams of streams.h. Only for those who show a certificate of the
 * cluster's CA. Agent's loop.
 */
#ifndef KUBELET_LITE_SERVER_H
#define KUBELET_LITE_SERVER_H

#include "base/err.h"

struct cri;
struct env_loop;
struct pods;
struct server;

struct server_config {
    struct env_loop *loop;
    struct pods *pods;
    struct cri *cri;
    const char *address;
    const char *client_ca; /* files */
    const char *tls_cert;
    const char *tls_key;
};

/* Blocking: reads the files. */
int server_open(const struct server_config *config, struct server **out, struct err *e);
/* Open answers are cut; then closed is called and s is gone. */
void server_close(struct server *s, void (*closed)(void *ctx), void *ctx);

#endif
