/*
 * `gantryd run`: opens the store, makes the loops, wires the parts, waits for a signal.
 *
 * Loops: the store's own (raft, peers, appliers), one API loop per core, the controller loop, the
 * scheduler loop, the bus loop, and the main one that waits. Controllers and scheduler start when
 * this member leads the cluster group, on their own loops, with the term as fence.
 */
#include "controlplane/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "base/process_metrics.h"
#include "base/trim.h"
#include "base/version.h"
#include "controllers/controllers.h"
#include "controllers/scheduler/scheduler.h"
#include "controlplane/announce.h"
#include "controlplane/apiserver/apiserver.h"
#include "controlplane/bus/bus.h"
#include "controlplane/bus/tailer.h"
#include "controlplane/identity.h"
#include "controlplane/member.h"
#include "controlplane/members_api.h"
#include "controlplane/resources/service_ranges.h"
#include "net/server.h"
#include "net/tls.h"
#include "store/recover.h"
#include "store/store.h"

#define RUN_LISTEN_MAX    8
#define RUN_API_LOOPS_MAX 8
/* Requests get this long to end when the member is told to stop. */
#define RUN_STOP_GRACE_MS       1000
#define RUN_HISTORY_SECONDS_MAX 480 /* a group remembers no earlier revisions' times */
#define RUN_PEM_BYTES_MAX       (1u << 20)
/* Of the files this process may open, these are not for the API's connections: the store's files,
 * members, agents, and connections that are on their way out. */
#define RUN_FILES_OWN       512
#define RUN_CONNECTIONS_MIN 64
#define RUN_FIRST_START     "%s/members/%s/" MEMBER_FIRST_START_FILE

const char run_usage[] =
    "gantryd run --cluster FOLDER --name NAME --data FOLDER\n"
    "              [--listen ADDRESS]... [--node-monitor-grace-period SECONDS]\n"
    "              [--history SECONDS] [--api-loops N] [--log-level LEVEL]\n"
    "              [--raft-address ADDRESS] [--peer-address ADDRESS]\n"
    "              [--service-cluster-ip-range CIDR[,CIDR]] [--service-node-port-range A-B]\n"
    "      --cluster       what `gantryd init` or `gantryd join` made: ca.crt, cluster.conf,\n"
    "                      members/NAME/\n"
    "      --data          this member's own folder: log and state\n"
    "      --listen        tcp:IP:PORT or fd:N (an open listening socket); may be repeated\n"
    "      --history       how long the revisions of objects are kept; without it 300, and the\n"
    "                      newest 10000\n"
    "      --raft-address, --peer-address\n"
    "                      where this member is now, if not where cluster.conf says: "
    "tcp:HOST:PORT\n"
    "      --service-cluster-ip-range, --service-node-port-range\n"
    "                      what Services are given, on every member the same; without them\n"
    "                      " SERVICE_IPS_DEFAULT " and " SERVICE_PORTS_DEFAULT;

struct run_flags {
    const char *cluster;
    const char *name;
    const char *data;
    const char *raft_address;
    const char *peer_address;
    const char *listen[RUN_LISTEN_MAX];
    size_t listen_count;
    uint64_t node_grace_ms;
    uint64_t api_loops;
    uint64_t history_s; /* 0: not said */
    const char *service_ips;
    const char *service_ports;
    struct service_ranges services;
};

struct run {
    struct env *env;
    struct arena arena;
    struct run_flags flags;
    struct store_config store_config;
    struct store *store;
    struct env_loop *main_loop;
    struct trim trim;
    struct env_loop *api_loops[RUN_API_LOOPS_MAX];
    struct env_loop *controller_loop;
    struct env_loop *scheduler_loop;
    struct env_loop *bus_loop;
    struct apiserver *apiserver;
    struct controllers *controllers;
    struct scheduler *scheduler;
    struct bus *bus;
    struct tailer *tailer;
    struct member *member;
    struct members_api *members_api;
    char cluster[IDENTITY_CLUSTER_BYTES];
    char recovery[RECOVER_NAME_BYTES];
    struct env_msg removed_msg;
    bool removed;
    struct announce *controllers_announce;
    struct announce *scheduler_announce;
    struct store_leadership controllers_edge;
    struct store_leadership scheduler_edge;
    struct env_msg handed_over;
    struct env_msg stopped;
    uint64_t stopping_ms;
    bool stopping;
    bool at_once; /* a second signal came */
};

/* ---- flags ---- */

