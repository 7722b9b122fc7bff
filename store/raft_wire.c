/* See raft_wire.h. Readers overrun into zeros: each decoder checks once, before it takes memory. */
#include "store/raft_wire.h"

#include <string.h>

#include "base/assert.h"
#include "store/txn.h"

#define APPEND_BYTES  36u /* of an AppendEntries' body before its entries */
#define VOTE_DISRUPT  1u
#define VOTE_PRE_VOTE 2u
#define ALIGN         8u
/* As many transactions as an entry holds, of as many bytes as are gathered or one may have. */
#define FORWARD_BYTES_MAX                                                                          \
    (WIRE_WRITES_HEAD_BYTES + ENTRY_TXNS_MAX * WIRE_FORWARD_ITEM_BYTES +                           \
     (STORE_TXN_BYTES_MAX > STORE_BATCH_BYTES_MAX ? STORE_TXN_BYTES_MAX : STORE_BATCH_BYTES_MAX))
/* A piece of links.h fits: the next one needs no new memory. */
#define INPUT_KEEP_BYTES (2u << 20)

static int refuse(struct err *e, const char *what)
{
    return err_set(e, ERR_PROTOCOL, "%s", what);
}

/* ---- headers ---- */

size_t wire_frame_begin(struct buf *out, uint8_t group, unsigned type)
{
    size_t begun = out->len;

    buf_put_le32(out, 0); /* wire_frame_end knows */
    buf_append_byte(out, group);
    buf_append_byte(out, (uint8_t)type);
    buf_append_byte(out, WIRE_VERSION);
    buf_append_byte(out, 0);
    return begun;
}

void wire_frame_end(struct buf *out, size_t start)
{
    size_t length = out->len - start - WIRE_HEADER_BYTES;

    ASSERT(length <= WIRE_BODY_BYTES_MAX);
    store_le32(out->data + start, (uint32_t)length);
}

static uint32_t body_bytes_max(uint8_t type)
{
    switch (type) {
    case WIRE_HELLO:
        return WIRE_HELLO_BYTES_MAX;
    case RAFT_IO_APPEND_ENTRIES:
        return WIRE_BODY_BYTES_MAX;
    case RAFT_IO_INSTALL_SNAPSHOT:
        return 33 + WIRE_SERVERS_MAX * (10 + WIRE_ADDRESS_BYTES_MAX) + WIRE_MANIFEST_BYTES_MAX;
    case WIRE_PING:
    case WIRE_PONG:
        return 0;
    case WIRE_CONFIRM:
    case WIRE_CONFIRMED:
    case WIRE_READ:
    case WIRE_READ_RESULT:
        return WIRE_READ_BYTES;
    case WIRE_FORWARD:
        return FORWARD_BYTES_MAX;
    case WIRE_FORWARDED:
        return WIRE_WRITES_HEAD_BYTES + ENTRY_TXNS_MAX * WIRE_RESULT_BYTES;
    default:
        return 64;
    }
}

int wire_header_decode(const void *bytes, struct wire_header *out, struct err *e)
{
    const uint8_t *b = bytes;
    struct wire_header h = { load_le32(b), b[4], b[5], b[6] };
    bool own = h.type >= WIRE_HELLO && h.type <= WIRE_PONG;
    bool of_group = (h.type >= RAFT_IO_APPEND_ENTRIES && h.type <= RAFT_IO_TIMEOUT_NOW) ||
                    wire_is_read(h.type) || wire_is_writes(h.type);

    if (h.version != WIRE_VERSION)
        return err_set(e, ERR_PROTOCOL, "a frame of version %u", h.version);
    if (!of_group && !own)
        return err_set(e, ERR_PROTOCOL, "a frame of type %u", h.type);
    if (of_group ? h.group != STORE_CLUSTER && h.group != STORE_BUS : h.group != 0)
        return err_set(e, ERR_PROTOCOL, "a frame for group %u", h.group);
    if (b[7] != 0)
        return refuse(e, "a frame with a reserved byte");
    if (h.length > body_bytes_max(h.type))
        return err_set(e, ERR_PROTOCOL, "a frame of %u bytes of type %u", h.length, h.type);
    *out = h;
    return 0;
}

/* ---- the connection's own frames ---- */

