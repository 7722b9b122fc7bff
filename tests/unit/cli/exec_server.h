/* Of a pod server: exec and attach. A WebSocket that gives stdin back. */
#ifndef TESTS_UNIT_CLI_EXEC_SERVER_H
#define TESTS_UNIT_CLI_EXEC_SERVER_H

#include "base/buf.h"
#include "cli/verb.h"
#include "tests/unit/cli/pod_server.h"

enum exec_end {
    EXEC_STATUS,  /* the status, then a close */
    EXEC_VANISH,  /* the connection goes without a word */
    EXEC_NONSENSE /* a frame that is none */
};

/* The Status of a command that ended with this exit code. */
#define EXEC_EXIT(code)                                                                            \
    "{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":" \
    "\"ExitCode\",\"message\":\"" code "\"}]}}"

struct exec_server {
    struct pod_server base;
    /* What it does. */
    const char *status; /* of the command, as JSON */
    enum exec_end end;
    bool at_once;      /* without waiting for the end of stdin */
    struct str errors; /* first of all, on stderr */
    struct str output; /* then, on stdout */
    const char *test;  /* the status of `test -d`, at once */
    int test_refusal;  /* as the base's, of `test -d` */
    /* What it saw. */
    char resize[128];
    struct buf input;
    bool input_ended;
    /* Its own. */
    int channel;
    bool over;
};

int exec_server_setup(void **state);
int exec_server_teardown(void **state);
void exec_server_reset(struct exec_server *s);

#define EXEC_RUN_BYTES 8192

struct exec_run {
    int code;
    char out[EXEC_RUN_BYTES];
    char errors[EXEC_RUN_BYTES];
};

/* Runs the verb with these words, NULL-ended, and with input on a pipe that has ended. */
void exec_server_run(struct exec_server *s, const struct verb *v, const char *const *words,
                     const char *input, struct exec_run *r);

#endif
