/* See process_metrics.h. What /proc does not tell is not shown. */
#include "base/process_metrics.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"

#define NS_PER_S  1000000000ll
#define NS_PER_US 1000ll

static struct metric cpu_seconds = {
    .name = "process_cpu_seconds_total",
    .help = "CPU time of the process, user and system. Near the number of cores a second: it is "
            "bound by them.",
    .type = METRIC_SECONDS_TOTAL
};
static struct metric resident_bytes = {
    .name = "process_resident_memory_bytes",
    .help = "Memory of the process. What of the state's files is mapped and in memory is part of "
            "it: the kernel takes that back when it is short.",
    .type = METRIC_GAUGE
};
static struct metric open_fds = {
    .name = "process_open_fds",
    .help =
        "Open file descriptors. Near process_max_fds: raise the limit (ulimit -n, LimitNOFILE=)",
    .type = METRIC_GAUGE
};
static struct metric max_fds = { .name = "process_max_fds",
                                 .help = "How many file descriptors the process may have open.",
                                 .type = METRIC_GAUGE };
static struct metric start_seconds = {
    .name = "process_start_time_seconds",
    .help = "When the process began, in seconds since 1970. Changes without your doing: it ended.",
    .type = METRIC_GAUGE
};

static struct metric *const table[] = { &cpu_seconds, &resident_bytes, &open_fds,
                                        &max_fds,     &start_seconds,  NULL };

static int64_t ns_of(const struct timeval *t)
{
    return (int64_t)t->tv_sec * NS_PER_S + (int64_t)t->tv_usec * NS_PER_US;
}

static void sample_cpu(void)
{
    struct rusage used;
    bool known = getrusage(RUSAGE_SELF, &used) == 0;

    if (known)
        metric_set_total(&cpu_seconds, ns_of(&used.ru_utime) + ns_of(&used.ru_stime));
    metric_show(&cpu_seconds, known);
}

static void sample_memory(void)
{
    unsigned long long resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    bool known = f != NULL && fscanf(f, "%*u %llu", &resident) == 1;

    if (f != NULL)
        (void)fclose(f); /* read only */
    metric_set(&resident_bytes, (int64_t)resident * sysconf(_SC_PAGESIZE));
    metric_show(&resident_bytes, known);
}

static void sample_files(void)
{
    struct rlimit limit;
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -1; /* the folder's own */

    while (folder != NULL) {
        const struct dirent *entry = readdir(folder);
        if (entry == NULL)
            break;
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    if (folder != NULL)
        (void)closedir(folder); /* read only */
    metric_set(&open_fds, count);
    metric_show(&open_fds, folder != NULL);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(&max_fds, limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur);
}

static void sample(void)
{
    sample_cpu();
    sample_memory();
    sample_files();
}

void process_metrics_register(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    metric_set(&start_seconds, now.tv_sec);
    metrics_register(table);
    metrics_before_render(sample);
}
