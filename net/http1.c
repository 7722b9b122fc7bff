/*
 * The HTTP/1.1 parser. The head (and the trailers) are gathered as one block up to the empty line,
 * copied once into the message's arena and cut into names and values there; body bytes are given
 * out as slices of the input. Lines are found by memchr, so the work per byte is the C library's.
 *
 *   HEAD → LENGTH | CHUNK_LINE | UNTIL_END | DONE
 *   CHUNK_LINE → CHUNK_DATA → CHUNK_CRLF → CHUNK_LINE ... → TRAILERS → DONE
 */
#include "net/http1.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"

enum {
    STATE_HEAD,
    STATE_LENGTH,
    STATE_CHUNK_LINE,
    STATE_CHUNK_DATA,
    STATE_CHUNK_CRLF,
    STATE_TRAILERS,
    STATE_UNTIL_END,
    STATE_DONE,
    STATE_FAILED,
};

void http1_parser_init(struct http1_parser *p, bool response)
{
    *p = (struct http1_parser){ .response = response };
    buf_init(&p->head);
}

void http1_parser_deinit(struct http1_parser *p)
{
    buf_deinit(&p->head);
}

void http1_parser_next(struct http1_parser *p, struct arena *a, bool no_body)
{
    struct buf head = p->head;
    bool response = p->response;
    *p = (struct http1_parser){ .response = response, .no_body = no_body, .arena = a };
    p->head = head;
    buf_clear(&p->head);
}

bool http1_started(const struct http1_parser *p)
{
    return p->state != STATE_HEAD || p->head.len > 0;
}

bool http1_at_end(const struct http1_parser *p)
{
    return p->state == STATE_DONE;
}

static int fail(struct http1_parser *p, int status)
{
    p->error = status;
    p->state = STATE_FAILED;
    return -ERR_PROTOCOL;
}

/* Is the line that ended just now the empty one that ends the block? One empty line before a
 * request is skipped (RFC 9112 section 2.2). */
static bool block_ended(struct http1_parser *p, struct str *in, size_t *at, size_t line_len)
{
    if (line_len > 1)
        return false;
    if (p->state == STATE_HEAD && p->lines == 0 && !p->response && p->skipped == 0) {
        p->skipped = 1;
        buf_clear(&p->head);
        *in = str_slice(*in, *at, in->len);
        *at = 0;
        return false;
    }
    return true;
}

/* Gathers lines up to the empty one. 1: *out is the block, in the arena; 0: more is needed. */
static int take_block(struct http1_parser *p, struct str *in, struct str *out)
{
    size_t at = 0;
    while (at < in->len) {
        const char *newline = memchr(in->data + at, '\n', in->len - at);
        if (newline == NULL)
            break;
        size_t i = (size_t)(newline - in->data);
        char before = i > 0 ? in->data[i - 1] : p->last;
        size_t line_len = p->line_len + (i - at);
        if (line_len == 0 || before != '\r')
            return fail(p, 400);
        p->line_len = 0;
        at = i + 1;
        if (block_ended(p, in, &at, line_len)) {
            if (p->head.len + at > HTTP_HEADER_BYTES_MAX)
                return fail(p, 431);
            char *copy = arena_alloc(p->arena, p->head.len + at);
            if (p->head.len > 0)
                memcpy(copy, p->head.data, p->head.len);
            memcpy(copy + p->head.len, in->data, at);
            *out = str_of(copy, p->head.len + at);
            *in = str_slice(*in, at, in->len);
            buf_deinit(&p->head);
            buf_init(&p->head);
            return 1;
        }
        if (line_len > 1 && ++p->lines > HTTP_HEADER_COUNT_MAX + 1)
            return fail(p, 431);
    }
    if (p->head.len + in->len > HTTP_HEADER_BYTES_MAX)
        return fail(p, p->lines == 0 && !p->response ? 414 : 431);
    if (in->len > 0) {
        p->line_len += in->len - at;
        p->last = in->data[in->len - 1];
        buf_append(&p->head, in->data, in->len);
        *in = str_slice(*in, in->len, in->len);
    }
    return 0;
}

