/*
 * gantry: the CLI. It speaks only the API: what it shows comes from the members' API ports, with
 * the certificates of a kubeconfig.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client/kubeconfig.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/suggest.h"
#include "cli/verb.h"
#include "net/tls.h"

static int options_act(struct cli *c, const void *options, const struct words *w)
{
    (void)c;
    (void)options;
    (void)w;
    printf("The following options can be passed to any command:\n\n");
    flags_print(stdout, cli_flags);
    return CLI_OK;
}

static const struct verb options_verb = { .name = "options",
                                          .summary = "the flags that every verb has",
                                          .help = "options",
                                          .offline = true,
                                          .act = options_act };

static int help_act(struct cli *c, const void *options, const struct words *w);

static const struct verb help_verb = { .name = "help",
                                       .summary = "what a verb does, and its flags",
                                       .help = "help [VERB]",
                                       .offline = true,
                                       .completes = WORDS_VERBS,
                                       .act = help_act };

/* Verbs for objects, as kubectl has them; then the cluster's own. */
static const struct verb *const verbs[] = {
    &apply_verb,         &create_verb,       &delete_verb,       &edit_verb,       &exec_verb,
    &attach_verb,        &cp_verb,           &port_forward_verb, &logs_verb,       &get_verb,
    &describe_verb,      &wait_verb,         &explain_verb,      &completion_verb, &complete_verb,
    &api_resources_verb, &api_versions_verb, &options_verb,      &help_verb,       &history_verb,
    &status_verb,        &member_verb,       &events_verb,       &snapshot_verb,   &version_verb
};

#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb_table table = { .verbs = verbs, .count = VERBS };

static void print_help(FILE *to)
{
    fprintf(to, "gantry controls a Gantry cluster, with kubectl's verbs and some of its own.\n\n"
                "usage: gantry VERB [WORD]... [FLAG]...\n\n");
    for (size_t i = 0; i < VERBS; i++)
        if (!verbs[i]->hidden)
            fprintf(to, "  %-13s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(to, "\n`gantry VERB --help` says more, `gantry options` lists the flags of every verb. "
                "The kubeconfig is --kubeconfig, else $KUBECONFIG, else ~/.kube/config.\n");
}