static int run_number(const char *flag, const char *value, uint64_t max, uint64_t *out,
                      struct err *e)
{
    if (str_to_u64(str_from(value), out) != 0 || *out == 0 || *out > max)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: '%s' is not a number from 1 to %llu", flag,
                       value, (unsigned long long)max);
    return 0;
}

static int run_flag(struct run_flags *f, const char *flag, const char *value, struct err *e)
{
    const struct {
        const char *name;
        const char **out;
    } texts[] = { { "--cluster", &f->cluster },
                  { "--name", &f->name },
                  { "--data", &f->data },
                  { "--raft-address", &f->raft_address },
                  { "--peer-address", &f->peer_address },
                  { "--service-cluster-ip-range", &f->service_ips },
                  { "--service-node-port-range", &f->service_ports } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(flag, texts[i].name) == 0) {
            *texts[i].out = value;
            return 0;
        }
    }
    uint64_t seconds = 0;
    enum log_level level;
    if (strcmp(flag, "--listen") == 0) {
        if (f->listen_count == RUN_LISTEN_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "at most %d --listen", RUN_LISTEN_MAX);
        f->listen[f->listen_count++] = value;
        return 0;
    }
    if (strcmp(flag, "--api-loops") == 0)
        return run_number(flag, value, RUN_API_LOOPS_MAX, &f->api_loops, e);
    if (strcmp(flag, "--history") == 0)
        return run_number(flag, value, RUN_HISTORY_SECONDS_MAX, &f->history_s, e);
    if (strcmp(flag, "--node-monitor-grace-period") == 0) {
        int rc = run_number(flag, value, 86400, &seconds, e);
        f->node_grace_ms = seconds * 1000;
        return rc;
    }
    if (strcmp(flag, "--log-level") == 0) {
        if (log_level_parse(str_from(value), &level) != 0)
            return err_set(e, ERR_INVALID_ARGUMENT, "--log-level: '%s' is not a level", value);
        log_set_level(level);
        return 0;
    }
    return err_set(e, ERR_INVALID_ARGUMENT, "unknown flag '%s'; `gantryd --help` lists them", flag);
}

static int run_parse(struct run_flags *f, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i += 2) {
        if (i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s needs a value; see `gantryd --help`",
                           argv[i]);
        int rc = run_flag(f, argv[i], argv[i + 1], e);
        if (rc != 0)
            return rc;
    }
    if (f->cluster == NULL || f->name == NULL || f->data == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--cluster, --name and --data are needed; `gantryd --help` says what they "
                       "are");
    int rc = service_ranges_parse(&f->services, f->service_ips, f->service_ports, e);
    if (rc != 0)
        return rc;
    if (f->api_loops == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        f->api_loops = cores < 1 ? 1 : (uint64_t)cores;
        if (f->api_loops > RUN_API_LOOPS_MAX)
            f->api_loops = RUN_API_LOOPS_MAX;
    }
    return 0;
}

int run_check_flags(int argc, char **argv, struct err *e)
{
    struct run_flags flags = { 0 };
    return run_parse(&flags, argc, argv, e);
}

/* ---- the parts ---- */

static const char *run_path(struct run *r, const char *format)
{
    return str_printf(&r->arena, format, r->flags.cluster, r->flags.name).data;
}

/* What an empty data folder would mean: see MEMBER_FIRST_START_FILE. */
static enum store_start run_start_of(struct run *r)
{
    if (env_path_exists(r->env, run_path(r, RUN_FIRST_START)))
        return STORE_START_FOUND;
    if (env_path_exists(r->env,
                        str_printf(&r->arena, "%s/" MEMBER_JOINED_FILE, r->flags.data).data))
        return STORE_START_JOIN;
    return STORE_START_AGAIN;
}

/* Both marks are for one start: a folder that is empty later was lost, and its member with it. */
static int run_forget_first_start(struct run *r, struct err *e)
{
    const struct {
        const char *folder;
        const char *name;
    } marks[] = {
        { run_path(r, "%s/members/%s"), MEMBER_FIRST_START_FILE },
        { r->flags.data, MEMBER_JOINED_FILE },
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof marks / sizeof marks[0]; i++) {
        const char *path = str_printf(&r->arena, "%s/%s", marks[i].folder, marks[i].name).data;
        if (!env_path_exists(r->env, path))
            continue;
        rc = env_path_remove(r->env, path, e);
        if (rc == 0)
            rc = env_dir_sync(r->env, marks[i].folder, e);
    }
    return rc;
}

