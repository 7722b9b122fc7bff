/* See raft_wire.h: what members ask each other outside Raft, about reads and for writes. */
#include "base/assert.h"
#include "store/raft_wire.h"
#include "store/txn.h"

static int refuse(struct err *e, const char *what)
{
    return err_set(e, ERR_PROTOCOL, "%s", what);
}

/* ---- about reads ---- */

bool wire_is_read(uint8_t type)
{
    return type >= WIRE_CONFIRM && type <= WIRE_READ_RESULT;
}

void wire_read_encode(const struct wire_read *read, enum store_group_id group, struct buf *out)
{
    size_t start;

    ASSERT(wire_is_read((uint8_t)read->type));
    start = wire_frame_begin(out, (uint8_t)group, read->type);
    buf_put_le64(out, read->round);
    buf_put_le64(out, read->value);
    buf_append_byte(out, read->yes ? 1 : 0);
    wire_frame_end(out, start);
}

int wire_read_decode(const struct wire_header *h, struct str body, struct wire_read *out,
                     struct err *e)
{
    struct wire_read read = { .type = (enum wire_type)h->type };
    struct reader r;
    uint8_t yes;

    if (!wire_is_read(h->type))
        return refuse(e, "no question about reads");
    reader_init(&r, body);
    read.round = reader_le64(&r);
    read.value = reader_le64(&r);
    yes = reader_u8(&r);
    read.yes = yes == 1;
    if (!reader_ok(&r) || reader_left(&r) != 0 || yes > 1)
        return refuse(e, "a malformed question about reads");
    *out = read;
    return 0;
}

/* ---- writes for the leader ---- */

bool wire_is_writes(uint8_t type)
{
    return type == WIRE_FORWARD || type == WIRE_FORWARDED;
}

size_t wire_writes_begin(enum wire_type type, uint64_t call, uint32_t count,
                         enum store_group_id group, struct buf *out)
{
    size_t begun;

    ASSERT(wire_is_writes((uint8_t)type));
    ASSERT(count > 0);
    ASSERT(count <= ENTRY_TXNS_MAX);
    begun = wire_frame_begin(out, (uint8_t)group, type);
    buf_put_le64(out, call);
    buf_put_le32(out, count);
    return begun;
}

void wire_forward_add(struct str txn, uint32_t wait_ms, struct buf *out)
{
    ASSERT(txn.len <= STORE_TXN_BYTES_MAX);
    buf_put_le32(out, wait_ms);
    buf_put_le32(out, (uint32_t)txn.len);
    buf_append_str(out, txn);
}

void wire_forwarded_add(const struct store_result *result, struct buf *out)
{
    ASSERT(result->status <= 0);
    buf_put_le32(out, (uint32_t)-result->status);
    buf_put_le64(out, result->revision);
    buf_put_le64(out, result->sequence);
    buf_put_le32(out, result->appended);
    buf_put_le32(out, result->failed_guard);
    buf_append_byte(out, result->replayed ? 1 : 0);
}

void wire_writes_end(size_t begun, struct buf *out)
{
    wire_frame_end(out, begun);
}

static bool take_forward(struct reader *r, struct str *out_txn, uint32_t *out_wait_ms)
{
    uint32_t wait_ms = reader_le32(r);
    uint32_t len = reader_le32(r);

    if (!reader_ok(r) || len > STORE_TXN_BYTES_MAX)
        return false;
    *out_txn = reader_take(r, len);
    *out_wait_ms = wait_ms;
    return reader_ok(r) != 0;
}

static bool take_forwarded(struct reader *r, struct store_result *out)
{
    uint32_t status = reader_le32(r);
    uint8_t replayed;

    out->revision = reader_le64(r);
    out->sequence = reader_le64(r);
    out->appended = reader_le32(r);
    out->failed_guard = reader_le32(r);
    replayed = reader_u8(r);
    out->replayed = replayed == 1;
    if (!reader_ok(r) || status > INT32_MAX || replayed > 1)
        return false;
    out->status = -(int)status; /* a newer member may have codes that this one does not know */
    return true;
}

int wire_writes_decode(const struct wire_header *h, struct str body, struct wire_writes *out,
                       struct err *e)
{
    struct wire_writes w = { .type = (enum wire_type)h->type };
    struct store_result result;
    struct reader r;
    struct str txn;
    uint32_t wait_ms;
    bool good = true;

    if (!wire_is_writes(h->type))
        return refuse(e, "no writes");
    reader_init(&r, body);
    w.call = reader_le64(&r);
    w.count = reader_le32(&r);
    if (!reader_ok(&r) || w.count == 0 || w.count > ENTRY_TXNS_MAX)
        return refuse(e, "malformed writes");
    w.items = str_slice(body, WIRE_WRITES_HEAD_BYTES, body.len);
    for (uint32_t i = 0; good && i < w.count; i++)
        good = h->type == WIRE_FORWARD ? take_forward(&r, &txn, &wait_ms)
                                       : take_forwarded(&r, &result);
    if (!good || reader_left(&r) != 0)
        return refuse(e, "malformed writes");
    *out = w;
    return 0;
}

/* The reader of what is left; false at the end. */
static bool begin_item(const struct wire_writes *w, enum wire_type type, struct reader *out)
{
    ASSERT(w->type == type);
    reader_init(out, w->items);
    return w->count > 0;
}

static void end_item(struct wire_writes *w, const struct reader *r, bool good)
{
    ASSERT(good);
    w->items = str_slice(w->items, w->items.len - reader_left(r), w->items.len);
    w->count--;
}

bool wire_forward_next(struct wire_writes *w, struct str *out_txn, uint32_t *out_wait_ms)
{
    struct reader r;

    if (!begin_item(w, WIRE_FORWARD, &r))
        return false;
    end_item(w, &r, take_forward(&r, out_txn, out_wait_ms));
    return true;
}

bool wire_forwarded_next(struct wire_writes *w, struct store_result *out)
{
    struct reader r;

    if (!begin_item(w, WIRE_FORWARDED, &r))
        return false;
    end_item(w, &r, take_forwarded(&r, out));
    return true;
}
