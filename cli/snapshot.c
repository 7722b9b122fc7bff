/*
 * gantry snapshot: save takes a backup from a member into a file, status says what a file holds
 * and whether it is whole.
 *
 * A file that has its final name is whole: it was received as FILE.partial, verified, flushed and
 * renamed. The answer is written as it comes; while the disk is slow nothing is read from the
 * connection, so the member waits, too.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/ask.h"
#include "cli/verb.h"
#include "net/client.h"
#include "store/backup.h"

/* The head comes once the copies are made: as long as that takes. */
#define SNAPSHOT_CONNECT_MS  3000
#define SNAPSHOT_PROGRESS_MS 200
#define SNAPSHOT_PROBLEM_MAX (64u << 10) /* of an answer that is a refusal */

struct snapshot_save {
    struct cli *cli;
    const char *file;
    const char *member;
    bool force;
    bool local;
    char *partial;
    struct env_file *out;
    struct http_request request;
    struct env_timer progress;
    uint64_t began_ns;
    uint64_t expected; /* 0: not said */
    uint64_t received;
    struct buf problem;    /* the body of an answer other than 200 */
    int status;            /* of the transport */
    struct env_loop *loop; /* of one try */
    struct http_client *client;
    int write_status;
    struct err err;
};

/* ---- progress ---- */

static void save_show(const struct snapshot_save *s, bool last)
{
    if (isatty(STDERR_FILENO) == 0)
        return;
    double seconds = (double)(env_now_ns(s->cli->env) - s->began_ns) / (double)ENV_S;
    double rate = seconds > 0 ? (double)s->received / seconds : 0;
    double mega = 1e6;
    fprintf(stderr, "\r\033[K");
    if (s->received == 0)
        fprintf(stderr, "the member is making the copies...");
    else
        fprintf(stderr, "%.1f of %.1f MB  %.1f MB/s", (double)s->received / mega,
                (double)s->expected / mega, rate / mega);
    if (!last && rate > 0 && s->expected > s->received)
        fprintf(stderr, "  %.0f s left", (double)(s->expected - s->received) / rate);
    if (last)
        fputc('\n', stderr);
    (void)fflush(stderr); /* only for show */
}

static void save_tick(struct env_timer *t)
{
    struct snapshot_save *s = container_of(t, struct snapshot_save, progress);
    save_show(s, false);
    env_timer_start(&s->progress, SNAPSHOT_PROGRESS_MS);
}

/* ---- receiving ---- */

static void save_response(struct http_request *r)
{
    struct snapshot_save *s = r->user;
    struct str length = http_headers_get(&r->response_headers, "content-length");
    if (length.len == 0 || str_to_u64(length, &s->expected) != 0)
        s->expected = 0;
    s->began_ns = env_now_ns(s->cli->env);
}

static void save_body(struct http_request *r, struct str bytes)
{
    struct snapshot_save *s = r->user;
    if (r->status != 200) {
        if (s->problem.len + bytes.len <= SNAPSHOT_PROBLEM_MAX)
            buf_append_str(&s->problem, bytes);
        return;
    }
    if (s->write_status == 0)
        s->write_status = env_file_pwrite(s->out, s->received, bytes, &s->err);
    if (s->write_status != 0)
        http_request_cancel(r);
    s->received += bytes.len;
}

static void save_closed(void *ctx)
{
    struct snapshot_save *s = ctx;
    env_timer_deinit(&s->progress);
    env_loop_stop(s->loop);
}

static void save_done(struct http_request *r, int status)
{
    struct snapshot_save *s = r->user;
    s->status = status;
    http_client_close(s->client, save_closed, s);
}

static const struct http_request_events save_events = { .response = save_response,
                                                        .body = save_body,
                                                        .done = save_done };

static int save_outcome(struct snapshot_save *s, size_t server, struct err *e)
{
    if (s->write_status != 0) {
        *e = s->err;
        return err_wrap(e, s->write_status, "write %s", s->partial);
    }
    if (s->status != 0)
        return err_set(e, ERR_UNAVAILABLE, "%s broke off after %llu bytes (%s)",
                       ask_host(s->cli, server), (unsigned long long)s->received,
                       err_name(s->status));
    if (s->request.status != 200) {
        int rc = ask_refusal(s->cli, s->request.status, buf_str(&s->problem), e);
        return err_wrap(e, rc, "%s", ask_host(s->cli, server));
    }
    return 0;
}

