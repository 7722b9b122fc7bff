/* See the header. Every decision is taken anew from what is known now; nothing waits for another.
 */
#include "store/housekeeping.h"

#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/proposer.h"
#include "store/txn.h"

static struct metric checks_total = { .name = "store_check_total",
                                      .help = "rounds of comparing digests that a majority decided",
                                      .type = METRIC_COUNTER };
static struct metric mismatch_total = { .name = "store_check_mismatch_total",
                                        .help = "rounds in which members' digests differed",
                                        .type = METRIC_COUNTER };
static struct metric ticks_total = { .name = "store_tick_total",
                                     .help = "entries proposed because a key was to expire",
                                     .type = METRIC_COUNTER };
static struct metric *const house_metrics[] = { &checks_total, &mismatch_total, &ticks_total,
                                                NULL };

/* History does not outlive its time by more than half of it. */
static uint32_t compact_every_ms(const struct store_group *group)
{
    uint64_t half = group_retain_ms(group) / 2;
    return half < HOUSE_COMPACT_MS ? (uint32_t)half : HOUSE_COMPACT_MS;
}

void housekeeping_init(struct housekeeping *h, struct store_group *group, uint64_t member_id,
                       const struct housekeeping_ops *ops, void *ctx)
{
    *h = (struct housekeeping){ .group = group,
                                .member_id = member_id,
                                .ops = ops,
                                .ctx = ctx,
                                .compact_every_ms = compact_every_ms(group),
                                .check_every_ms = HOUSE_CHECK_MS };
    metrics_register(house_metrics);
}

void housekeeping_pace(struct housekeeping *h, const struct store_simulation *simulation)
{
    if (simulation != NULL && simulation->compact_ms != 0)
        h->compact_every_ms = simulation->compact_ms;
    if (simulation != NULL && simulation->check_ms != 0)
        h->check_every_ms = simulation->check_ms;
}

void housekeeping_self(struct store_group *group, uint64_t digest_index,
                       struct housekeeping_report *out)
{
    *out = (struct housekeeping_report){ .level_max = group_level_max(group) };
    usage_read(group, &out->usage);
    if (digest_index != 0 && group_digest(group, digest_index, &out->digest))
        out->digest_index = digest_index;
}

static void propose(struct housekeeping *h, struct store_op op)
{
    h->ops->propose(h->ctx, &op, 1);
}

/* ---- members ---- */

static struct housekeeping_peer *find(struct housekeeping *h, uint64_t member)
{
    for (size_t i = 0; i < h->peers_count; i++)
        if (h->peers[i].member.id == member)
            return &h->peers[i];
    return NULL;
}

/* The present configuration; what was heard of members that stay is kept. */
static void load_members(struct housekeeping *h)
{
    struct housekeeping_member members[STORE_MEMBERS_MAX];
    struct housekeeping_peer peers[STORE_MEMBERS_MAX];
    size_t count = h->ops->members(h->ctx, members);

    ASSERT(count <= STORE_MEMBERS_MAX);
    memset(peers, 0, sizeof(peers));
    for (size_t i = 0; i < count; i++) {
        const struct housekeeping_peer *old = find(h, members[i].id);

        if (old != NULL)
            peers[i] = *old;
        peers[i].member = members[i];
    }
    memcpy(h->peers, peers, sizeof(peers));
    h->peers_count = count;
}

void housekeeping_reported(struct housekeeping *h, uint64_t member, uint64_t now_ms,
                           const struct housekeeping_report *report)
{
    struct housekeeping_peer *p = find(h, member);
    uint64_t index;
    uint64_t digest;

    if (p == NULL)
        return;
    index = p->report.digest_index;
    digest = p->report.digest;
    p->report = *report;
    p->heard = true;
    p->heard_ms = now_ms;
    if (report->digest_index == 0) {
        p->report.digest_index = index;
        p->report.digest = digest;
    }
}

static void ask(struct housekeeping *h, uint64_t now)
{
    struct housekeeping_report mine;

    for (size_t i = 0; i < h->peers_count; i++)
        if (h->peers[i].member.id != h->member_id)
            h->ops->ask(h->ctx, h->peers[i].member.id, h->check_index);
    housekeeping_self(h->group, h->check_index, &mine);
    housekeeping_reported(h, h->member_id, now, &mine);
    h->ask_ms = now + HOUSE_ASK_MS;
}

