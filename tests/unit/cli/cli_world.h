/* A verb run in this process against a server of ours, plain HTTP: what it asks, and what it
 * prints. */
#ifndef TESTS_UNIT_CLI_CLI_WORLD_H
#define TESTS_UNIT_CLI_CLI_WORLD_H

#include "base/env.h"
#include "cli/verb.h"

#define CLI_WORLD_BYTES 8192
#define CLI_WORLD_ASKS  16

struct cli_world {
    struct env *env;
    struct env_loop *loop; /* the server's */
    struct http_server *server;
    struct env_msg msg;
    struct cli cli;
    char address[64];
    /* What it answers, in turn; the last one again and again. */
    struct {
        int status;
        const char *body;
        struct str bytes; /* instead, where there are some */
    } answers[CLI_WORLD_ASKS];
    /* What it was asked: "METHOD TARGET BODY". */
    char asked[CLI_WORLD_ASKS][512];
    size_t asks;
    char peer[64]; /* of the last one */
    size_t peers;  /* connections that asked, one after the other */
    char out[CLI_WORLD_BYTES];
    char errors[CLI_WORLD_BYTES];
};

int cli_world_setup(void **state);
int cli_world_teardown(void **state);
/* Answers and asks begin anew. */
void cli_world_reset(struct cli_world *w);
/* The same, and then it answers as a server of config maps: discovery of them, an empty one of the
 * groups, then one and two. */
void cli_world_answer(struct cli_world *w, const char *one, const char *two);
/* Runs the verb with these words, NULL-ended: its exit code. Asks begin anew. */
int cli_world_run(struct cli_world *w, const struct verb *v, const char *const *words);

#endif
