/*
 * A small simulated cluster: the API model, all controllers, the scheduler when wanted, and agents
 * that run what is bound: Pending becomes Running and Ready, Terminating becomes gone, leases are
 * renewed.
 */
#ifndef TESTS_UNIT_CONTROLLERS_CLUSTER_H
#define TESTS_UNIT_CONTROLLERS_CLUSTER_H

#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "base/env.h"
#include "base/env_sim.h"
#include "controllers/controllers.h"
#include "controllers/scheduler/scheduler.h"
#include "tests/unit/controllers/fake_api.h"

#define AGENT_TICK_MS 300

struct cluster {
    struct env *env;
    struct env_loop *loop;
    struct fake_api api;
    struct controllers *controllers;
    struct scheduler *scheduler;
    struct env_timer agents;
    struct arena arena; /* for the test's own objects */
    uint64_t term;
    int fenced;
    int closed;
    /* What the agents do. */
    const char *broken_image; /* pods of this image never become ready */
    const char *dead_node;    /* this node's agent does nothing */
    int64_t agents_ahead_s;   /* of the leader's clock */
    /* What was seen, for invariants. */
    int32_t available_min;
    int32_t pods_max;
    size_t queue_samples;
    size_t scheduling_events[SCHEDULING_BIND_FAILED + 1];
    char last_refusal[512];
};

/* nodes: that many, named node-1 and so on, 4 cpu and 8Gi each. scheduler: else the agents bind. */
void cluster_init(struct cluster *c, uint64_t seed, int nodes, bool scheduler);
/* Stops everything and checks that nothing is left. */
void cluster_deinit(struct cluster *c);
/* Leadership comes (both start under the term) and goes. */
void cluster_lead(struct cluster *c, uint64_t term);
void cluster_resign(struct cluster *c);
void cluster_run(struct cluster *c, uint64_t ms);
/* Runs until done says so; fails the test after limit_ms. */
void cluster_until(struct cluster *c, uint64_t limit_ms, bool (*done)(struct cluster *c));

/* Adds what a JSON text says. */
void cluster_put(struct cluster *c, enum kind kind, const char *json);
Deployment *cluster_deployment(struct cluster *c, const char *name);
/* The event with this reason about an object of this name, or NULL. */
const Event *cluster_event(struct cluster *c, const char *name, const char *reason);
const char *cluster_condition(const Deployment *d, const char *type); /* its reason, or "" */
/* Active pods, and how many of them are ready. */
void cluster_count(struct cluster *c, int32_t *out_active, int32_t *out_ready);

#endif