static bool fresh(const struct housekeeping_peer *p, uint64_t now)
{
    return p->heard && now - p->heard_ms <= HOUSE_FRESH_MS;
}

/* ---- the feature level ---- */

static void raise_level(struct housekeeping *h, const struct point *point, uint64_t now)
{
    uint32_t level = group_level_max(h->group);

    for (size_t i = 0; i < h->peers_count; i++) {
        const struct housekeeping_peer *p = &h->peers[i];

        if (!fresh(p, now))
            return;
        if (p->report.level_max < level)
            level = p->report.level_max;
    }
    if (level <= point->level || now < h->level_ms || h->peers_count == 0)
        return;
    h->level_ms = now + HOUSE_AGAIN_MS;
    log_info("store feature level rises: every member can follow", KVN("group", group_id(h->group)),
             KVN("level", level));
    propose(h, (struct store_op){ .type = STORE_OP_FEATURE_LEVEL, .amount = level });
}

/* ---- alarms ---- */

uint32_t housekeeping_alarm(const struct usage *usage, uint32_t now)
{
    uint64_t quota_percent =
        now & STORE_ALARM_QUOTA ? STORE_ALARM_OFF_PERCENT : STORE_ALARM_ON_PERCENT;
    uint64_t low = usage->disk_bytes / 100 * HOUSE_DISK_LOW_PERCENT;
    uint32_t reasons = 0;

    if (low > HOUSE_DISK_LOW_BYTES)
        low = HOUSE_DISK_LOW_BYTES;
    if (now & STORE_ALARM_DISK)
        low += low / 2;
    if (usage->used_bytes == 0 || usage->quota_bytes == 0)
        reasons |= now & STORE_ALARM_QUOTA; /* not measured: as it was */
    else if (usage->used_bytes * 100 >= usage->quota_bytes * quota_percent)
        reasons |= STORE_ALARM_QUOTA;
    if (usage->disk_bytes == 0)
        reasons |= now & STORE_ALARM_DISK;
    else if (usage->disk_free_bytes < low)
        reasons |= STORE_ALARM_DISK;
    return reasons;
}

static uint32_t reasons_of(const struct alarm_member *alarms, size_t count, uint64_t member)
{
    for (size_t i = 0; i < count; i++)
        if (alarms[i].member == member)
            return alarms[i].reasons;
    return 0;
}

static void change_alarm(struct housekeeping *h, uint64_t member, uint32_t now, uint32_t wanted)
{
    const struct housekeeping_peer *p = find(h, member);
    struct usage none = { 0 };
    const struct usage *u = p != NULL ? &p->report.usage : &none;

    log_warn(wanted == 0 ? "store alarm ends" : "store alarm: nothing that grows is taken",
             KVN("group", group_id(h->group)), KVN("member", member), KVN("reasons", wanted),
             KVN("before", now), KVN("used_bytes", u->used_bytes),
             KVN("quota_bytes", u->quota_bytes), KVN("disk_free_bytes", u->disk_free_bytes));
    propose(h, (struct store_op){
                   .type = STORE_OP_ALARM, .revision = member, .amount = (int64_t)wanted });
}

static void decide_alarms(struct housekeeping *h, const struct point *point, uint64_t now)
{
    struct alarm_member alarms[ALARM_MEMBERS_MAX];
    size_t count = group_alarms(h->group, alarms);
    bool changed = false;

    if (point->level < 2 || now < h->alarm_ms)
        return;
    for (size_t i = 0; i < h->peers_count; i++) {
        const struct housekeeping_peer *p = &h->peers[i];
        uint32_t had = reasons_of(alarms, count, p->member.id);
        uint32_t wanted = fresh(p, now) ? housekeeping_alarm(&p->report.usage, had) : had;

        if (!p->member.voter || wanted == had)
            continue;
        change_alarm(h, p->member.id, had, wanted);
        changed = true;
    }
    for (size_t i = 0; i < count; i++) {
        const struct housekeeping_peer *p = find(h, alarms[i].member);

        if (p != NULL && p->member.voter)
            continue;
        change_alarm(h, alarms[i].member, alarms[i].reasons, 0);
        changed = true;
    }
    if (changed)
        h->alarm_ms = now + HOUSE_AGAIN_MS;
}

/* ---- digests ---- */

