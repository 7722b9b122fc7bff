/* gRPC and member state beside the Kubernetes API; see the header. */
#include "controlplane/member.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "controlplane/bus/bus.h"
#include "net/grpc.h"
#include "net/http.h"
#include "net/tls.h"
#include "store/store.h"

/* The API loops of a member. */
#define MEMBER_LOOPS_MAX 16

struct member {
    struct store *store;
    const struct store_config *config;
    const char *name;
    struct bus *bus;
    /* Health is one per loop: its watchers are that loop's streams. */
    struct env_loop *loops[MEMBER_LOOPS_MAX];
    struct grpc_health *health[MEMBER_LOOPS_MAX];
    size_t loops_count;
};

struct member *member_new(struct store *store, const struct store_config *config, const char *name,
                          struct bus *bus)
{
    struct member *m = mem_alloc(sizeof *m);
    *m = (struct member){ .store = store, .config = config, .name = name, .bus = bus };
    return m;
}

void member_free(struct member *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->loops_count; i++)
        grpc_health_free(m->health[i]);
    mem_free(m);
}

void member_add_loop(struct member *m, struct env_loop *loop)
{
    ASSERT(m->loops_count < MEMBER_LOOPS_MAX);
    struct grpc_health *health = grpc_health_new();
    grpc_health_set(health, "", true);
    grpc_health_set(health, bus_service(m->bus)->name, true);
    m->loops[m->loops_count] = loop;
    m->health[m->loops_count++] = health;
}

static bool member_serve_grpc(struct member *m, struct http_exchange *x)
{
    const struct grpc_service *services[2] = { bus_service(m->bus) };
    size_t count = 1;
    for (size_t i = 0; i < m->loops_count; i++) {
        if (m->loops[i] == x->loop)
            services[count++] = grpc_health_service(m->health[i]);
    }
    return grpc_serve(x, services, count);
}

static const char *member_name(const struct member *m, uint64_t id)
{
    for (size_t i = 0; i < m->config->members_count; i++) {
        if (m->config->members[i].id == id)
            return m->config->members[i].name;
    }
    return "-";
}

/* A line a group: GROUP ID LEADER TERM APPLIED REVISION DIGEST READY. */
static void member_state(const struct member *m, struct buf *out)
{
    static const struct {
        enum store_group_id id;
        const char *name;
    } groups[] = { { STORE_CLUSTER, "cluster" }, { STORE_BUS, "bus" } };
    buf_printf(out, "%s\n", m->name);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct store_status s;
        store_status(store_group(m->store, groups[i].id), &s);
        buf_printf(out, "%s %llu %s %llu %llu %llu %016llx %d\n", groups[i].name,
                   (unsigned long long)s.member_id, member_name(m, s.leader_id),
                   (unsigned long long)s.term, (unsigned long long)s.applied_index,
                   (unsigned long long)s.published, (unsigned long long)s.digest, s.ready);
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

bool member_intercept(void *ctx, struct http_exchange *x)
{
    struct member *m = ctx;
    bool grpc = member_is_grpc(x);
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
