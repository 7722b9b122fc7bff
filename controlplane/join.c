/* See join.h: flags, key and signing request, one POST, then files; the marker last. */
#include "controlplane/join.h"

#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "controlplane/identity.h"
#include "controlplane/run.h"
#include "net/client.h"
#include "net/pki.h"
#include "net/tls.h"
#include "store/roster.h"

#define JOIN_TIMEOUT_MS     30000
#define JOIN_ANSWER_MAX     (256u << 10)
#define JOIN_CONF_BYTES_MAX 8192
#define JOIN_RUN_ARGS_MAX   64

const char join_usage[] =
    "gantryd join --server https://ADDRESS:6443 --token TOKEN --ca-hash sha256:HEX\n"
    "               --name NAME --cluster FOLDER --data FOLDER [--address IP]\n"
    "               [--run [FLAG OF RUN]...]\n"
    "      makes this machine a member; `gantry member add NAME` prints the command\n"
    "      --server        a member that has ca.key in its cluster folder\n"
    "      --cluster       made here: certificates, cluster.conf\n"
    "      --data          this member's own folder, made here\n"
    "      --address       where this machine is, if not where `member add` said\n"
    "      --run           then goes on as `gantryd run` with --cluster, --name, --data and the\n"
    "                      flags that follow; has it joined before, it only runs";

/* --run: what `gantryd run` is given. */
struct join_then {
    int from; /* of join's own words; 0: no --run */
    int count;
    char *args[JOIN_RUN_ARGS_MAX];
};

struct join {
    struct env *env;
    struct arena arena;
    const char *server;
    const char *token;
    const char *ca_hash;
    const char *name;
    const char *cluster;
    const char *data;
    const char *address;
    struct join_then then;
    uint8_t pin[PKI_SHA256_BYTES];
    struct str key_pem;
    struct str certificate;
    struct str ca;
    struct str conf;
    struct env_loop *loop;
    struct http_client *client;
    struct http_request request;
    int status;
};

static int join_parse(struct join *j, int argc, char **argv, struct err *e)
{
    const struct {
        const char *flag;
        const char **out;
    } flags[] = { { "--server", &j->server },   { "--token", &j->token },
                  { "--ca-hash", &j->ca_hash }, { "--name", &j->name },
                  { "--data", &j->data },       { "--cluster", &j->cluster },
                  { "--address", &j->address } };
    size_t count = sizeof flags / sizeof flags[0];
    for (int i = 0; i < argc; i += 2) {
        size_t k = 0;
        if (strcmp(argv[i], "--run") == 0) {
            j->then.from = i + 1;
            break;
        }
        while (k < count && strcmp(argv[i], flags[k].flag) != 0)
            k++;
        if (k == count)
            return err_set(e, ERR_INVALID_ARGUMENT, "unknown flag '%s'; usage: %s", argv[i],
                           join_usage);
        if (i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s needs a value", argv[i]);
        *flags[k].out = argv[i + 1];
    }
    for (size_t k = 0; k + 1 < count; k++) {
        if (*flags[k].out == NULL)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s is needed; usage: %s", flags[k].flag,
                           join_usage);
    }
    if (!roster_name_is_good(str_from(j->name)))
        return err_set(e, ERR_INVALID_ARGUMENT, "--name: '%s' is not [a-z0-9-]", j->name);
    if (j->address != NULL && !identity_is_numeric(str_from(j->address)))
        return err_set(e, ERR_INVALID_ARGUMENT, "--address: '%s' is not a numeric address",
                       j->address);
    if (!str_starts(str_from(j->server), str_lit("https://")))
        return err_set(e, ERR_INVALID_ARGUMENT, "--server: '%s' is not https://ADDRESS:PORT",
                       j->server);
    return identity_ca_hash_parse(str_from(j->ca_hash), j->pin, e);
}

static char *join_flag(const char *text)
{
    return (char *)(uintptr_t)text; /* main's argv is of char *; nobody writes to it */
}

/* Before the token is spent: the flags of `run`, and whether they are good. */
static int join_parse_run(struct join *j, int argc, char **argv, struct err *e)
{
    char *const own[] = { join_flag("--cluster"), join_flag(j->cluster), join_flag("--name"),
                          join_flag(j->name),     join_flag("--data"),   join_flag(j->data) };
    int own_count = (int)(sizeof own / sizeof own[0]);
    int from = j->then.from;
    if (from == 0)
        return 0;
    if (argc - from + own_count > JOIN_RUN_ARGS_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "more than %d words after --run",
                       JOIN_RUN_ARGS_MAX - own_count);
    memcpy(j->then.args, own, sizeof own);
    for (int i = from; i < argc; i++)
        j->then.args[own_count + i - from] = argv[i];
    j->then.count = own_count + argc - from;
    return run_check_flags(j->then.count, j->then.args, e);
}

static const char *join_path(struct join *j, const char *file)
{
    return str_printf(&j->arena, "%s/%s", j->cluster, file).data;
}

