/* See the header. Events are lines of JSON; each is parsed in an arena of its own. */
#include "cli/watch.h"

#include "api/schema/json.h"
#include "cli/ask.h"
#include "cli/tree.h"

void watch_reader_init(struct watch_reader *w)
{
    buf_init(&w->line);
}

void watch_reader_deinit(struct watch_reader *w)
{
    buf_deinit(&w->line);
}

static bool take_line(struct watch_reader *w, struct str line)
{
    const struct json *event;
    struct arena a;
    arena_init(&a);
    w->rc = json_parse(&a, line, &event, &w->e);
    bool more =
        w->rc == 0 && w->event(w->ctx, tree_text(event, "type", NULL), json_get_c(event, "object"));
    arena_deinit(&a);
    return more;
}

bool watch_reader_feed(struct watch_reader *w, struct str bytes)
{
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

static bool on_piece(void *ctx, struct str bytes)
{
    return watch_reader_feed(ctx, bytes);
}

int watch_run(struct cli *c, const struct watch_options *o, struct err *e)
{
    struct watch_reader w = { .event = o->event, .ctx = o->ctx };
    const struct ask_request request = { .target = o->target,
                                         .accept = o->accept,
                                         .timeout_ms = o->timeout_ms,
                                         .piece = on_piece,
                                         .ctx = &w };
    struct ask_answer answer;
    watch_reader_init(&w);
    int rc = ask_send(c, &request, &answer, e);
    watch_reader_deinit(&w);
    if (rc == 0 && !ask_good(&answer))
        return err_set(e, ERR_INTERNAL, "%.*s", STR_ARG(ask_refused(c, &answer)));
    if (rc == 0 && w.rc != 0)
        *e = w.e;
    return rc != 0 ? rc : w.rc;
}