/* Cuts the next line off the block, without its CRLF; every line here has one. */
static struct str next_line(struct str *block)
{
    const char *newline = memchr(block->data, '\n', block->len);
    ASSERT(newline != NULL);
    size_t i = (size_t)(newline - block->data);
    struct str line = str_slice(*block, 0, i - 1);
    *block = str_slice(*block, i + 1, block->len);
    return line;
}

static int parse_fields(struct http1_parser *p, struct str block, struct http_headers *h)
{
    for (;;) {
        struct str line = next_line(&block);
        if (line.len == 0)
            return 0;
        ptrdiff_t colon = str_find_char(line, ':', 0);
        if (colon <= 0)
            return fail(p, 400);
        struct str name = str_slice(line, 0, (size_t)colon);
        struct str value = str_trim(str_slice(line, (size_t)colon + 1, line.len));
        if (!http_is_token(name) || !http_is_field_value(value))
            return fail(p, 400);
        char *lower = (char *)(uintptr_t)name.data; /* in the arena's copy, ours to change */
        for (size_t i = 0; i < name.len; i++) {
            if (lower[i] >= 'A' && lower[i] <= 'Z')
                lower[i] = (char)(lower[i] + 32);
        }
        if (h->count == HTTP_HEADER_COUNT_MAX)
            return fail(p, 431);
        http_headers_add(p->arena, h, name, value);
    }
}

static bool target_valid(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] == 0x7f)
            return false;
    }
    return s.len > 0;
}

/* Origin form, asterisk form, or absolute form (whose authority then rules over Host). */
static int parse_target(struct http1_parser *p)
{
    struct str t = p->target;
    if (!target_valid(t))
        return fail(p, 400);
    if (t.len > HTTP_URI_BYTES_MAX)
        return fail(p, 414);
    if (t.data[0] == '/' || (str_eq_c(t, "*") && str_eq_c(p->method, "OPTIONS")))
        return 0;
    size_t scheme = str_starts(t, str_lit("http://"))    ? 7
                    : str_starts(t, str_lit("https://")) ? 8
                                                         : 0;
    if (scheme == 0)
        return fail(p, 400);
    ptrdiff_t slash = str_find_char(t, '/', scheme);
    p->authority = str_slice(t, scheme, slash < 0 ? t.len : (size_t)slash);
    p->target = slash < 0 ? str_lit("/") : str_slice(t, (size_t)slash, t.len);
    if (p->authority.len == 0 || str_find_char(p->authority, '?', 0) >= 0)
        return fail(p, 400);
    return 0;
}

static int parse_version(struct http1_parser *p, struct str s)
{
    if (str_eq_c(s, "HTTP/1.1"))
        p->version = 11;
    else if (str_eq_c(s, "HTTP/1.0"))
        p->version = 10;
    else
        return fail(p, s.len == 8 && str_starts(s, str_lit("HTTP/")) ? 505 : 400);
    return 0;
}

static int parse_request_line(struct http1_parser *p, struct str line)
{
    ptrdiff_t first = str_find_char(line, ' ', 0);
    ptrdiff_t second = first < 0 ? -1 : str_find_char(line, ' ', (size_t)first + 1);
    if (second < 0)
        return fail(p, 400);
    p->method = str_slice(line, 0, (size_t)first);
    p->target = str_slice(line, (size_t)first + 1, (size_t)second);
    if (!http_is_token(p->method) || p->method.len > HTTP_METHOD_BYTES_MAX)
        return fail(p, 400);
    if (parse_version(p, str_slice(line, (size_t)second + 1, line.len)) != 0)
        return -ERR_PROTOCOL;
    return parse_target(p);
}

