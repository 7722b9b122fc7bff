/*
 * See members.h. look() is the one step: it reads the rows, tells who must know, and corrects what
 * is this member's to correct; it runs after each commit that touched a row, when leadership
 * changes, and again after a write that failed. One write at a time, and one view; but what is read
 * is told even while a write waits: that may be for a leader that only the new addresses can find.
 */
#include "store/members.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/admin.h"
#include "store/config.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"
#include "store/roster_txn.h"

struct members_keeper {
    struct members_config config;
    struct roster roster;
    struct store_subscriber rows;
    struct store_leadership leadership;
    struct env_timer retry;
    struct env_timer lost;
    struct peer_call call;
    struct env_msg start;
    struct store_write write;
    struct store_barrier seen;
    struct view_ask view;
    uint64_t leading_term;   /* 0: another leads */
    bool recovering;         /* others' rows do not count */
    uint64_t heard_revision; /* of a roster that a member told us; 0: none */
    size_t asked;            /* position of the last one asked */
    bool leaderless;         /* when it was looked at last */
    bool asking;
    bool writing;
    bool viewing;
    bool stopped;
};

/* What travels to the raft loop. */
struct news {
    struct env_msg msg;
    struct members_keeper *keeper;
    struct roster roster;
};

int members_read(struct store_group *cluster, const struct store_config *config, struct roster *out,
                 struct err *e)
{
    int rc = roster_read(cluster, out, e);

    if (rc == 0 && out->count == 0)
        roster_from_members(out, config->members, config->members_count);
    return rc;
}

/* ---- telling ---- */

static void on_news(struct env_msg *m)
{
    struct news *n = container_of(m, struct news, msg);

    n->keeper->config.changed(n->keeper->config.ctx, &n->roster);
    mem_free(n);
}

static void tell(struct members_keeper *k)
{
    struct store_member members[ROSTER_MAX];
    struct news *n = mem_alloc(sizeof(*n));

    peers_set_members(k->config.peers, members, roster_members(&k->roster, members));
    n->keeper = k;
    n->roster = k->roster;
    env_post(k->config.raft_loop, &n->msg, on_news);
}

/* ---- writing ---- */

static void look(struct members_keeper *k);

static void on_seen(struct store_barrier *b)
{
    struct members_keeper *k = container_of(b, struct members_keeper, seen);

    k->writing = false;
    if (!k->stopped)
        look(k);
}

/* What is answered is not yet what is read: before that the same would be written again. */
static void on_written(struct store_write *w)
{
    struct members_keeper *k = container_of(w, struct members_keeper, write);

    if (w->result.status == 0 && !k->stopped) {
        k->seen = (struct store_barrier){ .loop = k->config.peer_loop, .done = on_seen };
        store_wait_revision(k->config.cluster, &k->seen, w->result.revision);
        return;
    }
    k->writing = false;
    if (!k->stopped)
        env_timer_start(&k->retry, MEMBERS_RETRY_MS);
}

static void submit(struct members_keeper *k, struct roster_txn *t, uint64_t fence_term)
{
    k->writing = true;
    k->write = (struct store_write){ .loop = k->config.peer_loop,
                                     .done = on_written,
                                     .deadline_ms =
                                         env_loop_now_ms(k->config.peer_loop) + MEMBERS_WRITE_MS };
    store_submit(k->config.cluster, &k->write, roster_txn_get(t, fence_term));
    roster_txn_deinit(t);
}

/* The first leader of a new cluster. */
static void write_first_rows(struct members_keeper *k)
{
    struct roster_txn t;
    char next[24];

    roster_txn_init(&t);
    for (size_t i = 0; i < k->roster.count; i++)
        roster_txn_row(&t, &k->roster.rows[i]);
    (void)snprintf(next, sizeof(next), "%llu", (unsigned long long)k->roster.next_id);
    roster_txn_put(&t, str_lit(ROSTER_NEXT_KEY), str_from(next), 0, 0);
    submit(k, &t, k->leading_term);
}

