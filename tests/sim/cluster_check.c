/* What must hold after every event, and what at the end. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_state.h"
#include "store/raft_node.h"
#include "store/replica.h"
#include "store/txn.h"
#include "tests/sim/cluster.h"

#define GROW 1024

uint64_t cluster_hash(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static void *grow(void *array, size_t *count, size_t index, size_t size)
{
    size_t more = index + GROW;

    if (index < *count)
        return array;
    array = mem_realloc(array, more * size);
    memset((char *)array + *count * size, 0, (more - *count) * size);
    *count = more;
    return array;
}

static struct cluster_index *index_at(struct cluster *c, enum store_group_id group, uint64_t index)
{
    struct cluster_known *k = &c->known[group];

    k->indexes = grow(k->indexes, &k->indexes_count, index, sizeof(*k->indexes));
    return &k->indexes[index];
}

/* ---- committed commands ---- */

static void note_mark(struct cluster *c, enum store_group_id group, uint64_t index,
                      uint64_t revision)
{
    struct cluster_known *k = &c->known[group];

    if (k->marks_count % GROW == 0)
        k->marks = mem_realloc(k->marks, (k->marks_count + GROW) * sizeof(*k->marks));
    k->marks[k->marks_count++] = (struct cluster_mark){ index, revision };
}

/* What a command that nobody has handed over yet says is to be forgotten. */
static void note_marks(struct cluster *c, enum store_group_id group, uint64_t index,
                       struct str bytes)
{
    struct entry entry;
    struct arena a;
    struct str frame;
    struct store_txn txn;

    arena_init(&a);
    if (entry_decode(bytes, &entry, NULL) == 0)
        while (entry_next(&entry, &frame) && txn_decode(frame, &a, &txn, NULL) == 0)
            for (size_t i = 0; i < txn.ops_count; i++)
                if (txn.ops[i].type == STORE_OP_COMPACT && txn.ops[i].key.len == 0)
                    note_mark(c, group, index, txn.ops[i].revision);
    arena_deinit(&a);
}

static uint64_t forgotten_at(const struct cluster *c, enum store_group_id group, uint64_t index)
{
    const struct cluster_known *k = &c->known[group];
    uint64_t revision = 0;

    for (size_t i = 0; i < k->marks_count && k->marks[i].index <= index; i++)
        if (k->marks[i].revision > revision)
            revision = k->marks[i].revision;
    return revision;
}

uint64_t cluster_forgotten(const struct cluster_host *h)
{
    struct point p;

    group_point(store_group(h->store, STORE_CLUSTER), &p);
    return forgotten_at(h->world, STORE_CLUSTER, p.index);
}

void cluster_committed(void *ctx, enum store_group_id group, uint64_t index, uint64_t term,
                       struct str bytes)
{
    struct cluster_host *h = ctx;
    struct cluster_index *i;
    uint64_t hash = cluster_hash(14695981039346656037u, bytes.data, bytes.len);

    if (!env_sim_host_alive(h->env))
        return; /* it died in this very event */
    i = index_at(h->world, group, index);
    if (i->committed && (i->hash != hash || i->term != term))
        cluster_fail(h->world,
                     "group %d: %s hands over index %llu of term %llu, where one of term %llu was "
                     "committed",
                     group, h->name, (unsigned long long)index, (unsigned long long)term,
                     (unsigned long long)i->term);
    if (!i->committed)
        note_marks(h->world, group, index, bytes);
    i->committed = true;
    i->term = term;
    i->hash = hash;
}

/* ---- leaders ---- */

/* Edges, once for each wait. */
static void note_held(struct cluster_host *h, enum store_group_id group, bool held)
{
    bool starved = atomic_load(&store_group(h->store, group)->starved) != 0;

    h->world->counters.held += held && !h->held[group];
    h->world->counters.starved += starved && !h->starved[group];
    h->held[group] = held;
    h->starved[group] = starved;
}

static void check_leader(struct cluster_host *h, enum store_group_id group)
{
    struct cluster_known *k = &h->world->known[group];
    struct raft_view v;

    raft_node_view(replica_of(store_group(h->store, group))->node, &v);
    note_held(h, group, v.held);
    if (!v.leading)
        return;
    k->leaders = grow(k->leaders, &k->leaders_count, v.term, sizeof(*k->leaders));
    if (k->leaders[v.term] == 0)
        h->world->counters.leaders++;
    if (k->leaders[v.term] != 0 && k->leaders[v.term] != h->self.id)
        cluster_fail(h->world, "group %d: %s and m%llu both lead in term %llu", group, h->name,
                     (unsigned long long)k->leaders[v.term], (unsigned long long)v.term);
    k->leaders[v.term] = h->self.id;
}

