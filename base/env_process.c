/*
 * Child processes. One box per child holds libuv's handle; it goes when the child was reaped and
 * the handle has closed, or when its owner forgets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv_impl.h"

#define OUTPUT_MODE 0640

struct uv_env_process {
    uv_process_t uv;
    struct uv_owner owner;
    struct env_process *process; /* NULL: forgotten */
};

static void on_process_closed(uv_handle_t *handle)
{
    mem_free(container_of((uv_process_t *)handle, struct uv_env_process, uv));
}

static void close_process(struct uv_owner *o)
{
    struct uv_env_process *box = container_of(o, struct uv_env_process, owner);
    if (box->process != NULL)
        box->process->impl = NULL;
    uv_close((uv_handle_t *)&box->uv, on_process_closed);
}

static void on_exit_status(uv_process_t *uv, int64_t exit_code, int signal)
{
    struct uv_env_process *box = container_of(uv, struct uv_env_process, uv);
    struct env_process *p = box->process;
    close_process(&box->owner);
    if (p != NULL)
        p->exited(p, (int)exit_code, signal);
}

/* Opens what the child gets as descriptors 0, 1 and 2; -1 in out[1] means inherit. */
static int open_stdio(const struct env_spawn *spawn, int out[2], struct err *e)
{
    const char *in = spawn->stdin_path != NULL ? spawn->stdin_path : "/dev/null";
    out[1] = -1;
    out[0] = open(in, O_RDONLY | O_CLOEXEC);
    if (out[0] < 0)
        return err_set(e, err_from_errno(errno), "open %s: %s", in, strerror(errno));
    if (spawn->output_path == NULL)
        return 0;
    out[1] =
        open(spawn->output_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, OUTPUT_MODE);
    if (out[1] >= 0)
        return 0;
    int rc = err_set(e, err_from_errno(errno), "open %s: %s", spawn->output_path, strerror(errno));
    (void)close(out[0]); /* only read from */
    return rc;
}

int env_process_start(struct env_loop *loop, struct env_process *p, const struct env_spawn *spawn,
                      void (*exited)(struct env_process *p, int exit_code, int signal),
                      struct err *e)
{
    if (!loop->env->ops->real)
        return err_set(e, ERR_UNIMPLEMENTED, "processes are not simulated");
    struct uv_env_loop *l = uv_env_loop_of(loop);
    uv_assert_on_loop(l);
    int fds[2];
    int rc = open_stdio(spawn, fds, e);
    if (rc != 0)
        return rc;
    uv_stdio_container_t stdio[3] = { { .flags = UV_INHERIT_FD, .data.fd = fds[0] } };
    for (int i = 1; i < 3; i++)
        stdio[i] =
            (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fds[1] >= 0 ? fds[1] : i };
    uv_process_options_t options = { .exit_cb = on_exit_status,
                                     .file = spawn->argv[0],
                                     /* libuv's types lack const; it does not write */
                                     .args = (char **)(uintptr_t)spawn->argv,
                                     .env = (char **)(uintptr_t)spawn->env,
                                     .flags = spawn->detach ? UV_PROCESS_DETACHED : 0,
                                     .stdio_count = 3,
                                     .stdio = stdio };
    struct uv_env_process *box = mem_alloc(sizeof(*box));
    box->owner.close = close_process;
    rc = uv_spawn(&l->uv, &box->uv, &options);
    box->uv.data = &box->owner;
    (void)close(fds[0]); /* the child has its own */
    if (fds[1] >= 0)
        (void)close(fds[1]); /* as above */
    if (rc != 0) {
        close_process(&box->owner); /* also a failed spawn leaves a handle */
        return err_set(e, uv_err_code(rc), "start %s: %s", spawn->argv[0], uv_strerror(rc));
    }
    box->process = p;
    *p = (struct env_process){ .impl = box, .pid = box->uv.pid, .exited = exited };
    return 0;
}

int env_process_kill(struct env_process *p, int signal)
{
    struct uv_env_process *box = p->impl;
    if (box == NULL)
        return -ERR_NOT_FOUND;
    int rc = uv_process_kill(&box->uv, signal);
    return rc == 0 ? 0 : -(int)uv_err_code(rc);
}

void env_process_forget(struct env_process *p)
{
    struct uv_env_process *box = p->impl;
    if (box != NULL)
        close_process(&box->owner);
}
