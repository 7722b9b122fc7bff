/*
 * A member's store: its loops and groups, how they are opened, tied together and closed. Nothing
 * here waits, except store_open and store_close, which their callers expect to.
 */
#include "store/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/admin.h"
#include "store/announce.h"
#include "store/catchup.h"
#include "store/config.h"
#include "store/copy_service.h"
#include "store/forward.h"
#include "store/group.h"
#include "store/group_metrics.h"
#include "store/links.h"
#include "store/member_service.h"
#include "store/members.h"
#include "store/peer_service.h"
#include "store/peers.h"
#include "store/quarantine.h"
#include "store/reads.h"
#include "store/replica.h"
#include "store/save.h"

#define LOCK_PATH_BYTES 1024
#define ADDRESS_BYTES   160

struct store {
    struct store_config config;
    struct env_file *lock;
    struct env_loop *raft_loop;
    struct env_loop *peer_loop;
    struct roster roster; /* the raft loop's */
    struct links *links;
    struct forwarder *forwarder;
    struct peers *peers;
    struct admin *admin;
    struct member_service *member_service;
    struct members_keeper *members;
    struct announcer *announcer;
    struct catchup *catchups[STORE_BUS + 1];
    struct copies *copies[STORE_BUS + 1];
    struct copy_service *copy_service;
    struct saver *saver;
    struct peer_service *service;
    struct replica *replicas[STORE_BUS + 1];
    struct store_group *groups[STORE_BUS + 1];
    struct env_msg hand_over;
    unsigned handing_over; /* groups */
    void (*handed_over)(void *ctx);
    void *handed_over_ctx;
    struct env_msg quiesce;
    struct env_msg close_raft;
    struct env_msg close_peers;
    struct env_msg peers_end;
    unsigned closing;
    unsigned closing_copies;
    bool stopping; /* the owner's */
    atomic_bool stopped;
};

struct store_group *store_group(struct store *s, enum store_group_id id)
{
    return s->groups[id];
}

/* ---- members: the raft loop ---- */

static void set_links(struct store *s)
{
    struct store_member members[ROSTER_MAX];

    if (s->links != NULL)
        links_set_members(s->links, members, roster_members(&s->roster, members));
}

static void on_roster(void *ctx, const struct roster *roster)
{
    struct store *s = ctx;

    s->roster = *roster;
    set_links(s);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        if (s->replicas[id] != NULL)
            replica_poke(s->replicas[id]);
}

static void on_message(void *ctx, enum store_group_id group, struct raft_message *m)
{
    struct store *s = ctx;

    raft_node_receive(s->replicas[group]->node, m);
}

static void on_read(void *ctx, enum store_group_id group, uint64_t from,
                    const struct wire_read *read)
{
    struct store *s = ctx;

    reads_receive(s->replicas[group], from, read);
}

static int on_writes(void *ctx, enum store_group_id group, uint64_t from,
                     const struct wire_writes *writes, struct err *e)
{
    struct store *s = ctx;

    return writes_receive(s->replicas[group], from, writes, e);
}

static void on_link_lost_from(void *ctx, uint64_t member_id)
{
    struct store *s = ctx;

    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        writes_lost(s->replicas[id], member_id);
}

static void on_link_lost(void *ctx, uint64_t member_id)
{
    struct store *s = ctx;

    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        raft_node_peer_lost(s->replicas[id]->node, member_id);
    on_link_lost_from(ctx, member_id);
}

static void on_member_gone(void *ctx, uint64_t member_id)
{
    struct store *s = ctx;

    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        raft_node_peer_gone(s->replicas[id]->node, member_id);
}

static void on_fetch(void *ctx, struct replica *r, uint64_t from, uint64_t index)
{
    struct store *s = ctx;

    catchup_start(s->catchups[group_id(r->group)], from, index);
}

/* Who is to go learns it from the cluster group's rows: it stays in there until the other group is
 * rid of it, committed. Else it may go on leading that one and never know that it should not. */