static bool moved(const struct roster_row *row, const struct store_member *to)
{
    return strcmp(row->member.raft_address, to->raft_address) != 0 ||
           strcmp(row->member.peer_address, to->peer_address) != 0;
}

static void correct_row(struct members_keeper *k, const struct roster_row *row,
                        const struct store_member *to)
{
    struct roster_row corrected = *row;
    struct roster_txn t;

    corrected.member = *to;
    log_info("a member has moved: its addresses are corrected", KV("member", to->name),
             KV("raft", to->raft_address), KV("peer", to->peer_address));
    roster_txn_init(&t);
    roster_txn_row(&t, &corrected);
    submit(k, &t, 0);
}

/* ---- a row that is not needed any more ---- */

static const struct roster_row *a_gone_row(const struct members_keeper *k)
{
    for (size_t i = 0; i < k->roster.count; i++)
        if (k->roster.rows[i].want == ROSTER_GONE && k->roster.rows[i].revision != 0)
            return &k->roster.rows[i];
    return NULL;
}

static void on_view(struct view_ask *a)
{
    struct members_keeper *k = a->priv;

    k->viewing = false;
    if (k->stopped)
        return;
    for (size_t i = 0; i < k->roster.count && !k->writing && k->leading_term != 0; i++) {
        const struct roster_row *row = &k->roster.rows[i];
        struct roster_txn t;

        if (row->want != ROSTER_GONE || row->revision == 0 ||
            !view_is_out(&a->view, row->member.id))
            continue;
        log_info("a member is gone from every group: its row goes", KV("member", row->member.name),
                 KVN("id", row->member.id));
        roster_txn_init(&t);
        roster_txn_drop(&t, row);
        submit(k, &t, k->leading_term);
    }
    if (!k->writing && a_gone_row(k) != NULL)
        env_timer_start(&k->retry, MEMBERS_DROP_MS);
}

static void ask_who_is_out(struct members_keeper *k)
{
    if (k->viewing)
        return;
    k->viewing = true;
    k->view = (struct view_ask){ .loop = k->config.peer_loop, .done = on_view, .priv = k };
    admin_view(k->config.admin, &k->view);
}

/* ---- after a disaster ---- */

static bool recovery_is_written(const struct members_keeper *k)
{
    struct store_version found;
    struct store_read r;
    struct buf key;
    bool written = false;

    buf_init(&key);
    buf_append_c(&key, MEMBERS_RECOVERIES_PREFIX);
    buf_append_c(&key, k->config.store->recovery);
    if (store_read_begin(k->config.cluster, 0, &r) == 0) {
        written = store_read_get(&r, buf_str(&key), &found) == 0;
        store_read_end(&r);
    }
    buf_deinit(&key);
    return written;
}

/* What the rows mean while this member recovers its cluster: it alone is left, and the others must
 * not be listened to. */
static void override(const struct members_keeper *k, struct roster *roster)
{
    const struct roster_row *own = roster_by_id(roster, k->config.store->member_id);

    roster->count = own != NULL ? 1 : 0;
    if (own == NULL)
        return;
    memmove(&roster->rows[0], own, sizeof(*own));
    roster->rows[0].want = ROSTER_VOTER;
}

static void write_recovery(struct members_keeper *k)
{
    struct roster all;
    struct roster_txn t;
    struct buf key;
    struct err e;

    if (members_read(k->config.cluster, k->config.store, &all, &e) != 0) {
        env_timer_start(&k->retry, MEMBERS_RETRY_MS);
        return;
    }
    buf_init(&key);
    buf_append_c(&key, MEMBERS_RECOVERIES_PREFIX);
    buf_append_c(&key, k->config.store->recovery);
    log_warn("this cluster was recovered from this member alone: all others are removed",
             KV("recovery", k->config.store->recovery));
    roster_txn_init(&t);
    for (size_t i = 0; i < all.count; i++)
        if (all.rows[i].member.id != k->config.store->member_id)
            roster_txn_drop(&t, &all.rows[i]);
    for (size_t i = 0; i < k->roster.count; i++)
        roster_txn_row(&t, &k->roster.rows[i]);
    roster_txn_put(&t, buf_str(&key), str_lit("1"), 0, 0);
    submit(k, &t, k->leading_term);
    buf_deinit(&key);
}

