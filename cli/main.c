/*
 * gantry: the CLI. It speaks only the API: what it shows comes from the members' API ports, with
 * the certificates of a kubeconfig.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client/kubeconfig.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "cli/verb.h"
#include "net/tls.h"

static const struct verb *const verbs[] = { &status_verb,  &member_verb, &get_verb,
                                            &history_verb, &events_verb, &snapshot_verb,
                                            &version_verb };

#define VERBS (sizeof verbs / sizeof verbs[0])

static void print_help(FILE *to)
{
    fprintf(to,
            "gantry controls a Gantry cluster; kubectl works on the same cluster for everything "
            "else.\n\nusage: gantry [--kubeconfig FILE] [--context NAME] VERB [FLAG]...\n\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(to, "\n`gantry VERB --help` says more. The kubeconfig is --kubeconfig, else "
                "$KUBECONFIG, else ~/.kube/config.\n");
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

static int connect_by(struct cli *c, const char *path, const char *context, struct err *e)
{
    struct kubeconfig k;
    int rc = kubeconfig_load(c->env, &c->arena, path, str_from(context), &k, e);
    if (rc != 0)
        return rc;
    struct str rest = k.server;
    struct str one;
    while (rc == 0 && str_split(&rest, ',', &one))
        rc = add_server(c, one, e);
    if (rc != 0)
        return rc;
    static const char *const alpn[] = { "h2", NULL };
    struct tls_options options = { .certificate_pem = k.client_cert_pem,
                                   .key_pem = k.client_key_pem,
                                   .ca_pem = k.ca_pem,
                                   .alpn = alpn };
    c->tls = tls_client_context_new(&options, e);
    return c->tls == NULL ? -(int)e->code : 0;
}

static const char *default_kubeconfig(struct cli *c)
{
    const char *path = getenv("KUBECONFIG");
    if (path != NULL && path[0] != '\0')
        return path;
    const char *home = getenv("HOME");
    return str_printf(&c->arena, "%s/.kube/config", home == NULL ? "" : home).data;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

static int run_verb(struct cli *c, const struct verb *v, int argc, char **argv,
                    const char *kubeconfig, const char *context)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("%s\n\nusage: gantry %s\n", v->summary, v->help);
            return CLI_OK;
        }
    }
    struct err e;
    bool offline = v->offline || (v->is_offline != NULL && v->is_offline(argc, argv));
    if (!offline &&
        connect_by(c, kubeconfig != NULL ? kubeconfig : default_kubeconfig(c), context, &e) != 0)
        return cli_fail("%s; name one with --kubeconfig FILE or $KUBECONFIG", e.msg);
    return v->run(c, argc, argv);
}

int main(int argc, char **argv)
{
    const char *kubeconfig = NULL;
    /* All members of the kubeconfig, unless one is asked for. */
    const char *context = "*";
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *value;
        if ((value = cli_flag(argc, argv, &at, "--kubeconfig")) != NULL) {
            kubeconfig = value;
        } else if ((value = cli_flag(argc, argv, &at, "--context")) != NULL) {
            context = value;
        } else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            print_help(stdout);
            return CLI_OK;
        } else {
            fprintf(stderr, "gantry: unknown flag '%s'\n", argv[at]);
            print_help(stderr);
            return CLI_USAGE;
        }
    }
    const struct verb *v = at < argc ? find_verb(argv[at]) : NULL;
    if (v == NULL) {
        if (at < argc)
            fprintf(stderr, "gantry: no verb '%s'\n", argv[at]);
        print_help(stderr);
        return CLI_USAGE;
    }
    struct cli c = { .env = env_uv_new() };
    arena_init(&c.arena);
    c.loop = env_loop_new(c.env, "gantry");
    return run_verb(&c, v, argc - at - 1, argv + at + 1, kubeconfig, context);
}
