/*
 * Declared state machines for asynchronous operations.
 *
 * An operation is one struct that embeds a struct sm and every sub-request it needs; a const table
 * names its states, the legal next states of each, and the function that runs when a state is
 * entered. sm_run loops: it asserts that each edge is legal, traces it into the log ring, calls the
 * state's function, and stops at SM_AWAIT. sm_resume is what completions call: it asserts that the
 * machine was waiting, which catches a completion fired inside its own submission.
 *
 * Rules: one completion per submission; never inside the submitting call; cancellation is the same
 * completion with -ERR_CANCELED; a deadline is an input like any other.
 */
#ifndef BASE_SM_H
#define BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

struct sm;

/* A state's function returns the next state, or SM_AWAIT(state) to stop until sm_resume, or
 * SM_DONE. */
typedef int sm_fn(struct sm *m);

struct sm_state {
    const char *name;
    uint32_t next; /* bit set of legal next states: TO(A) | TO(B) */
    sm_fn *run;    /* NULL for a final state */
};

struct sm {
    const struct sm_state *states;
    const char *name; /* of the machine, for traces */
    uint64_t id;      /* of the operation, for traces */
    int state;
    int awaiting; /* state to enter on resume, -1 when running */
    int status;   /* what the last completion reported: 0 or -ERR_X */
    bool running;
};

/* At most this many states: next is a bit set. */
#define SM_STATES_MAX   32

#define TO(state)       (1u << (state))
#define SM_AWAIT_BIT    (1 << 16)
#define SM_AWAIT(state) ((state) | SM_AWAIT_BIT)
/* The operation ended in this function and the machine's memory may be gone: nothing touches it
 * after. An operation that its owner inspects afterwards ends in a final state instead. */
#define SM_DONE (1 << 17)

void sm_init(struct sm *m, const char *name, const struct sm_state *states, int first);
/* Enters the first state and runs until it waits or reaches a final state. */
void sm_run(struct sm *m);
/* A completion arrived: stores its status and continues. Asserts that the machine waits. */
void sm_resume(struct sm *m, int status);
bool sm_done(const struct sm *m); /* in a final state */

#endif