/* ---- the one step ---- */

static bool same_roster(const struct roster *a, const struct roster *b)
{
    bool same = a->count == b->count && a->next_id == b->next_id;

    for (size_t i = 0; same && i < a->count; i++)
        same = a->rows[i].want == b->rows[i].want &&
               memcmp(&a->rows[i].member, &b->rows[i].member, sizeof(a->rows[i].member)) == 0;
    return same;
}

/* What the state says, once it is as new as what was heard. */
static void adopt(struct members_keeper *k, const struct roster *now)
{
    bool same = same_roster(now, &k->roster);

    if (k->heard_revision > store_published(k->config.cluster))
        return;
    k->heard_revision = 0;
    k->roster = *now;
    if (!same)
        tell(k);
}

static bool read_rows(struct members_keeper *k, struct roster *out)
{
    struct err e;

    if (members_read(k->config.cluster, k->config.store, out, &e) != 0) {
        log_error("the members' rows cannot be read", KV("reason", e.msg));
        env_timer_start(&k->retry, MEMBERS_RETRY_MS);
        return false;
    }
    k->recovering = k->recovering && !recovery_is_written(k);
    if (k->recovering)
        override(k, out);
    return true;
}

/* What is this member's to write, if anything. */
static void correct(struct members_keeper *k)
{
    const struct store_member *self = config_self(k->config.store);
    const struct roster_row *row = roster_by_id(&k->roster, k->config.store->member_id);

    if (k->roster.next_revision == 0) {
        if (k->leading_term != 0)
            write_first_rows(k);
    } else if (k->recovering) {
        if (k->leading_term != 0)
            write_recovery(k);
    } else if (row != NULL && self != NULL && row->want != ROSTER_GONE && moved(row, self)) {
        correct_row(k, row, self);
    } else if (k->leading_term != 0 && a_gone_row(k) != NULL) {
        ask_who_is_out(k);
    }
}

static void look(struct members_keeper *k)
{
    struct roster now;

    if (k->stopped || !read_rows(k, &now))
        return;
    adopt(k, &now);
    if (roster_removed(&now, k->config.store->member_id)) {
        k->config.removed(k->config.ctx);
        return;
    }
    if (!k->writing)
        correct(k);
}

bool members_heard(struct members_keeper *k, const struct store_member *who)
{
    const struct roster_row *row = roster_by_id(&k->roster, who->id);

    if (k->stopped)
        return true;
    if (roster_removed(&k->roster, who->id))
        return false;
    if (row != NULL && row->want != ROSTER_GONE && row->revision != 0 && !k->writing &&
        strcmp(row->member.name, who->name) == 0 && moved(row, who))
        correct_row(k, row, who);
    return true;
}

/* ---- without a leader ---- */

static int decode_rows(const PeerRosterResponse *m, struct roster *out, struct err *e)
{
    int rc = 0;

    *out = (struct roster){ .next_id = 1 };
    if (m->n_rows > ROSTER_MAX)
        return err_set(e, ERR_PROTOCOL, "%zu members", m->n_rows);
    for (size_t i = 0; rc == 0 && i < m->n_rows; i++) {
        const ProtobufCBinaryData *key = &m->rows[i]->key;
        const ProtobufCBinaryData *value = &m->rows[i]->value;

        rc = roster_row_decode(str_of((const char *)key->data, key->len),
                               str_of((const char *)value->data, value->len), &out->rows[i], e);
        out->count += rc == 0 ? 1 : 0;
    }
    return rc;
}

