/* See the header. Events are lines of JSON; each is parsed in an arena of its own. */
#include "cli/watch.h"

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/tree.h"

struct watch {
    const struct watch_options *options;
    struct buf line;
    struct err e;
    int rc;
};

static bool take_line(struct watch *w, struct str line)
{
    const struct json *event;
    struct arena a;
    arena_init(&a);
    w->rc = json_parse(&a, line, &event, &w->e);
    bool more = w->rc == 0 && w->options->event(w->options->ctx, tree_text(event, "type", NULL),
                                                json_get_c(event, "object"));
    arena_deinit(&a);
    return more;
}

static bool on_piece(void *ctx, struct str bytes)
{
    struct watch *w = ctx;
    struct str line;
    while (bytes.len > 0) {
        ptrdiff_t end = str_find_char(bytes, '\n', 0);
        size_t len = end < 0 ? bytes.len : (size_t)end;
        if (w->line.len + len > WATCH_LINE_BYTES_MAX) {
            w->rc =
                err_set(&w->e, ERR_LIMIT, "an event of more than %u bytes", WATCH_LINE_BYTES_MAX);
            return false;
        }
        buf_append(&w->line, bytes.data, len);
        if (end < 0)
            return true;
        bytes = str_slice(bytes, len + 1, bytes.len);
        line = buf_str(&w->line);
        if (line.len > 0 && !take_line(w, line))
            return false;
        buf_clear(&w->line);
    }
    return true;
}

int watch_run(struct cli *c, const struct watch_options *o, struct err *e)
{
    struct watch w = { .options = o };
    const struct ask_request request = { .target = o->target,
                                         .accept = o->accept,
                                         .timeout_ms = o->timeout_ms,
                                         .piece = on_piece,
                                         .ctx = &w };
    struct ask_answer answer;
    buf_init(&w.line);
    int rc = ask_send(c, &request, &answer, e);
    buf_deinit(&w.line);
    if (rc == 0 && !ask_good(&answer))
        return err_set(e, ERR_INTERNAL, "%.*s", STR_ARG(ask_refused(c, &answer)));
    if (rc == 0 && w.rc != 0)
        *e = w.e;
    return rc != 0 ? rc : w.rc;
}
