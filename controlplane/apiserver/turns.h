/*
 * Private to the API server: long work of many requests on one loop, a slice at a time.
 *
 * A list is read and encoded in slices of a few milliseconds. Hundreds of lists at once would fill
 * a turn of the loop with a slice of each, and whoever asks for one object would wait for all of
 * them: slices stand in line, and a turn runs as many as fit into TURNS_NS.
 *
 * On the loop's thread.
 */
#ifndef CONTROLPLANE_APISERVER_TURNS_H
#define CONTROLPLANE_APISERVER_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/list.h"

/* Of slices between two looks at the network, about; a slice that was begun is not cut. */
#define TURNS_NS (2 * ENV_MS)

struct turns {
    struct env_loop *loop;
    struct list waiting; /* struct turn.node */
    struct env_msg msg;
    uint64_t spent_ns; /* since msg last ran */
    bool posted;
    bool running; /* a slice that stood in line */
};

struct turn {
    struct list node;
    void (*run)(struct turn *t);
};

void turns_init(struct turns *l, struct env_loop *loop);
/* Stands in line once; t is the caller's until run. */
void turns_wait(struct turns *l, struct turn *t, void (*run)(struct turn *t));
/* Whether a slice may run now without standing in line: it is its turn, or nobody waits and there
 * is time left. */
bool turns_free(const struct turns *l);
/* A slice that did not stand in line took so long. */
void turns_spend(struct turns *l, uint64_t ns);

#endif
