/*
 * gantry member: who the members are, and changing that. Every change is a wish that the cluster
 * carries out one safe step at a time; --wait watches it come about.
 */
#include "cli/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "net/client.h"

#define CALL_TIMEOUT_MS 30000
#define CONNECT_MS      2000
#define WAIT_MS         500 /* between looks */
#define WAIT_ROUNDS_MAX 7200
#define RAFT_PORT       2381
#define PEER_PORT       2380
#define TARGET_BYTES    160

/* ---- one call ---- */

struct call {
    struct http_request request;
    struct cli *cli;
    int status;      /* 0: it was answered */
    int http_status; /* and so */
    struct str body; /* in the cli's arena */
};

static void on_done(struct http_request *r, int status)
{
    struct call *call = r->user;
    call->status = status;
    env_loop_stop(call->cli->loop);
}

static void on_closed(void *ctx)
{
    env_loop_stop(((struct cli *)ctx)->loop);
}

static int send_to(struct cli *c, struct str server, struct call *call, const char *method,
                   const char *target, struct str body)
{
    static const struct http_request_events events = { .done = on_done };
    struct http_client_options options = { .address = server.data,
                                           .authority = server.data + strlen("tcp:"),
                                           .tls = c->tls,
                                           .connect_timeout_ms = CONNECT_MS };
    call->cli = c;
    call->request = (struct http_request){ .method = method,
                                           .target = str_from(target),
                                           .content = body,
                                           .timeout_ms = CALL_TIMEOUT_MS,
                                           .events = &events,
                                           .user = call };
    struct http_client *client = http_client_new(c->loop, &options);
    http_client_send(client, &call->request);
    env_loop_run(c->loop);
    call->http_status = call->request.status;
    call->body = str_copy(&c->arena, buf_str(&call->request.body));
    http_request_deinit(&call->request);
    http_client_close(client, on_closed, c);
    env_loop_run(c->loop);
    return call->status;
}

static int read_answer(struct cli *c, const struct call *call, const struct json **out,
                       struct err *e)
{
    const struct json *root = NULL;
    int rc = json_parse(&c->arena, call->body, &root, e);
    if (rc != 0)
        return err_set(e, ERR_PROTOCOL, "the server answered %d with something else than JSON",
                       call->http_status);
    if (call->http_status >= 300) {
        struct str text = json_str(json_get_c(root, "error"));
        if (text.len == 0)
            text = json_str(json_get_c(root, "message"));
        return err_set(e, call->http_status == 503 ? ERR_UNAVAILABLE : ERR_FORBIDDEN, "%.*s",
                       STR_ARG(text));
    }
    *out = root;
    return 0;
}

/* A request that may have been seen is sent to another server only if it changes nothing. */
int member_call(struct cli *c, const char *method, const char *target, struct str body,
                const struct json **out, struct err *e)
{
    int rc = err_set(e, ERR_UNAVAILABLE, "the kubeconfig names no server");
    for (size_t i = 0; i < c->servers_count; i++) {
        struct call *call = arena_new(&c->arena, struct call);
        rc = send_to(c, c->servers[i], call, method, target, body);
        if (rc == 0)
            return read_answer(c, call, out, e);
        (void)err_set(e, (enum err_code) - rc,
                      "no server of the kubeconfig answers (the last: %s, %s)",
                      c->servers[i].data + strlen("tcp:"), err_name(rc));
        if (strcmp(method, "GET") != 0 && !call->request.refused && rc != -ERR_UNAVAILABLE)
            return err_wrap(e, rc, "it may have been done: see `gantry member list`");
    }
    return rc;
}

void member_print_json(struct cli *c, const struct json *answer)
{
    struct buf compact;
    struct buf text;
    (void)c;
    buf_init(&compact);
    buf_init(&text);
    json_write(&compact, answer, false);
    json_indent(&text, buf_str(&compact));
    printf("%.*s\n", STR_ARG(buf_str(&text)));
    buf_deinit(&compact);
    buf_deinit(&text);
}

struct str member_text(const struct json *row, const char *field)
{
    return row != NULL ? json_str(json_get_c(row, field)) : str_of("", 0);
}

