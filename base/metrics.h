/*
 * Metrics: declared static in the .c that increments them, listed in one table per module, rendered
 * in Prometheus' text format. Names are subsystem_noun_unit (counters end in _total). Increments
 * are relaxed atomics: any thread, no locks.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

struct buf;

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM,
    METRIC_SECONDS,      /* a gauge that is set in nanoseconds and shown in seconds */
    METRIC_SECONDS_TOTAL /* a counter, likewise */
};

#define METRIC_BUCKETS_MAX 16

struct metric {
    const char *name;
    const char *help;
    enum metric_type type;
    const char *labels;       /* constant label pairs such as `verb="get"`, or NULL */
    const double *bounds;     /* histogram: ascending upper bounds */
    int bounds_count;         /* at most METRIC_BUCKETS_MAX */
    _Atomic int64_t value;    /* counter or gauge; histogram: count */
    _Atomic int64_t sum_nano; /* histogram: sum in 1e-9 units */
    _Atomic int64_t buckets[METRIC_BUCKETS_MAX];
    /* Not rendered while set. A row whose labels are only known later begins with it, and they are
     * written before metric_show. */
    _Atomic int hidden;
};

void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t n);
/* Of a counter whose total is kept elsewhere. */
void metric_set_total(struct metric *m, int64_t total);
void metric_show(struct metric *m, int shown);
void metric_observe(struct metric *m, double value);
int64_t metric_value(const struct metric *m);

/* Registers a NULL-ended table for rendering; at start, before threads run. */
void metrics_register(struct metric *const *table);
/* Called when rendering begins, on the thread that renders, perhaps on several at once: for what is
 * looked at rather than counted. At start, before threads run. */
void metrics_before_render(void (*sample)(void));
void metrics_render(struct buf *out);

#endif
