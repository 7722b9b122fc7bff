/*
 * When a pod goes: deleted, replaced by another of its name, or run to its end. Told by a watch, on
 * the caller's loop.
 *
 * look (GET the pod) -> watch it from there on -> it changed: is it the same, and not at its end?
 *   the watch ends, or nobody answers: look again, POD_END_PAUSE_MS later
 *   nobody may look or watch: then nothing is ever told
 */
#ifndef CLI_POD_END_H
#define CLI_POD_END_H

#include "api/schema/json.h"
#include "base/env.h"
#include "cli/stream.h"
#include "cli/watch.h"

#define POD_END_PAUSE_MS 1000

/* Embedded by the caller, zeroed; kept until stopped. */
struct pod_end {
    /* The caller's. */
    struct cli *cli;
    struct env_loop *loop;
    const struct json *pod;
    void (*gone)(struct pod_end *p);    /* at most once */
    void (*stopped)(struct pod_end *p); /* once, last, after pod_end_stop */

    /* Its own. */
    struct stream stream;
    struct watch_reader reader;
    struct env_timer pause;
    struct buf body;
    bool watching; /* else looking */
    bool open;     /* the stream is */
    bool told;
    bool stopping;
};

void pod_end_start(struct pod_end *p);
void pod_end_stop(struct pod_end *p);

#endif
