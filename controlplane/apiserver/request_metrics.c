/* One histogram per verb, one counter per class of answers. */
#include "controlplane/apiserver/request_metrics.h"

#include "base/env.h"
#include "base/metrics.h"

static const double bounds[] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10
};

#define BOUNDS ((int)(sizeof(bounds) / sizeof(bounds[0])))

#define DURATION(label)                                                                            \
    {                                                                                              \
        .name = "apiserver_request_duration_seconds",                                              \
        .help = "from the end of the headers to the answer, streams excluded",                     \
        .type = METRIC_HISTOGRAM, .labels = label, .bounds = bounds, .bounds_count = BOUNDS        \
    }

static struct metric durations[VERB_COUNT] = {
    [VERB_NONE] = DURATION("verb=\"path\""),
    [VERB_GET] = DURATION("verb=\"get\""),
    [VERB_LIST] = DURATION("verb=\"list\""),
    [VERB_WATCH] = DURATION("verb=\"watch\""),
    [VERB_CREATE] = DURATION("verb=\"create\""),
    [VERB_UPDATE] = DURATION("verb=\"update\""),
    [VERB_PATCH] = DURATION("verb=\"patch\""),
    [VERB_DELETE] = DURATION("verb=\"delete\""),
    [VERB_DELETECOLLECTION] = DURATION("verb=\"deletecollection\""),
};

#define ANSWERS(label)                                                                             \
    {                                                                                              \
        .name = "apiserver_answers_total", .help = "answers by class of HTTP status",              \
        .type = METRIC_COUNTER, .labels = label                                                    \
    }

static struct metric answers[] = {
    ANSWERS("code=\"2xx\""),
    ANSWERS("code=\"3xx\""),
    ANSWERS("code=\"4xx\""),
    ANSWERS("code=\"5xx\""),
};

static struct metric streams = {
    .name = "apiserver_streams",
    .help = "watches and followed logs in progress",
    .type = METRIC_GAUGE,
};

static struct metric *const table[] = {
    &durations[VERB_NONE],
    &durations[VERB_GET],
    &durations[VERB_LIST],
    &durations[VERB_WATCH],
    &durations[VERB_CREATE],
    &durations[VERB_UPDATE],
    &durations[VERB_PATCH],
    &durations[VERB_DELETE],
    &durations[VERB_DELETECOLLECTION],
    &answers[0],
    &answers[1],
    &answers[2],
    &answers[3],
    &streams,
    NULL,
};

void request_metrics_register(void)
{
    metrics_register(table);
}

void request_metrics_answered(enum verb verb, int status, uint64_t took_ns)
{
    int class = status < 300 ? 0 : status < 400 ? 1 : status < 500 ? 2 : 3;
    metric_observe(&durations[verb], (double)took_ns / (double)ENV_S);
    metric_add(&answers[class], 1);
}

void request_metrics_stream(int change)
{
    metric_add(&streams, change);
}
