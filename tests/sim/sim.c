/* The world: time, events, links, clients, and what must hold at the end. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/txn.h"

uint32_t sim_draw(struct sim *s, uint32_t n)
{
    s->rng ^= s->rng << 13;
    s->rng ^= s->rng >> 7;
    s->rng ^= s->rng << 17;
    return n == 0 ? 0 : (uint32_t)(s->rng >> 20) % n;
}

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;

    if (sim_bad(s))
        return;
    va_start(args, format);
    vsnprintf(s->reason, sizeof(s->reason), format, args);
    va_end(args);
}

bool sim_bad(const struct sim *s)
{
    return s->reason[0] != '\0';
}

/* ---- events: a binary heap by time, then order of posting ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void insert(struct sim *s, struct sim_event *e)
{
    size_t at;

    if (s->events_count == s->events_capacity) {
        s->events_capacity = s->events_capacity == 0 ? 256 : s->events_capacity * 2;
        s->events = mem_realloc(s->events, s->events_capacity * sizeof(struct sim_event *));
    }
    at = s->events_count++;
    while (at > 0 && before(e, s->events[(at - 1) / 2])) {
        s->events[at] = s->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->events[at] = e;
}

struct sim_event *sim_post(struct sim *s, enum sim_event_type type, unsigned node, uint64_t due)
{
    struct sim_event *e = mem_alloc(sizeof(*e));

    e->due = due;
    e->order = s->order++;
    e->type = type;
    e->node = node;
    e->incarnation = s->nodes[node].incarnation;
    insert(s, e);
    return e;
}

static struct sim_event *next_event(struct sim *s)
{
    struct sim_event *first = s->events[0];
    struct sim_event *last = s->events[--s->events_count];
    size_t at = 0;

    for (;;) {
        size_t child = at * 2 + 1;

        if (child >= s->events_count)
            break;
        if (child + 1 < s->events_count && before(s->events[child + 1], s->events[child]))
            child++;
        if (!before(s->events[child], last))
            break;
        s->events[at] = s->events[child];
        at = child;
    }
    s->events[at] = last;
    return first;
}

static void handle_event(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = &s->nodes[e->node];

    sim_heap_enter(n);
    if (e->type == SIM_RESTART) {
        if (!n->up && e->incarnation == n->incarnation)
            sim_restart(n);
        return;
    }
    if (e->type == SIM_SENT)
        s->links[e->node][e->from][e->channel].queued -= e->bytes;
    if (e->type == SIM_DELIVER) {
        sim_net_deliver(n, e);
        return;
    }
    if (!n->up || e->incarnation != n->incarnation)
        return;
    switch (e->type) {
    case SIM_TICK:
        sim_post(s, SIM_TICK, e->node, s->now + SIM_HEARTBEAT_MS);
        n->tick(&n->backend);
        break;
    case SIM_SENT:
        sim_net_sent(n, e);
        break;
    case SIM_LOST:
        guard_peer_lost(&n->guard, e->from + 1);
        break;
    case SIM_DISK:
        sim_io_disk_done(n);
        break;
    case SIM_FSM:
        sim_node_apply(n);
        break;
    case SIM_WORK:
        sim_node_work(n);
        break;
    case SIM_GET:
        sim_io_got(n, e);
        break;
    case SIM_FETCH:
        sim_node_fetch(n);
        break;
    case SIM_DELIVER:
    case SIM_RESTART:
        break;
    }
}

/* A loop that stalls handles everything afterwards, its timer first, as libuv does. */
static bool is_stalled(struct sim *s, struct sim_event *e)
{
    if (s->nodes[e->node].stalled_until <= e->due)
        return false;
    e->due = s->nodes[e->node].stalled_until;
    if (e->type == SIM_TICK)
        e->order = 0;
    insert(s, e);
    return true;
}

static void step(struct sim *s)
{
    struct sim_event *e = next_event(s);

    if (e->due > s->now)
        s->now = e->due;
    s->counters.events++;
    if (is_stalled(s, e))
        return;
    handle_event(s, e);
    sim_heap_enter(&s->nodes[e->node]);
    if (s->nodes[e->node].up)
        (void)guard_tell_commit(&s->nodes[e->node].guard);
    sim_node_check(&s->nodes[e->node]);
    sim_event_free(e);
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now + ms;

    while (s->events_count > 0 && s->events[0]->due <= end && !sim_bad(s))
        step(s);
    if (s->now < end)
        s->now = end;
}

bool sim_run_until_leads(struct sim *s, unsigned i, uint64_t ms)
{
    uint64_t end = s->now + ms;

    while (s->events_count > 0 && s->events[0]->due <= end && !sim_bad(s)) {
        if (s->nodes[i].up && guard_ready(&s->nodes[i].guard))
            return true;
        step(s);
    }
    return false;
}

/* ---- life of a world ---- */