/* The member moved: it says so, here or in cluster.conf, and the others learn it. */
static int run_own_address(const char *flag, const char *value, char *to, size_t size,
                           struct err *e)
{
    if (value == NULL)
        return 0;
    if (strlen(value) >= size || identity_host(str_from(value)).len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: '%s' is not tcp:HOST:PORT", flag, value);
    (void)snprintf(to, size, "%s", value); /* fits */
    return 0;
}

static int run_find_self(struct run *r, struct err *e)
{
    struct store_config *c = &r->store_config;
    for (size_t i = 0; i < c->members_count; i++) {
        struct store_member *m = &c->members[i];
        if (strcmp(m->name, r->flags.name) != 0)
            continue;
        c->member_id = m->id;
        int rc = run_own_address("--raft-address", r->flags.raft_address, m->raft_address,
                                 sizeof m->raft_address, e);
        return rc != 0 ? rc
                       : run_own_address("--peer-address", r->flags.peer_address, m->peer_address,
                                         sizeof m->peer_address, e);
    }
    return err_set(e, ERR_INVALID_ARGUMENT, "--name %s: no such member in %s/cluster.conf",
                   r->flags.name, r->flags.cluster);
}

static void run_stop(struct run *r);

static void run_on_removed(struct env_msg *m)
{
    struct run *r = container_of(m, struct run, removed_msg);
    log_error("this member was removed from the cluster; its data folder can be deleted",
              KV("name", r->flags.name), KV("data", r->flags.data));
    run_stop(r);
}

/* On the store's peer loop. */
static void run_removed(void *ctx)
{
    struct run *r = ctx;
    if (r->removed)
        return;
    r->removed = true;
    env_post(r->main_loop, &r->removed_msg, run_on_removed);
}

static int run_open_store(struct run *r, struct err *e)
{
    struct store_config *c = &r->store_config;
    static const char *const short_lived[] = { "leases.coordination.k8s.io/", "events/", NULL };
    int rc = identity_conf_read(r->env, &r->arena, r->flags.cluster, c, r->cluster, e);
    if (rc == 0)
        rc = run_find_self(r, e);
    if (rc == 0)
        rc = recover_name(r->env, r->flags.data, r->recovery, e);
    if (rc != 0)
        return rc;
    c->recovery = r->recovery[0] != '\0' ? r->recovery : NULL;
    c->removed = run_removed;
    c->removed_ctx = r;
    c->env = r->env;
    c->folder = r->flags.data;
    c->start = run_start_of(r);
    c->ca_file = str_printf(&r->arena, "%s/ca.crt", r->flags.cluster).data;
    c->cert_file = run_path(r, "%s/members/%s/tls.crt");
    c->key_file = run_path(r, "%s/members/%s/tls.key");
    c->peer_listen_fd = -1;
    c->raft_listen_fd = -1;
    c->short_history_prefixes = short_lived;
    if (r->flags.history_s != 0) {
        c->retain_ms = r->flags.history_s * 1000;
        c->retain_revisions = 1;
    }
    rc = store_open(c, &r->store, e);
    return rc != 0 ? rc : run_forget_first_start(r, e);
}

static int run_tls(struct run *r, struct tls_context **out_server, struct tls_context **out_client,
                   struct str *out_ca, struct err *e)
{
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    static const char *const http1[] = { "http/1.1", NULL };
    struct tls_options o = { .alpn = alpn };
    const struct {
        const char *path;
        struct str *out;
    } files[] = { { r->store_config.ca_file, &o.ca_pem },
                  { r->store_config.cert_file, &o.certificate_pem },
                  { r->store_config.key_file, &o.key_pem } };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int rc =
            env_file_read(r->env, &r->arena, files[i].path, RUN_PEM_BYTES_MAX, files[i].out, e);
        if (rc != 0)
            return rc;
    }
    *out_ca = o.ca_pem;
    struct str own = o.certificate_pem;
    /* The CA too: a machine that joins knows it by its hash alone. */
    o.certificate_pem =
        str_printf(&r->arena, "%.*s\n%.*s", STR_ARG(o.certificate_pem), STR_ARG(o.ca_pem));
    *out_server = tls_server_context_new(&o, e);
    if (*out_server == NULL)
        return -(int)e->code;
    o.certificate_pem = own;
    o.alpn = http1;
    *out_client = tls_client_context_new(&o, e);
    return *out_client == NULL ? -(int)e->code : 0;
}

