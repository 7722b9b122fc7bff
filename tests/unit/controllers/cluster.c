/* The simulated cluster (see cluster.h). */
#include "tests/unit/controllers/cluster.h"

#include <stdio.h>
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/peek.h"
#include "api/proto/coordination.pb-c.h"
#include "controllers/objects.h"
#include "tests/unit/unit.h"

/* ---- agents ---- */

static void renew_lease(struct cluster *c, struct arena *a, const Node *node)
{
    Lease *lease = fake_object(
        a, KIND_LEASE,
        str_dup(a,
                str_printf(a, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"kube-node-lease\"}}",
                           node->metadata->name)));

    lease->spec = arena_new(a, LeaseSpec);
    lease_spec__init(lease->spec);
    lease->spec->renew_time = arena_new(a, MicroTime);
    micro_time__init(lease->spec->renew_time);
    lease->spec->renew_time->has_seconds = 1;
    lease->spec->renew_time->seconds = (int64_t)(env_wall_ns(c->env) / ENV_S) + c->agents_ahead_s;
    fake_put(&c->api, KIND_LEASE, lease);
}

/* A kubelet that is back says so. */
static void report_ready(struct cluster *c, struct arena *a, const Node *node)
{
    struct condition_value v = {
        .type = "Ready", .status = "True", .reason = "KubeletReady", .message = ""
    };
    Node *copy = fake_get(&c->api, a, KIND_NODE, "", node->metadata->name);

    if (condition_is_true(copy->status->conditions, copy->status->n_conditions, "Ready"))
        return;
    (void)condition_set(a, &node_condition__descriptor, &copy->status->conditions,
                        &copy->status->n_conditions, &v, env_wall_ns(c->env));
    fake_put(&c->api, KIND_NODE, copy);
}

static void start_pod(struct cluster *c, struct arena *a, Pod *pod)
{
    struct condition_value v = { .type = "Ready", .status = "True", .reason = "", .message = "" };

    if (c->broken_image != NULL && text_eq(pod->spec->containers[0]->image, c->broken_image))
        return;
    if (pod_ready(pod))
        return;
    pod->status->phase = str_dup(a, str_lit("Running"));
    (void)condition_set(a, &pod_condition__descriptor, &pod->status->conditions,
                        &pod->status->n_conditions, &v, env_wall_ns(c->env));
    fake_put(&c->api, KIND_POD, pod);
}

static void run_pod(struct cluster *c, struct arena *a, const Pod *seen)
{
    const char *ns = seen->metadata->namespace_, *name = seen->metadata->name;
    Pod *pod = fake_get(&c->api, a, KIND_POD, ns, name);

    if (pod_node(pod)[0] == 0) {
        if (c->scheduler != NULL)
            return;
        pod->spec->node_name = str_dup(a, str_lit("node-1"));
        fake_put(&c->api, KIND_POD, pod);
    } else if (c->dead_node != NULL && text_eq(pod_node(pod), c->dead_node)) {
        return;
    } else if (meta_deleting(pod->metadata)) {
        fake_remove(&c->api, KIND_POD, ns, name);
    } else if (!pod_finished(pod)) {
        start_pod(c, a, pod);
    }
}

static void on_agents(struct env_timer *t)
{
    struct cluster *c = container_of(t, struct cluster, agents);
    struct arena a;
    const void **items;
    size_t n;

    arena_init(&a);
    n = fake_list(&c->api, &a, KIND_NODE, &items);
    for (size_t i = 0; i < n; i++) {
        const Node *node = items[i];

        if (c->dead_node != NULL && text_eq(node->metadata->name, c->dead_node))
            continue;
        renew_lease(c, &a, node);
        report_ready(c, &a, node);
    }
    n = fake_list(&c->api, &a, KIND_POD, &items);
    for (size_t i = 0; i < n; i++)
        run_pod(c, &a, items[i]);
    arena_deinit(&a);
    env_timer_start(&c->agents, AGENT_TICK_MS);
}

/* ---- what is told ---- */

static void on_fenced(void *ctx)
{
    ((struct cluster *)ctx)->fenced++;
}

static void on_queue(void *ctx, const struct workqueue_sample *s)
{
    assert_non_null(s->name);
    ((struct cluster *)ctx)->queue_samples++;
}

static void on_scheduling(void *ctx, const struct scheduling_event *ev)
{
    struct cluster *c = ctx;

    c->scheduling_events[ev->step]++;
    if (ev->step == SCHEDULING_UNSCHEDULABLE)
        (void)snprintf(c->last_refusal, sizeof(c->last_refusal), "%.*s", STR_ARG(ev->message));
}

/* ---- life ---- */

/* Runs fn on the loop, now: life-cycle calls belong there. */
struct errand {
    struct env_msg msg;
    struct cluster *cluster;
    void (*fn)(struct cluster *c);
    bool done;
};

static void on_errand(struct env_msg *m)
{
    struct errand *errand = container_of(m, struct errand, msg);

    errand->fn(errand->cluster);
    errand->done = true;
}

static void on_loop(struct cluster *c, void (*fn)(struct cluster *c))
{
    struct errand errand = { .cluster = c, .fn = fn };

    env_post(c->loop, &errand.msg, on_errand);
    while (!errand.done)
        assert_true(env_sim_step(c->env));
}

static void start(struct cluster *c)
{
    controllers_start(c->controllers, c->term);
    if (c->scheduler != NULL)
        scheduler_start(c->scheduler, c->term);
}

static void stop(struct cluster *c)
{
    controllers_stop(c->controllers);
    if (c->scheduler != NULL)
        scheduler_stop(c->scheduler);
}