static const char *join_own_path(struct join *j, const char *file)
{
    return str_printf(&j->arena, "%s/members/%s/%s", j->cluster, j->name, file).data;
}

/* With --run, of this member before; a data folder that is empty again was lost, and is no such. */
static bool join_is_done(struct join *j)
{
    struct str *names;
    size_t count = 0;
    return j->then.from > 0 && env_path_exists(j->env, join_own_path(j, "tls.crt")) &&
           env_path_exists(j->env, join_path(j, "cluster.conf")) &&
           env_dir_list(j->env, &j->arena, j->data, &names, &count, NULL) == 0 && count > 0;
}

/* Before the token is spent. */
static int join_check_folders(struct join *j, struct err *e)
{
    struct str *names;
    size_t count = 0;
    int rc = env_dir_make(j->env, join_own_path(j, ""), 0700, e);
    if (rc == 0)
        rc = env_dir_make(j->env, j->data, 0700, e);
    if (rc == 0)
        rc = env_dir_list(j->env, &j->arena, j->data, &names, &count, e);
    if (rc != 0)
        return rc;
    if (count > 0)
        return err_set(e, ERR_ALREADY_EXISTS,
                       "%s has something in it: a member joins with an empty data folder", j->data);
    if (env_path_exists(j->env, join_own_path(j, "tls.key")) ||
        env_path_exists(j->env, join_path(j, "cluster.conf")))
        return err_set(e, ERR_ALREADY_EXISTS,
                       "%s holds a member's identity already; name another folder, or remove it",
                       j->cluster);
    return 0;
}

/* ---- the request ---- */

static void join_done(struct http_request *r, int status)
{
    struct join *j = r->user;
    j->status = status;
    env_loop_stop(j->loop);
}

static struct str join_body(struct join *j, struct str csr)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "{\"token\":");
    json_write_string(&b, str_from(j->token), false);
    buf_append_c(&b, ",\"address\":");
    json_write_string(&b, str_from(j->address), false);
    buf_append_c(&b, ",\"csr\":");
    json_write_string(&b, csr, false);
    buf_append_c(&b, "}");
    struct str body = str_copy(&j->arena, buf_str(&b));
    buf_deinit(&b);
    return body;
}

static int join_post(struct join *j, struct str body, struct err *e)
{
    static const struct http_request_events events = { .done = join_done };
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    struct tls_options options = { .ca_sha256 = str_of(j->pin, sizeof j->pin), .alpn = alpn };
    struct tls_context *tls = tls_client_context_new(&options, e);
    const char *host = j->server + strlen("https://");
    struct str authority = str_from(host);
    ptrdiff_t slash = str_find_char(authority, '/', 0);
    if (tls == NULL)
        return -(int)e->code;
    if (slash >= 0)
        host = str_dup(&j->arena, str_slice(authority, 0, (size_t)slash));
    struct http_client_options client = { .address = str_printf(&j->arena, "tcp:%s", host).data,
                                          .authority = host,
                                          .tls = tls };
    j->loop = env_loop_new(j->env, "join");
    j->request = (struct http_request){ .method = "POST",
                                        .target = str_lit("/gantry/v1/join"),
                                        .content = body,
                                        .timeout_ms = JOIN_TIMEOUT_MS,
                                        .body_bytes_max = JOIN_ANSWER_MAX,
                                        .events = &events,
                                        .user = j };
    j->client = http_client_new(j->loop, &client);
    tls_context_unref(tls);
    http_client_send(j->client, &j->request);
    env_loop_run(j->loop);
    if (j->status == -ERR_UNAUTHENTICATED)
        return err_set(e, ERR_UNAUTHENTICATED,
                       "%s does not prove to belong to the CA of --ca-hash: a wrong hash, a wrong "
                       "server, or somebody in between; nothing was sent",
                       j->server);
    if (j->status != 0)
        return err_set(e, (enum err_code) - j->status, "%s does not answer (%s)", j->server,
                       err_name(j->status));
    return 0;
}

static int join_read_answer(struct join *j, struct err *e)
{
    const struct json *root;
    struct str text = buf_str(&j->request.body);
    uint8_t hash[PKI_SHA256_BYTES];
    int rc = json_parse(&j->arena, text, &root, e);
    if (rc != 0)
        return err_wrap(e, rc, "%s answered %d with something else than JSON", j->server,
                        j->request.status);
    if (j->request.status != 200)
        return err_set(e, ERR_FORBIDDEN, "%s refuses: %.*s", j->server,
                       STR_ARG(json_str(json_get_c(root, "error"))));
    if (!str_eq_c(json_str(json_get_c(root, "name")), j->name))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "the token is for member '%.*s', not for '%s'; it is used up now: "
                       "`gantry member token` makes another",
                       STR_ARG(json_str(json_get_c(root, "name"))), j->name);
    j->certificate = json_str(json_get_c(root, "certificate"));
    j->ca = json_str(json_get_c(root, "ca"));
    j->conf = json_str(json_get_c(root, "clusterConf"));
    rc = pki_key_sha256(j->ca, hash, e);
    if (rc == 0 && memcmp(hash, j->pin, sizeof hash) != 0)
        rc =
            err_set(e, ERR_UNAUTHENTICATED, "%s sent another CA than that of --ca-hash", j->server);
    return rc;
}