enum housekeeping_verdict housekeeping_verdict(const struct housekeeping_digest *digests,
                                               size_t count, uint64_t *out_agreed)
{
    bool differ = false;

    for (size_t i = 0; i < count; i++) {
        size_t votes = 0;

        for (size_t j = 0; digests[i].known && j < count; j++) {
            bool same = digests[j].digest == digests[i].digest;

            votes += digests[j].known && same ? 1 : 0;
            differ = differ || (digests[j].known && !same);
        }
        if (votes * 2 > count) {
            *out_agreed = digests[i].digest;
            return HOUSE_AGREED;
        }
    }
    return differ ? HOUSE_SPLIT : HOUSE_FEW;
}

static bool knows(const struct housekeeping *h, const struct housekeeping_peer *p)
{
    return p->heard && p->report.digest_index == h->check_index;
}

/* Whoever differs from the majority; true: somebody does. */
static bool name_strays(const struct housekeeping *h, uint64_t agreed)
{
    bool found = false;

    for (size_t i = 0; i < h->peers_count; i++) {
        const struct housekeeping_peer *p = &h->peers[i];

        if (!knows(h, p) || p->report.digest == agreed)
            continue;
        log_error("a member's state differs from the majority's: it will stop",
                  KVN("group", group_id(h->group)), KVN("member", p->member.id),
                  KVN("index", h->check_index));
        found = true;
    }
    return found;
}

static void conclude(struct housekeeping *h)
{
    struct housekeeping_digest digests[STORE_MEMBERS_MAX];
    enum housekeeping_verdict verdict;
    uint64_t agreed = 0;
    size_t count = 0;

    for (size_t i = 0; i < h->peers_count; i++)
        if (h->peers[i].member.voter)
            digests[count++] =
                (struct housekeeping_digest){ knows(h, &h->peers[i]), h->peers[i].report.digest };
    verdict = housekeeping_verdict(digests, count, &agreed);
    if (verdict == HOUSE_SPLIT) {
        metric_add(&mismatch_total, 1);
        log_error("members' states differ and no majority agrees: nobody is stopped",
                  KVN("group", group_id(h->group)), KVN("index", h->check_index));
    }
    if (verdict == HOUSE_AGREED) {
        metric_add(&checks_total, 1);
        if (name_strays(h, agreed))
            metric_add(&mismatch_total, 1);
        propose(h, (struct store_op){ .type = STORE_OP_CHECK,
                                      .revision = h->check_index,
                                      .amount = (int64_t)agreed });
    }
    h->check_index = 0;
}

static size_t voters(const struct housekeeping *h)
{
    size_t count = 0;

    for (size_t i = 0; i < h->peers_count; i++)
        count += h->peers[i].member.voter ? 1 : 0;
    return count;
}

/* A round: one index, asked for until all know it or tries are up. */
static void check(struct housekeeping *h, const struct point *point, uint64_t now)
{
    size_t unknown = 0;

    if (h->check_index == 0 && now >= h->check_ms) {
        h->check_ms = now + h->check_every_ms;
        if (voters(h) < 2)
            return; /* itself is no witness */
        h->check_index = point->index;
        h->check_tries = 0;
        h->check_ask_ms = now;
    }
    if (h->check_index == 0 || now < h->check_ask_ms)
        return;
    for (size_t i = 0; i < h->peers_count; i++)
        unknown += knows(h, &h->peers[i]) ? 0 : 1;
    if (h->check_tries > 0 && (unknown == 0 || h->check_tries == HOUSE_CHECK_TRIES_MAX)) {
        conclude(h);
        return;
    }
    h->check_tries++;
    h->check_ask_ms = now + HOUSE_CHECK_ASK_MS;
    ask(h, now);
}

/* ---- time ---- */

static void tick(struct housekeeping *h, const struct point *point, uint64_t now)
{
    uint64_t wall_ms = h->ops->wall_ms(h->ctx);

    if (point->level < 2 || point->next_deadline_ms == 0 || wall_ms < point->next_deadline_ms)
        return;
    if (now < h->tick_ms && point->next_deadline_ms == h->tick_deadline_ms &&
        point->timers == h->tick_timers)
        return; /* the last one is on its way */
    h->tick_ms = now + HOUSE_TICK_AGAIN_MS;
    h->tick_deadline_ms = point->next_deadline_ms;
    h->tick_timers = point->timers;
    metric_add(&ticks_total, 1);
    propose(h, (struct store_op){ .type = STORE_OP_TICK, .expires_ms = wall_ms });
}

/* ---- space ---- */

