/* See the header. */
#include "store/leadership.h"

#include <raft.h>
#include <stdio.h>

#include "store/group_metrics.h"

static void say(struct leadership_news *out, enum leadership_kind kind, enum log_level level,
                const char *message)
{
    out->kind = kind;
    out->level = level;
    out->message = message;
}

static void why(struct leadership_news *out, const char *reason)
{
    snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

static void why_member(struct leadership_news *out, const char *format, uint64_t member)
{
    snprintf(out->reason, sizeof(out->reason), format, (unsigned long long)member);
}

static void describe_won(const struct leadership_edge *e, struct leadership_news *out)
{
    say(out, LEADERSHIP_WON, LOG_INFO, "this member leads");
    if (e->asked)
        why_member(out, "member %llu handed over", e->from.leader_id);
    else if (e->from.state == RAFT_CANDIDATE)
        why(out, "elected");
    else
        why(out, "the only voter");
}

/* Disk before transfer: a full disk is why the transfer was asked for. */
static void describe_lost(const struct leadership_edge *e, struct leadership_news *out)
{
    say(out, LEADERSHIP_LOST, LOG_WARN, "this member does not lead any more");
    if (e->to.term == e->from.term) {
        why(out, "stepped down: no quorum of voters was heard for an election timeout");
    } else if (e->successor != 0 && e->held) {
        why_member(out, "its disk is full: handed over to member %llu", e->successor);
    } else if (e->successor != 0) {
        out->level = LOG_INFO;
        why_member(out, "handed over to member %llu", e->successor);
    } else if (e->to.leader_id != 0) {
        why_member(out, "a newer term from member %llu, which leads it", e->to.leader_id);
    } else if (e->voted_for != 0) {
        why_member(out, "a newer term from member %llu, which asked for this one's vote",
                   e->voted_for);
    } else {
        why(out, "a newer term from a member that did not get this one's vote");
    }
}

void leadership_describe(const struct leadership_edge *e, struct leadership_news *out)
{
    *out = (struct leadership_news){ .kind = LEADERSHIP_NONE };
    if (e->to.state == RAFT_LEADER && e->from.state != RAFT_LEADER) {
        describe_won(e, out);
    } else if (e->from.state == RAFT_LEADER && e->to.state != RAFT_LEADER) {
        describe_lost(e, out);
    } else if (e->to.state == RAFT_CANDIDATE && e->from.state != RAFT_CANDIDATE) {
        bool known = e->from.leader_id != 0;

        say(out, LEADERSHIP_CAMPAIGN, known && !e->asked ? LOG_INFO : LOG_DEBUG,
            "this member campaigns");
        if (e->asked)
            why_member(out, "member %llu hands over", e->from.leader_id);
        else if (known)
            why_member(out, "leader %llu was not heard for an election timeout", e->from.leader_id);
        else
            why(out, "no leader is known");
    } else if (e->to.leader_id != 0 && e->to.leader_id != e->from.leader_id) {
        say(out, LEADERSHIP_FOLLOWS, LOG_INFO, "another member leads");
        why(out, e->to.term > e->from.term ? "it began a newer term" : "it was heard");
    } else if (e->to.leader_id == 0 && e->from.leader_id != 0) {
        say(out, LEADERSHIP_NOBODY, LOG_INFO, "no leader is known");
        if (e->voted_for != 0)
            why_member(out, "a newer term: this member voted for member %llu", e->voted_for);
        else
            why(out, "a newer term");
    }
}

/* Counts what clients feel: that somebody else leads, or nobody. */
static void count(const struct leadership *l, const struct leadership_news *news)
{
    if (news->kind == LEADERSHIP_CAMPAIGN)
        metric_add(group_metric(l->group, GROUP_ELECTIONS), 1);
    if (news->kind == LEADERSHIP_WON || news->kind == LEADERSHIP_FOLLOWS)
        metric_add(group_metric(l->group, GROUP_LEADER_CHANGES), 1);
}

void leadership_note(struct leadership *l, struct leadership_edge *e, bool asks, uint64_t now_ms)
{
    struct leadership_news news;
    uint64_t leaderless_ms = l->leaderless_ms != 0 ? now_ms - l->leaderless_ms : 0;

    e->from = l->seen;
    if (e->to.state == RAFT_CANDIDATE && e->from.state != RAFT_CANDIDATE) {
        l->asked = asks;
        l->asked_by = e->from.leader_id;
    }
    e->asked = l->asked && e->to.state != RAFT_FOLLOWER;
    if (e->to.state == RAFT_LEADER && l->asked)
        e->from.leader_id = l->asked_by;
    leadership_describe(e, &news);
    if (e->to.state == RAFT_FOLLOWER)
        l->asked = false;
    if (e->to.leader_id != 0)
        l->leaderless_ms = 0;
    else if (l->leaderless_ms == 0)
        l->leaderless_ms = now_ms;
    l->seen = e->to;
    if (news.kind == LEADERSHIP_NONE)
        return;
    count(l, &news);
    log_write(news.level, news.message,
              LOG_PAIRS(KVN("group", l->group), KVN("term", e->to.term),
                        KVN("leader", e->to.leader_id), KV("reason", news.reason),
                        KVN("leaderless_ms", leaderless_ms)));
}
