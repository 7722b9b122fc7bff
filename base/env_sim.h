/*
 * The simulated world: every loop of every host on one OS thread, virtual time, and an order drawn
 * from one seed. Same seed, same trace.
 *
 * What is simulated: loops, env_post, timers, the work pool (runs inline on a later turn), clocks
 * and randomness, byte streams (addresses are names; a connection is two pipes with seeded latency,
 * which can be cut), and for hosts a disk that forgets what was not flushed. Processes are not.
 *
 * The world's own env has loops and streams, and no disk. A host (env_sim_host_new) is an env of
 * its own with a disk, clocks and the loops made with it; it can lose power, be killed and start
 * again. The schedule's randomness never depends on the bytes that streams and files carry, only on
 * their number: real TLS, whose bytes are not seeded, may run over simulated streams as long as its
 * lengths repeat (an Ed25519 key; ECDSA signatures vary by a byte or two).
 */
#ifndef BASE_ENV_SIM_H
#define BASE_ENV_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct env_loop;

struct env *env_sim_new(uint64_t seed);
void env_sim_free(struct env *env); /* and its hosts */

/* Runs the next event (a message, timer, work item or delivery) of one loop chosen from those that
 * are due; advances virtual time when none is. false: nothing is left to run. */
bool env_sim_step(struct env *env);
/* Steps until virtual time reaches now + duration_ms, or nothing is left. */
void env_sim_run(struct env *env, uint64_t duration_ms);

/* A loop that is stopped keeps its events but runs none: a stalled or dead member. */
void env_sim_pause_loop(struct env_loop *loop, bool paused);

/* Uniform in [0, n). Draws from the world's seed: the schedule's own generator. */
uint64_t env_sim_random(struct env *env, uint64_t n);
/* A running digest of every event executed: equal seeds must give equal digests. */
uint64_t env_sim_digest(const struct env *env);

/* ---- hosts ---- */

/* A host that is up, with an empty disk: one folder, "/". Loops made with it are its own. */
struct env *env_sim_host_new(struct env *world, const char *name);
bool env_sim_host_alive(const struct env *host);
/*
 * Power loss, kill, and start. Both deaths take effect at once: no loop of the host runs again,
 * what is posted to it or by it vanishes, its connections are reset at the peers' ends, its
 * listeners refuse, its locks are free. An event of its own that runs right then goes on to its
 * end (it cannot be unwound) but nothing of it takes effect: it works on a copy of the disk that is
 * thrown away. So does code outside events that uses a host which is down. The memory of what ran
 * on it is the caller's to leak; freeing its loops does nothing.
 *
 * The disk after a kill: everything written. After a power loss: what was synced; of each file's
 * unsynced writes any subset, a 512-byte sector being whole (with what was written to it before);
 * of each folder's unsynced names a prefix, a rename being whole.
 */
void env_sim_host_crash(struct env *host);
void env_sim_host_kill(struct env *host);
void env_sim_host_restart(struct env *host);
/* Power loss inside the host's next operation but so many that change its disk: open (when it
 * creates or empties), write, allocate, sync, truncate, rename, remove, and those of folders.
 * UINT64_MAX: never. */
void env_sim_host_crash_after(struct env *host, uint64_t operations);
uint64_t env_sim_host_operations(const struct env *host); /* such operations so far */

/* env_wall_ns jumps; both clocks run faster (or slower) by so many millionths from now on. */
void env_sim_host_wall_jump(struct env *host, int64_t ms);
void env_sim_host_clock_rate(struct env *host, int32_t ppm);

/* ---- a host's disk ---- */

/*
 * A sync takes a time drawn from this range, other writes a little (default: no time at all). Time
 * spent in a call passes for the event that made it: the clock it sees moves on, what it posts,
 * sends and starts is due after it, and its loop runs nothing else meanwhile. Other loops go on.
 */
void env_sim_disk_speed(struct env *host, uint64_t sync_us_min, uint64_t sync_us_max);
void env_sim_disk_stall(struct env *host, uint64_t ms); /* the next sync takes so much longer */
/* Blocks for at most so many bytes; UINT64_MAX: no limit. What has its blocks may be overwritten.
 * full: no further block at all, whatever the limit. */
void env_sim_disk_limit(struct env *host, uint64_t bytes);
void env_sim_disk_full(struct env *host, bool full);

enum env_sim_io { ENV_SIM_READ, ENV_SIM_WRITE, ENV_SIM_SYNC }; /* write: names as well */
/* The next operation of that kind but so many fails, once, with -ERR_IO. After a failed sync any
 * subset of what it was to make durable is, and no later sync will try the rest again. */
void env_sim_disk_fail(struct env *host, enum env_sim_io kind, uint64_t after_operations);
/* Flips one bit between two offsets of a file (NULL: of any file), in memory and on the disk.
 * false: there is no byte there. */
bool env_sim_disk_rot(struct env *host, const char *path, uint64_t from, uint64_t to);

/* ---- the network ---- */

/* From now on the name ("tcp:db.example:1") stands for these addresses, none: it is not known; a
 * lookup takes so long. A name nobody told of is an address. */
void env_sim_set_name(struct env *env, const char *name, const char *const *addresses, size_t count,
                      uint64_t delay_ms);
/* Latency between loops (of the world) and hosts. Between two hosts a range of their own wins.
 * Within a connection bytes stay in order. */
void env_sim_set_latency(struct env *env, uint64_t min_us, uint64_t max_us);
void env_sim_link_latency(struct env *env, const char *from, const char *to, uint64_t min_us,
                          uint64_t max_us);
/*
 * Cuts (or heals) streams one way. from, to: a host's name; for loops of the world's own a prefix
 * of the loop's name or of the address. Bytes are held until it heals, and so are connection
 * attempts until their deadline; one way is enough for that.
 */
void env_sim_partition(struct env *env, const char *from, const char *to, bool cut);
/* Both ends of a connection that stays cut so long are told it was lost. 0 (default): never. */
void env_sim_set_reset_ms(struct env *env, uint64_t ms);
/* Resets every connection between two hosts, at both ends. */
void env_sim_host_reset(struct env *env, const char *one, const char *other);

/* ---- what really happened, in the whole world ---- */

struct env_sim_faults {
    uint64_t crashes;
    uint64_t kills;
    uint64_t torn_sectors; /* not written, of writes of which others were */
    uint64_t lost_writes;  /* whole, by a crash or a failed sync */
    uint64_t lost_names;   /* created, renamed or removed in vain */
    uint64_t io_errors;
    uint64_t full; /* -ERR_NO_SPACE */
    uint64_t rot;
    uint64_t stalls;
    uint64_t cuts;    /* connections that were held up by a cut */
    uint64_t resets;  /* connections */
    uint64_t refused; /* attempts */
};
const struct env_sim_faults *env_sim_faults(const struct env *env);

#endif
