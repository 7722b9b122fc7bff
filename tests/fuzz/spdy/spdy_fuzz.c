/* SPDY frames from any peer: whole and in pieces they must give the same events, within bounds. */
#include "base/assert.h"
#include "net/spdy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t run(struct str bytes, size_t piece)
{
    struct spdy_decoder d;
    uint64_t hash = 0;
    bool failed = false;
    spdy_decoder_init(&d);
    while (!failed && bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        enum spdy_event event;
        while (!failed && (event = spdy_decode(&d, &in)) != SPDY_EVENT_MORE) {
            failed = event == SPDY_EVENT_ERROR;
            ASSERT(d.block.len <= SPDY_HEADER_BYTES_MAX);
            ASSERT(d.control.len <= SPDY_CONTROL_BYTES_MAX);
            if (event == SPDY_EVENT_DATA)
                for (size_t i = 0; i < d.data.len; i++)
                    hash = hash * 31 + (uint8_t)d.data.data[i];
            if (event != SPDY_EVENT_DATA || d.fin)
                hash = hash * 31 + 1000 + (unsigned)event + (failed ? 0 : d.stream);
            for (size_t i = 0; event <= SPDY_EVENT_HEADERS && i < d.headers.count; i++)
                hash = hash * 31 + str_hash(d.headers.items[i].value);
        }
        ASSERT(failed || in.len == 0);
    }
    spdy_decoder_deinit(&d);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    ASSERT(run(bytes, len) == run(bytes, data[0] == 0 ? 1 : data[0]));
    return 0;
}