uint64_t member_number(const struct json *row, const char *field, uint64_t otherwise)
{
    const struct json *j = row != NULL ? json_get_c(row, field) : NULL;
    return j != NULL && j->type == JSON_INT && j->u.integer >= 0 ? (uint64_t)j->u.integer
                                                                 : otherwise;
}

bool member_true(const struct json *row, const char *field)
{
    const struct json *j = row != NULL ? json_get_c(row, field) : NULL;
    return j != NULL && j->type == JSON_BOOL && j->u.boolean;
}

const struct json *member_group(const struct json *row, const char *group)
{
    const struct json *all = row != NULL ? json_get_c(row, "groups") : NULL;
    return all != NULL ? json_get_c(all, group) : NULL;
}

const struct json *member_find(const struct json *answer, const char *name)
{
    const struct json *rows = json_get_c(answer, "members");
    for (size_t i = 0; rows != NULL && rows->type == JSON_ARRAY && i < rows->count; i++) {
        if (str_eq_c(member_text(&rows->u.items[i], "name"), name))
            return &rows->u.items[i];
    }
    return NULL;
}

/* ---- the verbs ---- */

static void print_join(struct cli *c, const struct member_flags *f, const struct json *answer)
{
    const char *server = f->server;
    if (server == NULL)
        server = str_printf(&c->arena, "https://%s", c->servers[0].data + strlen("tcp:")).data;
    printf("On the new machine, within %" PRIu64 " hours:\n\n"
           "  gantryd join --server %s --token %.*s \\\n"
           "    --ca-hash %.*s \\\n"
           "    --name %s --cluster cluster --data data\n\n"
           "--server is a member whose cluster folder holds ca.key, at an address that the new "
           "machine can reach.\n",
           member_number(answer, "tokenSeconds", 0) / 3600, server,
           STR_ARG(member_text(answer, "token")), STR_ARG(member_text(answer, "caHash")), f->name);
}

static int print_token(struct cli *c, const struct member_flags *f, int rc,
                       const struct json *answer, const struct err *e)
{
    if (rc != 0)
        return cli_fail("%s", e->msg);
    if (f->json)
        member_print_json(c, answer);
    else
        print_join(c, f, answer);
    return CLI_OK;
}

static int member_add(struct cli *c, const struct member_flags *f)
{
    const struct json *answer = NULL;
    struct err e = { 0 };
    if (f->address == NULL)
        return cli_usage(&member_verb, "add %s: --address is needed: where its machine is",
                         f->name);
    bool six = strchr(f->address, ':') != NULL;
    struct str body = str_printf(&c->arena,
                                 "{\"name\":\"%s\",\"raftAddress\":\"tcp:%s%s%s:%" PRIu64
                                 "\",\"peerAddress\":\"tcp:%s%s%s:%" PRIu64 "\"}",
                                 f->name, six ? "[" : "", f->address, six ? "]" : "", f->raft_port,
                                 six ? "[" : "", f->address, six ? "]" : "", f->peer_port);
    int rc = member_call(c, "POST", "/gantry/v1/members", body, &answer, &e);
    return print_token(c, f, rc, answer, &e);
}

static int post(struct cli *c, const struct member_flags *f, const char *what, struct str body,
                const struct json **out, struct err *e)
{
    char target[TARGET_BYTES];
    (void)snprintf(target, sizeof target, "/gantry/v1/members/%s/%s", f->name, what); /* fits */
    return member_call(c, "POST", target, body, out, e);
}

static int member_token(struct cli *c, const struct member_flags *f)
{
    const struct json *answer = NULL;
    struct err e = { 0 };
    int rc = post(c, f, "token", str_of("", 0), &answer, &e);
    return print_token(c, f, rc, answer, &e);
}

static bool has_role(const struct json *row, const char *role)
{
    return str_eq_c(member_text(member_group(row, "cluster"), "role"), role) &&
           str_eq_c(member_text(member_group(row, "bus"), "role"), role);
}

static void on_wait(struct env_timer *t)
{
    env_loop_stop(t->loop);
}