static bool may_remove(void *ctx, const struct replica *r, uint64_t id)
{
    const struct store *s = ctx;
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    const struct raft_node *bus = s->replicas[STORE_BUS]->node;
    struct raft_view v;
    size_t count;

    if (group_id(r->group) != STORE_CLUSTER)
        return true;
    raft_node_view(bus, &v);
    if (!raft_node_settled(bus) || v.leader_id == 0 || v.leader_id == id)
        return false;
    count = raft_node_servers(bus, servers, RAFT_SERVERS_MAX);
    for (size_t i = 0; i < count; i++)
        if (servers[i].id == id)
            return false;
    return count > 0;
}

static void on_caught_up(void *ctx, int status)
{
    replica_caught_up(ctx, status);
}

static void on_fetch_trouble(void *ctx)
{
    replica_fetch_trouble(ctx);
}

/* ---- opening ---- */

static int lock_folder(struct store *s, struct err *e)
{
    char path[LOCK_PATH_BYTES];
    int rv = env_dir_make(s->config.env, s->config.folder, 0700, e);

    if (rv != 0)
        return rv;
    snprintf(path, sizeof(path), "%s/LOCK", s->config.folder);
    rv = env_file_lock(s->config.env, path, &s->lock, e);
    return rv != 0 ? err_wrap(e, rv, "another process uses %s", s->config.folder) : 0;
}

static int open_groups(struct store *s, struct err *e)
{
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct replica_config c = { .env = s->config.env,
                                    .raft_loop = s->raft_loop,
                                    .store = &s->config,
                                    .id = id,
                                    .forwarder = s->forwarder,
                                    .roster = &s->roster,
                                    .fetch = on_fetch,
                                    .may_remove = may_remove,
                                    .ctx = s };
        int rv = replica_open(&c, &s->replicas[id], e);

        if (rv != 0)
            return rv;
        s->groups[id] = s->replicas[id]->group;
    }
    return 0;
}

/* What members that are behind fetch from this one, and backups are made of; and how this one
 * fetches. */
static int open_copies(struct store *s, struct err *e)
{
    char copies[LOCK_PATH_BYTES];
    char state[LOCK_PATH_BYTES];
    int rv = 0;

    snprintf(copies, sizeof(copies), "%s/copies", s->config.folder);
    for (enum store_group_id id = STORE_CLUSTER; rv == 0 && id <= STORE_BUS; id++) {
        struct copies_config c = {
            .env = s->config.env, .loop = s->peer_loop, .group = s->groups[id], .folder = copies
        };
        struct catchup_config u = { .env = s->config.env,
                                    .raft_loop = s->raft_loop,
                                    .peer_loop = s->peer_loop,
                                    .group = s->groups[id],
                                    .folder = state,
                                    .trouble = on_fetch_trouble,
                                    .done = on_caught_up,
                                    .ctx = s->replicas[id] };

        replica_state_folder(&s->config, id, state, sizeof(state));
        s->catchups[id] = catchup_new(&u);
        s->replicas[id]->catchup = s->catchups[id];
        rv = copies_open(&c, &s->copies[id], e);
    }
    if (rv != 0)
        return rv;
    s->copy_service = copy_service_new(s->peer_loop, s->copies);
    s->saver = saver_new(&(struct saver_config){ s->peer_loop, s->groups, s->copies });
    return 0;
}

struct saver *store_saver(struct store *s)
{
    return s->saver;
}

static void listen_address(int fd, const char *address, char out[ADDRESS_BYTES])
{
    if (fd >= 0)
        snprintf(out, ADDRESS_BYTES, "fd:%d", fd);
    else
        snprintf(out, ADDRESS_BYTES, "%s", address);
}

static int open_links(struct store *s, struct err *e)
{
    char address[ADDRESS_BYTES];
    struct links_config c = { .env = s->config.env,
                              .loop = s->raft_loop,
                              .member_id = s->config.member_id,
                              .listen_address = address,
                              .ca_file = s->config.ca_file,
                              .cert_file = s->config.cert_file,
                              .key_file = s->config.key_file,
                              .simulated = s->config.simulation != NULL,
                              .message = on_message,
                              .read = on_read,
                              .writes = on_writes,
                              .lost = on_link_lost,
                              .lost_from = on_link_lost_from,
                              .gone = on_member_gone,
                              .ctx = s };
    int rv;

    listen_address(s->config.raft_listen_fd, config_self(&s->config)->raft_address, address);
    rv = links_open(&c, &s->links, e);
    if (rv != 0)
        return rv;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_set_links(s->replicas[id], s->links);
    return 0;
}

