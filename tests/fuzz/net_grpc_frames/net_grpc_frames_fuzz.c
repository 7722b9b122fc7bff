/* Message frames from any peer: whole and in pieces they must give the same messages. */
#include "base/assert.h"
#include "base/str.h"
#include "net/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define BYTES_MAX 1000

static int run(struct str bytes, size_t piece, uint64_t *out_hash)
{
    struct grpc_frames f;
    int rc = 0;
    *out_hash = 0;
    grpc_frames_init(&f, BYTES_MAX);
    while (rc >= 0 && bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, in.len, bytes.len);
        struct str message;
        while ((rc = grpc_frames_next(&f, &in, &message)) > 0) {
            ASSERT(message.len <= BYTES_MAX);
            *out_hash = *out_hash * 31 + str_hash(message);
        }
    }
    grpc_frames_deinit(&f);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    uint64_t whole = 0;
    uint64_t cut = 0;
    int rc = run(bytes, len, &whole);
    int rc_cut = run(bytes, data[0] == 0 ? 1 : data[0], &cut);
    ASSERT(rc == rc_cut);
    ASSERT(whole == cut);
    uint64_t ms = 0;
    (void)grpc_timeout_parse(bytes, &ms); /* only that it comes back */
    return 0;
}