static int parse_status_line(struct http1_parser *p, struct str line)
{
    if (line.len < 12 || line.data[8] != ' ' || (line.len > 12 && line.data[12] != ' '))
        return fail(p, 400);
    uint64_t status = 0;
    if (str_to_u64(str_slice(line, 9, 12), &status) != 0 || status < 100)
        return fail(p, 400);
    if (!http_is_field_value(line))
        return fail(p, 400);
    p->status = (int)status;
    return parse_version(p, str_slice(line, 0, 8));
}

/* Exactly one Host in HTTP/1.1 (RFC 9112 section 3.2). */
static int check_host(struct http1_parser *p)
{
    struct str host = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < p->headers.count; i++) {
        if (str_eq_c(p->headers.items[i].name, "host")) {
            host = p->headers.items[i].value;
            count++;
        }
    }
    if (count > 1 || (count == 0 && p->version == 11))
        return fail(p, 400);
    if (p->authority.len == 0)
        p->authority = host;
    return 0;
}

/* Where the body ends. Sets the next state. */
static int frame(struct http1_parser *p)
{
    bool length_seen = false;
    uint64_t length = 0;
    for (size_t i = 0; i < p->headers.count; i++) {
        const struct http_header *row = &p->headers.items[i];
        if (str_eq_c(row->name, "content-length")) {
            if (length_seen || str_to_u64(row->value, &length) != 0)
                return fail(p, 400);
            length_seen = true;
        } else if (str_eq_c(row->name, "transfer-encoding")) {
            if (p->chunked || p->version == 10)
                return fail(p, 400);
            if (!str_eq_nocase(row->value, str_lit("chunked")))
                return fail(p, p->response ? 400 : 501);
            p->chunked = true;
        }
    }
    if (length_seen && p->chunked)
        return fail(p, 400);
    if (length > INT64_MAX)
        return fail(p, 400);
    if (p->response && (p->no_body || p->status < 200 || p->status == 204 || p->status == 304)) {
        p->state = STATE_DONE;
    } else if (p->chunked) {
        p->state = STATE_CHUNK_LINE;
    } else if (p->response && !length_seen) {
        p->state = STATE_UNTIL_END;
        p->keep_alive = false;
    } else {
        p->left = length;
        p->state = length > 0 ? STATE_LENGTH : STATE_DONE;
    }
    p->has_body = p->state != STATE_DONE;
    return 0;
}

static int parse_head(struct http1_parser *p, struct str block)
{
    struct str line = next_line(&block);
    int rc = p->response ? parse_status_line(p, line) : parse_request_line(p, line);
    if (rc != 0)
        return rc;
    if (parse_fields(p, block, &p->headers) != 0)
        return -ERR_PROTOCOL;
    if (!p->response && check_host(p) != 0)
        return -ERR_PROTOCOL;
    bool close = http_headers_has_token(&p->headers, "connection", "close");
    bool keep = http_headers_has_token(&p->headers, "connection", "keep-alive");
    p->keep_alive = !close && (p->version == 11 || keep);
    p->expect_continue =
        p->version == 11 && http_headers_has_token(&p->headers, "expect", "100-continue");
    p->upgrade = http_headers_get(&p->headers, "upgrade").len > 0 &&
                 http_headers_has_token(&p->headers, "connection", "upgrade");
    return frame(p);
}

/* "1a;ext" CRLF: the line may arrive in pieces. 1: p->left is the size; 0: more is needed. */
static int take_chunk_line(struct http1_parser *p, struct str *in)
{
    const char *newline = memchr(in->data, '\n', in->len);
    size_t take = newline == NULL ? in->len : (size_t)(newline - in->data) + 1;
    if (p->head.len + take > HTTP1_CHUNK_LINE_BYTES_MAX)
        return fail(p, 400);
    buf_append(&p->head, in->data, take);
    *in = str_slice(*in, take, in->len);
    if (newline == NULL)
        return 0;
    struct str line = buf_str(&p->head);
    if (line.len < 3 || line.data[line.len - 2] != '\r')
        return fail(p, 400);
    line.len -= 2;
    uint64_t size = 0;
    size_t at = 0;
    for (; at < line.len; at++) {
        char c = line.data[at];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            break;
        size = size * 16 + (uint64_t)digit;
        if (size > HTTP1_CHUNK_BYTES_MAX)
            return fail(p, 400);
    }
    if (at == 0 || (at < line.len && line.data[at] != ';') || !http_is_field_value(line))
        return fail(p, 400);
    buf_clear(&p->head);
    p->left = size;
    return 1;
}

