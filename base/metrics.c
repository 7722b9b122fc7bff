/* Metric arithmetic and the text rendering of all registered tables. */
#include "base/metrics.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"

/* One table per module. */
#define METRIC_TABLES_MAX  128
#define METRIC_SAMPLES_MAX 4

static struct metric *const *metric_tables[METRIC_TABLES_MAX];
static int metric_table_count;
static void (*metric_samples[METRIC_SAMPLES_MAX])(void);
static int metric_sample_count;

void metric_add(struct metric *m, int64_t n)
{
    ASSERT(m->type != METRIC_HISTOGRAM);
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t n)
{
    ASSERT(m->type == METRIC_GAUGE || m->type == METRIC_SECONDS);
    atomic_store_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set_total(struct metric *m, int64_t total)
{
    ASSERT(m->type == METRIC_COUNTER || m->type == METRIC_SECONDS_TOTAL);
    atomic_store_explicit(&m->value, total, memory_order_relaxed);
}

void metric_show(struct metric *m, int shown)
{
    atomic_store(&m->hidden, !shown);
}

void metric_observe(struct metric *m, double value)
{
    ASSERT(m->type == METRIC_HISTOGRAM);
    ASSERT(m->bounds_count <= METRIC_BUCKETS_MAX);
    for (int i = 0; i < m->bounds_count; i++) {
        if (value > m->bounds[i])
            continue;
        atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
        break;
    }
    atomic_fetch_add_explicit(&m->sum_nano, (int64_t)(value * 1e9), memory_order_relaxed);
    atomic_fetch_add_explicit(&m->value, 1, memory_order_relaxed);
}

int64_t metric_value(const struct metric *m)
{
    return atomic_load_explicit(&m->value, memory_order_relaxed);
}

void metrics_register(struct metric *const *table)
{
    for (int i = 0; i < metric_table_count; i++)
        if (metric_tables[i] == table)
            return;
    ASSERT(metric_table_count < METRIC_TABLES_MAX);
    metric_tables[metric_table_count++] = table;
}

void metrics_before_render(void (*sample)(void))
{
    for (int i = 0; i < metric_sample_count; i++)
        if (metric_samples[i] == sample)
            return;
    ASSERT(metric_sample_count < METRIC_SAMPLES_MAX);
    metric_samples[metric_sample_count++] = sample;
}

static void render_histogram(struct buf *out, const struct metric *m)
{
    const char *labels = m->labels != NULL ? m->labels : "";
    const char *comma = m->labels != NULL ? "," : "";
    long long count = 0;
    for (int i = 0; i < m->bounds_count; i++) {
        count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{%s%sle=\"%.10g\"} %lld\n", m->name, labels, comma, m->bounds[i],
                   count);
    }
    /* Read after the buckets, and never below them: buckets must be cumulative. */
    long long total = metric_value(m);
    if (total < count)
        total = count;
    long long nano = atomic_load_explicit(&m->sum_nano, memory_order_relaxed);
    const char *open = m->labels != NULL ? "{" : "";
    const char *close = m->labels != NULL ? "}" : "";
    buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", m->name, labels, comma, total);
    buf_printf(out, "%s_sum%s%s%s %.9g\n", m->name, open, labels, close, (double)nano / 1e9);
    buf_printf(out, "%s_count%s%s%s %lld\n", m->name, open, labels, close, total);
}

static void render_one(struct buf *out, const struct metric *m)
{
    if (m->type == METRIC_HISTOGRAM) {
        render_histogram(out, m);
        return;
    }
    const char *open = m->labels != NULL ? "{" : "";
    const char *close = m->labels != NULL ? "}" : "";
    const char *labels = m->labels != NULL ? m->labels : "";
    if (m->type == METRIC_SECONDS || m->type == METRIC_SECONDS_TOTAL)
        buf_printf(out, "%s%s%s%s %.9g\n", m->name, open, labels, close,
                   (double)metric_value(m) / 1e9);
    else
        buf_printf(out, "%s%s%s%s %lld\n", m->name, open, labels, close,
                   (long long)metric_value(m));
}

static bool is_hidden(const struct metric *m)
{
    return atomic_load(&m->hidden) != 0;
}

/* Is there a metric of this name before (table, row)? Its family was rendered there. */
static bool rendered_before(int table, int row)
{
    const char *name = metric_tables[table][row]->name;
    for (int t = 0; t <= table; t++)
        for (int r = 0; metric_tables[t][r] != NULL && (t < table || r < row); r++)
            if (!is_hidden(metric_tables[t][r]) && strcmp(metric_tables[t][r]->name, name) == 0)
                return true;
    return false;
}

static void render_family(struct buf *out, const struct metric *first)
{
    static const char *const types[] = { "counter", "gauge", "histogram", "gauge", "counter" };
    buf_printf(out, "# HELP %s %s\n", first->name, first->help);
    buf_printf(out, "# TYPE %s %s\n", first->name, types[first->type]);
    for (int t = 0; t < metric_table_count; t++)
        for (int r = 0; metric_tables[t][r] != NULL; r++)
            if (!is_hidden(metric_tables[t][r]) &&
                strcmp(metric_tables[t][r]->name, first->name) == 0)
                render_one(out, metric_tables[t][r]);
}

void metrics_render(struct buf *out)
{
    for (int i = 0; i < metric_sample_count; i++)
        metric_samples[i]();
    for (int t = 0; t < metric_table_count; t++)
        for (int r = 0; metric_tables[t][r] != NULL; r++)
            if (!is_hidden(metric_tables[t][r]) && !rendered_before(t, r))
                render_family(out, metric_tables[t][r]);
}
