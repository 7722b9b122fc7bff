/*
 * The agent's parts on one loop, and its heartbeat: every second the runtime is listed (at once
 * when an event says that something ended); every few seconds it is asked whether it is ready.
 *
 * The runtime away: pods are left as they are, the node stays Ready for RUNTIME_GRACE_MS, then it
 * is NotReady until a list works again.
 */
#include "kubelet-lite/agent.h"

#include <stdio.h>
#include <string.h>

#include "api/client/client_http.h"
#include "api/client/kubeconfig.h"
#include "api/client/reflector.h"
#include "api/meta/text.h"
#include "api/proto/runtime.pb-c.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "base/version.h"
#include "kubelet-lite/announce.h"
#include "kubelet-lite/cri.h"
#include "kubelet-lite/events.h"
#include "kubelet-lite/images.h"
#include "kubelet-lite/node.h"
#include "kubelet-lite/options.h"
#include "kubelet-lite/pods.h"
#include "kubelet-lite/server.h"
#include "kubelet-lite/sources.h"

#define RELIST_MS        1000
#define RELIST_RETRY_MS  200 /* while the runtime is away */
#define STATUS_EVERY     5   /* relists */
#define RUNTIME_GRACE_MS 15000
#define SAMPLE_MS        1000
#define SAMPLE_IDLE_MS   10000
#define PORT_DEFAULT     10250