static void hear(struct members_keeper *k, const PeerRosterResponse *m)
{
    const struct roster_row *self;
    struct roster heard;
    struct err e;

    if (m->revision <= store_published(k->config.cluster) || m->revision <= k->heard_revision)
        return;
    if (decode_rows(m, &heard, &e) != 0) {
        log_warn("a member's answer is no roster", KV("reason", e.msg));
        return;
    }
    self = roster_by_id(&heard, k->config.store->member_id);
    if (self == NULL) {
        /* Else it is behind as well, and has not heard of this member yet. */
        if (k->config.store->member_id < m->next_id)
            k->config.removed(k->config.ctx);
        return;
    }
    heard.next_id = m->next_id != 0 ? m->next_id : heard.next_id;
    log_info("a member told who the members are", KVN("revision", m->revision),
             KVN("members", heard.count));
    k->heard_revision = m->revision;
    k->roster = heard;
    tell(k);
}

static void on_heard(struct peer_call *call, int status, struct str reply)
{
    struct members_keeper *k = container_of(call, struct members_keeper, call);
    PeerRosterResponse *m = NULL;

    k->asking = false;
    if (status == 0)
        m = peer_roster_response__unpack(NULL, reply.len, (const uint8_t *)reply.data);
    if (m == NULL)
        return;
    if (!k->stopped)
        hear(k, m);
    peer_roster_response__free_unpacked(m, NULL);
}

/* The next of those it knows. */
static void ask(struct members_keeper *k)
{
    for (size_t i = 0; i < k->roster.count; i++) {
        const struct roster_row *row = &k->roster.rows[++k->asked % k->roster.count];

        if (row->member.id == k->config.store->member_id || row->want == ROSTER_GONE)
            continue;
        k->asking = true;
        k->call.done = on_heard;
        peers_call(k->config.peers, row->member.id, &k->call, "/PeerService/Roster", str_of("", 0),
                   PEER_CALL_MS);
        return;
    }
}

static void on_lost(struct env_timer *t)
{
    struct members_keeper *k = container_of(t, struct members_keeper, lost);
    struct store_status status;
    bool before = k->leaderless;

    store_status(k->config.cluster, &status);
    k->leaderless = status.leader_id == 0;
    if (before && k->leaderless && !k->asking && !k->recovering)
        ask(k);
    env_timer_start(&k->lost, MEMBERS_LOST_MS);
}

/* ---- what wakes it ---- */

static void on_rows(struct store_subscriber *s, uint64_t revision)
{
    (void)revision;
    look(container_of(s, struct members_keeper, rows));
}

static void on_leadership(struct store_leadership *l, bool leading, uint64_t term)
{
    struct members_keeper *k = container_of(l, struct members_keeper, leadership);

    k->leading_term = leading ? term : 0;
    look(k);
}

static void on_retry(struct env_timer *t)
{
    look(container_of(t, struct members_keeper, retry));
}

static void on_start(struct env_msg *m)
{
    struct members_keeper *k = container_of(m, struct members_keeper, start);

    if (!k->stopped)
        env_timer_start(&k->lost, MEMBERS_LOST_MS);
    look(k);
}

int members_open(const struct members_config *config, struct members_keeper **out, struct err *e)
{
    struct members_keeper *k = mem_alloc(sizeof(*k));
    int rc;

    k->config = *config;
    k->recovering = config->store->recovery != NULL;
    rc = members_read(config->cluster, config->store, &k->roster, e);
    if (rc != 0) {
        mem_free(k);
        return rc;
    }
    k->recovering = k->recovering && !recovery_is_written(k);
    if (k->recovering)
        override(k, &k->roster);
    tell(k);
    env_timer_init(config->peer_loop, &k->retry, on_retry);
    env_timer_init(config->peer_loop, &k->lost, on_lost);
    k->rows.loop = config->peer_loop;
    k->rows.published = on_rows;
    store_subscribe_prefix(config->cluster, &k->rows, ROSTER_PREFIX);
    k->leadership.loop = config->peer_loop;
    k->leadership.changed = on_leadership;
    store_on_leadership(config->cluster, &k->leadership);
    env_post(config->peer_loop, &k->start, on_start);
    *out = k;
    return 0;
}

void members_stop(struct members_keeper *k)
{
    if (k == NULL)
        return;
    k->stopped = true;
    env_timer_deinit(&k->retry);
    env_timer_deinit(&k->lost);
}

void members_free(struct members_keeper *k)
{
    mem_free(k);
}
