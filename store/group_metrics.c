/* See the header. */
#include "store/group_metrics.h"

#include <stdio.h>

#include "base/err.h"

#define LABELS_BYTES 64

struct row {
    const char *name;
    const char *help;
    enum metric_type type;
    const char *label; /* beside the group */
    const double *bounds;
    int bounds_count;
};

static const double write_bounds[] = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                       0.1,    0.2,   0.5,   1,     2,    5,    10 };
static const double flush_bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01,
                                       0.02,   0.05,    0.1,    0.25,  0.5,   1,     5 };
static const double round_bounds[] = { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5 };
static const double copy_bounds[] = { 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600 };
static const double count_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096 };

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))
#define COUNTER(name, help)                                                                        \
    {                                                                                              \
        name, help, METRIC_COUNTER, NULL, NULL, 0                                                  \
    }
#define GAUGE(name, help)                                                                          \
    {                                                                                              \
        name, help, METRIC_GAUGE, NULL, NULL, 0                                                    \
    }
#define SECONDS(name, help)                                                                        \
    {                                                                                              \
        name, help, METRIC_SECONDS, NULL, NULL, 0                                                  \
    }
#define HISTOGRAM(name, help, list)                                                                \
    {                                                                                              \
        name, help, METRIC_HISTOGRAM, NULL, list, COUNT(list)                                      \
    }
#define WRITES(outcome)                                                                            \
    {                                                                                              \
        "store_writes_total",                                                                      \
            "writes of this member's clients by outcome; unavailable or unknown_outcome: no "      \
            "leader, or one was lost; no_space: see store_alarm",                                  \
            METRIC_COUNTER, "outcome=\"" outcome "\"", NULL, 0                                     \
    }

