/*
 * The parts of HTTP that do not depend on its version: headers, the grammar of names and values,
 * percent-decoding, and the calls of struct http_exchange, which dispatch to the engine.
 */
#include "net/http.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"

static void ignore_body(struct http_exchange *x, struct str bytes)
{
    (void)x;
    (void)bytes;
}

static void ignore_closed(struct http_exchange *x, int status)
{
    (void)x;
    (void)status;
}

const struct http_exchange_events http_events_none = { .body = ignore_body,
                                                       .closed = ignore_closed };

/* RFC 9110 token characters. */
static const bool token_chars[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
    ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!token_chars[(uint8_t)s.data[i]])
            return false;
    }
    return s.len > 0;
}

bool http_is_field_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

struct str http_headers_get(const struct http_headers *h, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < h->count; i++) {
        const struct http_header *row = &h->items[i];
        if (row->name.len == len && memcmp(row->name.data, name, len) == 0)
            return row->value.data == NULL ? str_lit("") : row->value;
    }
    return (struct str){ 0 };
}

void http_headers_add(struct arena *a, struct http_headers *h, struct str name, struct str value)
{
    if (h->count == h->capacity)
        h->items = arena_grow(a, h->items, h->count, &h->capacity, sizeof(*h->items));
    h->items[h->count++] = (struct http_header){ name, value };
}

bool http_headers_has_token(const struct http_headers *h, const char *name, const char *token)
{
    for (size_t i = 0; i < h->count; i++) {
        if (!str_eq_c(h->items[i].name, name))
            continue;
        struct str rest = h->items[i].value;
        struct str part;
        while (str_split(&rest, ',', &part)) {
            if (str_eq_nocase(str_trim(part), str_from(token)))
                return true;
        }
    }
    return false;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } table[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Request Entity Too Large" },
        { 414, "Request URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Entity" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].status == status)
            return table[i].reason;
    }
    return "";
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int http_percent_decode(struct arena *a, struct str s, bool query, struct str *out)
{
    char *to = arena_alloc(a, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '%') {
            if (s.len - i < 3)
                return -ERR_PARSE;
            int high = hex_value(s.data[i + 1]);
            int low = hex_value(s.data[i + 2]);
            if (high < 0 || low < 0)
                return -ERR_PARSE;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        to[len++] = c;
    }
    *out = str_of(to, len);
    return 0;
}

struct str http_query_get(struct arena *a, struct str query, const char *name)
{
    struct str part;
    while (str_split(&query, '&', &part)) {
        ptrdiff_t at = str_find_char(part, '=', 0);
        struct str key = at < 0 ? part : str_slice(part, 0, (size_t)at);
        struct str value = at < 0 ? str_lit("") : str_slice(part, (size_t)at + 1, part.len);
        struct str decoded;
        if (http_percent_decode(a, key, true, &decoded) != 0 || !str_eq_c(decoded, name))
            continue;
        if (http_percent_decode(a, value, true, &decoded) != 0)
            return (struct str){ 0 };
        return decoded;
    }
    return (struct str){ 0 };
}

void http_split_target(struct str target, struct str *out_path, struct str *out_query)
{
    ptrdiff_t at = str_find_char(target, '?', 0);
    if (at < 0) {
        *out_path = target;
        *out_query = (struct str){ 0 };
    } else {
        *out_path = str_slice(target, 0, (size_t)at);
        *out_query = str_slice(target, (size_t)at + 1, target.len);
    }
}

/* ---- the calls of an exchange ---- */

void http_respond(struct http_exchange *x, int status, const struct http_header *headers,
                  size_t count)
{
    ASSERT(status >= 200 && status <= 999);
    x->ops->respond(x, status, headers, count);
}

void http_write(struct http_exchange *x, struct str bytes)
{
    if (bytes.len > 0)
        x->ops->write(x, bytes, NULL);
}

void http_write_shared(struct http_exchange *x, struct shared *bytes)
{
    struct str s = shared_str(bytes);
    if (s.len > 0)
        x->ops->write(x, s, bytes);
}

void http_end(struct http_exchange *x)
{
    x->ops->end(x, NULL, 0);
}

void http_end_trailers(struct http_exchange *x, const struct http_header *trailers, size_t count)
{
    x->ops->end(x, trailers, count);
}

void http_reply(struct http_exchange *x, int status, const char *content_type, struct str body)
{
    struct http_header type = { str_lit("content-type"), str_from(content_type) };
    http_reply_headers(x, status, &type, content_type == NULL ? 0 : 1, body);
}

void http_reply_headers(struct http_exchange *x, int status, const struct http_header *headers,
                        size_t count, struct str body)
{
    struct http_headers all = { 0 };
    for (size_t i = 0; i < count; i++)
        http_headers_add(&x->arena, &all, headers[i].name, headers[i].value);
    if (status != 204 && status != 304) {
        struct str length = str_printf(&x->arena, "%zu", body.len);
        http_headers_add(&x->arena, &all, str_lit("content-length"), length);
    }
    http_respond(x, status, all.items, all.count);
    http_write(x, body);
    http_end(x);
}

void http_reset(struct http_exchange *x, int code)
{
    x->ops->reset(x, code < 0 ? -code : code);
}

size_t http_queued(const struct http_exchange *x)
{
    return x->ops->queued(x);
}

void http_body_pause(struct http_exchange *x)
{
    x->ops->pause(x, true);
}

void http_body_resume(struct http_exchange *x)
{
    x->ops->pause(x, false);
}

bool http_responded(const struct http_exchange *x)
{
    return x->ops->responded(x);
}

int http_upgrade(struct http_exchange *x, const struct http_header *headers, size_t count)
{
    return x->ops->upgrade(x, headers, count);
}
