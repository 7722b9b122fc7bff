/*
 * Private to the API server: how many objects remain after a page, counted in slices.
 *
 * Counting walks every key that follows, so it is done once for a list: a continue token says what
 * is left (list_options.h), and later pages take off what they hold.
 */
#ifndef CONTROLPLANE_APISERVER_REMAINING_H
#define CONTROLPLANE_APISERVER_REMAINING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct store_group;

struct remaining {
    int64_t count; /* -1: not known */
    bool counting; /* between begin and the last slice */
    struct buf at; /* the last key that was walked */
};

void remaining_init(struct remaining *m);
void remaining_deinit(struct remaining *m);
/* From the key after `after` on. */
void remaining_begin(struct remaining *m, struct str after);
/* What one read may walk. 1: more slices follow; 0: counted, or not known after all, since the
 * revision (0: the newest) has expired meanwhile; -ERR_X: the store cannot be read. */
int remaining_slice(struct remaining *m, struct store_group *g, uint64_t revision,
                    struct str prefix);

#endif