static void wait_a_little(struct cli *c)
{
    struct env_timer timer;
    env_timer_init(c->loop, &timer, on_wait);
    env_timer_start(&timer, WAIT_MS);
    env_loop_run(c->loop);
    env_timer_deinit(&timer);
}

/* Until the member has the role in both groups (NULL: until it is none any more). */
static int wait_for(struct cli *c, const struct member_flags *f, const char *role)
{
    char last[64] = "";
    for (int round = 0; round < WAIT_ROUNDS_MAX; round++) {
        const struct json *answer = NULL;
        const struct json *row;
        char now[sizeof last];
        struct err e = { 0 };
        if (member_call(c, "GET", "/gantry/v1/members", str_of("", 0), &answer, &e) == 0) {
            row = member_find(answer, f->name);
            if (role == NULL ? row == NULL : row != NULL && has_role(row, role))
                return CLI_OK;
            if (row == NULL)
                return cli_fail("member %s is not there any more", f->name);
            member_progress(row, now, sizeof now);
            if (strcmp(now, last) != 0)
                fprintf(stderr, "%s: %s\n", f->name, now);
            memcpy(last, now, sizeof last);
        }
        wait_a_little(c);
    }
    return cli_fail("%s: an hour has passed; `gantry member list` shows where it is", f->name);
}

static int change(struct cli *c, const struct member_flags *f, const char *what, const char *role,
                  const char *done)
{
    const struct json *answer = NULL;
    struct err e = { 0 };
    struct str body = str_printf(&c->arena, "{\"wait\":%s,\"force\":%s}",
                                 f->wait ? "true" : "false", f->force ? "true" : "false");
    int rc = post(c, f, what, body, &answer, &e);
    if (rc != 0)
        return cli_fail("%s", e.msg);
    if (f->wait) {
        int code = wait_for(c, f, role);
        if (code != CLI_OK)
            return code;
    }
    if (f->json)
        member_print_json(c, answer);
    else
        printf("member %s %s\n", f->name, done);
    return CLI_OK;
}

static int member_promote(struct cli *c, const struct member_flags *f)
{
    return change(c, f, "promote", "voter", f->wait ? "votes" : "will vote");
}

static int member_demote(struct cli *c, const struct member_flags *f)
{
    return change(c, f, "demote", "standby", f->wait ? "only follows now" : "will only follow");
}

static int member_remove(struct cli *c, const struct member_flags *f)
{
    return change(c, f, "remove", NULL, f->wait ? "is gone" : "will be removed");
}

static int member_transfer(struct cli *c, const struct member_flags *f)
{
    struct member_flags to = *f;
    const struct json *answer = NULL;
    struct err e = { 0 };
    struct str body =
        f->group == NULL ? str_of("", 0) : str_printf(&c->arena, "{\"group\":\"%s\"}", f->group);
    if (to.name == NULL)
        to.name = "-";
    int rc = post(c, &to, "transfer", body, &answer, &e);
    if (rc != 0)
        return cli_fail("%s", e.msg);
    if (f->json)
        member_print_json(c, answer);
    else
        printf("leadership of %s moved%s%s\n", f->group != NULL ? f->group : "both groups",
               f->name != NULL ? " to " : "", f->name != NULL ? f->name : "");
    return CLI_OK;
}

/* ---- flags ---- */

static const struct {
    const char *name;
    int (*run)(struct cli *c, const struct member_flags *f);
    bool named; /* needs a member's name */
} words[] = {
    { "list", member_list, false },         { "add", member_add, true },
    { "token", member_token, true },        { "promote", member_promote, true },
    { "demote", member_demote, true },      { "remove", member_remove, true },
    { "transfer", member_transfer, false },
};

static bool read_port(const char *text, uint64_t *out)
{
    return str_to_u64(str_from(text), out) == 0 && *out > 0 && *out < 65536;
}