void wire_hello_encode(const struct wire_hello *hello, struct buf *out)
{
    size_t start;

    ASSERT(hello->name.len <= WIRE_NAME_BYTES_MAX);
    start = wire_frame_begin(out, 0, WIRE_HELLO);
    buf_append_byte(out, hello->kind);
    buf_put_le64(out, hello->from);
    buf_put_le64(out, hello->to);
    buf_append_byte(out, (uint8_t)hello->name.len);
    buf_append_str(out, hello->name);
    wire_frame_end(out, start);
}

int wire_hello_decode(struct str body, struct wire_hello *out, struct err *e)
{
    struct wire_hello h;
    struct reader r;

    reader_init(&r, body);
    h.kind = reader_u8(&r);
    h.from = reader_le64(&r);
    h.to = reader_le64(&r);
    h.name = reader_take(&r, reader_u8(&r));
    if (!reader_ok(&r) || reader_left(&r) != 0)
        return refuse(e, "a malformed hello");
    *out = h;
    return 0;
}

void wire_signal_encode(enum wire_type type, struct buf *out)
{
    ASSERT(type == WIRE_PING || type == WIRE_PONG);
    (void)wire_frame_begin(out, 0, type); /* without a body */
}

/* ---- bounds ---- */

bool wire_fits(const struct raft_message *m)
{
    const struct raft_install_snapshot *s = &m->install_snapshot;

    if (m->type == RAFT_IO_APPEND_ENTRIES)
        for (unsigned i = 0; i < m->append_entries.n_entries; i++)
            if (m->append_entries.entries[i].buf.len > WIRE_ENTRY_BYTES_MAX)
                return false;
    if (m->type != RAFT_IO_INSTALL_SNAPSHOT)
        return m->type >= RAFT_IO_APPEND_ENTRIES && m->type <= RAFT_IO_TIMEOUT_NOW;
    if (s->conf.n > WIRE_SERVERS_MAX || s->data.len > WIRE_MANIFEST_BYTES_MAX)
        return false;
    for (unsigned i = 0; i < s->conf.n; i++)
        if (strlen(s->conf.servers[i].address) > WIRE_ADDRESS_BYTES_MAX)
            return false;
    return true;
}

size_t wire_bytes(const struct raft_message *m)
{
    size_t bytes = WIRE_HEADER_BYTES;

    if (m->type == RAFT_IO_APPEND_ENTRIES) {
        bytes += APPEND_BYTES;
        for (unsigned i = 0; i < m->append_entries.n_entries; i++)
            bytes += WIRE_ENTRY_HEADER_BYTES + m->append_entries.entries[i].buf.len;
        return bytes;
    }
    return bytes + body_bytes_max((uint8_t)m->type);
}

/* ---- encoding ---- */

static void put_request_vote(const struct raft_request_vote *v, struct buf *out)
{
    unsigned flags = (v->disrupt_leader ? VOTE_DISRUPT : 0) | (v->pre_vote ? VOTE_PRE_VOTE : 0);

    buf_put_le64(out, v->term);
    buf_put_le64(out, v->candidate_id);
    buf_put_le64(out, v->last_log_index);
    buf_put_le64(out, v->last_log_term);
    buf_append_byte(out, (uint8_t)flags);
}

static void put_request_vote_result(const struct raft_request_vote_result *v, struct buf *out)
{
    static const uint8_t pre_votes[] = {
        [raft_tribool_unknown] = 0, [raft_tribool_true] = 1, [raft_tribool_false] = 2
    };

    buf_put_le64(out, v->term);
    buf_append_byte(out, v->vote_granted ? 1 : 0);
    buf_append_byte(out, pre_votes[v->pre_vote]);
}

/* The first entry after `from` that does not fit any more. */
static unsigned piece_end(const struct raft_append_entries *a, unsigned from, size_t piece_bytes)
{
    size_t bytes = 0;
    unsigned to = from;

    if (piece_bytes > WIRE_ENTRY_BYTES_MAX)
        piece_bytes = WIRE_ENTRY_BYTES_MAX;
    while (to < a->n_entries && to - from < WIRE_ENTRIES_MAX) {
        bytes += WIRE_ENTRY_HEADER_BYTES + a->entries[to].buf.len;
        if (to > from && bytes > piece_bytes)
            break;
        to++;
    }
    return to;
}

