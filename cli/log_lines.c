/* See the header. */
#include "cli/log_lines.h"

void log_lines_init(struct log_lines *l, struct str prefix)
{
    l->prefix = prefix;
    buf_init(&l->rest);
}

void log_lines_deinit(struct log_lines *l)
{
    buf_deinit(&l->rest);
}

static void flush(struct log_lines *l, struct str end, struct buf *out)
{
    buf_append_str(out, l->prefix);
    buf_append_str(out, buf_str(&l->rest));
    buf_append_str(out, end);
    buf_clear(&l->rest);
}

void log_lines_add(struct log_lines *l, struct str bytes, struct buf *out)
{
    while (bytes.len > 0) {
        ptrdiff_t feed = str_find_char(bytes, '\n', 0);
        if (feed >= 0) {
            flush(l, str_slice(bytes, 0, (size_t)feed + 1), out);
            bytes = str_slice(bytes, (size_t)feed + 1, bytes.len);
            continue;
        }
        struct str piece = str_slice(bytes, 0, LOG_LINE_BYTES_MAX - l->rest.len);
        buf_append_str(&l->rest, piece);
        bytes = str_slice(bytes, piece.len, bytes.len);
        if (l->rest.len == LOG_LINE_BYTES_MAX)
            flush(l, str_lit("\n"), out);
    }
}

void log_lines_end(struct log_lines *l, struct buf *out)
{
    if (l->rest.len > 0)
        flush(l, str_lit(""), out);
}