/* Per address and loop: all that may be open together fit into what the process may open. */
static uint32_t run_connections_max(struct run *r)
{
    uint64_t files = env_files_raise(r->env);
    uint64_t servers = r->flags.api_loops * (r->flags.listen_count > 0 ? r->flags.listen_count : 1);
    uint64_t share = files > RUN_FILES_OWN ? (files - RUN_FILES_OWN) / servers : 0;
    if (share >= HTTP_SERVER_CONNECTIONS_MAX)
        return HTTP_SERVER_CONNECTIONS_MAX;
    uint32_t max = share > RUN_CONNECTIONS_MIN ? (uint32_t)share : RUN_CONNECTIONS_MIN;
    log_warn("few connections: raise the limit on open files (ulimit -n, LimitNOFILE=)",
             KVN("files", (int64_t)files), KVN("connections", (int64_t)(max * servers)),
             KVN("wanted", (int64_t)(HTTP_SERVER_CONNECTIONS_MAX * servers + RUN_FILES_OWN)));
    return max;
}

static int run_make_apiserver(struct run *r, struct tls_context *server, struct tls_context *client,
                              struct err *e)
{
    for (size_t i = 0; i < r->flags.api_loops; i++) {
        r->api_loops[i] = env_loop_new(r->env, str_printf(&r->arena, "api-%zu", i).data);
        member_add_loop(r->member, r->api_loops[i]);
    }
    struct apiserver_config config = { .env = r->env,
                                       .group = store_group(r->store, STORE_CLUSTER),
                                       .bus = store_group(r->store, STORE_BUS),
                                       .loops = r->api_loops,
                                       .loops_count = r->flags.api_loops,
                                       .tls = server,
                                       .kubelet_tls = client,
                                       .connections_max = run_connections_max(r),
                                       .services = &r->flags.services,
                                       .git_version =
                                           GANTRY_KUBERNETES_VERSION "+gantry" GANTRY_VERSION,
                                       .intercept = member_intercept,
                                       .intercept_ctx = r->member };
    r->apiserver = apiserver_new(&config);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->flags.listen_count; i++) {
        rc = apiserver_listen(r->apiserver, r->flags.listen[i], NULL, e);
        if (rc != 0)
            return err_wrap(e, rc, "--listen %s", r->flags.listen[i]);
    }
    return 0;
}

static void run_controllers_edge(struct store_leadership *l, bool leading, uint64_t term)
{
    struct run *r = container_of(l, struct run, controllers_edge);
    if (leading)
        controllers_start(r->controllers, term);
    else
        controllers_stop(r->controllers);
}

static void run_scheduler_edge(struct store_leadership *l, bool leading, uint64_t term)
{
    struct run *r = container_of(l, struct run, scheduler_edge);
    if (leading)
        scheduler_start(r->scheduler, term);
    else
        scheduler_stop(r->scheduler);
}

static void run_make_controllers(struct run *r, struct str ca)
{
    struct store_group *cluster = store_group(r->store, STORE_CLUSTER);
    r->controllers_announce =
        announce_new(r->bus, r->controller_loop, r->flags.name, "controllers");
    struct controllers_config config = {
        .loop = r->controller_loop,
        .client = apiserver_local_client(r->apiserver, r->controller_loop,
                                         "system:kube-controller-manager"),
        .publish = announce_publish(r->controllers_announce),
        .instance = r->flags.name,
    };
    controllers_flags_default(&config.flags);
    if (r->flags.node_grace_ms != 0)
        config.flags.node_grace_ms = r->flags.node_grace_ms;
    config.flags.root_ca_pem = ca;
    r->controllers = controllers_new(&config);
    r->controllers_edge.loop = r->controller_loop;
    r->controllers_edge.changed = run_controllers_edge;
    store_on_leadership(cluster, &r->controllers_edge);

    r->scheduler_announce = announce_new(r->bus, r->scheduler_loop, r->flags.name, "scheduler");
    struct scheduler_config scheduler = {
        .loop = r->scheduler_loop,
        .client = apiserver_local_client(r->apiserver, r->scheduler_loop, "system:kube-scheduler"),
        .publish = announce_publish(r->scheduler_announce),
        .instance = r->flags.name,
    };
    r->scheduler = scheduler_new(&scheduler);
    r->scheduler_edge.loop = r->scheduler_loop;
    r->scheduler_edge.changed = run_scheduler_edge;
    store_on_leadership(cluster, &r->scheduler_edge);
}

