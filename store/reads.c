/* See reads.h. Who has answered is noted of whom the round asked: nobody counts twice. */
#include "store/reads.h"

#include "base/arena.h"
#include "store/links.h"
#include "store/raft_wire.h"
#include "store/replica.h"

/* A read point for another member. */
struct remote_read {
    struct read_point point;
    struct replica *replica;
    uint64_t round;
};

static bool send(struct replica *r, uint64_t to, enum wire_type type, uint64_t round,
                 uint64_t value, bool yes)
{
    struct wire_read read = { .type = type, .round = round, .value = value, .yes = yes };

    return r->links != NULL && links_send_read(r->links, group_id(r->group), to, &read);
}

/* ---- asking ---- */

static void begin(struct reads *reads, uint64_t round)
{
    reads->round = round;
    reads->count = 0;
}

static bool ask(struct replica *r, uint64_t to, enum wire_type type, uint64_t round, uint64_t value)
{
    struct reads *reads = &r->reads;

    for (size_t i = 0; i < reads->count; i++)
        if (reads->asked[i].id == to)
            return false;
    if (reads->count == STORE_MEMBERS_MAX || !send(r, to, type, round, value, false))
        return false;
    reads->asked[reads->count].id = to;
    reads->asked[reads->count++].heard = false;
    return true;
}

static size_t quick_place(const struct reads *reads, uint64_t id)
{
    size_t i = 0;

    while (i < reads->quick_count && reads->quick[i] != id)
        i++;
    return i;
}

/* The other voters, the quickest first, then those of whom nothing is known. */
static size_t voters_in_order(struct replica *r, uint64_t out[RAFT_SERVERS_MAX])
{
    struct raft_server_view servers[RAFT_SERVERS_MAX];
    size_t count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
    size_t voters = 0;

    for (size_t place = 0; place <= r->reads.quick_count; place++)
        for (size_t i = 0; i < count; i++)
            if (servers[i].id != r->member_id && servers[i].role == RAFT_VOTER &&
                quick_place(&r->reads, servers[i].id) == place)
                out[voters++] = servers[i].id;
    return voters;
}

unsigned reads_confirm(struct replica *r, uint64_t term, uint64_t round, unsigned most)
{
    uint64_t voters[RAFT_SERVERS_MAX];
    size_t count = voters_in_order(r, voters);
    unsigned asked = 0;

    if (r->reads.round != round)
        begin(&r->reads, round);
    if (most == READINDEX_ALL)
        r->reads.quick_count = 0;
    for (size_t i = 0; i < count && asked < most; i++)
        if (ask(r, voters[i], WIRE_CONFIRM, round, term))
            asked++;
    return asked;
}

bool reads_ask(struct replica *r, uint64_t leader_id, uint64_t term, uint64_t round)
{
    begin(&r->reads, round);
    return ask(r, leader_id, WIRE_READ, round, term);
}

static bool was_asked(struct replica *r, uint64_t from)
{
    for (size_t i = 0; i < r->reads.count; i++)
        if (r->reads.asked[i].id == from && !r->reads.asked[i].heard) {
            r->reads.asked[i].heard = true;
            return true;
        }
    return false;
}

static void was_quick(struct reads *reads, uint64_t id)
{
    if (quick_place(reads, id) == reads->quick_count && reads->quick_count < STORE_MEMBERS_MAX)
        reads->quick[reads->quick_count++] = id;
}

/* ---- answering ---- */

static void on_point(struct read_point *p)
{
    struct remote_read *read = container_of(p, struct remote_read, point);

    if (!read->replica->closing) {
        /* The asker waits until it has applied as much. */
        raft_node_tell_commit(read->replica->node);
        (void)send(read->replica, p->from, WIRE_READ_RESULT, read->round,
                   p->status == 0 ? p->index : 0, p->status == 0); /* lost: it asks again */
    }
    mem_free(read);
}

static void answer_read(struct replica *r, uint64_t from, const struct wire_read *asked)
{
    struct remote_read *read = mem_alloc(sizeof(*read));

    read->replica = r;
    read->round = asked->round;
    read->point.remote = true;
    read->point.from = from;
    read->point.term = asked->value;
    read->point.loop = r->loop;
    read->point.deadline_ms = env_loop_now_ms(r->loop) + READINDEX_ROUND_MS;
    read->point.done = on_point;
    readindex_submit(&r->readindex, &read->point);
}

static void answer_confirm(struct replica *r, uint64_t from, const struct wire_read *read)
{
    struct raft_view v;

    raft_node_view(r->node, &v);
    (void)send(r, from, WIRE_CONFIRMED, read->round, 0,
               readindex_follows(&v, r->member_id, from, read->value)); /* as above */
}

void reads_receive(struct replica *r, uint64_t from, const struct wire_read *read)
{
    if (r->closing)
        return;
    switch (read->type) {
    case WIRE_CONFIRM:
        answer_confirm(r, from, read);
        break;
    case WIRE_READ:
        answer_read(r, from, read);
        break;
    case WIRE_CONFIRMED:
        if (read->round != r->readindex.round || !was_asked(r, from))
            break;
        if (read->yes)
            was_quick(&r->reads, from);
        readindex_confirmed(&r->readindex, read->round, read->yes);
        break;
    case WIRE_READ_RESULT:
        if (read->round == r->readindex.round && was_asked(r, from))
            readindex_answered(&r->readindex, read->round, read->yes ? 0 : -ERR_UNAVAILABLE,
                               read->value);
        break;
    default:
        break;
    }
}