/* ---- files ---- */

/* The addresses of `member add`, unless this machine is elsewhere. */
static struct str join_own_conf(struct join *j)
{
    struct str rest = j->conf;
    struct str line;
    struct str text;
    struct buf b;
    if (j->address == NULL)
        return j->conf;
    buf_init(&b);
    while (str_split(&rest, '\n', &line)) {
        struct str words = line;
        struct str w[4];
        bool own = true;
        for (size_t i = 0; own && i < 4; i++)
            own = str_split(&words, ' ', &w[i]);
        if (own && str_eq_c(w[0], "member") && str_eq_c(w[2], j->name)) {
            ptrdiff_t peer = (ptrdiff_t)w[3].len;
            ptrdiff_t raft = (ptrdiff_t)words.len;
            while (peer > 0 && w[3].data[peer - 1] != ':')
                peer--;
            while (raft > 0 && words.data[raft - 1] != ':')
                raft--;
            struct str open = strchr(j->address, ':') != NULL ? str_lit("[") : str_lit("");
            struct str shut = open.len > 0 ? str_lit("]") : str_lit("");
            buf_printf(&b, "member %.*s %s tcp:%.*s%s%.*s:%.*s tcp:%.*s%s%.*s:%.*s\n",
                       STR_ARG(w[1]), j->name, STR_ARG(open), j->address, STR_ARG(shut),
                       STR_ARG(str_slice(w[3], (size_t)peer, w[3].len)), STR_ARG(open), j->address,
                       STR_ARG(shut), STR_ARG(str_slice(words, (size_t)raft, words.len)));
        } else if (line.len > 0) {
            buf_printf(&b, "%.*s\n", STR_ARG(line));
        }
    }
    text = str_copy(&j->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static int join_write(struct join *j, struct err *e)
{
    const struct {
        const char *path;
        struct str bytes;
        mode_t mode;
    } files[] = {
        { join_own_path(j, "tls.key"), j->key_pem, 0600 },
        { join_own_path(j, "tls.crt"), j->certificate, 0644 },
        { join_path(j, "ca.crt"), j->ca, 0644 },
        { join_path(j, "cluster.conf"), join_own_conf(j), 0644 },
        { str_printf(&j->arena, "%s/" MEMBER_JOINED_FILE, j->data).data,
          str_lit("this member joined; its leader sends it what it lacks\n"), 0600 },
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof files / sizeof files[0]; i++)
        rc = env_file_write(j->env, files[i].path, files[i].bytes, files[i].mode, e);
    return rc;
}

static int join_run(struct join *j, struct err *e)
{
    struct str csr;
    int rc = join_check_folders(j, e);
    if (rc == 0)
        rc = pki_make_csr(&j->arena, str_printf(&j->arena, "gantry-member-%s", j->name),
                          &j->key_pem, &csr, e);
    if (rc == 0)
        rc = join_post(j, join_body(j, csr), e);
    if (rc == 0)
        rc = join_read_answer(j, e);
    if (rc == 0)
        rc = join_write(j, e);
    return rc;
}

static void join_closed(void *ctx)
{
    env_loop_stop(((struct join *)ctx)->loop);
}

static void join_free(struct join *j)
{
    if (j->client != NULL) {
        http_request_deinit(&j->request);
        http_client_close(j->client, join_closed, j);
        env_loop_run(j->loop);
        env_loop_free(j->loop);
    }
    arena_deinit(&j->arena);
    mem_free(j);
}

static struct str join_listen(struct join *j)
{
    struct str host = j->address != NULL ? str_from(j->address) : str_lit("ADDRESS");
    return identity_address(&j->arena, host, MEMBER_API_PORT);
}

int join_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e)
{
    struct join *j = mem_alloc(sizeof *j);
    j->env = env;
    arena_init(&j->arena);
    int rc = join_parse(j, argc, argv, e);
    if (rc == 0)
        rc = join_parse_run(j, argc, argv, e);
    if (rc == 0 && !join_is_done(j))
        rc = join_run(j, e);
    if (rc == 0 && j->then.from == 0)
        buf_printf(out,
                   "member %s may start:\n"
                   "  gantryd run --cluster %s --name %s --data %s --listen %.*s\n"
                   "It catches up as a standby; `gantry member list` shows how far it is, and\n"
                   "`gantry member promote %s --wait` makes it vote.\n",
                   j->name, j->cluster, j->name, j->data, STR_ARG(join_listen(j)), j->name);
    struct join_then then = j->then;
    join_free(j);
    return rc == 0 && then.from > 0 ? run_command(env, then.count, then.args, e) : rc;
}