static void run_make_bus(struct run *r)
{
    struct bus_config config = { .env = r->env,
                                 .loop = r->bus_loop,
                                 .group = store_group(r->store, STORE_BUS),
                                 .members = r->store_config.members,
                                 .members_count = r->store_config.members_count,
                                 .cluster = store_group(r->store, STORE_CLUSTER) };
    r->bus = bus_new(&config);
    r->tailer = tailer_new(r->bus_loop, store_group(r->store, STORE_CLUSTER), config.group);
    r->member = member_new(r->store, &r->store_config, r->flags.name, r->cluster, r->bus);
}

static int run_make_members_api(struct run *r, struct str ca, struct err *e)
{
    struct members_api_config config = { .env = r->env,
                                         .store = r->store,
                                         .folder = r->flags.cluster,
                                         .ca_pem = ca,
                                         .cluster = r->cluster };
    int rc = members_api_new(&config, &r->members_api, e);
    if (rc == 0)
        member_set_members_api(r->member, r->members_api);
    return rc;
}

/* ---- the end ---- */

static void run_main_stop(struct env_msg *m)
{
    struct run *r = container_of(m, struct run, stopped);
    env_loop_stop(r->main_loop);
}

static void run_apiserver_stopped(void *ctx)
{
    struct run *r = ctx;
    env_post(r->main_loop, &r->stopped, run_main_stop);
}

static void run_stop_serving(struct env_msg *m)
{
    struct run *r = container_of(m, struct run, handed_over);
    log_info("another member leads: no more requests are taken",
             KVN("ms", env_loop_now_ms(r->main_loop) - r->stopping_ms));
    apiserver_stop(r->apiserver, RUN_STOP_GRACE_MS, run_apiserver_stopped, r);
}

static void run_handed_over(void *ctx)
{
    struct run *r = ctx;
    env_post(r->main_loop, &r->handed_over, run_stop_serving);
}

/* Leadership first, while everything still works: clients of every member wait for one election of
 * milliseconds. Then the listeners, then the store. */
static void run_stop(struct run *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    r->stopping_ms = env_loop_now_ms(r->main_loop);
    apiserver_stopping(r->apiserver);
    member_stopping(r->member);
    store_hand_over(r->store, run_handed_over, r);
}

static void run_on_signal(void *ctx, int signal)
{
    struct run *r = ctx;
    if (r->stopping) {
        log_warn("a second signal: stopping at once", KVN("signal", signal));
        r->at_once = true;
        env_loop_stop(r->main_loop);
        return;
    }
    log_info("stopping: leadership is handed over first", KVN("signal", signal));
    run_stop(r);
}

static void run_start_loops(struct run *r)
{
    env_loop_start(r->controller_loop);
    env_loop_start(r->scheduler_loop);
    env_loop_start(r->bus_loop);
    for (size_t i = 0; i < r->flags.api_loops; i++)
        env_loop_start(r->api_loops[i]);
}

int run_command(struct env *env, int argc, char **argv, struct err *e)
{
    struct run *r = mem_alloc(sizeof *r);
    r->env = env;
    arena_init(&r->arena);
    process_metrics_register();
    int rc = run_parse(&r->flags, argc, argv, e);
    r->main_loop = env_loop_new(env, "main");
    if (rc == 0)
        rc = run_open_store(r, e);
    struct tls_context *server = NULL;
    struct tls_context *client = NULL;
    struct str ca = { NULL, 0 };
    if (rc == 0)
        rc = run_tls(r, &server, &client, &ca, e);
    if (rc != 0)
        return rc;
    r->controller_loop = env_loop_new(env, "controllers");
    r->scheduler_loop = env_loop_new(env, "scheduler");
    r->bus_loop = env_loop_new(env, "bus");
    run_make_bus(r);
    rc = run_make_members_api(r, ca, e);
    if (rc == 0)
        rc = run_make_apiserver(r, server, client, e);
    if (rc != 0)
        return rc;
    run_make_controllers(r, ca);
    env_on_terminate(r->main_loop, run_on_signal, r);
    trim_start(&r->trim, env, r->main_loop);
    run_start_loops(r);
    log_info("member started", KV("name", r->flags.name), KV("version", GANTRY_VERSION));
    env_loop_run(r->main_loop);
    /* The process ends right after, so nothing else is unwound; at once: what was acknowledged is
     * on disk at any time. */
    if (!r->at_once)
        store_close(r->store);
    log_info("member stopped");
    if (r->removed)
        return err_set(e, ERR_GONE,
                       "this member was removed from the cluster; its data folder %s can be "
                       "deleted",
                       r->flags.data);
    return 0;
}