static unsigned put_append_entries(const struct raft_append_entries *a, unsigned from,
                                   size_t piece_bytes, struct buf *out)
{
    unsigned to = piece_end(a, from, piece_bytes);
    raft_index last = a->prev_log_index + to;
    /* A heartbeat promises nothing about what it does not carry: its commit index stays. */
    bool clamp = a->n_entries > 0 && last < a->leader_commit;
    size_t bytes = APPEND_BYTES;

    for (unsigned i = from; i < to; i++)
        bytes += WIRE_ENTRY_HEADER_BYTES + a->entries[i].buf.len;
    buf_reserve(out, bytes);
    buf_put_le64(out, a->term);
    buf_put_le64(out, a->prev_log_index + from);
    buf_put_le64(out, from == 0 ? a->prev_log_term : a->entries[from - 1].term);
    buf_put_le64(out, clamp ? last : a->leader_commit);
    buf_put_le32(out, to - from);
    for (unsigned i = from; i < to; i++) {
        buf_put_le64(out, a->entries[i].term);
        buf_put_le32(out, (uint32_t)a->entries[i].buf.len);
        buf_append_byte(out, (uint8_t)a->entries[i].type);
    }
    for (unsigned i = from; i < to; i++)
        buf_append(out, a->entries[i].buf.base, a->entries[i].buf.len);
    return to;
}

static void put_install_snapshot(const struct raft_install_snapshot *s, struct buf *out)
{
    buf_put_le64(out, s->term);
    buf_put_le64(out, s->last_index);
    buf_put_le64(out, s->last_term);
    buf_put_le64(out, s->conf_index);
    buf_append_byte(out, (uint8_t)s->conf.n);
    for (unsigned i = 0; i < s->conf.n; i++) {
        struct str address = str_from(s->conf.servers[i].address);

        buf_put_le64(out, s->conf.servers[i].id);
        buf_append_byte(out, (uint8_t)s->conf.servers[i].role);
        buf_append_byte(out, (uint8_t)address.len);
        buf_append_str(out, address);
    }
    buf_append(out, s->data.base, s->data.len);
}

unsigned wire_encode(const struct raft_message *m, enum store_group_id group, unsigned from,
                     size_t piece_bytes, struct buf *out)
{
    size_t start;
    unsigned next = 0;

    start = wire_frame_begin(out, (uint8_t)group, m->type);
    switch (m->type) {
    case RAFT_IO_APPEND_ENTRIES:
        next = put_append_entries(&m->append_entries, from, piece_bytes, out);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        buf_put_le64(out, m->append_entries_result.term);
        buf_put_le64(out, m->append_entries_result.rejected);
        buf_put_le64(out, m->append_entries_result.last_log_index);
        break;
    case RAFT_IO_REQUEST_VOTE:
        put_request_vote(&m->request_vote, out);
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        put_request_vote_result(&m->request_vote_result, out);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        put_install_snapshot(&m->install_snapshot, out);
        break;
    default:
        ASSERT(m->type == RAFT_IO_TIMEOUT_NOW);
        buf_put_le64(out, m->timeout_now.term);
        buf_put_le64(out, m->timeout_now.last_log_index);
        buf_put_le64(out, m->timeout_now.last_log_term);
        break;
    }
    wire_frame_end(out, start);
    return next;
}

/* ---- decoding ---- */

static int take_request_vote(struct reader *r, struct raft_request_vote *v, struct err *e)
{
    uint8_t flags;

    v->term = reader_le64(r);
    v->candidate_id = reader_le64(r);
    v->last_log_index = reader_le64(r);
    v->last_log_term = reader_le64(r);
    flags = reader_u8(r);
    v->disrupt_leader = (flags & VOTE_DISRUPT) != 0;
    v->pre_vote = (flags & VOTE_PRE_VOTE) != 0;
    return flags > (VOTE_DISRUPT | VOTE_PRE_VOTE) ? refuse(e, "a vote with unknown flags") : 0;
}

static int take_request_vote_result(struct reader *r, struct raft_request_vote_result *v,
                                    struct err *e)
{
    static const raft_tribool pre_votes[] = { raft_tribool_unknown, raft_tribool_true,
                                              raft_tribool_false };
    uint8_t granted;
    uint8_t pre_vote;