static void on_removed(void *ctx)
{
    struct store *s = ctx;

    if (s->config.removed != NULL)
        s->config.removed(s->config.removed_ctx);
}

static int open_members(struct store *s, struct err *e)
{
    struct members_config c = { .store = &s->config,
                                .cluster = s->groups[STORE_CLUSTER],
                                .raft_loop = s->raft_loop,
                                .peer_loop = s->peer_loop,
                                .peers = s->peers,
                                .admin = s->admin,
                                .changed = on_roster,
                                .removed = on_removed,
                                .ctx = s };
    struct announcer_config a = { .loop = s->peer_loop,
                                  .peers = s->peers,
                                  .self = config_self(&s->config),
                                  .groups = s->groups,
                                  .removed = on_removed,
                                  .ctx = s };
    int rv = members_open(&c, &s->members, e);

    if (rv != 0)
        return rv;
    member_service_set_keeper(s->member_service, s->members);
    s->announcer = announcer_new(&a);
    return 0;
}

static int open_peers(struct store *s, struct err *e)
{
    char address[ADDRESS_BYTES];
    struct peers_config c = { .env = s->config.env,
                              .loop = s->peer_loop,
                              .member_id = s->config.member_id,
                              .listen_address = address,
                              .ca_file = s->config.ca_file,
                              .cert_file = s->config.cert_file,
                              .key_file = s->config.key_file,
                              .simulated = s->config.simulation != NULL };
    int rv;

    listen_address(s->config.peer_listen_fd, config_self(&s->config)->peer_address, address);
    s->service = peer_service_new(s->raft_loop, s->peer_loop, s->groups);
    s->member_service = member_service_new(s->admin);
    c.service = peer_service_grpc(s->service);
    c.copies = copy_service_grpc(s->copy_service);
    c.members = member_service_grpc(s->member_service);
    rv = peers_open(&c, &s->peers, e);
    if (rv != 0)
        return rv;
    peer_service_set_peers(s->service, s->peers);
    copy_service_set_peers(s->copy_service, s->peers);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        catchup_set_peers(s->catchups[id], s->peers);
    forwarder_set_peers(s->forwarder, s->peers);
    admin_set_peers(s->admin, s->peers);
    member_service_set_peers(s->member_service, s->peers);
    return 0;
}

static void open_admin(struct store *s)
{
    struct admin_config c = { .raft_loop = s->raft_loop,
                              .peer_loop = s->peer_loop,
                              .member_id = s->config.member_id,
                              .groups = s->groups,
                              .catchups = s->catchups };

    s->admin = admin_new(&c);
}

struct admin *store_admin(struct store *s)
{
    return s->admin;
}

static int open_peering(struct store *s, struct err *e)
{
    int rv = open_links(s, e);

    if (rv == 0)
        rv = open_peers(s, e);
    return rv == 0 ? open_members(s, e) : rv;
}

int store_open(const struct store_config *config, struct store **out, struct err *e)
{
    struct store *s;
    int rv = config_check(config, e);

    if (rv != 0)
        return rv;
    s = mem_alloc(sizeof(*s));
    s->config = *config;
    rv = lock_folder(s, e);
    if (rv != 0) {
        mem_free(s);
        return rv;
    }
    rv = quarantine_check(config->env, config->folder, e);
    if (rv != 0) {
        env_file_close(s->lock);
        mem_free(s);
        return rv;
    }
    s->raft_loop = env_loop_new(config->env, "raft");
    s->peer_loop = env_loop_new(config->env, "peers");
    s->forwarder = forwarder_new(s->raft_loop, s->peer_loop);
    rv = open_groups(s, e);
    if (rv == 0)
        rv = open_copies(s, e);
    if (rv == 0)
        open_admin(s);
    if (rv == 0 && config_has_peers(config))
        rv = open_peering(s, e);
    if (rv != 0) {
        /* The process ends on a failed open: what is half open is not taken apart. */
        return rv;
    }
    env_loop_start(s->raft_loop);
    env_loop_start(s->peer_loop);
    *out = s;
    return 0;
}