/* 1: taken; 0: not a flag of ours; CLI_USAGE: wrong, and said. */
static int read_valued(struct member_flags *f, int argc, char **argv, int *i)
{
    const struct {
        const char *flag;
        const char **out;
    } texts[] = { { "--address", &f->address },
                  { "--server", &f->server },
                  { "--group", &f->group } };
    const char *value;
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        if ((value = cli_flag(argc, argv, i, texts[k].flag)) != NULL) {
            *texts[k].out = value;
            return 1;
        }
    }
    if ((value = cli_flag(argc, argv, i, "--raft-port")) != NULL)
        return read_port(value, &f->raft_port)
                   ? 1
                   : cli_usage(&member_verb, "--raft-port: '%s' is no port", value);
    if ((value = cli_flag(argc, argv, i, "--peer-port")) != NULL)
        return read_port(value, &f->peer_port)
                   ? 1
                   : cli_usage(&member_verb, "--peer-port: '%s' is no port", value);
    if ((value = cli_flag(argc, argv, i, "-o")) != NULL) {
        f->json = true;
        return strcmp(value, "json") == 0 ? 1 : cli_usage(&member_verb, "-o knows only json");
    }
    return 0;
}

/* It stands in a path and in JSON: nothing else may. */
static bool is_word(const char *text, const char *also)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || *c == '-';
        if (!plain && strchr(also, *c) == NULL)
            return false;
    }
    return text[0] != '\0' && strlen(text) < 100;
}

static int read_flags(struct member_flags *f, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        int taken = read_valued(f, argc, argv, &i);
        if (taken == CLI_USAGE)
            return CLI_USAGE;
        if (taken == 1)
            continue;
        if (strcmp(argv[i], "--wait") == 0)
            f->wait = true;
        else if (strcmp(argv[i], "--force") == 0)
            f->force = true;
        else if (argv[i][0] != '-' && f->name == NULL)
            f->name = argv[i];
        else
            return cli_usage(&member_verb, "unknown argument '%s'", argv[i]);
    }
    if ((f->name != NULL && !is_word(f->name, "")) ||
        (f->address != NULL && !is_word(f->address, ".:")) ||
        (f->group != NULL && strcmp(f->group, "cluster") != 0 && strcmp(f->group, "bus") != 0))
        return cli_usage(&member_verb, "a name is [a-z0-9-], an address a host's, a group cluster "
                                       "or bus");
    return CLI_OK;
}

static int member_run(struct cli *c, int argc, char **argv)
{
    struct member_flags f = { .raft_port = RAFT_PORT, .peer_port = PEER_PORT };
    if (argc == 0)
        return cli_usage(&member_verb, "member does what?");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(argv[0], words[i].name) != 0)
            continue;
        int rc = read_flags(&f, argc - 1, argv + 1);
        if (rc != CLI_OK)
            return rc;
        if (words[i].named && f.name == NULL)
            return cli_usage(&member_verb, "%s whom?", words[i].name);
        return words[i].run(c, &f);
    }
    return cli_usage(&member_verb, "member cannot '%s'", argv[0]);
}

const struct verb member_verb = {
    .name = "member",
    .summary = "the control plane's members: list, add, promote, demote, remove, transfer",
    .help =
        "member list [-o json]\n"
        "       gantry member add NAME --address HOST [--raft-port N] [--peer-port N] [--server "
        "URL]\n"
        "       gantry member token NAME\n"
        "       gantry member promote|demote|remove NAME [--wait] [--force]\n"
        "       gantry member transfer [NAME] [--group cluster|bus]\n\n"
        "  list      who they are; ROLE and LAG (entries behind) as the leaders of the two "
        "groups,\n"
        "            cluster and bus, know them; HEARD: does it answer\n"
        "  add       room for a new member, and the command for its machine. It follows as a\n"
        "            standby: it gets everything, and does not vote\n"
        "  token     that command again, for one that has not joined yet\n"
        "  promote   it votes from now on; refused until it is caught up, with --wait when it is\n"
        "  demote    it only follows\n"
        "  remove    it goes, and stops by itself. One that is dead, too: then add it anew\n"
        "  transfer  leadership moves to NAME, or to the best\n\n"
        "  --wait    until it has come about\n"
        "  --force   demote, remove: though too few other voters answer; done once they do\n\n"
        "Have 1, 3 or 5 voters: 2 and 4 survive no more losses than 1 and 3. To replace a dead\n"
        "member: `member remove m3`, `member add m3 --address …`, join, `member promote m3 "
        "--wait`.",
    .run = member_run
};
