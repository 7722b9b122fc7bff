/*
 * What /metrics shows of the links to each other member: a row for each, labelled with its name.
 * Rows are never given back, so that a reader of /metrics never sees a label change: a process that
 * has known more than LINK_METRICS_MAX names shows no more.
 */
#ifndef STORE_LINK_METRICS_H
#define STORE_LINK_METRICS_H

#include "store/links.h"

#define LINK_METRICS_MAX 32

struct link_metrics;

/* At start, before threads run. */
void link_metrics_register(void);
/* The rows of a member, from now on shown; NULL: there are none left. Any thread. */
struct link_metrics *link_metrics_of(const char *name);
void link_metrics_set(struct link_metrics *m, const struct links_stats *s); /* NULL-safe */
/* How long the member's answer took. Nothing of a name without rows. Any thread. */
void link_metrics_round_trip(const char *name, uint64_t took_ns);
void link_metrics_hide(struct link_metrics *m); /* NULL-safe */

#endif
