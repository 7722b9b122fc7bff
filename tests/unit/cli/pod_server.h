/*
 * A server of one pod for tests of the CLI: discovery, the pod, and connections that are upgraded
 * to WebSockets. What is said on those is a part of its own (exec_server.h, forward_server.h),
 * which embeds this.
 */
#ifndef TESTS_UNIT_CLI_POD_SERVER_H
#define TESTS_UNIT_CLI_POD_SERVER_H

#include "base/env.h"
#include "cli/verb.h"
#include "net/http.h"
#include "net/websocket.h"

struct pod_server {
    struct env *env;
    struct env_loop *loop; /* the server's */
    struct http_server *server;
    struct env_msg msg;
    struct cli cli;
    char address[64];
    /* The part's. */
    const char *protocol; /* of its connections */
    const struct http_exchange_events *events;
    /* On the loop. True: the request was one of its own, and answered. */
    bool (*serve)(struct pod_server *s, struct http_exchange *x);
    void (*closing)(struct pod_server *s); /* on the loop, before it ends; may be NULL */
    /* What it does. */
    const char *pod;          /* the object; NULL: it is not found */
    int refusal;              /* of connections, instead of 101; 0: none */
    const char *refusal_text; /* its body; NULL: a Status */
    /* What it saw. */
    char target[1024];                /* of the last connection */
    char asked[256];                  /* the path of the last object asked for */
    struct websocket_decoder decoder; /* its */
};

/* The world and the loop, on which a part may put something of its own before the server opens. */
void pod_server_init(struct pod_server *s);
/* With the part's fields set. */
void pod_server_open(struct pod_server *s);
void pod_server_close(struct pod_server *s);
void pod_server_reset(struct pod_server *s);
/* Answers with 101. False: it was refused. */
bool pod_server_upgrade(struct pod_server *s, struct http_exchange *x);

#endif
