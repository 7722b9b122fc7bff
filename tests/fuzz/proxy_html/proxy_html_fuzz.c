/* Pages from any server: whole and in pieces they must give the same page, and hold one tag at
 * most.
 */
#include "base/assert.h"
#include "controlplane/apiserver/proxy_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void run(struct str bytes, size_t piece, struct buf *out)
{
    static const struct proxy_path path = { STR("/p"), STR("/") };
    struct proxy_html h;
    proxy_html_init(&h, &path, str_lit("10.0.0.1:80"), str_lit("me"));
    while (bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        proxy_html_feed(&h, in, out);
        ASSERT(h.held.len <= PROXY_HTML_TAG_BYTES_MAX);
    }
    proxy_html_end(&h, out);
    proxy_html_deinit(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf whole;
    struct buf pieces;
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    buf_init(&whole);
    buf_init(&pieces);
    run(bytes, len, &whole);
    run(bytes, data[0] == 0 ? 1 : data[0], &pieces);
    ASSERT(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_deinit(&whole);
    buf_deinit(&pieces);
    return 0;
}
