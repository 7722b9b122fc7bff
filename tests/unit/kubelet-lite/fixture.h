/* Pods from JSON text, and a runtime's view by hand, for the agent's tests. */
#ifndef TESTS_UNIT_KUBELET_LITE_FIXTURE_H
#define TESTS_UNIT_KUBELET_LITE_FIXTURE_H

#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "kubelet-lite/fields.h"
#include "kubelet-lite/plan.h"

#define FIXTURE_SANDBOXES  4
#define FIXTURE_CONTAINERS 8

struct fixture {
    struct arena a;
    struct seen_sandbox sandboxes[FIXTURE_SANDBOXES];
    struct seen_container containers[FIXTURE_CONTAINERS];
    struct pod_view view;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* ' stands for ", so that pods can be written in C. Aborts on bad text. */
Pod *fixture_pod(struct fixture *f, const char *json);
/* A pod of one container "c" with this restart policy. */
Pod *fixture_simple(struct fixture *f, const char *restart_policy);

void fixture_sandbox(struct fixture *f, const char *id, uint32_t attempt, bool ready);
/* In the newest sandbox added. Returns it for further fields. */
struct seen_container *fixture_container(struct fixture *f, const char *id, const char *name,
                                         uint32_t attempt, enum seen_state state, int exit_code);

/* A source with the ConfigMap "cm" {a: 1, b: two, "bad-key": x} and the Secret "sec" {p: word};
 * "slow" is not known yet. */
struct source *fixture_source(void);

#endif
