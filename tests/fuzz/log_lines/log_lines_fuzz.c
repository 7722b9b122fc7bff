/* The first byte is the size of the pieces, the first line a query, the rest a container's log: in
 * any pieces a reader is given the same of it, and no more than it asked for. */
#include "base/arena.h"
#include "base/assert.h"
#include "kubelet-lite/log_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW_S 1700000000

/* Longer inputs hold longer lines than a reader carries: those are dropped by where they are cut.
 */
#define INPUT_BYTES_MAX LOG_LINE_MAX

static void read_log(const struct log_options *options, struct str bytes, size_t piece,
                     struct buf *out)
{
    struct log_reader r;
    log_reader_init(&r, options);
    while (bytes.len > 0) {
        struct str head = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, head.len, bytes.len);
        log_reader_feed(&r, head, out);
        ASSERT(r.carry.len <= LOG_LINE_MAX);
    }
    ASSERT(r.given == out->len);
    ASSERT(!options->has_limit || out->len <= options->limit_bytes);
    log_reader_deinit(&r);
}

static void parse_lines(struct str bytes)
{
    struct str line;
    while (str_split(&bytes, '\n', &line)) {
        struct log_line l;
        if (log_line_parse(line, &l) == 0)
            ASSERT(l.text.data != NULL && l.time.len > 0 && l.text.len < line.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > INPUT_BYTES_MAX)
        return 0;
    struct str log = str_of(data + 1, len - 1);
    struct str query;
    struct log_options options;
    struct arena a;
    struct err e;
    struct buf whole;
    struct buf pieces;
    arena_init(&a);
    buf_init(&whole);
    buf_init(&pieces);
    if (str_split(&log, '\n', &query) && log_options_parse(&a, query, NOW_S, &options, &e) == 0) {
        parse_lines(log);
        read_log(&options, log, len, &whole);
        read_log(&options, log, data[0] == 0 ? 1 : data[0], &pieces);
        ASSERT(str_eq(buf_str(&whole), buf_str(&pieces)));
    }
    buf_deinit(&whole);
    buf_deinit(&pieces);
    arena_deinit(&a);
    return 0;
}
