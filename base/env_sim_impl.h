/*
 * The simulated world's own structs: private to base's env_sim files.
 *
 * Everything that will happen is a struct sim_event in the heap of the loop it happens on, ordered
 * by due time, then by the order it was scheduled in. A loop that is dead keeps its heap, of which
 * nothing runs any more: code of a dead host may go on calling us until its event is over.
 */
#ifndef BASE_ENV_SIM_IMPL_H
#define BASE_ENV_SIM_IMPL_H

#include "base/buf.h"
#include "base/env_impl.h"
#include "base/env_sim.h"

#define SIM_NAME_BYTES 64

struct sim_loop;

enum sim_kind {
    SIM_MESSAGE = 1,
    SIM_TIMER,
    SIM_WORK,
    SIM_CONNECT,
    SIM_ACCEPT,
    SIM_DELIVER,
    SIM_DRAINED,
    SIM_END,
    SIM_CLOSED,
    SIM_RESOLVE,
    SIM_GIVEUP
};

struct sim_event {
    uint64_t due_ns;
    uint64_t order;
    size_t at; /* place in the heap, from 1; 0: not scheduled */
    struct sim_loop *loop;
    enum sim_kind kind;
    void (*run)(struct sim_event *event);
};

struct sim_loop {
    struct env_loop base;
    struct list node; /* in the world's loops, or its dead ones */
    struct sim_host *host;
    struct sim_disk *disk; /* what its code works on; NULL: the world's own loop */
    char name[SIM_NAME_BYTES];
    uint64_t index;
    struct sim_event **heap; /* heap[0] unused */
    size_t heap_len;
    size_t heap_capacity;
    uint64_t busy_until_ns; /* an event that took its time is not over before */
    bool started;
    bool stopped;
    bool paused;
    bool dead;         /* its host died under it */
    struct list inbox; /* env_msg, in flight */
    struct list posts; /* sim_post, one per message */
    struct list timers;
    struct list works;
    struct list streams;
};

/* An env of its own in a world. The world's own env is one as well, without a disk. */
struct sim_host {
    struct env base;
    struct sim_env *world;
    struct list node;          /* in the world's hosts */
    char name[SIM_NAME_BYTES]; /* "": the world itself */
    bool alive;
    struct sim_disk *disk;   /* NULL: none */
    struct sim_disk *corpse; /* while the host is down: what its dead code works on */

    uint64_t clock_base_ns;  /* its clock when the rate was last set, */
    uint64_t clock_since_ns; /* and the world's then */
    int64_t clock_ppm;
    int64_t wall_offset_ns;

    uint64_t operations;
    uint64_t crash_after;   /* UINT64_MAX: never */
    uint64_t fail_after[3]; /* by env_sim_io; UINT64_MAX: never */
    uint64_t sync_us_min;
    uint64_t sync_us_max;
    uint64_t stall_ns;
    uint64_t limit_bytes;
    bool full;
};

struct sim_env {
    struct sim_host self;
    uint64_t random_state;
    uint64_t now_ns;
    uint64_t elapsed_ns; /* what the running event has taken so far */
    uint64_t order;
    uint64_t digest;
    uint64_t loop_index;
    uint64_t latency_min_us;
    uint64_t latency_max_us;
    uint64_t reset_ns; /* 0: never */
    struct list loops;
    struct list dead_loops;
    struct sim_loop *current; /* whose event runs; NULL: the test's own code */
    struct list hosts;        /* not itself */
    struct list dead_disks;
    struct list listeners;
    struct list dead_listeners;
    struct list connects;
    struct list resolves;
    struct list names;
    struct list pipes;
    struct list cuts;
    struct list links;
    struct env_sim_faults faults;
};

struct sim_host *sim_host_of(struct env *env);
struct sim_env *sim_env_of(struct env *env);
struct sim_loop *sim_loop_of(struct env_loop *loop);
uint64_t sim_random(struct sim_env *env, uint64_t n);
/* The time it is for the running event: virtual time and what the event has taken. */
uint64_t sim_time_ns(const struct sim_env *env);
void sim_random_bytes(struct env *env, void *out, size_t len);
void sim_mix(struct sim_env *env, uint64_t value); /* into the digest */
/* Asserts that the running event is the loop's own, or no event runs. */
void sim_assert_on_loop(struct sim_loop *l);
/* Schedules event on l (moving it when it already is); it may be run, or unscheduled, once. */
void sim_schedule(struct sim_loop *l, struct sim_event *event, uint64_t delay_ns,
                  enum sim_kind kind, void (*run)(struct sim_event *event));
void sim_unschedule(struct sim_event *event);