/* The CRLF after a chunk's data, perhaps in two pieces. */
static int take_crlf(struct http1_parser *p, struct str *in)
{
    static const char crlf[] = "\r\n";
    while (in->len > 0) {
        if (in->data[0] != crlf[p->line_len])
            return fail(p, 400);
        *in = str_slice(*in, 1, in->len);
        if (++p->line_len == 2) {
            p->line_len = 0;
            return 1;
        }
    }
    return 0;
}

static enum http1_event take_body(struct http1_parser *p, struct str *in, struct str *out)
{
    size_t take = in->len < p->left ? in->len : (size_t)p->left;
    *out = str_slice(*in, 0, take);
    *in = str_slice(*in, take, in->len);
    p->left -= take;
    if (p->left == 0)
        p->state = p->state == STATE_LENGTH ? STATE_DONE : STATE_CHUNK_CRLF;
    return HTTP1_BODY;
}

/* One step in the states that read lines. <0 failed, 0 more input, 1 go on, 2 the head is there. */
static int step(struct http1_parser *p, struct str *in)
{
    struct str block;
    int rc;
    switch (p->state) {
    case STATE_HEAD:
        if (p->head.len == 0 && !http_is_token(str_slice(*in, 0, 1)) && in->data[0] != '\r')
            return fail(p, 400);
        rc = take_block(p, in, &block);
        if (rc == 1)
            rc = parse_head(p, block) == 0 ? 2 : -ERR_PROTOCOL;
        return rc;
    case STATE_CHUNK_LINE:
        rc = take_chunk_line(p, in);
        if (rc == 1) {
            p->state = p->left > 0 ? STATE_CHUNK_DATA : STATE_TRAILERS;
            p->lines = 0;
            p->line_len = 0;
        }
        return rc;
    case STATE_CHUNK_CRLF:
        rc = take_crlf(p, in);
        if (rc == 1)
            p->state = STATE_CHUNK_LINE;
        return rc;
    case STATE_TRAILERS:
        rc = take_block(p, in, &block);
        if (rc == 1)
            rc = parse_fields(p, block, &p->trailers) == 0 ? 1 : -ERR_PROTOCOL;
        if (rc == 1)
            p->state = STATE_DONE;
        return rc;
    default:
        return fail(p, 400);
    }
}

enum http1_event http1_parse(struct http1_parser *p, struct str *in, struct str *out_body)
{
    for (;;) {
        if (p->state == STATE_DONE)
            return HTTP1_END;
        if (p->state == STATE_FAILED)
            return HTTP1_ERROR;
        if (in->len == 0)
            return HTTP1_MORE;
        if (p->state == STATE_LENGTH || p->state == STATE_CHUNK_DATA)
            return take_body(p, in, out_body);
        if (p->state == STATE_UNTIL_END) {
            *out_body = *in;
            *in = str_slice(*in, in->len, in->len);
            return HTTP1_BODY;
        }
        int rc = step(p, in);
        if (rc < 0)
            return HTTP1_ERROR;
        if (rc == 0)
            return HTTP1_MORE;
        if (rc == 2)
            return HTTP1_HEAD;
    }
}

enum http1_event http1_parse_end(struct http1_parser *p)
{
    if (p->state == STATE_UNTIL_END || p->state == STATE_DONE) {
        p->state = STATE_DONE;
        return HTTP1_END;
    }
    if (p->state == STATE_HEAD && p->head.len == 0)
        return HTTP1_MORE;
    p->error = 400;
    p->state = STATE_FAILED;
    return HTTP1_ERROR;
}
