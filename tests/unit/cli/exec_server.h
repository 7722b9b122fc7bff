/* A server of exec for tests: discovery, one pod, and a WebSocket that gives stdin back. */
#ifndef TESTS_UNIT_CLI_EXEC_SERVER_H
#define TESTS_UNIT_CLI_EXEC_SERVER_H

#include "base/buf.h"
#include "base/env.h"
#include "cli/verb.h"
#include "net/websocket.h"

enum exec_end {
    EXEC_STATUS,  /* the status, then a close */
    EXEC_VANISH,  /* the connection goes without a word */
    EXEC_NONSENSE /* a frame that is none */
};

struct exec_server {
    struct env *env;
    struct env_loop *loop;
    struct http_server *server;
    struct env_msg msg;
    struct cli cli;
    char address[64];
    /* What it does. */
    const char *status; /* of the command, as JSON */
    enum exec_end end;
    bool at_once;    /* without waiting for the end of stdin */
    int refusal;     /* instead of 101; 0: none */
    const char *pod; /* the object */
    /* What it saw. */
    char target[1024];
    char resize[128];
    struct buf input;
    bool input_ended;
    /* Its own. */
    struct websocket_decoder decoder;
    int channel;
    bool over;
};

int exec_server_setup(void **state);
int exec_server_teardown(void **state);
void exec_server_reset(struct exec_server *s);

#endif
