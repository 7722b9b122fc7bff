/* See the header. A row's labels are written once, by who claimed it, before it is shown. */
#include "store/link_metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/metrics.h"

enum link_row { CONNECTED, QUEUED, SENT, RECEIVED, RECONNECTS, ROUND_TRIP, LINK_ROWS };
enum { FREE, CLAIMED, NAMED };

struct link_metrics {
    _Atomic int state;
    char name[sizeof(((struct store_member *)NULL)->name)];
    char labels[sizeof(((struct store_member *)NULL)->name) + 16];
    struct metric rows[LINK_ROWS];
};

static struct link_metrics members[LINK_METRICS_MAX];
static struct metric *table[LINK_METRICS_MAX * LINK_ROWS + 1];

void link_metrics_register(void)
{
    static const struct {
        const char *name;
        const char *help;
        enum metric_type type;
    } rows[LINK_ROWS] = {
        [CONNECTED] = { "store_link_connected",
                        "1: heartbeats and votes reach the peer; 0: it is down, or the network is",
                        METRIC_GAUGE },
        [QUEUED] = { "store_link_queued_bytes",
                     "wait for the connection; stays large: the peer or the network is slow",
                     METRIC_GAUGE },
        [SENT] = { "store_link_sent_bytes_total", "of Raft's messages to the peer",
                   METRIC_COUNTER },
        [RECEIVED] = { "store_link_received_bytes_total", "of Raft's messages from the peer",
                       METRIC_COUNTER },
        [RECONNECTS] = { "store_link_reconnects_total",
                         "connections made anew; a steady rise: the network drops them",
                         METRIC_COUNTER },
        [ROUND_TRIP] = { "store_link_round_trip_seconds",
                         "of the leader's last question to the peer, between their peer loops; "
                         "0: this member has not asked it",
                         METRIC_SECONDS },
    };

    if (table[0] != NULL)
        return;
    for (int i = LINK_METRICS_MAX - 1; i >= 0; i--)
        for (int r = LINK_ROWS - 1; r >= 0; r--) {
            struct metric *m = &members[i].rows[r];

            m->name = rows[r].name;
            m->help = rows[r].help;
            m->type = rows[r].type;
            m->labels = members[i].labels;
            metric_show(m, false);
            table[i * LINK_ROWS + r] = m;
        }
    metrics_register(table);
}

static void show(struct link_metrics *m, int shown)
{
    for (int r = 0; r < LINK_ROWS; r++)
        metric_show(&m->rows[r], shown);
}

/* A name that cannot stand in a label as it is has no rows: members' names are DNS labels. */
static bool is_plain(const char *name)
{
    return name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] == '\0';
}

struct link_metrics *link_metrics_of(const char *name)
{
    if (!is_plain(name) || table[0] == NULL)
        return NULL;
    for (size_t i = 0; i < LINK_METRICS_MAX; i++) {
        struct link_metrics *m = &members[i];
        int state = FREE;

        if (atomic_compare_exchange_strong(&m->state, &state, CLAIMED)) {
            (void)snprintf(m->name, sizeof(m->name), "%s", name);
            (void)snprintf(m->labels, sizeof(m->labels), "peer=\"%s\"", name);
            atomic_store(&m->state, NAMED);
            state = NAMED;
        }
        if (state == NAMED && strcmp(m->name, name) == 0) {
            show(m, true);
            return m;
        }
    }
    return NULL;
}

void link_metrics_set(struct link_metrics *m, const struct links_stats *s)
{
    if (m == NULL)
        return;
    metric_set(&m->rows[CONNECTED], s->connected ? 1 : 0);
    metric_set(&m->rows[QUEUED], (int64_t)s->queued_bytes);
    metric_set_total(&m->rows[SENT], (int64_t)s->sent_bytes);
    metric_set_total(&m->rows[RECEIVED], (int64_t)s->received_bytes);
    metric_set_total(&m->rows[RECONNECTS], (int64_t)s->reconnects);
}

void link_metrics_round_trip(const char *name, uint64_t took_ns)
{
    for (size_t i = 0; i < LINK_METRICS_MAX; i++)
        if (atomic_load(&members[i].state) == NAMED && strcmp(members[i].name, name) == 0)
            metric_set(&members[i].rows[ROUND_TRIP], (int64_t)took_ns);
}

void link_metrics_hide(struct link_metrics *m)
{
    if (m != NULL)
        show(m, false);
}
