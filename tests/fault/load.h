/*
 * Clients of a cluster's API and the history of what they asked and were told.
 *
 * Each client does one thing at a time, at one member until that one does not answer: ConfigMaps
 * are read (linearizable: GET without a resourceVersion), created, replaced with and without a
 * resourceVersion as guard, and deleted. A few keys are fought over by all; besides, clients create
 * keys of their own, once each, which must all be there at the end. What was not answered in time,
 * or with a 5xx, has an unknown outcome. Over HTTP/2 with TLS and the administrator's certificate.
 *
 * Thread: clients live on a loop of their own; every function is called on main's thread.
 */
#ifndef TESTS_FAULT_LOAD_H
#define TESTS_FAULT_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/fault/cluster.h"
#include "tests/lincheck/lincheck.h"

#define LOAD_CLIENTS    10
#define LOAD_KEYS       12 /* fought over */
#define LOAD_TIMEOUT_MS 1500
#define LOAD_OPS_MAX    400000

struct load;

/* In the namespace of the network the clients shall be in. stale: reads may be served from
 * whatever a member has (resourceVersion=0), which is not linearizable: to see it found out. */
struct load *load_new(const struct cluster *c, uint64_t seed, bool stale);
void load_free(struct load *l);

void load_start(struct load *l);
void load_pause(struct load *l);            /* returns when nothing is under way */
uint64_t load_acknowledged(struct load *l); /* writes, so far */

/* One request to one member, waited for. Returns the status, 0: no answer. */
int load_ask(struct load *l, unsigned member, const char *method, const char *target,
             const char *content, struct buf *out);

/* Lists every key at a member and records what is there as reads. False: it could not be read. */
bool load_read_all(struct load *l, unsigned member);

/* While paused. */
const struct lincheck_op *load_history(const struct load *l, size_t *out_count);
/* Name of a key of the history, for people. */
void load_key_name(uint32_t key, char out[32]);

#endif