static void bootstrap(struct sim_node *n, unsigned members)
{
    struct raft_configuration c;
    struct raft_entry entry = { .term = 1, .type = RAFT_CHANGE };
    int rv;

    sim_heap_enter(n);
    raft_configuration_init(&c);
    for (raft_id id = 1; id <= members; id++) {
        rv = raft_configuration_add(&c, id, sim_address(id), RAFT_VOTER);
        ASSERT(rv == 0);
    }
    rv = raft_configuration_encode(&c, &entry.buf);
    ASSERT(rv == 0);
    n->disk.term = 1;
    sim_disk_append(&n->disk, &entry);
    raft_free(entry.buf.base);
    raft_configuration_close(&c);
}

static struct sim_node *new_node(struct sim *s)
{
    struct sim_node *n = &s->nodes[s->n];

    ASSERT(s->n < SIM_NODES_MAX);
    n->sim = s;
    n->index = s->n++;
    n->net_ms = 15;
    n->disk_ms = 10;
    n->disk.start = 1;
    list_init(&n->disk_ops);
    list_init(&n->heap);
    list_init(&n->handed);
    n->disk.kv = kv_sim_disk_new();
    return n;
}

unsigned sim_add(struct sim *s)
{
    struct sim_node *n = new_node(s);

    sim_node_start(n);
    return n->index;
}

struct sim *sim_new(uint64_t seed, unsigned members, unsigned rules)
{
    struct sim *s = mem_alloc(sizeof(*s));

    s->seed = seed;
    s->rng = seed * 0x9E3779B97F4A7C15ull + 1;
    for (int i = 0; i < 20; i++)
        (void)sim_draw(s, 2);
    s->order = 1;
    s->rules = rules;
    s->fetch_ms = 500;
    for (unsigned i = 0; i < members; i++)
        bootstrap(new_node(s), members);
    for (unsigned i = 0; i < members; i++)
        sim_node_start(&s->nodes[i]);
    return s;
}

void sim_free(struct sim *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_node *n = &s->nodes[i];

        sim_heap_enter(n);
        sim_crash(n);
        sim_heap_free_all(n);
        sim_disk_truncate(&n->disk, 0);
        mem_free(n->disk.entries);
        kv_sim_disk_free(n->disk.kv);
        kv_sim_disk_free(n->disk.staged);
    }
    for (size_t i = 0; i < s->events_count; i++)
        sim_event_free(s->events[i]);
    mem_free(s->events);
    sim_stored_free(s);
    mem_free(s);
    raft_heap_set_default();
}

/* ---- faults ---- */

void sim_cut_one(struct sim *s, unsigned i, unsigned j)
{
    if (i == j)
        return;
    s->counters.cuts += !s->cut[i][j];
    s->cut[i][j] = true;
}

void sim_cut(struct sim *s, unsigned i, unsigned j)
{
    sim_cut_one(s, i, j);
    sim_cut_one(s, j, i);
}

void sim_isolate(struct sim *s, unsigned i)
{
    for (unsigned j = 0; j < s->n; j++)
        sim_cut(s, i, j);
}

void sim_heal(struct sim *s)
{
    memset(s->cut, 0, sizeof(s->cut));
}

/* ---- clients ---- */

/* What the store goes by, where nobody checks that it is so. */
static int state_of(const struct sim *s, const struct sim_node *n)
{
    return s->harm_only ? n->edge_state : n->raft.state;
}

int sim_leader(const struct sim *s)
{
    int best = -1;

    for (unsigned i = 0; i < s->n; i++) {
        const struct raft *r = &s->nodes[i].raft;

        if (s->nodes[i].up && state_of(s, &s->nodes[i]) == RAFT_LEADER &&
            (best < 0 || r->current_term > s->nodes[best].raft.current_term))
            best = (int)i;
    }
    return best;
}

static void on_applied(struct raft_apply *req, int status, void *result)
{
    struct sim_write *w = container_of(req, struct sim_write, req);
    uint64_t took;

    (void)result;
    if (status != 0) {
        w->state = SIM_WRITE_UNKNOWN;
        return;
    }
    w->state = SIM_WRITE_ACKED;
    w->acked_ms = w->sim->now;
    took = w->acked_ms - w->submitted_ms;
    if (took > w->sim->ack_ms_max)
        w->sim->ack_ms_max = took;
}

bool sim_acked(const struct sim *s, unsigned id)
{
    return id < s->writes_count && s->writes[id].state == SIM_WRITE_ACKED;
}

static void write_key(unsigned id, char key[16])
{
    snprintf(key, 16, "w/%08x", id);
}