extern const struct env_ops sim_ops;
void sim_loop_die(struct sim_loop *l);     /* its host died */
void sim_loop_release(struct sim_loop *l); /* frees a dead one */

/* Hosts (env_sim_host.c). */
void sim_host_init(struct sim_host *host, struct sim_env *world, const char *name);
void sim_hosts_free(struct sim_env *env);
uint64_t sim_now_ns(struct env *env);
uint64_t sim_wall_ns(struct env *env);
void sim_spend(struct sim_host *host, uint64_t ns); /* time passes for its running event */
void sim_host_die(struct sim_host *host, bool power_loss);

/* Listeners and attempts (env_sim_connect.c), streams (env_sim_stream.c). */
void sim_streams_init(struct sim_env *env);
void sim_streams_free(struct sim_env *env);
/* Closes what the loop still has: streams, listeners, attempts. */
void sim_streams_free_loop(struct sim_loop *l);
/* The loop is dead: its peers learn of it. */
void sim_streams_die(struct sim_loop *l);
void sim_streams_release(struct sim_loop *l); /* a dead one's */
int sim_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e);
void sim_listener_close(struct env_listener *l);
int sim_listener_port(const struct env_listener *l);
void sim_connect(struct env_connect *c, const char *address, uint64_t timeout_ms);
void sim_connect_cancel(struct env_connect *c);
void sim_resolve(struct env_resolve *r, const char *address);
void sim_resolve_cancel(struct env_resolve *r);
void sim_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx);
void sim_stream_write(struct env_stream *s, struct str bytes);
size_t sim_stream_queued(const struct env_stream *s);
void sim_stream_pause(struct env_stream *s);
void sim_stream_resume(struct env_stream *s);
void sim_stream_shutdown(struct env_stream *s);
void sim_stream_close(struct env_stream *s);
bool sim_stream_broken(const struct env_stream *s);
void sim_stream_peer_limit(struct env_stream *s, uint64_t limit_ms);
const char *sim_stream_peer(const struct env_stream *s);
int sim_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out);

/* An end of a connection, as a cut knows it. */
struct sim_place {
    uint64_t loop_index;
    const struct sim_host *host;
    char names[2][SIM_NAME_BYTES]; /* of its loop; of its address, when it has one */
};

/* Bytes from start on arrive no sooner than ready_ns. */
struct sim_arrival {
    uint64_t start;
    uint64_t ready_ns;
};

/* One direction of a connection (env_sim_stream.c); the places outlive the ends. */
struct sim_stream;
struct sim_pipe {
    struct list node;
    struct sim_env *env;
    struct sim_stream *writer; /* NULL: closed */
    struct sim_stream *reader; /* NULL: closed */
    struct buf bytes;
    uint64_t taken;               /* bytes that arrived, ever: where bytes begins */
    struct sim_arrival *arrivals; /* of what bytes holds, in order */
    size_t arrivals_count;
    size_t arrivals_capacity;
    uint64_t ready_ns;        /* of the newest byte, or the fin */
    struct sim_event deliver; /* on the reader's loop */
    struct sim_event giveup;  /* as above: the connection was cut for too long */
    bool fin;                 /* nothing follows bytes; then the end comes with fin_status */
    bool fin_done;
    int fin_status;
    bool broken;  /* reset: nothing is held up, and nothing more gets in */
    bool stalled; /* a cut holds it */
    struct sim_place from;
    struct sim_place to;
};

void sim_place_init(struct sim_place *place, const struct sim_loop *l, const char *address);
uint64_t sim_latency_ns(struct sim_env *env, const struct sim_place *from,
                        const struct sim_place *to);
/* Makes both ends of a connection. address: the listener's. */
void sim_stream_pair(struct sim_loop *client, struct sim_loop *server, const char *address,
                     struct env_stream **out_client, struct env_stream **out_server);
void sim_pipe_deliver_soon(struct sim_pipe *p);
struct sim_loop *sim_stream_loop(const struct sim_stream *s);
/* Both directions are lost: each end is told after a latency, cut or not. */
void sim_pipe_reset(struct sim_pipe *p);
/* Closes every stream of a loop that is being freed; closed() is called here. */
void sim_streams_close_all(struct sim_loop *l);
void sim_streams_die_all(struct sim_loop *l);
void sim_streams_release_all(struct sim_loop *l); /* a dead one's */

/* Cuts and latencies (env_sim_link.c). */
bool sim_is_cut(struct sim_env *env, const struct sim_place *from, const struct sim_place *to);
void sim_pipe_watch_cut(struct sim_pipe *p); /* begins or ends the wait for its giving up */
void sim_links_init(struct sim_env *env);
void sim_links_free(struct sim_env *env);

#endif
