/*
 * The simulated world's own structs: private to base's env_sim files.
 *
 * Everything that will happen is a struct sim_event in the heap of the loop it happens on, ordered
 * by due time, then by the order it was scheduled in.
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
    SIM_CLOSED
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
    struct list node; /* in the world's loops */
    char name[SIM_NAME_BYTES];
    uint64_t index;
    struct sim_event **heap; /* heap[0] unused */
    size_t heap_len;
    size_t heap_capacity;
    bool started;
    bool stopped;
    bool paused;
    struct list inbox;
    struct sim_event inbox_event;
    struct list timers;
    struct list works;
    struct list streams;
};

struct sim_env {
    struct env base;
    uint64_t random_state;
    uint64_t now_ns;
    uint64_t order;
    uint64_t digest;
    uint64_t loop_index;
    uint64_t latency_min_us;
    uint64_t latency_max_us;
    struct list loops;
    struct sim_loop *current; /* whose event runs; NULL: the test's own code */
    struct list listeners;
    struct list connects;
    struct list pipes;
    struct list cuts;
};

struct sim_env *sim_env_of(struct env *env);
struct sim_loop *sim_loop_of(struct env_loop *loop);
uint64_t sim_random(struct sim_env *env, uint64_t n);
void sim_mix(struct sim_env *env, uint64_t value); /* into the digest */
/* Asserts that the running event is the loop's own, or no event runs. */
void sim_assert_on_loop(struct sim_loop *l);
/* Schedules event on l (moving it when it already is); it may be run, or unscheduled, once. */
void sim_schedule(struct sim_loop *l, struct sim_event *event, uint64_t delay_ns,
                  enum sim_kind kind, void (*run)(struct sim_event *event));
void sim_unschedule(struct sim_event *event);

/* Listeners and attempts (env_sim_connect.c), streams (env_sim_stream.c). */
void sim_streams_init(struct sim_env *env);
void sim_streams_free(struct sim_env *env);
/* Closes what the loop still has: streams, listeners, attempts. */
void sim_streams_free_loop(struct sim_loop *l);
int sim_listen(struct env_loop *loop, const char *address, bool reuse_port,
               void (*accept)(void *ctx, struct env_stream *s), void *ctx,
               struct env_listener **out, struct err *e);
void sim_listener_close(struct env_listener *l);
int sim_listener_port(const struct env_listener *l);
void sim_connect(struct env_connect *c, const char *address, uint64_t timeout_ms);
void sim_connect_cancel(struct env_connect *c);
void sim_stream_start(struct env_stream *s, const struct env_stream_events *events, void *ctx);
void sim_stream_write(struct env_stream *s, struct str bytes);
size_t sim_stream_queued(const struct env_stream *s);
void sim_stream_pause(struct env_stream *s);
void sim_stream_resume(struct env_stream *s);
void sim_stream_shutdown(struct env_stream *s);
void sim_stream_close(struct env_stream *s);
const char *sim_stream_peer(const struct env_stream *s);
int sim_stream_peer_cred(const struct env_stream *s, struct env_peer_cred *out);

/* One direction of a connection (env_sim_stream.c); names outlive the ends for env_sim_partition.
 */
struct sim_stream;
struct sim_pipe {
    struct list node;
    struct sim_env *env;
    struct sim_stream *writer; /* NULL: closed */
    struct sim_stream *reader; /* NULL: closed */
    struct buf bytes;
    struct sim_event deliver; /* on the reader's loop */
    bool fin;                 /* nothing follows bytes */
    bool fin_done;
    bool stalled; /* a cut holds it */
    char from[2][SIM_NAME_BYTES];
    char to[2][SIM_NAME_BYTES];
};

/* A directed cut between two name prefixes (env_sim_connect.c). */
bool sim_is_cut(struct sim_env *env, const char from[2][SIM_NAME_BYTES],
                const char to[2][SIM_NAME_BYTES]);
uint64_t sim_latency_ns(struct sim_env *env, struct sim_loop *a, struct sim_loop *b);
/* Makes both ends of a connection. address: the listener's. */
void sim_stream_pair(struct sim_loop *client, struct sim_loop *server, const char *address,
                     struct env_stream **out_client, struct env_stream **out_server);
void sim_pipe_deliver_soon(struct sim_pipe *p);
/* Closes every stream of a loop that is being freed; closed() is called here. */
void sim_streams_close_all(struct sim_loop *l);

#endif
