/* See announce.h. One round at a time: a call to each member, counted until all are back. */
#include "store/announce.h"

#include "base/arena.h"
#include "base/log.h"
#include "store/member_service.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"

struct announcer {
    struct announcer_config config;
    struct env_timer timer;
    struct env_msg start;
    size_t calls; /* under way */
    bool heard;   /* somebody took the last round */
    bool told;    /* removed was called */
    bool stopped;
};

struct announce_call {
    struct peer_call call;
    struct announcer *announcer;
};

static bool settled(const struct announcer *a)
{
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct store_status status;

        store_status(a->config.groups[id], &status);
        if (status.leader_id == 0)
            return false;
    }
    return a->heard;
}

static void next_round(struct announcer *a)
{
    if (!a->stopped && !a->told)
        env_timer_start(&a->timer, settled(a) ? ANNOUNCE_STEADY_MS : ANNOUNCE_LOST_MS);
}

static void on_answer(struct peer_call *call, int status, struct str reply)
{
    struct announce_call *c = container_of(call, struct announce_call, call);
    struct announcer *a = c->announcer;
    PeerAnnounceResponse *m = NULL;

    if (status == 0)
        m = peer_announce_response__unpack(NULL, reply.len, (const uint8_t *)reply.data);
    a->heard = a->heard || m != NULL;
    if (m != NULL && m->removed && !a->told && !a->stopped) {
        a->told = true;
        a->config.removed(a->config.ctx);
    }
    if (m != NULL)
        peer_announce_response__free_unpacked(m, NULL);
    mem_free(c);
    if (--a->calls == 0)
        next_round(a);
}

static void say(struct announcer *a, uint64_t to, struct str bytes)
{
    struct announce_call *c = mem_alloc(sizeof(*c));

    c->announcer = a;
    c->call.done = on_answer;
    a->calls++;
    peers_call(a->config.peers, to, &c->call, MEMBER_SERVICE_ANNOUNCE, bytes, PEER_CALL_MS);
}

static void on_round(struct env_timer *t)
{
    struct announcer *a = container_of(t, struct announcer, timer);
    PeerAnnounceRequest m = PEER_ANNOUNCE_REQUEST__INIT;
    struct store_member self = *a->config.self;
    uint64_t ids[STORE_MEMBERS_MAX];
    uint8_t bytes[sizeof(self) + 64];
    size_t count = peers_ids(a->config.peers, ids);
    size_t len;

    m.member_id = self.id;
    m.name = self.name;
    m.raft_address = self.raft_address;
    m.peer_address = self.peer_address;
    len = peer_announce_request__pack(&m, bytes);
    a->heard = false;
    a->calls = 1;
    for (size_t i = 0; i < count; i++)
        if (ids[i] != self.id)
            say(a, ids[i], str_of(bytes, len));
    /* Alone there is nobody to hear it. */
    a->heard = a->heard || a->calls == 1;
    if (--a->calls == 0)
        next_round(a);
}

static void on_start(struct env_msg *m)
{
    struct announcer *a = container_of(m, struct announcer, start);

    if (!a->stopped)
        on_round(&a->timer);
}

struct announcer *announcer_new(const struct announcer_config *config)
{
    struct announcer *a = mem_alloc(sizeof(*a));

    a->config = *config;
    env_timer_init(config->loop, &a->timer, on_round);
    env_post(config->loop, &a->start, on_start);
    return a;
}

void announcer_stop(struct announcer *a)
{
    if (a == NULL || a->stopped)
        return;
    a->stopped = true;
    env_timer_deinit(&a->timer);
}

void announcer_free(struct announcer *a)
{
    mem_free(a);
}
