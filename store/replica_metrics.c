/* See the header. Nothing here is another thread's: what is, is read through its atomics. */
#include "store/replica_metrics.h"

#include "store/catchup.h"
#include "store/forward.h"
#include "store/group_metrics.h"
#include "store/replica.h"
#include "store/wal.h"

static void set(const struct replica *r, enum group_metric_id id, uint64_t value)
{
    metric_set(group_metric(group_id(r->group), id), (int64_t)value);
}

static void measure_writes(struct replica *r)
{
    set(r, GROUP_QUEUE_WRITES, r->proposer.queue_writes);
    set(r, GROUP_QUEUE_BYTES, r->proposer.queue_bytes);
    set(r, GROUP_QUEUE_OLDEST, proposer_oldest_ms(&r->proposer) * ENV_MS);
    set(r, GROUP_INFLIGHT, raft_node_inflight(r->node));
    set(r, GROUP_FORWARD_INFLIGHT,
        forward_inflight(r->forwarder, group_id(r->group)) + r->writes.batches_count);
}

static void measure_log(struct replica *r)
{
    struct wal_stats s;

    raft_node_log_stats(r->node, &s);
    set(r, GROUP_LOG_QUEUED, s.queued);
    set(r, GROUP_LOG_BYTES, s.bytes);
    set(r, GROUP_LOG_FILES, s.files);
    set(r, GROUP_LOG_HELD, s.held ? 1 : 0);
    metric_set_total(group_metric(group_id(r->group), GROUP_LOG_FLUSHES), (int64_t)s.flushes);
}

static void measure_reads(struct replica *r, const struct group_load *load, uint64_t now)
{
    struct replica_measure *m = &r->measure;

    if (now - m->reads_ms >= REPLICA_READS_MS) {
        m->reads_ms = now;
        m->longest_before_ns = m->longest_ns;
        m->longest_ns = 0;
    }
    if (load->longest_read_ns > m->longest_ns)
        m->longest_ns = load->longest_read_ns;
    set(r, GROUP_READS_LONGEST,
        m->longest_ns > m->longest_before_ns ? m->longest_ns : m->longest_before_ns);
    set(r, GROUP_READS_OPEN, load->reads_open);
    set(r, GROUP_READINDEX_WAITING, r->readindex.count);
}

static void measure_state(struct replica *r, const struct raft_view *v, uint64_t now)
{
    struct group_load load;
    struct point p;

    group_load(r->group, &load);
    group_point(r->group, &p);
    set(r, GROUP_APPLY_QUEUE_BYTES, load.queue_bytes);
    set(r, GROUP_APPLY_QUEUE_ENTRIES, load.queue_entries);
    /* Entries without commands (barriers, configurations) are never applied: what matters is
     * whether what was handed over is visible. */
    set(r, GROUP_APPLY_LAG, v->commit_index - v->applied_index + load.queue_entries);
    set(r, GROUP_RAFT_APPLIED, p.index);
    measure_reads(r, &load, now);
}

static void measure_raft(struct replica *r, const struct raft_view *v, uint64_t now)
{
    struct raft_node_load load;

    set(r, GROUP_RAFT_LEADER, v->leader_id);
    set(r, GROUP_RAFT_LEADING, v->leading ? 1 : 0);
    set(r, GROUP_RAFT_READY, replica_gauge(r, REPLICA_READY));
    set(r, GROUP_RAFT_BEHIND, v->behind ? 1 : 0);
    set(r, GROUP_RAFT_TERM, v->term);
    set(r, GROUP_RAFT_COMMIT, v->commit_index);
    if (now < r->measure.walk_ms)
        return;
    r->measure.walk_ms = now + REPLICA_LOG_WALK_MS;
    raft_node_load(r->node, &load);
    set(r, GROUP_RAFT_LAST, load.last_index);
    set(r, GROUP_RAFT_SNAPSHOT, load.snapshot_index);
    set(r, GROUP_RAFT_LOG_ENTRIES, load.entries);
    set(r, GROUP_RAFT_LOG_BYTES, load.bytes);
}

static void measure_catchup(struct replica *r)
{
    uint64_t got = 0;
    uint64_t total = 0;

    if (r->catchup != NULL)
        catchup_progress(r->catchup, &got, &total);
    set(r, GROUP_CATCHUP_FETCHED, got);
    set(r, GROUP_CATCHUP_BYTES, total);
}

void replica_measure(struct replica *r, const struct raft_view *v)
{
    uint64_t now = env_loop_now_ms(r->loop);

    if (now < r->measure.due_ms)
        return;
    r->measure.due_ms = now + REPLICA_MEASURE_MS;
    measure_writes(r);
    measure_log(r);
    measure_state(r, v, now);
    measure_raft(r, v, now);
    measure_catchup(r);
}

/* ---- the same for who asks ---- */

void replica_status(struct replica *r, struct store_status *out)
{
    struct point p;
    struct usage u;

    group_point(r->group, &p);
    usage_read(r->group, &u);
    *out = (struct store_status){
        .member_id = r->member_id,
        .leader_id = replica_gauge(r, REPLICA_LEADER),
        .term = replica_gauge(r, REPLICA_TERM),
        .commit_index = replica_gauge(r, REPLICA_COMMIT),
        .applied_index = p.index,
        .published = p.revision,
        .compacted = p.compacted,
        .digest = p.digest,
        .feature_level = p.level,
        .ready = replica_gauge(r, REPLICA_READY) != 0,
        .feature_level_max = group_level_max(r->group),
        .alarm = p.alarm,
        .used_bytes = u.used_bytes,
        .quota_bytes = u.quota_bytes,
        .disk_bytes = u.disk_bytes,
        .disk_free_bytes = u.disk_free_bytes,
        .timers = p.timers,
        .clock_ms = p.clock_ms,
        .held = replica_gauge(r, REPLICA_HELD) != 0,
        .behind = replica_gauge(r, REPLICA_BEHIND) != 0,
    };
    if (r->catchup != NULL)
        catchup_progress(r->catchup, &out->fetched_bytes, &out->fetch_bytes);
}
