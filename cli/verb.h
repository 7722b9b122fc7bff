/*
 * gantry's verbs: one file each, all of one shape, listed in main.c's table.
 *
 * A verb parses its own flags, does its work on the one loop it is given, and returns the process's
 * exit code: 0, 1 when what was asked failed (the reason is on stderr), 2 for wrong usage.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct env;
struct env_loop;
struct tls_context;

#define CLI_SERVERS_MAX 16

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* What every verb starts from. */
struct cli {
    struct env *env;
    struct env_loop *loop; /* run by the verb (env_loop_run) until its work is done */
    struct arena arena;    /* lives as long as the process */
    struct tls_context *tls;
    struct str
        servers[CLI_SERVERS_MAX]; /* "tcp:127.0.0.1:6443", one per member of the kubeconfig */
    size_t servers_count;
};

struct verb {
    const char *name;
    const char *summary;
    const char *help; /* after "usage: gantry " */
    bool offline;     /* needs no kubeconfig */
    /* The same where it depends on the arguments; may be NULL. */
    bool (*is_offline)(int argc, char **argv);
    int (*run)(struct cli *c, int argc, char **argv);
};

extern const struct verb status_verb;
extern const struct verb events_verb;
extern const struct verb get_verb;
extern const struct verb history_verb;
extern const struct verb snapshot_verb;
extern const struct verb member_verb;
extern const struct verb version_verb;

/* Value of `--name VALUE` or `--name=VALUE` at argv[*at]; advances *at; NULL when it is another
 * flag. */
const char *cli_flag(int argc, char **argv, int *at, const char *name);
/* Prints "gantry: ..." and the verb's usage to stderr; CLI_USAGE. */
int cli_usage(const struct verb *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "gantry: ..." to stderr; CLI_FAILED. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
