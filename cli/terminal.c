/*
 * See the header. The reader waits in poll on a pool thread for its input and for a pipe; a byte
 * in the pipe (from the signal of a changed window, a pause, a stop) ends the wait. Then the loop
 * decides, and waits again.
 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/assert.h"

static struct termios saved;
static volatile sig_atomic_t raw_fd = -1;
static volatile sig_atomic_t wake_fd = -1;

/* ---- the terminal ---- */

bool terminal_is(int fd)
{
    return isatty(fd) == 1;
}

bool terminal_size(int fd, uint16_t *out_columns, uint16_t *out_rows)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return false;
    *out_columns = size.ws_col;
    *out_rows = size.ws_row;
    return true;
}

void terminal_restore(void)
{
    int fd = raw_fd;
    raw_fd = -1;
    if (fd >= 0)
        (void)tcsetattr(fd, TCSADRAIN, &saved); /* the terminal may be gone */
}

bool terminal_is_raw(void)
{
    return raw_fd >= 0;
}

static void on_deadly(int number)
{
    terminal_restore();
    (void)signal(number, SIG_DFL); /* this number may be set */
    (void)raise(number);           /* now it ends us, once this has returned */
}

static void catch_deadly(void)
{
    static const int deadly[] = { SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGABRT,
                                  SIGSEGV, SIGBUS, SIGFPE,  SIGILL };
    struct sigaction action = { .sa_handler = on_deadly };
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        (void)sigaction(deadly[i], &action, NULL); /* these numbers may be caught */
}

int terminal_raw(int fd, struct err *e)
{
    struct termios raw;
    if (tcgetattr(fd, &saved) != 0)
        return err_set(e, ERR_IO, "the input is not a terminal");
    catch_deadly();
    raw = saved;
    cfmakeraw(&raw);
    raw_fd = fd;
    if (tcsetattr(fd, TCSADRAIN, &raw) != 0) {
        raw_fd = -1;
        return err_set(e, ERR_IO, "the terminal cannot be set to raw mode");
    }
    return 0;
}

bool terminal_write(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLOUT };
            (void)poll(&p, 1, -1); /* a signal only makes us try again */
        } else if (n < 0 && errno != EINTR) {
            return false;
        } else if (n > 0) {
            bytes = str_slice(bytes, (size_t)n, bytes.len);
        }
    }
    return true;
}

/* ---- the reader ---- */

#define RING_WINDOW 'w'
#define RING_TURN   't'

static void ring(int fd, char byte)
{
    ssize_t n = write(fd, &byte, 1);
    (void)n; /* a full pipe wakes as well */
}

static void on_window(int number)
{
    int before = errno;
    (void)number;
    if (wake_fd >= 0)
        ring(wake_fd, RING_WINDOW);
    errno = before;
}

static void catch_window(bool on)
{
    struct sigaction action = { .sa_flags = (int)SA_RESTART };
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = on ? on_window : SIG_DFL;
    (void)sigaction(SIGWINCH, &action, NULL); /* this number may be caught */
}

static struct terminal_input *input_of(struct env_work *w)
{
    return container_of(w, struct terminal_input, work);
}

/* On a pool thread. */
static void input_wait(struct env_work *w)
{
    struct terminal_input *t = input_of(w);
    struct pollfd fds[2] = { { .fd = t->wake[0], .events = POLLIN },
                             { .fd = t->wanted ? t->fd : -1, .events = POLLIN } };
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    if (fds[0].revents != 0) {
        char bytes[64];
        ssize_t n = read(t->wake[0], bytes, sizeof bytes);
        t->window = n > 0 && memchr(bytes, RING_WINDOW, (size_t)n) != NULL;
    }
    if (fds[1].revents != 0) {
        ssize_t n = read(t->fd, t->data, sizeof t->data);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        t->had_bytes = true;
        t->len = n > 0 ? (size_t)n : 0;
    }
}

static void input_woke(struct env_work *w);

static void input_go_on(struct terminal_input *t)
{
    t->wanted = !t->paused && !t->ended;
    t->window = false;
    t->had_bytes = false;
    env_work(t->loop, &t->work, input_wait, input_woke);
}

static void input_woke(struct env_work *w)
{
    struct terminal_input *t = input_of(w);
    if (t->had_bytes && !t->stopping) {
        if (t->len == 0)
            t->ended = true;
        if (t->len > 0)
            t->bytes(t, str_of(t->data, t->len));
        else
            t->end(t);
    }
    if (t->window && !t->stopping)
        t->resized(t);
    if (!t->stopping) {
        input_go_on(t);
        return;
    }
    wake_fd = -1;
    catch_window(false);
    close(t->wake[0]);
    close(t->wake[1]);
    t->stopped(t);
}

int terminal_input_start(struct terminal_input *t, struct err *e)
{
    if (pipe2(t->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set(e, err_from_errno(errno), "no pipe can be made");
    t->ended = t->fd < 0;
    t->stopping = false;
    wake_fd = t->wake[1];
    catch_window(true);
    input_go_on(t);
    return 0;
}

void terminal_input_pause(struct terminal_input *t, bool paused)
{
    if (t->paused == paused)
        return;
    t->paused = paused;
    ring(t->wake[1], RING_TURN);
}

void terminal_input_stop(struct terminal_input *t)
{
    if (t->stopping)
        return;
    t->stopping = true;
    ring(t->wake[1], RING_TURN);
}