/* ---- applied state ---- */

static void check_digest(struct cluster_host *h, enum store_group_id group, uint64_t index,
                         uint64_t digest)
{
    struct cluster_index *i = index_at(h->world, group, index);

    if (h->diverged)
        return; /* it is not like the others, and must be found out */
    if (i->digested && i->digest != digest)
        cluster_fail(h->world, "group %d: %s has another digest than others at index %llu", group,
                     h->name, (unsigned long long)index);
    i->digested = true;
    i->digest = digest;
}

/* Its state machine remembers the digests of the last entries: each is compared. */
static void check_applied(struct cluster_host *h, enum store_group_id group)
{
    struct store_group *g = store_group(h->store, group);
    struct point p;

    group_point(g, &p);
    if (p.index == h->applied[group])
        return;
    if (p.index < h->applied[group])
        cluster_fail(h->world, "group %d: %s went back from index %llu to %llu", group, h->name,
                     (unsigned long long)h->applied[group], (unsigned long long)p.index);
    for (uint64_t i = h->applied[group] + 1; i < p.index; i++) {
        uint64_t digest;

        if (group_digest(g, i, &digest))
            check_digest(h, group, i, digest);
    }
    check_digest(h, group, p.index, p.digest);
    if (p.compacted != forgotten_at(h->world, group, p.index))
        cluster_fail(h->world, "group %d: %s forgot what was below revision %llu, not %llu", group,
                     h->name, (unsigned long long)p.compacted,
                     (unsigned long long)forgotten_at(h->world, group, p.index));
    h->applied_before[group] = h->applied[group];
    h->applied[group] = p.index;
}

void cluster_check_start(struct cluster_host *h)
{
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        uint64_t least = h->applied[id];
        struct point p;

        group_point(store_group(h->store, id), &p);
        if (p.index < least)
            cluster_fail(h->world, "group %d: %s starts at index %llu, but had committed %llu", id,
                         h->name, (unsigned long long)p.index, (unsigned long long)least);
        h->applied[id] = p.index;
        h->applied_before[id] = p.index;
        if (p.index > 0)
            check_digest(h, id, p.index, p.digest);
    }
}

void cluster_check(struct cluster *c)
{
    for (size_t i = 0; i < c->hosts_count && !cluster_bad(c); i++) {
        struct cluster_host *h = &c->hosts[i];

        if ((h->state != CLUSTER_UP && h->state != CLUSTER_STOPPING) || !env_sim_host_alive(h->env))
            continue;
        for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
            check_leader(h, id);
            check_applied(h, id);
        }
    }
}

/* ---- the end ---- */

static const char *unlike_in(struct cluster *c, enum store_group_id id, struct point *first,
                             bool *any)
{
    for (size_t i = 0; i < c->hosts_count; i++) {
        struct cluster_host *h = &c->hosts[i];
        struct raft_view v;
        struct point p;

        if (!h->wanted)
            continue;
        if (!cluster_up(h))
            return "a member is down";
        group_point(store_group(h->store, id), &p);
        raft_node_view(replica_of(store_group(h->store, id))->node, &v);
        if (v.leader_id == 0)
            return "a member knows no leader";
        if (p.index < v.commit_index && !group_covers(store_group(h->store, id), v.commit_index))
            return "a member has not applied all";
        if (*any && (p.index != first->index || p.digest != first->digest))
            return "members differ";
        *first = p;
        *any = true;
    }
    return *any ? NULL : "there is no member";
}

const char *cluster_unlike(struct cluster *c)
{
    const char *why = NULL;

    for (enum store_group_id id = STORE_CLUSTER; why == NULL && id <= STORE_BUS; id++) {
        struct point first;
        bool any = false;

        why = unlike_in(c, id, &first, &any);
    }
    return why;
}

void cluster_dump_host(const struct cluster_host *h)
{
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        struct replica *r = replica_of(store_group(h->store, id));
        struct raft_server_view servers[RAFT_SERVERS_MAX];
        size_t count = raft_node_servers(r->node, servers, RAFT_SERVERS_MAX);
        struct raft_view v;
        struct point p;

        raft_node_view(r->node, &v);
        group_point(r->group, &p);
        fprintf(stderr,
                "  group %d: term %llu, leader m%llu%s%s%s%s%s, last %llu, commit %llu, handed "
                "%llu, applied %llu, digest %llx\n",
                id, (unsigned long long)v.term, (unsigned long long)v.leader_id,
                v.leading ? ", leads" : "", v.ready ? ", ready" : "", v.behind ? ", behind" : "",
                v.held ? ", held" : "", raft_node_may_change(r->node) ? ", may change" : "",
                (unsigned long long)raft_node_last_index(r->node),
                (unsigned long long)v.commit_index, (unsigned long long)v.applied_index,
                (unsigned long long)p.index, (unsigned long long)p.digest);
        for (size_t i = 0; i < count; i++)
            fprintf(stderr, "    m%llu role %d match %llu%s\n", (unsigned long long)servers[i].id,
                    servers[i].role, (unsigned long long)servers[i].match_index,
                    servers[i].heard ? ", heard" : "");
    }
}

