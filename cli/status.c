/*
 * gantry status: each member of the kubeconfig, asked itself, so that it also answers when the
 * cluster has no leader.
 *
 * A member's /gantry/v1/member is a line a group: GROUP ID LEADER TERM APPLIED PUBLISHED DIGEST
 * READY, after a first line with its name.
 */
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "cli/verb.h"
#include "net/client.h"

#define STATUS_TIMEOUT_MS 2000

struct status_probe {
    struct http_request request;
    struct http_client *client;
    struct status_run *run;
    struct str server;
    int rc;
    bool done;
};

struct status_run {
    struct cli *cli;
    struct status_probe probes[CLI_SERVERS_MAX];
    size_t left;
    bool leader_only;
};

static void status_done(struct http_request *r, int status)
{
    struct status_probe *p = r->user;
    p->rc = status != 0 ? status : (r->status == 200 ? 0 : -ERR_UNAVAILABLE);
    p->done = true;
    if (--p->run->left == 0)
        env_loop_stop(p->run->cli->loop);
}

static const struct http_request_events status_events = { .done = status_done };

static void status_ask(struct status_run *run, size_t i)
{
    struct cli *c = run->cli;
    struct status_probe *p = &run->probes[i];
    p->run = run;
    p->server = c->servers[i];
    const char *host = p->server.data + strlen("tcp:");
    struct http_client_options options = { .address = p->server.data,
                                           .authority = host,
                                           .tls = c->tls,
                                           .connect_timeout_ms = STATUS_TIMEOUT_MS };
    p->client = http_client_new(c->loop, &options);
    p->request = (struct http_request){ .method = "GET",
                                        .target = str_lit("/gantry/v1/member"),
                                        .timeout_ms = STATUS_TIMEOUT_MS,
                                        .events = &status_events,
                                        .user = p };
    http_client_send(p->client, &p->request);
}

/* The words of one line into columns; false at a line that is not a group's. */
#define STATUS_COLUMNS 8
static bool status_columns(struct str line, struct str out[STATUS_COLUMNS])
{
    for (size_t i = 0; i < STATUS_COLUMNS; i++) {
        if (!str_split(&line, ' ', &out[i]))
            return false;
    }
    return true;
}

static void status_print_member(const struct status_probe *p)
{
    struct str host = str_slice(p->server, strlen("tcp:"), p->server.len);
    if (p->rc != 0) {
        printf("%-8s %-22.*s no answer (%s)\n", "-", STR_ARG(host), err_name(p->rc));
        return;
    }
    struct str rest = buf_str(&p->request.body);
    struct str name;
    struct str line;
    if (!str_split(&rest, '\n', &name))
        return;
    while (str_split(&rest, '\n', &line)) {
        struct str w[STATUS_COLUMNS];
        if (!status_columns(line, w))
            continue;
        printf("%-8.*s %-22.*s %-8.*s %-9s %5.*s %10.*s %10.*s %18.*s %s\n", STR_ARG(name),
               STR_ARG(host), STR_ARG(w[0]), str_eq(w[2], name) ? "leader" : "follower",
               STR_ARG(w[3]), STR_ARG(w[4]), STR_ARG(w[5]), STR_ARG(w[6]),
               str_eq_c(w[7], "1") ? "ready" : "not ready");
    }
}

/* The leader of the cluster group that most members name. */
static int status_print_leader(const struct status_run *run)
{
    for (size_t i = 0; i < run->cli->servers_count; i++) {
        const struct status_probe *p = &run->probes[i];
        struct str rest = buf_str(&p->request.body);
        struct str line;
        while (p->rc == 0 && str_split(&rest, '\n', &line)) {
            struct str w[STATUS_COLUMNS];
            if (status_columns(line, w) && str_eq_c(w[0], "cluster") && !str_eq_c(w[2], "-")) {
                printf("%.*s\n", STR_ARG(w[2]));
                return CLI_OK;
            }
        }
    }
    return cli_fail("no member knows a leader");
}

static int status_run(struct cli *c, int argc, char **argv)
{
    struct status_run *run = arena_new(&c->arena, struct status_run);
    run->cli = c;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--leader") != 0)
            return cli_usage(&status_verb, "unknown argument '%s'", argv[i]);
        run->leader_only = true;
    }
    run->left = c->servers_count;
    for (size_t i = 0; i < c->servers_count; i++)
        status_ask(run, i);
    env_loop_run(c->loop);
    if (run->leader_only)
        return status_print_leader(run);
    printf("%-8s %-22s %-8s %-9s %5s %10s %10s %18s %s\n", "MEMBER", "SERVER", "GROUP", "ROLE",
           "TERM", "APPLIED", "REVISION", "DIGEST", "STATE");
    size_t answered = 0;
    for (size_t i = 0; i < c->servers_count; i++) {
        status_print_member(&run->probes[i]);
        answered += run->probes[i].rc == 0;
    }
    return answered > 0 ? CLI_OK : CLI_FAILED;
}

const struct verb status_verb = { .name = "status",
                                  .summary = "members, who leads, how far each has come",
                                  .help = "status [--leader]\n\n  --leader  print only the "
                                          "leader's name",
                                  .run = status_run };