struct agent {
    struct env *env;
    struct env_loop *loop;
    struct options options;
    struct arena arena; /* of configuration, for life */
    struct node_facts facts;
    struct client_http *http;
    struct cri *cri;
    struct images *images;
    struct sources *sources;
    struct events *events;
    struct pods *pods;
    struct node *node;
    struct server *server;
    struct announce *announce;
    struct env_timer sample;
    struct pods_load sampled;
    uint64_t sampled_ms;
    struct reflector *reflector;
    struct env_msg start;
    struct env_timer relist;
    struct cri_call version_call;
    struct cri_call status_call;
    struct cri_call sandboxes_call;
    struct cri_call containers_call;
    char runtime_version[128];
    char not_ready[200];
    bool version_known;
    bool runtime_ready;
    uint64_t away_since_ms; /* 0: it answers */
    uint64_t relists;
    bool relist_again;
    bool listing;
    bool stopping;
    int closing;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

/* ---- is the runtime ready? ---- */

static void tell_node(struct agent *a)
{
    node_runtime(a->node, a->runtime_ready && a->away_since_ms == 0, a->not_ready,
                 a->version_known ? a->runtime_version : NULL);
}

static void on_version(struct cri_call *c)
{
    struct agent *a = c->priv;
    const Runtime__V1__VersionResponse *r = c->reply;
    if (c->status != 0)
        return;
    (void)snprintf(a->runtime_version, sizeof a->runtime_version, "%s://%s", r->runtime_name,
                   r->runtime_version);
    a->version_known = true;
    log_info("runtime answers", KV("version", a->runtime_version));
    tell_node(a);
}

static void on_status(struct cri_call *c)
{
    struct agent *a = c->priv;
    const Runtime__V1__StatusResponse *r = c->reply;
    if (c->status != 0 || r->status == NULL)
        return;
    bool ready = true;
    for (size_t i = 0; i < r->status->n_conditions; i++) {
        const Runtime__V1__RuntimeCondition *k = r->status->conditions[i];
        if (k->status)
            continue;
        ready = false;
        (void)snprintf(a->not_ready, sizeof a->not_ready, "container runtime %s is false: %.*s",
                       k->type, 120, k->message[0] != '\0' ? k->message : k->reason);
    }
    if (ready)
        a->not_ready[0] = '\0';
    a->runtime_ready = ready;
    tell_node(a);
}

static void ask_runtime(struct agent *a)
{
    Runtime__V1__VersionRequest version = RUNTIME__V1__VERSION_REQUEST__INIT;
    Runtime__V1__StatusRequest status = RUNTIME__V1__STATUS_REQUEST__INIT;
    if (!a->version_known && !cri_call_active(&a->version_call))
        cri_call_start(a->cri, &a->version_call, CRI_VERSION, &version);
    if (!cri_call_active(&a->status_call))
        cri_call_start(a->cri, &a->status_call, CRI_STATUS, &status);
}

/* ---- relist ---- */

static void relist(struct agent *a)
{
    Runtime__V1__ListPodSandboxRequest sandboxes = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__ListContainersRequest containers = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    if (a->listing) {
        a->relist_again = true;
        return;
    }
    env_timer_stop(&a->relist);
    a->listing = true;
    a->relist_again = false;
    if (a->relists++ % STATUS_EVERY == 0 || !a->runtime_ready)
        ask_runtime(a);
    cri_call_start(a->cri, &a->sandboxes_call, CRI_LIST_POD_SANDBOX, &sandboxes);
    cri_call_start(a->cri, &a->containers_call, CRI_LIST_CONTAINERS, &containers);
}

static void on_relist_timer(struct env_timer *t)
{
    relist(container_of(t, struct agent, relist));
}

static void runtime_away(struct agent *a, const char *why)
{
    uint64_t now = env_loop_now_ms(a->loop);
    if (a->away_since_ms == 0) {
        log_warn("the runtime does not answer", KV("why", why));
        a->away_since_ms = now;
    }
    if (now - a->away_since_ms < RUNTIME_GRACE_MS)
        return;
    (void)snprintf(a->not_ready, sizeof a->not_ready, "container runtime is down: %.160s", why);
    a->runtime_ready = false;
    tell_node(a);
}

static void on_ended(void *ctx, const char *id)
{
    struct agent *a = ctx;
    pods_hint(a->pods, id);
}

static void relisted(struct agent *a)
{
    bool ok = a->sandboxes_call.status == 0 && a->containers_call.status == 0;
    a->listing = false;
    if (a->stopping)
        return;
    if (ok) {
        if (a->away_since_ms != 0) {
            log_info("the runtime answers again");
            a->away_since_ms = 0;
            a->version_known = false;
            ask_runtime(a);
        }
        cri_watch(a->cri, on_ended);
        pods_relisted(a->pods, a->sandboxes_call.reply, a->containers_call.reply);
        /* The lists need not be kept for a second. */
        cri_call_deinit(&a->sandboxes_call);
        cri_call_deinit(&a->containers_call);
        arena_init(&a->sandboxes_call.arena);
        arena_init(&a->containers_call.arena);
    } else {
        runtime_away(a, a->sandboxes_call.status != 0 ? a->sandboxes_call.err.msg
                                                      : a->containers_call.err.msg);
    }
    if (a->relist_again)
        relist(a);
    else
        env_timer_start(&a->relist, ok ? RELIST_MS : RELIST_RETRY_MS);
}

static void on_listed(struct cri_call *c)
{
    struct agent *a = c->priv;
    if (!cri_call_active(&a->sandboxes_call) && !cri_call_active(&a->containers_call))
        relisted(a);
}

/* ---- pods of the API ---- */

static void on_pod(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct agent *a = ctx;
    (void)old;
    pods_upsert(a->pods, reflector_lister(a->reflector), item);
}

static void on_pod_removed(void *ctx, const struct lister_item *item)
{
    struct agent *a = ctx;
    pods_removed(a->pods, item);
}

static void on_advanced(void *ctx, uint64_t revision)
{
    struct agent *a = ctx;
    (void)revision;
    if (reflector_synced(a->reflector))
        pods_synced(a->pods);
}

static void on_source(void *ctx, enum kind kind, const char *namespace, const char *name)
{
    struct agent *a = ctx;
    pods_source_changed(a->pods, kind, namespace, name);
}

static void on_step(void *ctx, const char *step, const char *namespace, const char *name,
                    const char *uid, const char *container, int64_t value)
{
    struct agent *a = ctx;
    announce_step(a->announce,
                  &(struct announce_step){ step, namespace, name, uid, container, value });
}

/* ---- samples ---- */

static void sample_pods(struct agent *a, uint64_t interval_ms)
{
    struct pods_load now;
    pods_load(a->pods, &now);
    announce_queue(a->announce,
                   &(struct announce_queue){ .queue = "pods",
                                             .depth = now.waiting,
                                             .processing = now.busy,
                                             .added = now.added - a->sampled.added,
                                             .completed = now.completed - a->sampled.completed,
                                             .interval_ms = interval_ms });
    a->sampled = now;
}

static void sample_images(struct agent *a, uint64_t interval_ms)
{
    size_t waiting;
    size_t active;
    uint64_t oldest_ms;
    images_load(a->images, &waiting, &active, &oldest_ms);
    announce_queue(a->announce, &(struct announce_queue){ .queue = "images",
                                                          .depth = waiting,
                                                          .processing = active,
                                                          .oldest_ms = oldest_ms,
                                                          .interval_ms = interval_ms });
}

/* Each second when something happened, else every SAMPLE_IDLE_MS. */
static void on_sample(struct env_timer *t)
{
    struct agent *a = container_of(t, struct agent, sample);
    struct pods_load now;
    uint64_t now_ms = env_loop_now_ms(a->loop);
    uint64_t interval_ms = now_ms - a->sampled_ms;
    pods_load(a->pods, &now);
    if (now.added != a->sampled.added || now.completed != a->sampled.completed || now.busy > 0 ||
        interval_ms >= SAMPLE_IDLE_MS) {
        a->sampled_ms = now_ms;
        sample_pods(a, interval_ms);
        sample_images(a, interval_ms);
    }
    env_timer_start(t, SAMPLE_MS);
}

/* ---- life ---- */

static int open_client(struct agent *a, struct err *e)
{
    struct kubeconfig k;
    int rc = kubeconfig_load(a->env, &a->arena, a->options.kubeconfig, str_lit("*"), &k, e);
    if (rc != 0)
        return err_wrap(e, rc, "--kubeconfig %s", a->options.kubeconfig);
    rc = announce_new(&(struct announce_config){ .loop = a->loop,
                                                 .node = a->options.node_name,
                                                 .servers = k.server,
                                                 .ca_pem = k.ca_pem,
                                                 .cert_pem = k.client_cert_pem,
                                                 .key_pem = k.client_key_pem },
                      &a->announce, e);
    if (rc != 0)
        return rc;
    return client_http_open(a->loop, &k, "kubelet-lite/" GANTRY_VERSION, &a->http, e);
}

static void set_call(struct agent *a, struct cri_call *c, void (*done)(struct cri_call *c))
{
    c->done = done;
    c->priv = a;
}

static uint16_t port_of(const char *listen)
{
    const char *colon = listen != NULL ? strrchr(listen, ':') : NULL;
    uint64_t port = PORT_DEFAULT;
    if (colon != NULL && str_to_u64(str_from(colon + 1), &port) != 0)
        port = PORT_DEFAULT;
    return port > UINT16_MAX ? PORT_DEFAULT : (uint16_t)port;
}

static void make_pods(struct agent *a)
{
    const struct options *o = &a->options;
    struct client *client = client_http_client(a->http);
    a->images = images_new(a->loop, a->cri);
    a->sources = sources_new(client, on_source, a);
    a->events = events_new(client, o->node_name);
    a->pods = pods_new(&(struct pods_config){
        .loop = a->loop,
        .client = client,
        .cri = a->cri,
        .images = a->images,
        .sources = a->sources,
        .events = a->events,
        .root = o->root,
        .cgroup_root = o->cgroup_root,
        .node_name = o->node_name,
        .node_ip = o->node_ip,
        .node_cpu_milli = a->facts.cpus * 1000,
        .node_memory = a->facts.memory_bytes,
        /* More at once only make each slower: starts are bound by the processors. */
        .starts_max = (size_t)(a->facts.cpus * 2 > 4 ? a->facts.cpus * 2 : 4),
        .step = on_step,
        .ctx = a });
    a->node = node_new(&(struct node_config){ .loop = a->loop,
                                              .client = client,
                                              .name = o->node_name,
                                              .ip = o->node_ip,
                                              .root = o->root,
                                              .port = port_of(o->listen),
                                              .max_pods = o->max_pods,
                                              .lease_duration_s = o->lease_duration_s,
                                              .status_update_s = o->status_update_s,
                                              .status_report_s = o->status_report_s,
                                              .facts = &a->facts });
    struct str field = str_printf(&a->arena, "spec.nodeName=%s", o->node_name);
    a->reflector = reflector_new(&(struct reflector_config){ .client = client,
                                                             .kind = KIND_POD,
                                                             .field_selector = field,
                                                             .upsert = on_pod,
                                                             .removed = on_pod_removed,
                                                             .advanced = on_advanced,
                                                             .ctx = a });
}

static void on_runtime_lost(void *ctx)
{
    struct agent *a = ctx;
    /* Sooner than the next second, so that a restart is seen when it is over. */
    if (!a->listing && !a->stopping)
        env_timer_start(&a->relist, RELIST_RETRY_MS);
}

static int open_server(struct agent *a, struct err *e)
{
    const struct options *o = &a->options;
    const char *address = o->listen;
    if (address == NULL)
        address = str_printf(&a->arena, strchr(o->node_ip, ':') ? "tcp:[%s]:%d" : "tcp:%s:%d",
                             o->node_ip, PORT_DEFAULT)
                      .data;
    int rc = server_open(&(struct server_config){ .loop = a->loop,
                                                  .pods = a->pods,
                                                  .cri = a->cri,
                                                  .address = address,
                                                  .client_ca = o->client_ca,
                                                  .tls_cert = o->tls_cert,
                                                  .tls_key = o->tls_key },
                         &a->server, e);
    return rc == 0 ? 0 : err_wrap(e, rc, "--listen %s", address);
}

/* On the loop, as everything of the clients is. */
static void on_start(struct env_msg *m)
{
    struct agent *a = container_of(m, struct agent, start);
    node_start(a->node);
    reflector_start(a->reflector);
    relist(a);
    a->sampled_ms = env_loop_now_ms(a->loop);
    env_timer_start(&a->sample, SAMPLE_MS);
    log_info("agent started", KV("node", a->options.node_name), KV("version", GANTRY_VERSION));
}

int agent_new(struct env_loop *loop, const struct options *options, struct agent **out,
              struct err *e)
{
    struct agent *a = mem_alloc(sizeof *a);
    a->env = env_of(loop);
    a->loop = loop;
    a->options = *options;
    arena_init(&a->arena);
    int rc = env_dir_make(a->env, options->root, 0755, e);
    if (rc == 0)
        rc = node_facts_read(a->env, &a->arena, options->root, &a->facts, e);
    if (rc == 0)
        rc = open_client(a, e);
    if (rc != 0) {
        arena_deinit(&a->arena);
        mem_free(a);
        return rc;
    }
    a->cri = cri_new(loop, options->cri_socket, on_runtime_lost, a);
    set_call(a, &a->version_call, on_version);
    set_call(a, &a->status_call, on_status);
    set_call(a, &a->sandboxes_call, on_listed);
    set_call(a, &a->containers_call, on_listed);
    (void)snprintf(a->not_ready, sizeof a->not_ready,
                   "container runtime status check may not have completed yet");
    env_timer_init(loop, &a->relist, on_relist_timer);
    env_timer_init(loop, &a->sample, on_sample);
    make_pods(a);
    rc = open_server(a, e);
    if (rc != 0)
        return rc; /* the process ends: nothing ran yet */
    env_post(loop, &a->start, on_start);
    *out = a;
    return 0;
}

static void on_part_closed(void *ctx)
{
    struct agent *a = ctx;
    if (--a->closing > 0)
        return;
    events_free(a->events);
    pods_free(a->pods);
    sources_free(a->sources);
    images_free(a->images);
    node_free(a->node);
    reflector_free(a->reflector);
    cri_call_deinit(&a->version_call);
    cri_call_deinit(&a->status_call);
    cri_call_deinit(&a->sandboxes_call);
    cri_call_deinit(&a->containers_call);
    env_timer_deinit(&a->relist);
    env_timer_deinit(&a->sample);
    void (*stopped)(void *) = a->stopped;
    void *stopped_ctx = a->stopped_ctx;
    arena_deinit(&a->arena);
    mem_free(a);
    stopped(stopped_ctx);
}

void agent_stop(struct agent *a, void (*stopped)(void *ctx), void *ctx)
{
    a->stopping = true;
    a->stopped = stopped;
    a->stopped_ctx = ctx;
    a->closing = 4;
    pods_close(a->pods);
    reflector_stop(a->reflector);
    env_timer_stop(&a->relist);
    env_timer_stop(&a->sample);
    server_close(a->server, on_part_closed, a);
    cri_close(a->cri, on_part_closed, a);
    announce_close(a->announce, on_part_closed, a);
    client_http_close(a->http, on_part_closed, a);
}