static int save_from(struct snapshot_save *s, size_t server, struct err *e)
{
    struct cli *c = s->cli;
    struct http_client_options options = { .address = c->servers[server].data,
                                           .authority = ask_host(c, server),
                                           .tls = c->tls,
                                           .connect_timeout_ms = SNAPSHOT_CONNECT_MS };
    s->loop = env_loop_new(c->env, "snapshot");
    s->client = http_client_new(s->loop, &options);
    env_timer_init(s->loop, &s->progress, save_tick);
    s->request =
        (struct http_request){ .method = "GET",
                               .target = s->local ? str_lit("/gantry/v1/snapshot?local=true")
                                                  : str_lit("/gantry/v1/snapshot"),
                               .events = &save_events,
                               .user = s };
    s->received = s->expected = 0;
    s->began_ns = env_now_ns(c->env);
    buf_clear(&s->problem);
    if (isatty(STDERR_FILENO) != 0)
        env_timer_start(&s->progress, SNAPSHOT_PROGRESS_MS);
    http_client_send(s->client, &s->request);
    env_loop_run(s->loop);
    if (s->received > 0)
        save_show(s, true);
    int rc = save_outcome(s, server, e);
    http_request_deinit(&s->request);
    env_loop_free(s->loop);
    return rc;
}

/* ---- save ---- */

/* The file is on disk under its name; its folder too. */
static int save_finish(struct snapshot_save *s, struct backup *out, struct err *e)
{
    struct env *env = s->cli->env;
    int rc = env_file_sync(s->out, e);
    if (rc == 0)
        rc = backup_check(env, s->partial, out, e);
    if (rc == 0)
        rc = env_path_rename(env, s->partial, s->file, e);
    const char *slash = strrchr(s->file, '/');
    struct str folder = slash == NULL      ? str_lit(".")
                        : slash == s->file ? str_lit("/")
                                           : str_of(s->file, (size_t)(slash - s->file));
    return rc == 0 ? env_dir_sync(env, str_dup(&s->cli->arena, folder), e) : rc;
}

static int save_receive(struct snapshot_save *s, struct backup *out, struct err *e)
{
    struct cli *c = s->cli;
    size_t server = 0;
    int rc = 0;
    if (s->member != NULL) {
        rc = ask_member(c, s->member, &server, e);
        if (rc == 0)
            rc = save_from(s, server, e);
    } else {
        rc = err_set(e, ERR_UNAVAILABLE, "the kubeconfig names no server");
        /* Another member only where nothing came: a refusal is the cluster's. */
        for (; server < c->servers_count && rc == -ERR_UNAVAILABLE && s->received == 0; server++)
            rc = save_from(s, server, e);
    }
    return rc == 0 ? save_finish(s, out, e) : rc;
}

static int save_parse(struct snapshot_save *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--force") == 0)
            s->force = true;
        else if (strcmp(argv[i], "--local") == 0)
            s->local = true;
        else if ((value = cli_flag(argc, argv, &i, "--member")) != NULL)
            s->member = value;
        else if (argv[i][0] == '-' || s->file != NULL)
            return cli_usage(&snapshot_verb, "unknown argument '%s'", argv[i]);
        else
            s->file = argv[i];
    }
    return s->file != NULL ? CLI_OK : cli_usage(&snapshot_verb, "save needs a FILE");
}

static int snapshot_run_save(struct cli *c, int argc, char **argv)
{
    struct snapshot_save s = { .cli = c };
    struct backup b = { .groups_count = 0 };
    struct err e = { 0 };
    int rc = save_parse(&s, argc, argv);
    if (rc != CLI_OK)
        return rc;
    if (env_path_exists(c->env, s.file) && !s.force)
        return cli_fail("%s is there already; --force replaces it once the new one is whole",
                        s.file);
    s.partial = str_dup(&c->arena, str_printf(&c->arena, "%s.partial", s.file));
    (void)env_path_remove(c->env, s.partial, NULL); /* an earlier try's, if any */
    if (env_file_open(c->env, s.partial, ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_EXCLUSIVE,
                      0600, &s.out, &e) != 0)
        return cli_fail("%s", e.msg);
    buf_init(&s.problem);
    rc = save_receive(&s, &b, &e);
    env_file_close(s.out);
    buf_deinit(&s.problem);
    if (rc != 0) {
        (void)env_path_remove(c->env, s.partial, NULL); /* half of one is of no use */
        return cli_fail("no backup: %s", e.msg);
    }
    printf("saved %s: cluster %s, revision %llu, %llu bytes, verified\n", s.file, b.cluster_id,
           (unsigned long long)b.groups[0].point.revision, (unsigned long long)backup_bytes(&b));
    return CLI_OK;
}

/* ---- status ---- */

static const char *group_name(const struct backup_group *g)
{
    return g->id == STORE_CLUSTER ? "cluster" : "bus";
}

static void status_time(uint64_t wall_ns, char out[32])
{
    time_t seconds = (time_t)(wall_ns / ENV_S);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        (void)snprintf(out, 32, "?");
}

/* unknown: a file of an older release does not say. */
static const char *group_keys(const struct backup_group *g, const char *unknown, char out[24])
{
    (void)snprintf(out, 24, "%llu", (unsigned long long)g->keys);
    return g->keys == BACKUP_KEYS_UNKNOWN ? unknown : out;
}