    v->term = reader_le64(r);
    granted = reader_u8(r);
    pre_vote = reader_u8(r);
    if (granted > 1 || pre_vote > 2)
        return refuse(e, "a vote's result out of range");
    v->vote_granted = granted == 1;
    v->pre_vote = pre_votes[pre_vote];
    return 0;
}

static size_t align_up(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* Looks at the entries' headers: what bytes they claim in all, and in a batch. */
static int measure_entries(struct reader r, unsigned count, size_t *out_batch, struct err *e)
{
    uint64_t claimed = 0; /* at most 2^16 times 2^32 */
    size_t batch = 0;

    if (count > reader_left(&r) / WIRE_ENTRY_HEADER_BYTES)
        return refuse(e, "more entries than bytes");
    for (unsigned i = 0; i < count; i++) {
        uint32_t len;
        uint8_t type;

        (void)reader_le64(&r); /* any term */
        len = reader_le32(&r);
        type = reader_u8(&r);
        if (type < RAFT_COMMAND || type > RAFT_CHANGE)
            return refuse(e, "an entry of an unknown type");
        claimed += len;
        batch += align_up(len);
    }
    if (claimed != reader_left(&r))
        return refuse(e, "entries of other lengths than the frame");
    *out_batch = batch;
    return 0;
}

static void take_entries(struct reader *r, struct raft_append_entries *a, size_t batch_bytes)
{
    /* A batch is what the library frees the entries by: there is one even without bytes. */
    char *batch = raft_malloc(batch_bytes > 0 ? batch_bytes : ALIGN);
    size_t at = 0;

    a->entries = raft_calloc(a->n_entries, sizeof(*a->entries));
    ASSERT(a->entries != NULL);
    ASSERT(batch != NULL);
    for (unsigned i = 0; i < a->n_entries; i++) {
        struct raft_entry *entry = &a->entries[i];

        entry->term = reader_le64(r);
        entry->buf.len = reader_le32(r);
        entry->type = reader_u8(r);
        entry->buf.base = batch + at;
        entry->batch = batch;
        at += align_up(entry->buf.len);
    }
    for (unsigned i = 0; i < a->n_entries; i++) {
        struct str bytes = reader_take(r, a->entries[i].buf.len);

        if (bytes.len > 0)
            memcpy(a->entries[i].buf.base, bytes.data, bytes.len);
    }
}

static int take_append_entries(struct reader *r, struct raft_append_entries *a, struct err *e)
{
    size_t batch_bytes = 0;
    int rv;

    a->term = reader_le64(r);
    a->prev_log_index = reader_le64(r);
    a->prev_log_term = reader_le64(r);
    a->leader_commit = reader_le64(r);
    a->n_entries = reader_le32(r);
    if (!reader_ok(r) || a->n_entries > WIRE_ENTRIES_MAX ||
        a->prev_log_index > UINT64_MAX - a->n_entries)
        return refuse(e, "a malformed AppendEntries");
    rv = measure_entries(*r, a->n_entries, &batch_bytes, e);
    if (rv == 0 && a->n_entries > 0)
        take_entries(r, a, batch_bytes);
    return rv;
}

static int take_server(struct reader *r, struct raft_configuration *conf, struct err *e)
{
    char address[WIRE_ADDRESS_BYTES_MAX + 1];
    raft_id id = reader_le64(r);
    int role = reader_u8(r);
    struct str text = reader_take(r, reader_u8(r));

    if (!reader_ok(r) || id == 0 || role > RAFT_SPARE || str_find_char(text, '\0', 0) >= 0)
        return refuse(e, "a malformed configuration");
    if (text.len > 0)
        memcpy(address, text.data, text.len);
    address[text.len] = '\0';
    if (raft_configuration_add(conf, id, address, role) != 0)
        return refuse(e, "a configuration that names a server twice");
    return 0;
}

static int take_install_snapshot(struct reader *r, struct raft_install_snapshot *s, struct err *e)
{
    unsigned count;
    int rv = 0;

    s->term = reader_le64(r);
    s->last_index = reader_le64(r);
    s->last_term = reader_le64(r);
    s->conf_index = reader_le64(r);
    count = reader_u8(r);
    if (!reader_ok(r) || count > WIRE_SERVERS_MAX)
        return refuse(e, "a malformed InstallSnapshot");
    raft_configuration_init(&s->conf);
    for (unsigned i = 0; rv == 0 && i < count; i++)
        rv = take_server(r, &s->conf, e);
    if (rv == 0 && reader_left(r) > WIRE_MANIFEST_BYTES_MAX)
        rv = refuse(e, "a manifest that is too long");
    if (rv != 0) {
        raft_configuration_close(&s->conf);
        return rv;
    }
    s->data.len = reader_left(r);
    if (s->data.len > 0) {
        s->data.base = raft_malloc(s->data.len);
        ASSERT(s->data.base != NULL);
        memcpy(s->data.base, reader_take(r, s->data.len).data, s->data.len);
    }
    return 0;
}

int wire_decode(const struct wire_header *h, struct str body, struct raft_message *out,
                struct err *e)
{
    struct raft_message m = { .type = h->type };
    struct reader r;
    int rv = 0;

    reader_init(&r, body);
    switch (h->type) {
    case RAFT_IO_APPEND_ENTRIES:
        rv = take_append_entries(&r, &m.append_entries, e);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        rv = take_install_snapshot(&r, &m.install_snapshot, e);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        m.append_entries_result.term = reader_le64(&r);
        m.append_entries_result.rejected = reader_le64(&r);
        m.append_entries_result.last_log_index = reader_le64(&r);
        break;
    case RAFT_IO_REQUEST_VOTE:
        rv = take_request_vote(&r, &m.request_vote, e);
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        rv = take_request_vote_result(&r, &m.request_vote_result, e);
        break;
    case RAFT_IO_TIMEOUT_NOW:
        m.timeout_now.term = reader_le64(&r);
        m.timeout_now.last_log_index = reader_le64(&r);
        m.timeout_now.last_log_term = reader_le64(&r);
        break;
    default:
        return refuse(e, "no message of Raft's");
    }
    if (rv != 0)
        return rv;
    /* What carries memory has used up its bytes: only fixed messages can fail here. */
    if (!reader_ok(&r) || reader_left(&r) != 0)
        return refuse(e, "a message of another length than its type's");
    *out = m;
    return 0;
}

/* ---- frames out of a stream ---- */

void wire_input_init(struct wire_input *in, uint32_t body_bytes_max)
{
    buf_init(&in->pending);
    in->body_bytes_max = body_bytes_max;
}

void wire_input_deinit(struct wire_input *in)
{
    buf_deinit(&in->pending);
}

static int input_header(const struct wire_input *in, struct str have, struct wire_header *out,
                        struct err *e)
{
    int rv = wire_header_decode(have.data, out, e);

    if (rv == 0 && out->length > in->body_bytes_max)
        rv = err_set(e, ERR_PROTOCOL, "a frame of %u bytes at this point", out->length);
    return rv;
}

static void input_clear(struct wire_input *in)
{
    if (in->pending.capacity > INPUT_KEEP_BYTES) {
        buf_deinit(&in->pending);
        buf_init(&in->pending);
    } else {
        buf_clear(&in->pending);
    }
}

int wire_input_feed(struct wire_input *in, struct str bytes, wire_frame_fn frame, void *ctx,
                    struct err *e)
{
    for (;;) {
        bool whole = in->pending.len == 0; /* nothing was kept: frames are taken where they lie */
        struct str have = whole ? bytes : buf_str(&in->pending);
        struct wire_header h = { 0 };
        size_t need = WIRE_HEADER_BYTES;
        int rv = 0;

        if (have.len >= WIRE_HEADER_BYTES) {
            rv = input_header(in, have, &h, e);
            need += h.length;
        }
        if (rv == 0 && have.len >= need)
            rv = frame(ctx, &h, str_slice(have, WIRE_HEADER_BYTES, need), e);
        if (rv != 0)
            return rv;
        if (have.len >= need) {
            if (whole)
                bytes = str_slice(bytes, need, bytes.len);
            else
                input_clear(in);
            continue;
        }
        if (bytes.len == 0)
            return 0;
        size_t take = need - in->pending.len < bytes.len ? need - in->pending.len : bytes.len;
        buf_append_str(&in->pending, str_slice(bytes, 0, take));
        bytes = str_slice(bytes, take, bytes.len);
    }
}
