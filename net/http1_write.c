/* The HTTP/1.1 writer: heads and chunks appended to a buffer. */
#include "base/assert.h"
#include "net/http1.h"

void http1_write_request(struct buf *out, const char *method, struct str target,
                         struct str authority)
{
    buf_append_c(out, method);
    buf_append_byte(out, ' ');
    buf_append_str(out, target);
    buf_append_c(out, " HTTP/1.1\r\nhost: ");
    buf_append_str(out, authority);
    buf_append_c(out, "\r\n");
}

void http1_write_status(struct buf *out, int status)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
}

void http1_write_header(struct buf *out, struct str name, struct str value)
{
    ASSERT(http_is_token(name));
    buf_reserve(out, name.len + value.len + 4);
    buf_append_str(out, name);
    buf_append_c(out, ": ");
    size_t at = out->len;
    buf_append_str(out, value);
    /* A value may quote a user: what would split the message becomes a space. */
    if (!http_is_field_value(value)) {
        for (; at < out->len; at++) {
            if (out->data[at] < 0x20 || out->data[at] == 0x7f)
                out->data[at] = ' ';
        }
    }
    buf_append_c(out, "\r\n");
}

void http1_write_head_end(struct buf *out)
{
    buf_append_c(out, "\r\n");
}

void http1_write_chunk(struct buf *out, struct str bytes)
{
    if (bytes.len == 0)
        return; /* an empty chunk would end the body */
    buf_reserve(out, bytes.len + 24);
    buf_printf(out, "%zx\r\n", bytes.len);
    buf_append_str(out, bytes);
    buf_append_c(out, "\r\n");
}

void http1_write_last_chunk(struct buf *out, const struct http_header *trailers, size_t count)
{
    buf_append_c(out, "0\r\n");
    for (size_t i = 0; i < count; i++)
        http1_write_header(out, trailers[i].name, trailers[i].value);
    buf_append_c(out, "\r\n");
}