static const struct row rows[GROUP_METRICS] = {
    [GROUP_WRITE_SECONDS] =
        HISTOGRAM("store_write_seconds",
                  "from a client's submit to the answer; slow: look at flush seconds of the leader "
                  "and of a majority, then at the propose queue",
                  write_bounds),
    [GROUP_WRITES_OK] = WRITES("ok"),
    [GROUP_WRITES_CONFLICT] = WRITES("conflict"),
    [GROUP_WRITES_FENCED] = WRITES("fenced"),
    [GROUP_WRITES_NO_SPACE] = WRITES("no_space"),
    [GROUP_WRITES_TOO_MANY] = WRITES("too_many_requests"),
    [GROUP_WRITES_UNAVAILABLE] = WRITES("unavailable"),
    [GROUP_WRITES_UNKNOWN] = WRITES("unknown_outcome"),
    [GROUP_WRITES_OTHER] = WRITES("other"),
    [GROUP_QUEUE_WRITES] =
        GAUGE("store_propose_queue_writes",
              "wait to be proposed or forwarded; growing: no leader, or its disk is slow"),
    [GROUP_QUEUE_BYTES] = GAUGE("store_propose_queue_bytes",
                                "of those; refused with 429 beyond PROPOSER_BYTES_MAX, 64 MiB"),
    [GROUP_QUEUE_OLDEST] = SECONDS(
        "store_propose_oldest_seconds",
        "age of the first write in the queue; over 1 s: this member has no way to a leader"),
    [GROUP_INFLIGHT] = GAUGE("store_propose_inflight_entries",
                             "proposed here and not committed; stuck above 0: no quorum answers"),
    [GROUP_QUORUM_SECONDS] = HISTOGRAM(
        "store_quorum_seconds",
        "from proposing an entry to its commit, at the leader; far above store_log_flush_seconds: "
        "the network, or the disks of the others",
        flush_bounds),
    [GROUP_BATCH_COMMANDS] =
        HISTOGRAM("store_batch_commands",
                  "writes that one entry of the log took; grows with load, not bad", count_bounds),
    [GROUP_FORWARD_INFLIGHT] = GAUGE("store_forward_inflight_calls",
                                     "batches of writes on their way to the leader, 4 at most"),
    [GROUP_FORWARD_FAILED] = COUNTER("store_forward_failed_total",
                                     "writes whose call to the leader broke: outcome unknown"),
    [GROUP_FORWARD_RETURNED] =
        COUNTER("store_forward_returned_total",
                "writes that came back unproposed and wait again; rises when leadership moves"),
    [GROUP_LOG_QUEUED] = GAUGE("store_log_queued_requests",
                               "not yet on disk; growing: the disk of this member is too slow"),
    [GROUP_LOG_FLUSHES] = COUNTER("store_log_flushes_total", "of the log, one for each group"),
    [GROUP_LOG_FLUSH_SECONDS] = HISTOGRAM(
        "store_log_flush_seconds",
        "one flush of the log; p99 over 0.1 s: give the data folder a faster disk", flush_bounds),
    [GROUP_LOG_BYTES] =
        GAUGE("store_log_bytes", "of the log's files; far over 128 MiB: snapshots are not taken"),
    [GROUP_LOG_FILES] = GAUGE("store_log_files", "of the log, prepared and spare ones included"),
    [GROUP_LOG_HELD] = GAUGE("store_log_held",
                             "1: the disk is full and nothing is appended; make room, it goes on"),
    [GROUP_APPLY_QUEUE_BYTES] =
        GAUGE("store_apply_queue_bytes",
              "committed, not yet applied here; large: LMDB's disk is too slow for the load"),
    [GROUP_APPLY_QUEUE_ENTRIES] = GAUGE("store_apply_queue_entries", "of those"),
    [GROUP_APPLY_BATCH_ENTRIES] =
        HISTOGRAM("store_apply_batch_entries",
                  "entries that one commit of LMDB took; grows with load", count_bounds),
    [GROUP_APPLY_SECONDS] = HISTOGRAM(
        "store_apply_seconds",
        "evaluating the entries of one batch, without its commit; long: CPU starves", flush_bounds),
    [GROUP_APPLY_LAG] =
        GAUGE("store_apply_lag_entries",
              "committed as this member knows, not yet visible here; its reads wait for so many"),
    [GROUP_RING_BYTES] =
        GAUGE("store_ring_bytes", "recent changes in memory for watches; at its bound it forgets"),
    [GROUP_RING_EVENTS] =
        GAUGE("store_ring_events", "of those; a watch further behind reads from LMDB instead"),
    [GROUP_READINDEX_WAITING] =
        GAUGE("store_readindex_waiting_readers",
              "linearizable reads that wait; growing: no quorum, or the applier lags"),
    [GROUP_READINDEX_ROUNDS] =
        COUNTER("store_readindex_rounds_total", "asked for linearizable reads; one serves many"),
    [GROUP_READINDEX_FAILED] =
        COUNTER("store_readindex_rounds_failed_total",
                "without a majority or an answer; a rise without an election: the network"),
    [GROUP_READINDEX_SECONDS] =
        HISTOGRAM("store_readindex_round_seconds", "one round; slow: the network between members",
                  round_bounds),
    [GROUP_READS_OPEN] = GAUGE("store_read_open", "read transactions open now"),
    [GROUP_READS_LONGEST] =
        SECONDS("store_read_longest_seconds",
                "of the last minute or two; long ones keep old pages: LMDB's file grows"),
    [GROUP_READS_REFUSED] = COUNTER("store_read_refused_total",
                                    "every reader slot was taken: too many API loops or a leak"),
    [GROUP_RAFT_LEADER] =
        GAUGE("store_raft_leader_id", "id of the leader; 0: none known, nothing can be written"),
    [GROUP_RAFT_LEADING] = GAUGE("store_raft_leading",
                                 "1: this member leads; the sum over members is 1 or soon will be"),
    [GROUP_RAFT_READY] =
        GAUGE("store_raft_ready", "1: a leader is known and what it had committed is visible here"),
    [GROUP_RAFT_BEHIND] =
        GAUGE("store_raft_behind", "1: older than the leader's log, a copy is being fetched"),
    [GROUP_RAFT_TERM] = GAUGE("store_raft_term", "rises with each election"),
    [GROUP_RAFT_COMMIT] =
        GAUGE("store_raft_commit_index", "newest committed entry that this member knows of"),
    [GROUP_RAFT_APPLIED] =
        GAUGE("store_raft_applied_index", "newest entry visible here; differs: that member lags"),
    [GROUP_RAFT_LAST] = GAUGE("store_raft_last_index", "newest entry in this member's log"),
    [GROUP_RAFT_SNAPSHOT] =
        GAUGE("store_raft_snapshot_index", "the log may begin after it; who lacks it gets a copy"),
    [GROUP_RAFT_LOG_ENTRIES] =
        GAUGE("store_raft_log_entries", "kept in memory for members that lag"),
    [GROUP_RAFT_LOG_BYTES] = GAUGE("store_raft_log_bytes",
                                   "of those, about; bounded by RAFT_RETAIN_BYTES and a quarter"),
    [GROUP_ELECTIONS] = COUNTER("store_raft_elections_total", "campaigns of this member"),
    [GROUP_LEADER_CHANGES] =
        COUNTER("store_raft_leader_changes_total",
                "another leader was seen; without stops and updates: disk, network or CPU starve"),
    [GROUP_CATCHUP_FETCHED] = GAUGE("store_catchup_fetched_bytes",
                                    "of the copy being fetched; stands still: see the log"),
    [GROUP_CATCHUP_BYTES] = GAUGE("store_catchup_copy_bytes", "its size; 0: none is fetched"),
    [GROUP_CATCHUP_SECONDS] =
        HISTOGRAM("store_catchup_seconds",
                  "from asking for a copy of the state to having it in use; a rise of its count: "
                  "this member was further behind than the others' logs reach",
                  copy_bounds),
};