/* One put of a fresh key, as an entry of its own. */
static struct raft_buffer encode_write(struct sim *s, unsigned id, uint64_t term)
{
    char key[16];
    struct store_op op = { .type = STORE_OP_PUT };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };
    struct raft_buffer out;
    struct buf bytes;
    struct buf entry;
    struct err e;
    int rv;

    write_key(id, key);
    op.key = str_from(key);
    op.value = str_of(&s->rng, sizeof(s->rng));
    buf_init(&bytes);
    buf_init(&entry);
    rv = txn_encode(&txn, &bytes, &e);
    ASSERT(rv == 0);
    entry_begin(&entry, STORE_FEATURE_LEVEL, term);
    entry_add(&entry, buf_str(&bytes));
    entry_end(&entry, 1);
    out.base = raft_malloc(entry.len);
    out.len = entry.len;
    memcpy(out.base, entry.data, entry.len);
    buf_deinit(&bytes);
    buf_deinit(&entry);
    return out;
}

bool sim_put(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct sim_write *w;
    struct raft_buffer buf;

    if (!n->up || !guard_ready(&n->guard) || s->writes_count == SIM_WRITES_MAX)
        return false;
    sim_heap_enter(n);
    w = &s->writes[s->writes_count];
    buf = encode_write(s, s->writes_count, n->raft.current_term);
    w->sim = s;
    w->submitted_ms = s->now;
    if (raft_apply(&n->raft, &w->req, &buf, 1, on_applied) != 0) {
        raft_free(buf.base);
        return false;
    }
    w->index = w->req.index;
    s->writes_count++;
    guard_check(&n->guard);
    sim_node_check(n);
    return true;
}

/* ---- the end ---- */

static bool same_servers(const struct raft_configuration *a, const struct raft_configuration *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (a->servers[i].id != b->servers[i].id || a->servers[i].role != b->servers[i].role)
            return false;
    return true;
}

/* The leader's members are all where it is. Spares are not sent anything. */
static bool converged(const struct sim *s)
{
    const struct sim_node *leader = sim_leader(s) < 0 ? NULL : &s->nodes[sim_leader(s)];

    for (unsigned i = 0; leader != NULL && i < leader->raft.configuration.n; i++) {
        const struct raft_server *server = &leader->raft.configuration.servers[i];
        const struct sim_node *n = &s->nodes[server->id - 1];

        if (server->role == RAFT_SPARE)
            continue;
        if (!n->up || n->raft.state == RAFT_UNAVAILABLE ||
            n->raft.last_applied != leader->raft.last_applied ||
            n->fsm->point.index != leader->fsm->point.index || !list_empty(&n->handed) ||
            n->raft.configuration_uncommitted_index != 0 ||
            !same_servers(&n->raft.configuration, &leader->raft.configuration))
            return false;
    }
    return leader != NULL;
}

static void check_writes(struct sim *s)
{
    const struct sim_node *leader = &s->nodes[sim_leader(s)];
    struct kv_txn *t = kv_begin_read(leader->kv);

    for (unsigned id = 0; id < s->writes_count; id++) {
        char key[16];
        struct str value;

        write_key(id, key);
        if (sim_acked(s, id) && !kv_get(t, KV_CUR, str_from(key), &value))
            sim_fail(s, "acknowledged write %u (index %llu) is gone", id, s->writes[id].index);
    }
    kv_abort(t);
    for (unsigned i = 0; i < leader->raft.configuration.n && !sim_bad(s); i++) {
        const struct raft_server *server = &leader->raft.configuration.servers[i];

        if (server->role != RAFT_SPARE &&
            s->nodes[server->id - 1].fsm->point.digest != leader->fsm->point.digest)
            sim_fail(s, "members %u and %llu end with different digests", leader->index + 1,
                     server->id);
    }
}

void sim_finish(struct sim *s)
{
    uint64_t end = s->now + SIM_HEAL_MS;
    int last = -1; /* the write that proves progress */

    sim_heal(s);
    s->fetch_ms = 50;
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_node *n = &s->nodes[i];

        n->net_ms = 10;
        n->bulk_ms = 0;
        n->bulk_rate = 0;
        n->stalled_until = 0;
        sim_fill(n, false);
        n->disk_ms = 5;
        n->fail_writes = 0;
        n->fail_sends = 0;
        n->lose_to = 0;
        sim_set_timeout(n, SIM_ELECTION_MS + 200 * (i % 5));
        if (!n->up)
            sim_restart(n);
    }
    sim_net_reset(s);
    while (!sim_bad(s) && s->now < end) {
        sim_run(s, 200);
        if (last >= 0 && sim_acked(s, (unsigned)last) && converged(s))
            break;
        if ((last < 0 || s->writes[last].state == SIM_WRITE_UNKNOWN) && sim_leader(s) >= 0 &&
            sim_put(s, (unsigned)sim_leader(s)))
            last = (int)s->writes_count - 1;
    }
    if (sim_bad(s))
        return;
    if (last < 0 || !sim_acked(s, (unsigned)last) || !converged(s))
        sim_fail(s, "no convergence in %d ms after all was healed", SIM_HEAL_MS);
    else
        check_writes(s);
}