/* "https://127.0.0.1:6443" to "tcp:127.0.0.1:6443". */
static int add_server(struct cli *c, struct str url, struct err *e)
{
    static const char scheme[] = "https://";
    if (!str_starts(url, str_lit(scheme)))
        return err_set(e, ERR_INVALID_ARGUMENT, "server '%.*s' is not an https URL", STR_ARG(url));
    struct str host = str_slice(url, sizeof scheme - 1, url.len);
    ptrdiff_t slash = str_find_char(host, '/', 0);
    if (slash >= 0)
        host = str_slice(host, 0, (size_t)slash);
    if (c->servers_count == CLI_SERVERS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d servers", CLI_SERVERS_MAX);
    c->servers[c->servers_count++] = str_printf(&c->arena, "tcp:%.*s", STR_ARG(host));
    return 0;
}

static const char *default_kubeconfig(struct cli *c)
{
    const char *path = getenv("KUBECONFIG");
    if (path != NULL && path[0] != '\0')
        return path;
    const char *home = getenv("HOME");
    return str_printf(&c->arena, "%s/.kube/config", home == NULL ? "" : home).data;
}

static int connect_to(struct cli *c, struct err *e)
{
    struct kubeconfig k;
    const char *path = c->kubeconfig != NULL ? c->kubeconfig : default_kubeconfig(c);
    /* All members of the kubeconfig, unless one is asked for. */
    const char *context = c->context != NULL ? c->context : "*";
    int rc = kubeconfig_load(c->env, &c->arena, path, str_from(context), &k, e);
    if (rc != 0)
        return rc;
    struct str rest = c->server != NULL ? str_from(c->server) : k.server;
    struct str one;
    while (rc == 0 && str_split(&rest, ',', &one))
        rc = add_server(c, one, e);
    if (rc != 0)
        return rc;
    if (k.namespace.len > 0 && !c->ns_given)
        c->ns = k.namespace;
    if (k.tls_server_name.len > 0)
        c->server_name = str_dup(&c->arena, k.tls_server_name);
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options options = { .certificate_pem = k.client_cert_pem,
                                   .key_pem = k.client_key_pem,
                                   .ca_pem = k.ca_pem,
                                   .alpn = alpn };
    c->tls = tls_client_context_new(&options, e);
    return c->tls == NULL ? -(int)e->code : 0;
}

/* The global flags as the verbs see them. */
static int take_globals(struct cli *c, struct err *e)
{
    int64_t ns = 0;
    uint64_t seconds;
    struct str timeout = str_from(c->request_timeout);
    if (str_to_u64(timeout, &seconds) == 0)
        ns = (int64_t)(seconds * ENV_S);
    else if (flags_duration(timeout, &ns, NULL) != 0 || ns < 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "Invalid timeout value. Timeout must be a single integer in seconds, or an "
                       "integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)");
    c->request_timeout_ms = (uint64_t)ns / ENV_MS;
    c->ns_given = c->namespace != NULL && c->namespace[0] != '\0';
    c->ns = c->ns_given ? str_from(c->namespace) : str_lit("default");
    if (strcmp(c->color, "always") == 0)
        c->color_out = true;
    else if (strcmp(c->color, "auto") == 0)
        c->color_out = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL;
    else if (strcmp(c->color, "never") != 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "--color is auto, always or never, not %s",
                       c->color);
    return 0;
}

static int connect_as_asked(struct cli *c, struct err *e)
{
    int rc = take_globals(c, e);
    struct err why;
    if (rc == 0 && connect_to(c, &why) != 0)
        return err_set(e, why.code, "%s; name one with --kubeconfig FILE or $KUBECONFIG", why.msg);
    return rc;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    bool some = false;
    for (size_t i = 0; i < VERBS; i++)
        some = some || (!verbs[i]->hidden && suggest_near(name, verbs[i]->name));
    (void)cli_error("unknown command \"%s\" for \"gantry\"%s", name,
                    some ? "\n\nDid you mean this?" : "");
    for (size_t i = 0; i < VERBS; i++)
        if (!verbs[i]->hidden && suggest_near(name, verbs[i]->name))
            (void)fprintf(stderr, "\t%s\n", verbs[i]->name);
    return CLI_FAILED;
}

static void print_verb(const struct verb *v)
{
    if (v->act != NULL)
        flags_help(stdout, v);
    else
        printf("%s\n\nusage: gantry %s\n", v->summary, v->help);
}

static int help_act(struct cli *c, const void *options, const struct words *w)
{
    (void)c;
    (void)options;
    if (w->count == 0) {
        print_help(stdout);
        return CLI_OK;
    }
    const struct verb *v = find_verb(w->items[0]);
    if (v == NULL)
        return unknown_verb(w->items[0]);
    print_verb(v);
    return CLI_OK;
}

/* An everyday verb: its flags and the global ones stand anywhere. */
static int act_verb(struct cli *c, const struct verb *v, int argc, char **argv)
{
    struct words w;
    struct err e;
    void *options;
    int rc = flags_parse(c, v, argc, argv, &options, &w, &e);
    if (rc == -ERR_CANCELED) {
        print_verb(v);
        return CLI_OK;
    }
    if (rc != 0)
        return cli_error("%s\nSee 'gantry %s --help' for usage.", e.msg, v->name);
    rc = v->offline ? 0 : connect_as_asked(c, &e);
    return rc == 0 ? v->act(c, options, &w) : cli_error("%s", e.msg);
}

/* A verb of the cluster's own reads its words itself, but for the global flags with long names. */
static int run_verb(struct cli *c, const struct verb *v, int argc, char **argv)
{
    struct err e;
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        int at = i;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_verb(v);
            return CLI_OK;
        }
        bool global = strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0' &&
                      strncmp(argv[i], "--namespace", 11) != 0;
        if (global && flags_parse_one(c, argc, argv, &at))
            i = at;
        else
            argv[kept++] = argv[i];
    }
    bool offline = v->offline || (v->is_offline != NULL && v->is_offline(kept, argv));
    if (take_globals(c, &e) != 0)
        return cli_error("%s", e.msg);
    if (!offline && connect_to(c, &e) != 0)
        return cli_fail("%s; name one with --kubeconfig FILE or $KUBECONFIG", e.msg);
    return v->run(c, kept, argv);
}

int main(int argc, char **argv)
{
    struct cli c = { .env = env_uv_new(), .verbs = &table, .connect = connect_as_asked };
    struct err e;
    int at = 1;
    arena_init(&c.arena);
    c.loop = env_loop_new(c.env, "gantry");
    int rc = flags_parse_global(&c, argc, argv, &at, &e);
    if (rc == -ERR_CANCELED) {
        print_help(stdout);
        return CLI_OK;
    }
    if (rc != 0)
        return cli_error("%s\nSee 'gantry --help' for usage.", e.msg);
    if (at >= argc) {
        print_help(stderr);
        return CLI_USAGE;
    }
    const struct verb *v = find_verb(argv[at]);
    if (v == NULL)
        return unknown_verb(argv[at]);
    argc -= at + 1;
    argv += at + 1;
    rc = v->act != NULL ? act_verb(&c, v, argc, argv) : run_verb(&c, v, argc, argv);
    ask_end(&c);
    return rc;
}