static void status_print_table(const struct backup *b)
{
    char when[32];
    status_time(b->wall_ns, when);
    printf("cluster %s  saved %s by version %s  %llu bytes  ok\n", b->cluster_id, when, b->version,
           (unsigned long long)backup_bytes(b));
    printf("%-8s %12s %12s %12s %5s  %-16s %12s %12s\n", "GROUP", "INDEX", "REVISION", "COMPACTED",
           "LEVEL", "DIGEST", "KEYS", "BYTES");
    for (size_t i = 0; i < b->groups_count; i++) {
        const struct backup_group *g = &b->groups[i];
        char keys[24];
        printf("%-8s %12llu %12llu %12llu %5u  %016llx %12s %12llu\n", group_name(g),
               (unsigned long long)g->point.index, (unsigned long long)g->point.revision,
               (unsigned long long)g->point.compacted, g->point.level,
               (unsigned long long)g->point.digest, group_keys(g, "-", keys),
               (unsigned long long)g->bytes);
    }
}

static void status_print_json(const struct backup *b)
{
    struct buf out;
    char when[32];
    status_time(b->wall_ns, when);
    buf_init(&out);
    buf_printf(&out, "{\"ok\":true,\"cluster\":");
    json_write_string(&out, str_from(b->cluster_id), false);
    buf_printf(&out, ",\"saved\":\"%s\",\"version\":", when);
    json_write_string(&out, str_from(b->version), false);
    buf_printf(&out, ",\"bytes\":%llu,\"groups\":[", (unsigned long long)backup_bytes(b));
    for (size_t i = 0; i < b->groups_count; i++) {
        const struct backup_group *g = &b->groups[i];
        char keys[24];
        buf_printf(
            &out,
            "%s{\"name\":\"%s\",\"index\":%llu,\"term\":%llu,\"revision\":%llu,"
            "\"compacted\":%llu,\"level\":%u,\"digest\":\"%016llx\",\"keys\":%s,\"bytes\":%llu}",
            i > 0 ? "," : "", group_name(g), (unsigned long long)g->point.index,
            (unsigned long long)g->point.term, (unsigned long long)g->point.revision,
            (unsigned long long)g->point.compacted, g->point.level,
            (unsigned long long)g->point.digest, group_keys(g, "null", keys),
            (unsigned long long)g->bytes);
    }
    printf("%.*s]}\n", STR_ARG(buf_str(&out)));
    buf_deinit(&out);
}

static int snapshot_run_status(struct cli *c, int argc, char **argv)
{
    const char *file = NULL;
    bool json = false;
    struct backup b;
    struct err e;
    for (int i = 1; i < argc; i++) {
        const char *value = cli_flag(argc, argv, &i, "-o");
        if (value != NULL && strcmp(value, "json") == 0)
            json = true;
        else if (value != NULL || argv[i][0] == '-' || file != NULL)
            return cli_usage(&snapshot_verb, "unknown argument '%s'", argv[i]);
        else
            file = argv[i];
    }
    if (file == NULL)
        return cli_usage(&snapshot_verb, "status needs a FILE");
    if (backup_check(c->env, file, &b, &e) != 0) {
        if (!json)
            return cli_fail("%s", e.msg);
        struct buf out;
        buf_init(&out);
        buf_append_c(&out, "{\"ok\":false,\"reason\":");
        json_write_string(&out, str_from(e.msg), false);
        printf("%.*s}\n", STR_ARG(buf_str(&out)));
        buf_deinit(&out);
        return CLI_FAILED;
    }
    if (json)
        status_print_json(&b);
    else
        status_print_table(&b);
    return CLI_OK;
}

static int snapshot_run(struct cli *c, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "save") == 0)
        return snapshot_run_save(c, argc, argv);
    if (argc > 0 && strcmp(argv[0], "status") == 0)
        return snapshot_run_status(c, argc, argv);
    return cli_usage(&snapshot_verb, "save or status?");
}

static bool snapshot_offline(int argc, char **argv)
{
    return argc == 0 || strcmp(argv[0], "save") != 0;
}

const struct verb snapshot_verb = {
    .name = "snapshot",
    .summary = "backups: save one to a file, look at one",
    .help = "snapshot save FILE [--member NAME] [--local] [--force]\n"
            "       gantry snapshot status FILE [-o json]\n\n"
            "  save           a backup of the whole cluster, verified, in FILE (mode 0600: it\n"
            "                 holds every secret); restored by `gantryd restore`\n"
            "  --member NAME  from this member, not the first that answers\n"
            "  --local        what the member has, also when there is no leader to ask whether\n"
            "                 that is everything\n"
            "  --force        replaces FILE\n"
            "  status         what FILE holds; exit code 1 and the reason when it is damaged",
    .is_offline = snapshot_offline,
    .run = snapshot_run
};
