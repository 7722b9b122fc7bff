/* The real world: libuv loops, pthreads, the kernel's clocks. */
#ifndef BASE_ENV_UV_H
#define BASE_ENV_UV_H

struct env;
struct env_loop;
struct uv_loop_s;

/* One per process. Sets the log clock, ignores SIGPIPE, sizes libuv's pool (UV_THREADPOOL_SIZE). */
struct env *env_uv_new(void);
void env_uv_free(struct env *env);

/* The libuv loop under an env_loop, for a test that turns one by hand on its own thread. */
struct uv_loop_s *env_uv_loop(struct env_loop *loop);

#endif
