/*
 * gantry's verbs: one file each, all of one shape, listed in main.c's table.
 *
 * There are two forms. The cluster's own verbs (`run`) parse their words themselves and return 2
 * for wrong usage. The everyday verbs (`act`) are kubectl's: their flags are a table
 * (cli/flags.h), parsed before they start, and they return 1 for whatever went wrong, as kubectl
 * does. Both do their work on the one loop they are given; the reason of a failure is on stderr.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct ask_links;
struct env;
struct env_loop;
struct flag;
struct objects_list;
struct tls_context;
struct words;

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
    const char *server_name;            /* in the servers' certificates; NULL: their host */
    struct str ns;                      /* -n, else the context's, else "default" */
    bool ns_given;                      /* by -n */
    uint64_t request_timeout_ms;        /* 0: none was asked for */
    bool color_out;                     /* stdout may be coloured */
    const struct objects_list *objects; /* discovery's answer, once asked for (cli/objects.h) */
    const struct verb_table *verbs;     /* every verb there is */
    struct ask_links *links;            /* connections that are kept (cli/ask.h); NULL: none yet */
    /* Reads the global flags and the kubeconfig: done before a verb acts, unless it is offline.
     * NULL: there is nothing to do. */
    int (*connect)(struct cli *c, struct err *e);

    /* The global flags as they were given (cli_flags). */
    const char *kubeconfig;
    const char *context;
    const char *namespace;
    const char *server;
    const char *request_timeout;
    const char *color;
};

/* What completion offers for a verb's words. */
enum verb_words {
    WORDS_NONE,
    WORDS_OBJECTS,   /* TYPE NAME..., TYPE/NAME... */
    WORDS_PODS,      /* a pod's name, or TYPE/NAME */
    WORDS_RESOURCES, /* types alone */
    WORDS_SHELLS,
    WORDS_VERBS
};

struct verb {
    const char *name;
    const char *summary;
    const char *help; /* after "usage: gantry " */
    bool offline;     /* needs no kubeconfig */
    /* The same where it depends on the arguments; may be NULL. */
    bool (*is_offline)(int argc, char **argv);
    int (*run)(struct cli *c, int argc, char **argv);

    /* ---- of the everyday verbs, whose run is NULL ---- */
    const char *about;        /* what --help says first */
    const char *examples;     /* lines, each indented by two spaces */
    const struct flag *flags; /* ends with a row without name; may be NULL */
    size_t options_bytes;     /* of the struct the flags fill */
    enum verb_words completes;
    bool hidden; /* not in the help */
    bool raw;    /* its words are passed on as they are, flags and all */
    int (*act)(struct cli *c, const void *options, const struct words *w);
};

extern const struct verb apply_verb;
extern const struct verb attach_verb;
extern const struct verb cp_verb;
extern const struct verb port_forward_verb;
extern const struct verb create_verb;
extern const struct verb delete_verb;
extern const struct verb edit_verb;
extern const struct verb exec_verb;
extern const struct verb logs_verb;
extern const struct verb status_verb;
extern const struct verb events_verb;
extern const struct verb get_verb;
extern const struct verb describe_verb;
extern const struct verb wait_verb;
extern const struct verb completion_verb;
extern const struct verb complete_verb;
extern const struct verb explain_verb;
extern const struct verb api_resources_verb;
extern const struct verb api_versions_verb;
extern const struct verb history_verb;
extern const struct verb snapshot_verb;
extern const struct verb member_verb;
extern const struct verb version_verb;

/* Every verb there is, for help and completion. */
struct verb_table {
    const struct verb *const *verbs;
    size_t count;
};

/* Value of `--name VALUE` or `--name=VALUE` at argv[*at]; advances *at; NULL when it is another
 * flag. */
const char *cli_flag(int argc, char **argv, int *at, const char *name);
/* Prints "gantry: ..." and the verb's usage to stderr; CLI_USAGE. */
int cli_usage(const struct verb *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "gantry: ..." to stderr; CLI_FAILED. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on stderr. Here and in those around it, what a terminal would obey is shown, not sent
 * (cli/escaped.h): servers and containers wrote much of it. CLI_FAILED, for those who end so. */
int cli_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As kubectl tells it, on stderr: "error: ...". CLI_FAILED. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same of what ask and objects say: who is no API server's answer gets "error: " before it. */
int cli_error_of(const struct err *e);
/* "warning: ..." on stderr. */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
