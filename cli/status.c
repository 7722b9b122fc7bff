/*
 * gantry status: each member of the kubeconfig, asked itself, so that it also answers when the
 * cluster has no leader.
 *
 * A member's /gantry/v1/member is a line a group: GROUP ID LEADER TERM APPLIED REVISION DIGEST
 * READY HEALTH LEVEL USED QUOTA, after a first line with its name. A member of a release before
 * ends with READY.
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

/* The words of one line into columns, those that are not there empty; false at a line that is not a
 * group's. */
#define STATUS_COLUMNS       12
#define STATUS_COLUMNS_LEAST 8
static bool status_columns(struct str line, struct str out[STATUS_COLUMNS])
{
    size_t count = 0;
    memset(out, 0, STATUS_COLUMNS * sizeof(*out));
    while (count < STATUS_COLUMNS && str_split(&line, ' ', &out[count]))
        count++;
    return count >= STATUS_COLUMNS_LEAST;
}

static struct str status_health(const struct str w[STATUS_COLUMNS])
{
    if (w[8].len > 0)
        return w[8];
    return str_eq_c(w[7], "1") ? str_lit("ready") : str_lit("catching-up");
}

/* "12 MiB, 0%" of the group's quota. */
#define STATUS_USED_BYTES 48
static void status_used(const struct str w[STATUS_COLUMNS], char out[STATUS_USED_BYTES])
{
    uint64_t used = 0;
    uint64_t quota = 0;
    if (str_to_u64(w[10], &used) != 0 || str_to_u64(w[11], &quota) != 0 || quota == 0)
        (void)snprintf(out, STATUS_USED_BYTES, "-");
    else
        (void)snprintf(out, STATUS_USED_BYTES, "%lluMiB/%llu%%", (unsigned long long)(used >> 20),
                       (unsigned long long)(used * 100 / quota));
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
        char used[STATUS_USED_BYTES];
        status_used(w, used);
        printf("%-8.*s %-22.*s %-8.*s %-9s %5.*s %10.*s %10.*s %18.*s %5.*s %12s %.*s\n",
               STR_ARG(name), STR_ARG(host), STR_ARG(w[0]),
               str_eq(w[2], name) ? "leader" : "follower", STR_ARG(w[3]), STR_ARG(w[4]),
               STR_ARG(w[5]), STR_ARG(w[6]), STR_ARG(w[9].len > 0 ? w[9] : str_lit("-")), used,
               STR_ARG(status_health(w)));
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
    printf("%-8s %-22s %-8s %-9s %5s %10s %10s %18s %5s %12s %s\n", "MEMBER", "SERVER", "GROUP",
           "ROLE", "TERM", "APPLIED", "REVISION", "DIGEST", "LEVEL", "USED/QUOTA", "HEALTH");
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
