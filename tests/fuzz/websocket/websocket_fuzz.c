/* WebSocket frames from any peer: whole and in pieces they must give the same messages. */
#include "base/assert.h"
#include "net/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The sum of everything said, whatever the cuts: bytes of messages, their ends, control frames. */
static uint64_t run(bool server, struct str bytes, size_t piece)
{
    struct websocket_decoder d;
    uint64_t hash = 0;
    bool failed = false;
    websocket_decoder_init(&d, server);
    while (!failed && bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        enum websocket_event event;
        while (!failed && (event = websocket_decode(&d, &in)) != WEBSOCKET_EVENT_MORE) {
            failed = event == WEBSOCKET_EVENT_ERROR;
            ASSERT(d.data.len <= WEBSOCKET_PIECE_BYTES);
            ASSERT(event != WEBSOCKET_EVENT_CONTROL || d.data.len <= WEBSOCKET_CONTROL_BYTES_MAX);
            for (size_t i = 0; !failed && i < d.data.len; i++)
                hash = hash * 31 + (uint8_t)d.data.data[i];
            if (failed || event == WEBSOCKET_EVENT_CONTROL || d.last)
                hash = hash * 31 + 1000 + (unsigned)event;
        }
        ASSERT(failed || in.len == 0);
    }
    websocket_decoder_deinit(&d);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    bool server = (data[0] & 0x80) != 0;
    size_t piece = data[0] & 0x7f;
    ASSERT(run(server, bytes, len) == run(server, bytes, piece == 0 ? 1 : piece));
    return 0;
}
