/* The step loop of declared state machines. */
#include "base/sm.h"

#include "base/assert.h"
#include "base/log.h"

void sm_init(struct sm *m, const char *name, const struct sm_state *states, int first)
{
    ASSERT(first >= 0);
    ASSERT(first < SM_STATES_MAX);
    *m = (struct sm){ .states = states, .name = name, .state = first, .awaiting = -1 };
}

static void sm_enter(struct sm *m, int next)
{
    ASSERT(next >= 0);
    ASSERT(next < SM_STATES_MAX);
    ASSERT((m->states[m->state].next & TO(next)) != 0);
    log_trace("sm", KV("machine", m->name), KVN("id", m->id), KV("from", m->states[m->state].name),
              KV("to", m->states[next].name), KVN("status", m->status));
    m->state = next;
}

/* Runs state after state until one waits, is final, or ends the operation. */
static void sm_steps(struct sm *m)
{
    while (m->states[m->state].run != NULL) {
        int next = m->states[m->state].run(m);
        if (next == SM_DONE)
            return; /* the machine's memory may be gone */
        if ((next & SM_AWAIT_BIT) != 0) {
            m->awaiting = next & ~SM_AWAIT_BIT;
            ASSERT(m->awaiting < SM_STATES_MAX);
            ASSERT((m->states[m->state].next & TO(m->awaiting)) != 0);
            m->running = false;
            return;
        }
        sm_enter(m, next);
    }
    m->running = false;
}

void sm_run(struct sm *m)
{
    ASSERT(!m->running);
    ASSERT(m->awaiting == -1);
    m->running = true;
    sm_steps(m);
}

void sm_resume(struct sm *m, int status)
{
    ASSERT(!m->running);
    ASSERT(m->awaiting >= 0);
    int next = m->awaiting;
    m->awaiting = -1;
    m->status = status;
    m->running = true;
    sm_enter(m, next);
    sm_steps(m);
}

bool sm_done(const struct sm *m)
{
    return m->states[m->state].run == NULL;
}
