/* See the header. */
#include "cli/remote.h"

#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "cli/escaped.h"
#include "cli/objects.h"
#include "cli/pods.h"
#include "cli/terminal.h"

static struct remote *remote_of(struct channels *c)
{
    return container_of(c, struct remote, channels);
}

/* Gives as much input as the connection takes. */
static void pump(struct channels *c)
{
    struct remote *r = remote_of(c);
    struct buf b;
    if (r->fill == NULL || r->filled)
        return;
    buf_init(&b);
    while (!r->filled && channels_queued(c) <= CHANNELS_QUEUE_BYTES) {
        buf_clear(&b);
        r->filled = !r->fill(r, &b);
        if (b.len > 0)
            channels_write(c, CHANNEL_STDIN, buf_str(&b));
    }
    buf_deinit(&b);
    if (r->filled)
        channels_end(c, CHANNEL_STDIN);
}

/* What the command says is wrong, made fit for a terminal. The first byte of a character that may
 * be one of control waits for the second. */
static bool tell_errors(struct remote *r, struct str bytes)
{
    static const struct str lead = STR("\xc2");
    struct buf text;
    struct buf b;
    buf_init(&text);
    buf_init(&b);
    buf_append_str(&text, r->half ? lead : str_lit(""));
    buf_append_str(&text, bytes);
    r->half = bytes.len > 0 && str_ends(bytes, lead);
    escaped_write(&b, str_slice(buf_str(&text), 0, text.len - (r->half ? lead.len : 0)));
    bool more = terminal_write(STDERR_FILENO, buf_str(&b));
    buf_deinit(&text);
    buf_deinit(&b);
    return more;
}

static void on_data(struct channels *c, enum channel channel, struct str bytes)
{
    struct remote *r = remote_of(c);
    bool out = channel == CHANNEL_STDOUT;
    bool more = true;
    if (r->refused || (r->silent && r->take == NULL))
        return;
    if (out && r->take != NULL)
        more = r->take(r, bytes);
    else
        more = out ? terminal_write(STDOUT_FILENO, bytes) : tell_errors(r, bytes);
    if (more)
        return;
    r->refused = true;
    channels_cancel(c);
}

static void on_done(struct channels *c, int status)
{
    (void)status; /* channels_tell knows it */
    env_loop_stop(c->loop);
}

static const char *target_of(struct remote *r)
{
    struct cli *c = r->cli;
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s/exec?container=%.*s&stdout=true&stderr=true%s", pods_path(c, r->pod),
               STR_ARG(objects_escape(c, r->container)), r->fill != NULL ? "&stdin=true" : "");
    for (size_t i = 0; r->command[i] != NULL; i++)
        buf_printf(&b, "&command=%.*s", STR_ARG(objects_escape(c, str_from(r->command[i]))));
    const char *target = str_dup(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return target;
}

int remote_run(struct remote *r)
{
    struct channels *c = &r->channels;
    c->cli = r->cli;
    c->target = target_of(r);
    c->opened = pump;
    c->drained = pump;
    c->data = on_data;
    c->done = on_done;
    channels_run(c, "remote");
    (void)tell_errors(r, (struct str){ NULL, 0 }); /* as before */
    int rc = CLI_FAILED;
    if (!r->refused)
        rc = r->silent ? channels_code(c, &r->why) : channels_tell(c);
    r->answered = channels_answered(c);
    channels_deinit(c);
    return rc;
}
