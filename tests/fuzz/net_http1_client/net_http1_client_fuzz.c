/* What any server may send to an HTTP/1.1 client: the first byte is the size of the pieces, odd
 * sizes belong to a HEAD request. */
#include "base/assert.h"
#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MESSAGES_MAX 100

static void parse(bool response, bool no_body, struct str bytes, size_t piece)
{
    struct http1_parser p;
    struct arena a;
    arena_init(&a);
    http1_parser_init(&p, response);
    http1_parser_next(&p, &a, no_body);
    int messages = 0;
    while (bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        struct str body = { 0 };
        enum http1_event event;
        while ((event = http1_parse(&p, &in, &body)) != HTTP1_MORE && event != HTTP1_ERROR) {
            if (event == HTTP1_HEAD)
                ASSERT(response ? p.status >= 100 : p.method.len > 0);
            if (event != HTTP1_END)
                continue;
            if (++messages == MESSAGES_MAX)
                break;
            http1_parser_next(&p, &a, no_body);
        }
        if (event == HTTP1_ERROR || messages == MESSAGES_MAX)
            break;
        ASSERT(in.len == 0);
    }
    (void)http1_parse_end(&p); /* only that it comes back */
    http1_parser_deinit(&p);
    arena_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    size_t piece = data[0] == 0 ? len : data[0];
    struct str bytes = str_of(data + 1, len - 1);
    parse(true, data[0] % 2 == 1, bytes, piece);
    parse(false, false, bytes, piece);
    return 0;
}