/* ---- handing over ---- */

static void on_handed_over(void *ctx)
{
    struct store *s = ctx;

    if (--s->handing_over == 0)
        s->handed_over(s->handed_over_ctx);
}

static void hand_over(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, hand_over);

    s->handing_over = STORE_BUS;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_hand_over(s->replicas[id], on_handed_over, s);
}

void store_hand_over(struct store *s, void (*done)(void *ctx), void *ctx)
{
    s->handed_over = done;
    s->handed_over_ctx = ctx;
    env_post(s->raft_loop, &s->hand_over, hand_over);
}

/* ---- closing ---- */

static void peers_end(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, peers_end);

    env_loop_stop(s->peer_loop);
    atomic_store(&s->stopped, true);
}

static void on_links_closed(void *ctx)
{
    struct store *s = ctx;

    /* Behind the answers to the writes that others had sent here: they are freed there. */
    env_post(s->peer_loop, &s->peers_end, peers_end);
    env_loop_stop(s->raft_loop);
}

static void on_replica_closed(void *ctx)
{
    struct store *s = ctx;

    if (--s->closing > 0)
        return;
    if (s->links != NULL)
        links_close(s->links, on_links_closed, s);
    else
        on_links_closed(s);
}

static void close_raft(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, close_raft);

    s->closing = STORE_BUS;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_close(s->replicas[id], on_replica_closed, s);
}

static void on_copies_closed(void *ctx)
{
    struct store *s = ctx;

    if (--s->closing_copies > 0)
        return;
    /* Behind whatever this loop has told the raft loop. */
    env_post(s->raft_loop, &s->close_raft, close_raft);
}

static void on_peers_closed(void *ctx)
{
    struct store *s = ctx;

    s->closing_copies = 1;
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        if (s->copies[id] != NULL) {
            s->closing_copies++;
            copies_close(s->copies[id], on_copies_closed, s);
        }
    on_copies_closed(s);
}

static void close_peers(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, close_peers);

    saver_stop(s->saver);
    announcer_stop(s->announcer);
    members_stop(s->members);
    admin_set_peers(s->admin, NULL);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        if (s->catchups[id] != NULL)
            catchup_stop(s->catchups[id]);
    if (s->peers != NULL)
        peers_close(s->peers, on_peers_closed, s);
    else
        on_peers_closed(s);
}

static void quiesce(struct env_msg *m)
{
    struct store *s = container_of(m, struct store, quiesce);

    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_quiesce(s->replicas[id]);
    env_post(s->peer_loop, &s->close_peers, close_peers);
}

/* First nothing new is asked of peers; then their connections go, while the raft loop still takes
 * what comes back of its calls; then the groups; then the raft loop, and the peer loop last. */
void store_stop(struct store *s)
{
    ASSERT(!s->stopping);
    s->stopping = true;
    env_post(s->raft_loop, &s->quiesce, quiesce);
}

bool store_stopped(const struct store *s)
{
    return atomic_load(&s->stopped);
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    if (!s->stopping)
        store_stop(s);
    env_loop_join(s->peer_loop);
    env_loop_join(s->raft_loop);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        replica_free(s->replicas[id]);
    env_loop_free(s->raft_loop);
    env_loop_free(s->peer_loop);
    announcer_free(s->announcer);
    members_free(s->members);
    saver_free(s->saver);
    member_service_free(s->member_service);
    admin_free(s->admin);
    copy_service_free(s->copy_service);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++)
        catchup_free(s->catchups[id]);
    peer_service_free(s->service);
    forwarder_free(s->forwarder);
    env_file_close(s->lock);
    mem_free(s);
}
