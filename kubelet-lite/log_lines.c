/* Lines of container logs (see the header). */
#include "kubelet-lite/log_lines.h"

#include <string.h>

#include "api/meta/time.h"
#include "base/arena.h"
#include "net/http.h"

int log_line_parse(struct str line, struct log_line *out)
{
    struct str rest = line;
    struct str tag;
    if (!str_split(&rest, ' ', &out->time) || !str_split(&rest, ' ', &out->stream) ||
        !str_split(&rest, ' ', &tag) || tag.len == 0 || out->time.len == 0)
        return -ERR_PARSE;
    /* Further tags follow after colons. */
    if (tag.len > 1 && tag.data[1] != ':')
        return -ERR_PARSE;
    if (tag.data[0] != 'P' && tag.data[0] != 'F')
        return -ERR_PARSE;
    if (!str_eq_c(out->stream, "stdout") && !str_eq_c(out->stream, "stderr"))
        return -ERR_PARSE;
    out->partial = tag.data[0] == 'P';
    out->text = rest.data != NULL ? rest : (struct str){ "", 0 };
    return 0;
}

/* ---- options ---- */

/* As a kubelet reads it: there and neither "false" nor "0". */
static bool take_bool(struct arena *a, struct str query, const char *name)
{
    struct str v = http_query_get(a, query, name);
    return v.data != NULL && !str_eq_nocase(v, str_lit("false")) && !str_eq_c(v, "0");
}

static int take_number(struct arena *a, struct str query, const char *name, bool *out_has,
                       uint64_t *out, struct err *e)
{
    struct str v = http_query_get(a, query, name);
    if (v.data == NULL || v.len == 0)
        return 0;
    if (str_to_u64(v, out) != 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: \"%.*s\" is no number from 0 on", name,
                       STR_ARG(v));
    *out_has = true;
    return 0;
}

int log_options_parse(struct arena *a, struct str query, int64_t now_s, struct log_options *out,
                      struct err *e)
{
    uint64_t since = 0;
    bool has_seconds = false;
    *out = (struct log_options){ 0 };
    out->follow = take_bool(a, query, "follow");
    out->previous = take_bool(a, query, "previous");
    out->timestamps = take_bool(a, query, "timestamps");
    int rc = take_number(a, query, "tailLines", &out->has_tail, &out->tail_lines, e);
    if (rc == 0)
        rc = take_number(a, query, "limitBytes", &out->has_limit, &out->limit_bytes, e);
    if (rc == 0)
        rc = take_number(a, query, "sinceSeconds", &has_seconds, &since, e);
    if (rc != 0)
        return rc;
    struct str when = http_query_get(a, query, "sinceTime");
    if (has_seconds && when.len > 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "at most one of sinceTime or sinceSeconds may be specified");
    if (has_seconds) {
        out->has_since = true;
        out->since_s = since < (uint64_t)now_s ? now_s - (int64_t)since : 0;
    }
    if (when.len > 0) {
        out->has_since = true;
        rc = time_parse(when, &out->since_s, &out->since_ns, e);
    }
    return rc;
}

/* ---- reading ---- */

void log_reader_init(struct log_reader *r, const struct log_options *options)
{
    *r = (struct log_reader){ .options = *options };
    buf_init(&r->carry);
    r->full = options->has_limit && options->limit_bytes == 0;
}

void log_reader_deinit(struct log_reader *r)
{
    buf_deinit(&r->carry);
}

static void give(struct log_reader *r, struct str bytes, struct buf *out)
{
    if (r->options.has_limit && bytes.len >= r->options.limit_bytes - r->given) {
        bytes.len = (size_t)(r->options.limit_bytes - r->given);
        r->full = true;
    }
    r->given += bytes.len;
    buf_append_str(out, bytes);
}

static bool too_old(const struct log_reader *r, struct str time)
{
    int64_t s;
    int32_t ns;
    if (!r->options.has_since || time_parse(time, &s, &ns, NULL) != 0)
        return false;
    return s < r->options.since_s || (s == r->options.since_s && ns < r->options.since_ns);
}

static void take_line(struct log_reader *r, struct str line, struct buf *out)
{
    struct log_line l;
    if (r->full || log_line_parse(line, &l) != 0 || too_old(r, l.time))
        return;
    if (r->options.timestamps && !r->inside) {
        give(r, l.time, out);
        if (!r->full)
            give(r, str_lit(" "), out);
    }
    if (!r->full)
        give(r, l.text, out);
    if (!r->full && !l.partial)
        give(r, str_lit("\n"), out);
    r->inside = l.partial;
}

void log_reader_feed(struct log_reader *r, struct str bytes, struct buf *out)
{
    while (bytes.len > 0 && !r->full) {
        ptrdiff_t end = str_find_char(bytes, '\n', 0);
        if (end < 0) {
            if (r->carry.len + bytes.len <= LOG_LINE_MAX)
                buf_append_str(&r->carry, bytes);
            else
                buf_clear(&r->carry);
            return;
        }
        struct str line = str_slice(bytes, 0, (size_t)end);
        if (r->carry.len > 0) {
            buf_append_str(&r->carry, line);
            take_line(r, buf_str(&r->carry), out);
            buf_clear(&r->carry);
        } else {
            take_line(r, line, out);
        }
        bytes = str_slice(bytes, (size_t)end + 1, bytes.len);
    }
}