/* It leads: hands over when that is due, and looks again. */
static void wait_to_defragment(struct housekeeping *h, uint64_t now, bool hand_over)
{
    if (hand_over) {
        log_info("store is mostly free pages: leadership is handed over, a compact copy follows",
                 KVN("group", group_id(h->group)));
        h->wasteful_ms = h->handed_ms = now;
    }
    if (h->handed_ms > 0 && now - h->handed_ms < HOUSE_HANDING_MS)
        h->defragment_ms = now + HOUSE_HANDED_LOOK_MS;
}

static void housekeeping_defragment(struct housekeeping *h, uint64_t now)
{
    struct usage u;

    if (h->ops->defragment == NULL)
        return;
    if (h->defragment_ms == 0)
        h->defragment_ms = now + h->member_id % HOUSE_DEFRAGMENT_PHASES * HOUSE_DEFRAGMENT_MS /
                                     HOUSE_DEFRAGMENT_PHASES;
    if (now < h->defragment_ms)
        return;
    h->defragment_ms = now + HOUSE_DEFRAGMENT_MS;
    usage_read(h->group, &u);
    if (!usage_wastes(&u)) {
        h->wasteful_ms = 0;
        return;
    }
    if (h->wasteful_ms == 0)
        h->wasteful_ms = now;
    bool hand_over = now - h->wasteful_ms >= HOUSE_HAND_OVER_MS;
    if (!h->ops->defragment(h->ctx, hand_over)) {
        wait_to_defragment(h, now, hand_over);
        return;
    }
    h->wasteful_ms = 0;
    h->defragment_ms = now + HOUSE_DEFRAGMENTED_MS;
    log_info("store is mostly free pages: a compact copy takes its place",
             KVN("group", group_id(h->group)), KVN("used_bytes", u.used_bytes),
             KVN("free_bytes", u.free_bytes));
}

/* ---- turns ---- */

static void begin_leading(struct housekeeping *h, uint64_t now)
{
    h->led = true;
    h->peers_count = 0;
    h->check_index = 0;
    h->check_ms = now + h->check_every_ms;
    h->compact_ms = now + h->compact_every_ms;
    h->ask_ms = h->decide_ms = h->level_ms = h->alarm_ms = h->tick_ms = now;
}

void housekeeping_run(struct housekeeping *h, uint64_t now)
{
    struct store_op ops[HOUSE_COMPACT_OPS_MAX];
    struct point point;
    size_t count;

    housekeeping_defragment(h, now);
    if (!h->ops->leading(h->ctx)) {
        h->led = false;
        return;
    }
    if (!h->led)
        begin_leading(h, now);
    group_point(h->group, &point);
    tick(h, &point, now);
    if (now >= h->compact_ms) {
        h->compact_ms = now + h->compact_every_ms;
        count = group_compact_ops(h->group, ops, HOUSE_COMPACT_OPS_MAX);
        if (count > 0)
            h->ops->propose(h->ctx, ops, count);
    }
    if (now < h->decide_ms)
        return;
    h->decide_ms = now + HOUSE_DECIDE_MS;
    load_members(h);
    check(h, &point, now);
    if (now >= h->ask_ms)
        ask(h, now);
    raise_level(h, &point, now);
    decide_alarms(h, &point, now);
}

/* ---- proposing ---- */

static void on_own_done(struct pending *w)
{
    if (w->result.status != 0 && w->result.status != -ERR_UNAVAILABLE &&
        w->result.status != -ERR_UNKNOWN_OUTCOME && w->result.status != -ERR_NOT_LEADER)
        log_warn("store housekeeping was refused", KV("status", err_name(w->result.status)));
    pending_free(w);
}

void housekeeping_submit(struct proposer *p, struct env_loop *loop, const struct store_op *ops,
                         size_t count)
{
    struct store_txn txn = { .ops = ops, .ops_count = count };
    struct pending *w = pending_new();
    struct err e = { 0 };

    if (txn_encode(&txn, &w->txn, &e) != 0) {
        log_error("store housekeeping does not encode", KV("error", e.msg));
        pending_free(w);
        return;
    }
    w->level = txn_level(&txn);
    w->loop = loop;
    w->done = on_own_done;
    w->forwarded = true; /* only as leader */
    w->deadline_ms = env_loop_now_ms(loop) + STORE_WRITE_TIMEOUT_MS;
    proposer_submit(p, w);
}