/* ---- the history ---- */

/* What was read without an answer says nothing; what was surely not done neither. */
static size_t history_keep(struct cluster *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->history_count; i++) {
        struct lincheck_op *op = &c->history[i];

        if (op->client == UINT32_MAX || (op->kind == LINCHECK_READ && op->outcome != LINCHECK_OK))
            continue;
        c->history[count++] = *op;
    }
    c->history_count = count;
    return count;
}

static void check_history(struct cluster *c)
{
    struct lincheck_result result;
    size_t count = history_keep(c);
    struct buf text;

    switch (lincheck(c->history, count, &result)) {
    case LINCHECK_LINEARIZABLE:
        return;
    case LINCHECK_TOO_HARD:
        c->counters.too_hard++;
        return;
    case LINCHECK_VIOLATION:
        break;
    }
    buf_init(&text);
    lincheck_print(&text, c->history, &result);
    fwrite(text.data, 1, text.len, stderr);
    cluster_fail(c, "not linearizable: key %u", c->history[result.op].key);
    buf_deinit(&text);
}

/* Every acknowledged write is in the one history, as it was written. */
static void check_acknowledged(struct cluster *c)
{
    for (size_t i = 0; i < c->history_count && !cluster_bad(c); i++) {
        const struct lincheck_op *op = &c->history[i];
        const struct cluster_revision *r;

        if (op->client == UINT32_MAX || op->kind != LINCHECK_WRITE || op->outcome != LINCHECK_OK)
            continue;
        r = op->revision < c->revisions_count ? &c->revisions[op->revision] : NULL;
        if (r != NULL && !r->seen && r->skipped == (1u << CLUSTER_WATCHERS) - 1)
            continue; /* everybody was too late to see it */
        if (r == NULL || !r->seen)
            cluster_fail(c, "revision %llu was acknowledged, and no watcher saw it",
                         (unsigned long long)op->revision);
        else if (r->key != op->key || r->deleted != (op->value == 0) || r->value != op->value)
            cluster_fail(c, "revision %llu was acknowledged for another write",
                         (unsigned long long)op->revision);
    }
}

struct streamed {
    struct cluster *c;
    uint64_t newest[CLUSTER_HOSTS_MAX];
    uint64_t sequence;
};

static bool on_message(void *ctx, uint64_t sequence, struct str value)
{
    struct streamed *s = ctx;
    uint64_t producer = load_le64(value.data);
    uint64_t number = load_le64(value.data + 8);

    if (sequence <= s->sequence)
        cluster_fail(s->c, "the stream goes back to sequence %llu", (unsigned long long)sequence);
    else if (number != s->newest[producer] + 1)
        cluster_fail(s->c, "producer %llu: message %llu follows %llu in the stream",
                     (unsigned long long)producer, (unsigned long long)number,
                     (unsigned long long)s->newest[producer]);
    s->newest[producer] = number;
    s->sequence = sequence;
    return !cluster_bad(s->c);
}

static void check_stream(struct cluster *c, struct cluster_host *h)
{
    struct streamed s = { .c = c };
    struct store_read r;
    uint64_t before;

    do {
        before = s.sequence;
        if (store_read_begin(store_group(h->store, STORE_BUS), 0, &r) != 0)
            return;
        (void)store_read_stream(&r, str_lit("stream"), s.sequence, on_message, &s);
        store_read_end(&r);
    } while (s.sequence > before && !cluster_bad(c));
    for (size_t i = 0; i < CLUSTER_HOSTS_MAX && !cluster_bad(c); i++)
        if (s.newest[i] < c->producers[i].acked || s.newest[i] > c->producers[i].sequence)
            cluster_fail(c, "producer %zu: the stream ends with message %llu of %llu acknowledged",
                         i, (unsigned long long)s.newest[i],
                         (unsigned long long)c->producers[i].acked);
}

void cluster_check_end(struct cluster *c)
{
    struct cluster_host *h = cluster_any(c);

    check_acknowledged(c);
    for (size_t i = 0; i < CLUSTER_WATCHERS && !cluster_bad(c); i++)
        cluster_view_check(&c->watchers[i]);
    if (!cluster_bad(c))
        check_history(c);
    if (!cluster_bad(c) && h != NULL)
        check_stream(c, h);
}
