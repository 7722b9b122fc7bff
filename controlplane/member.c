/* gRPC and member state beside the Kubernetes API; see the header. */
#include "controlplane/member.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/version.h"
#include "controlplane/apiserver/authn/authn.h"
#include "controlplane/bus/bus.h"
#include "controlplane/members_api.h"
#include "controlplane/snapshot_api.h"
#include "net/grpc.h"
#include "net/http.h"
#include "net/tls.h"
#include "store/roster.h"
#include "store/store.h"

/* The API loops of a member. */
#define MEMBER_LOOPS_MAX 16

/* Health is one per loop: its watchers are that loop's streams. */
struct member_loop {
    struct member *member;
    struct env_loop *loop;
    struct grpc_health *health;
    struct env_msg stopping;
};

struct member {
    struct store *store;
    const struct store_config *config;
    const char *name;
    const char *cluster_id;
    struct bus *bus;
    struct members_api *members_api;
    struct member_loop loops[MEMBER_LOOPS_MAX];
    size_t loops_count;
};

struct member *member_new(struct store *store, const struct store_config *config, const char *name,
                          const char *cluster_id, struct bus *bus)
{
    struct member *m = mem_alloc(sizeof *m);
    *m = (struct member){
        .store = store, .config = config, .name = name, .cluster_id = cluster_id, .bus = bus
    };
    return m;
}

void member_free(struct member *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->loops_count; i++)
        grpc_health_free(m->loops[i].health);
    mem_free(m);
}

void member_set_members_api(struct member *m, struct members_api *api)
{
    m->members_api = api;
}

static void set_health(struct member_loop *l, bool serving)
{
    grpc_health_set(l->health, "", serving);
    grpc_health_set(l->health, bus_service(l->member->bus)->name, serving);
}

void member_add_loop(struct member *m, struct env_loop *loop)
{
    ASSERT(m->loops_count < MEMBER_LOOPS_MAX);
    struct member_loop *l = &m->loops[m->loops_count++];
    *l = (struct member_loop){ .member = m, .loop = loop, .health = grpc_health_new() };
    set_health(l, true);
}

static void on_stopping(struct env_msg *msg)
{
    set_health(container_of(msg, struct member_loop, stopping), false);
}

void member_stopping(struct member *m)
{
    for (size_t i = 0; i < m->loops_count; i++)
        env_post(m->loops[i].loop, &m->loops[i].stopping, on_stopping);
}

static bool member_serve_grpc(struct member *m, struct http_exchange *x)
{
    const struct grpc_service *services[2] = { bus_service(m->bus) };
    size_t count = 1;
    for (size_t i = 0; i < m->loops_count; i++) {
        if (m->loops[i].loop == x->loop)
            services[count++] = grpc_health_service(m->loops[i].health);
    }
    return grpc_serve(x, services, count);
}

/* The newest rows count, then what was configured. */
static const char *member_name(const struct member *m, const struct roster *roster, uint64_t id)
{
    const struct roster_row *row = roster_by_id(roster, id);
    for (size_t i = 0; row == NULL && i < m->config->members_count; i++) {
        if (m->config->members[i].id == id)
            return m->config->members[i].name;
    }
    return row != NULL ? row->member.name : "-";
}

void member_health(const struct store_status *s, char out[MEMBER_HEALTH_BYTES])
{
    if (s->held)
        (void)snprintf(out, MEMBER_HEALTH_BYTES, "held");
    else if (s->behind)
        (void)snprintf(
            out, MEMBER_HEALTH_BYTES, "behind:%u%%",
            (unsigned)(s->fetch_bytes > 0 ? s->fetched_bytes * 100 / s->fetch_bytes : 0));
    else if (s->leader_id == 0)
        (void)snprintf(out, MEMBER_HEALTH_BYTES, "no-leader");
    else if (!s->ready)
        (void)snprintf(out, MEMBER_HEALTH_BYTES, "catching-up");
    else if (s->alarm != 0)
        (void)snprintf(out, MEMBER_HEALTH_BYTES, "alarm:%s%s%s",
                       s->alarm & STORE_ALARM_QUOTA ? "quota" : "",
                       s->alarm == (STORE_ALARM_QUOTA | STORE_ALARM_DISK) ? "+" : "",
                       s->alarm & STORE_ALARM_DISK ? "disk" : "");
    else
        (void)snprintf(out, MEMBER_HEALTH_BYTES, "ready");
}

/* A line a group: GROUP ID LEADER TERM APPLIED REVISION DIGEST READY HEALTH LEVEL USED QUOTA, the
 * last two in bytes. Columns are only ever added. */
static void member_state(const struct member *m, struct buf *out)
{
    static const struct {
        enum store_group_id id;
        const char *name;
    } groups[] = { { STORE_CLUSTER, "cluster" }, { STORE_BUS, "bus" } };
    struct roster roster = { 0 };
    (void)roster_read(store_group(m->store, STORE_CLUSTER), &roster, NULL); /* then: none */
    buf_printf(out, "%s\n", m->name);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct store_status s;
        char health[MEMBER_HEALTH_BYTES];
        store_status(store_group(m->store, groups[i].id), &s);
        member_health(&s, health);
        buf_printf(out, "%s %llu %s %llu %llu %llu %016llx %d %s %u %llu %llu\n", groups[i].name,
                   (unsigned long long)s.member_id, member_name(m, &roster, s.leader_id),
                   (unsigned long long)s.term, (unsigned long long)s.applied_index,
                   (unsigned long long)s.published, (unsigned long long)s.digest, s.ready, health,
                   s.feature_level, (unsigned long long)s.used_bytes,
                   (unsigned long long)s.quota_bytes);
    }
}

static void member_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

static const struct http_exchange_events member_events = { .closed = member_closed };

static bool member_is_grpc(const struct http_exchange *x)
{
    struct str type = http_headers_get(&x->headers, "content-type");
    return str_starts(type, str_lit("application/grpc"));
}

/* Who asks to be somebody else is not to have what the certificate alone would give. */
static bool member_impersonates(const struct http_exchange *x)
{
    for (size_t i = 0; i < x->headers.count; i++) {
        if (authn_impersonates(x->headers.items[i].name))
            return true;
    }
    return false;
}

bool member_intercept(void *ctx, struct http_exchange *x)
{
    struct member *m = ctx;
    bool grpc = member_is_grpc(x);
    if ((grpc || str_starts(x->path, str_lit("/gantry/v1/"))) && member_impersonates(x)) {
        x->events = &member_events;
        http_reply(x, 403, "text/plain", str_lit("impersonation is not possible here\n"));
        return true;
    }
    if (!grpc && str_eq_c(x->path, SNAPSHOT_PATH)) {
        snapshot_serve(m->store, m->cluster_id, GANTRY_VERSION, x);
        return true;
    }
    if (!grpc && m->members_api != NULL && members_api_serve(m->members_api, x))
        return true;
    if (!grpc && !str_eq_c(x->path, "/gantry/v1/member"))
        return false;
    if (grpc && x->peer->identity->verified)
        return member_serve_grpc(m, x);
    x->events = &member_events;
    if (!x->peer->identity->verified) {
        http_reply(x, 401, "text/plain",
                   str_lit("a client certificate of the cluster's CA is needed\n"));
        return true;
    }
    struct buf body;
    buf_init(&body);
    member_state(m, &body);
    http_reply(x, 200, "text/plain; charset=utf-8", buf_str(&body));
    buf_deinit(&body);
    return true;
}
