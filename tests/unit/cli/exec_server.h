/* A server of exec and attach for tests: discovery, one pod, and a WebSocket that gives stdin back.
 */
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
    bool at_once;      /* without waiting for the end of stdin */
    int refusal;       /* instead of 101; 0: none */
    const char *pod;   /* the object */
    struct str output; /* first of all, on stdout */
    bool folder;       /* `test -d` succeeds at once */
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

#define EXEC_RUN_BYTES 4096

struct exec_run {
    int code;
    char out[EXEC_RUN_BYTES];
    char errors[EXEC_RUN_BYTES];
};

/* Runs the verb with these words, NULL-ended, and with input on a pipe that has ended. */
void exec_server_run(struct exec_server *s, const struct verb *v, const char *const *words,
                     const char *input, struct exec_run *r);

#endif
