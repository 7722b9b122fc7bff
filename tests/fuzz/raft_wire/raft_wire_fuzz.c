/*
 * What a peer may send: frames from any bytes, cut into pieces at places the first byte chooses.
 * Never a crash, and what decodes encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "store/guard_parts.h"
#include "store/raft_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_hello(struct str body)
{
    struct wire_hello hello;
    struct buf again;

    if (wire_hello_decode(body, &hello, NULL) != 0)
        return;
    buf_init(&again);
    wire_hello_encode(&hello, &again);
    ASSERT(str_eq(str_slice(buf_str(&again), WIRE_HEADER_BYTES, again.len), body));
    buf_deinit(&again);
}

static void check_read(const struct wire_header *h, struct str body)
{
    struct wire_read read;
    struct buf again;

    if (wire_read_decode(h, body, &read, NULL) != 0)
        return;
    buf_init(&again);
    wire_read_encode(&read, (enum store_group_id)h->group, &again);
    ASSERT(str_eq(str_slice(buf_str(&again), WIRE_HEADER_BYTES, again.len), body));
    buf_deinit(&again);
}

static void check_writes(const struct wire_header *h, struct str body)
{
    struct wire_writes writes;
    struct store_result result;
    struct str txn;
    uint32_t wait_ms;
    struct buf again;
    size_t begun;

    if (wire_writes_decode(h, body, &writes, NULL) != 0)
        return;
    buf_init(&again);
    begun = wire_writes_begin(writes.type, writes.call, writes.count, (enum store_group_id)h->group,
                              &again);
    if (h->type == WIRE_FORWARD)
        while (wire_forward_next(&writes, &txn, &wait_ms))
            wire_forward_add(txn, wait_ms, &again);
    else
        while (wire_forwarded_next(&writes, &result))
            wire_forwarded_add(&result, &again);
    wire_writes_end(begun, &again);
    ASSERT(str_eq(str_slice(buf_str(&again), WIRE_HEADER_BYTES, again.len), body));
    buf_deinit(&again);
}

static int on_frame(void *ctx, const struct wire_header *h, struct str body, struct err *e)
{
    struct raft_message m;
    struct buf again;
    int rv;

    (void)ctx;
    if (h->type == WIRE_HELLO)
        check_hello(body);
    check_read(h, body);
    check_writes(h, body);
    rv = wire_decode(h, body, &m, e);
    if (rv != 0)
        return 0; /* the next frame may be a good one */
    ASSERT(wire_fits(&m));
    buf_init(&again);
    /* The commit index of entries is cut to what they reach: then the bytes differ. */
    if (m.type != RAFT_IO_APPEND_ENTRIES || m.append_entries.n_entries == 0 ||
        m.append_entries.leader_commit <=
            m.append_entries.prev_log_index + m.append_entries.n_entries) {
        (void)wire_encode(&m, (enum store_group_id)h->group, 0, SIZE_MAX, &again);
        ASSERT(str_eq(str_slice(buf_str(&again), WIRE_HEADER_BYTES, again.len), body));
    }
    buf_deinit(&again);
    guard_drop_message(&m);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct wire_input in;
    struct str bytes;
    size_t step;

    if (len == 0)
        return 0;
    step = (size_t)data[0] * 4 + 1;
    bytes = str_of(data + 1, len - 1);
    wire_input_init(&in, data[0] % 16 == 0 ? WIRE_HELLO_BYTES_MAX : WIRE_BODY_BYTES_MAX);
    for (size_t at = 0; at < bytes.len; at += step)
        if (wire_input_feed(&in, str_slice(bytes, at, at + step), on_frame, NULL, NULL) != 0)
            break;
    wire_input_deinit(&in);
    return 0;
}