void cluster_lead(struct cluster *c, uint64_t term)
{
    c->term = term;
    on_loop(c, start);
}

void cluster_resign(struct cluster *c)
{
    on_loop(c, stop);
}

static void add_nodes(struct cluster *c, int nodes)
{
    char json[512];

    for (int i = 1; i <= nodes; i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"metadata\":{\"name\":\"node-%d\",\"labels\":{\"n\":\"%d\"}},\"status\":{"
                       "\"allocatable\":{\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"110\"},"
                       "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
                       i, i);
        cluster_put(c, KIND_NODE, json);
    }
}

void cluster_init(struct cluster *c, uint64_t seed, int nodes, bool scheduler)
{
    struct controllers_config config = { .fenced = on_fenced, .ctx = c, .instance = "member-1" };
    struct scheduler_config scheduling = { .fenced = on_fenced, .ctx = c, .seed = seed + 1 };

    *c = (struct cluster){ .env = env_sim_new(seed), .available_min = INT32_MAX };
    arena_init(&c->arena);
    c->loop = env_loop_new(c->env, "controllers");
    env_loop_start(c->loop);
    fake_api_init(&c->api, c->env, c->loop);
    c->api.fence = 1;
    config.loop = scheduling.loop = c->loop;
    config.client = scheduling.client = &c->api.client;
    config.publish = scheduling.publish = (struct publish){ on_queue, on_scheduling, c };
    controllers_flags_default(&config.flags);
    config.flags.root_ca_pem = str_lit("PEM");
    c->controllers = controllers_new(&config);
    if (scheduler)
        c->scheduler = scheduler_new(&scheduling);
    cluster_lead(c, 1);
    add_nodes(c, nodes);
    cluster_put(c, KIND_NAMESPACE,
                "{\"metadata\":{\"name\":\"default\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}}");
    env_timer_init(c->loop, &c->agents, on_agents);
    env_timer_start(&c->agents, 1);
}

static void on_closed(void *ctx)
{
    ((struct cluster *)ctx)->closed++;
}

static void close_all(struct cluster *c)
{
    env_timer_deinit(&c->agents);
    controllers_close(c->controllers, on_closed, c);
    if (c->scheduler != NULL)
        scheduler_close(c->scheduler, on_closed, c);
}

void cluster_deinit(struct cluster *c)
{
    on_loop(c, close_all);
    env_sim_run(c->env, 5000);
    assert_int_equal(c->closed, c->scheduler != NULL ? 2 : 1);
    fake_api_deinit(&c->api);
    env_loop_free(c->loop);
    env_sim_free(c->env);
    arena_deinit(&c->arena);
}

static void look(struct cluster *c)
{
    int32_t active, ready;

    cluster_count(c, &active, &ready);
    if (active > c->pods_max)
        c->pods_max = active;
    if (ready < c->available_min)
        c->available_min = ready;
}

void cluster_run(struct cluster *c, uint64_t ms)
{
    uint64_t until = env_now_ns(c->env) + ms * ENV_MS;

    while (env_now_ns(c->env) < until && env_sim_step(c->env))
        look(c);
}

void cluster_until(struct cluster *c, uint64_t limit_ms, bool (*done)(struct cluster *c))
{
    uint64_t until = env_now_ns(c->env) + limit_ms * ENV_MS;

    while (!done(c)) {
        if (env_now_ns(c->env) >= until)
            fail_msg("no convergence within %llu ms", (unsigned long long)limit_ms);
        assert_true(env_sim_step(c->env));
        look(c);
    }
}

/* ---- looking ---- */

void cluster_put(struct cluster *c, enum kind kind, const char *json)
{
    fake_put(&c->api, kind, fake_object(&c->arena, kind, json));
}

Deployment *cluster_deployment(struct cluster *c, const char *name)
{
    Deployment *d = fake_get(&c->api, &c->arena, KIND_DEPLOYMENT, "default", name);

    assert_non_null(d);
    return d;
}

const Event *cluster_event(struct cluster *c, const char *name, const char *reason)
{
    const void **items;
    size_t n = fake_list(&c->api, &c->arena, KIND_EVENT, &items);

    for (size_t i = 0; i < n; i++) {
        const Event *ev = items[i];

        if (text_eq(ev->involved_object->name, name) && text_eq(ev->reason, reason))
            return ev;
    }
    return NULL;
}

const char *cluster_condition(const Deployment *d, const char *type)
{
    const DeploymentCondition *found =
        condition_find(d->status->conditions, d->status->n_conditions, type);

    return found != NULL ? text_of(found->reason) : "";
}

struct counting {
    int32_t active, ready;
};

static bool visit_pod(void *ctx, const struct lister_item *item)
{
    struct counting *n = ctx;
    static const uint8_t deleted_path[] = { 1, 9, 1, 0 };
    struct peek_field f;
    struct str status = str_of(NULL, 0);

    if (peek_path(item->bytes, deleted_path, &f) && f.number_value != 0)
        return true;
    n->active++;
    status = peek_string(item->bytes, (const uint8_t[]){ 3, 1, 0 });
    n->ready += str_eq_c(status, "Running");
    return true;
}

/* By phase: agents set Running and Ready together. Reads bytes: it runs after every step. */
void cluster_count(struct cluster *c, int32_t *out_active, int32_t *out_ready)
{
    struct lister *pods = cache_lister(c->api.kinds[KIND_POD]);
    struct counting n = { 0 };

    assert_int_equal(pods->ops->list(pods, str_of(NULL, 0), visit_pod, &n), 0);
    *out_active = n.active;
    *out_ready = n.ready;
}
