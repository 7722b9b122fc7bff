/*
 * The terminal, and bytes typed there, for a command that runs elsewhere.
 *
 * terminal_raw hands every key to the command; whatever ends this process but SIGKILL puts the
 * terminal back first: terminal_restore, the signals that end processes, and a failed assertion.
 * One terminal in a process.
 *
 * struct terminal_input reads a file descriptor that loops do not know (a terminal, a file, a
 * pipe) on the work pool and tells of a changed window. It can be stopped while nothing comes.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/str.h"

/* Bytes of one read. */
#define TERMINAL_READ_BYTES 32768

bool terminal_is(int fd);
/* Columns and rows; false when it is no terminal or does not say. */
bool terminal_size(int fd, uint16_t *out_columns, uint16_t *out_rows);
/* -ERR_IO: it is no terminal. */
int terminal_raw(int fd, struct err *e);
/* Nothing when it is not raw. Async-signal-safe. */
void terminal_restore(void);
bool terminal_is_raw(void);

struct terminal_input {
    /* The caller's; they run on the loop. */
    struct env_loop *loop;
    int fd;
    void (*bytes)(struct terminal_input *t, struct str bytes);
    void (*end)(struct terminal_input *t); /* of the input; resizes still come */
    void (*resized)(struct terminal_input *t);
    void (*stopped)(struct terminal_input *t); /* last, after terminal_input_stop */
    void *user;

    /* Its own. */
    struct env_work work;
    int wake[2];
    bool paused;
    bool ended;
    bool stopping;
    /* The pool thread's, between a wait and its end. */
    bool wanted;    /* is the input read at all? */
    bool window;    /* the window changed */
    bool had_bytes; /* data[0..len) is what was read; len 0: the end */
    size_t len;
    char data[TERMINAL_READ_BYTES];
};

/* fd -1: only resizes. -ERR_IO: no pipe could be made; nothing was started then. */
int terminal_input_start(struct terminal_input *t, struct err *e);
void terminal_input_pause(struct terminal_input *t, bool paused);
void terminal_input_stop(struct terminal_input *t);

/* All of the bytes to a file descriptor, waiting for it. False: it is gone. */
bool terminal_write(int fd, struct str bytes);

#endif
