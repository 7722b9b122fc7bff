/*
 * The simulated world: every loop of every member on one OS thread, virtual time, and an order
 * drawn from one seed. Same seed, same trace.
 *
 * What is simulated: loops, env_post, timers, the work pool (runs inline on a later turn), clock
 * and randomness, and byte streams between loops of the same world (addresses are names; a
 * connection is two bounded pipes with seeded latency, which env_sim_partition cuts). Files and
 * processes are not: the simulation's owners give their parts in memory.
 */
#ifndef BASE_ENV_SIM_H
#define BASE_ENV_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct env;
struct env_loop;

struct env *env_sim_new(uint64_t seed);
void env_sim_free(struct env *env);

/* Runs the next event (a message, timer, work item or delivery) of one loop chosen from those that
 * are due; advances virtual time when none is. false: nothing is left to run. */
bool env_sim_step(struct env *env);
/* Steps until virtual time reaches now + duration_ms, or nothing is left. */
void env_sim_run(struct env *env, uint64_t duration_ms);

/* A loop that is stopped keeps its events but runs none: a stalled or dead member. */
void env_sim_pause_loop(struct env_loop *loop, bool paused);
/* Latency range for deliveries between loops of different members. */
void env_sim_set_latency(struct env *env, uint64_t min_us, uint64_t max_us);
/* Cuts (or heals) streams from one named address prefix to another. */
void env_sim_partition(struct env *env, const char *from, const char *to, bool cut);

/* Uniform in [0, n). Draws from the world's seed: the schedule's own generator. */
uint64_t env_sim_random(struct env *env, uint64_t n);
/* A running digest of every event executed: equal seeds must give equal digests. */
uint64_t env_sim_digest(const struct env *env);

#endif