static const char *const group_names[] = { "cluster", "bus" };
#define GROUPS 2

static struct metric metrics[GROUPS][GROUP_METRICS];
static char labels[GROUPS][GROUP_METRICS][LABELS_BYTES];
static struct metric *table[GROUPS * GROUP_METRICS + 1];

static void make(int group, int id)
{
    const struct row *row = &rows[id];
    struct metric *m = &metrics[group][id];

    (void)snprintf(labels[group][id], LABELS_BYTES, "group=\"%s\"%s%s", group_names[group],
                   row->label != NULL ? "," : "", row->label != NULL ? row->label : "");
    m->name = row->name;
    m->help = row->help;
    m->type = row->type;
    m->labels = labels[group][id];
    m->bounds = row->bounds;
    m->bounds_count = row->bounds_count;
    table[id * GROUPS + group] = m; /* a family's rows follow each other */
}

void group_metrics_register(void)
{
    if (table[0] != NULL)
        return;
    for (int group = GROUPS - 1; group >= 0; group--)
        for (int id = GROUP_METRICS - 1; id >= 0; id--)
            make(group, id);
    metrics_register(table);
}

struct metric *group_metric(enum store_group_id group, enum group_metric_id id)
{
    return &metrics[group == STORE_BUS ? 1 : 0][id];
}

void group_count_write(enum store_group_id group, int status, uint64_t took_ns)
{
    static const struct {
        int status;
        enum group_metric_id id;
    } outcomes[] = { { 0, GROUP_WRITES_OK },
                     { -ERR_CONFLICT, GROUP_WRITES_CONFLICT },
                     { -ERR_FENCED, GROUP_WRITES_FENCED },
                     { -ERR_NO_SPACE, GROUP_WRITES_NO_SPACE },
                     { -ERR_TOO_MANY_REQUESTS, GROUP_WRITES_TOO_MANY },
                     { -ERR_UNAVAILABLE, GROUP_WRITES_UNAVAILABLE },
                     { -ERR_UNKNOWN_OUTCOME, GROUP_WRITES_UNKNOWN } };
    enum group_metric_id id = GROUP_WRITES_OTHER;

    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (outcomes[i].status == status)
            id = outcomes[i].id;
    metric_add(group_metric(group, id), 1);
    metric_observe(group_metric(group, GROUP_WRITE_SECONDS), (double)took_ns / (double)ENV_S);
}
