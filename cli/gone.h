/* Waiting until objects are gone: by watch, within a time for all of them. */
#ifndef CLI_GONE_H
#define CLI_GONE_H

#include "cli/act.h"

/* What delete waits at most when it was told no time: a week, as kubectl. */
#define GONE_WAIT_MS (168ull * 3600 * 1000)

/* deadline_ms: by env_loop_now_ms of the cli's loop. An object of another uid than object->uid is
 * another object. CLI_OK, or CLI_FAILED and the reason said: "timed out waiting for the condition
 * on pods/x". Who may not watch does not wait. */
int gone_wait(struct cli *c, const struct act_object *object, uint64_t deadline_ms);

#endif
