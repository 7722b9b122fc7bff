/* Raft's messages as bytes: round trips of random messages, pieces, and everything malformed. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/guard_parts.h"
#include "store/raft_wire.h"
#include "tests/unit/unit.h"

#define ROUNDS 300
/* The fields in front of an InstallSnapshot's servers, and of a server's address. */
#define SNAPSHOT_HEAD 33
#define SERVER_HEAD   10

static uint64_t seed;

static uint64_t draw(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n == 0 ? seed : seed % n;
}

/* ---- random messages; what they point to lives in an arena ---- */

static struct raft_buffer random_bytes(struct arena *a, size_t len)
{
    struct raft_buffer b = { arena_alloc(a, len + 1), len };

    for (size_t i = 0; i < len; i++)
        ((uint8_t *)b.base)[i] = (uint8_t)draw(256);
    return b;
}

static void random_append(struct arena *a, struct raft_append_entries *m, unsigned count,
                          size_t bytes_max)
{
    m->term = draw(0);
    m->prev_log_index = draw(1u << 30);
    m->prev_log_term = draw(0);
    m->leader_commit = m->prev_log_index + draw(count + 3);
    m->n_entries = count;
    m->entries = arena_alloc(a, (count + 1) * sizeof(*m->entries));
    for (unsigned i = 0; i < count; i++)
        m->entries[i] = (struct raft_entry){ .term = draw(0),
                                             .type = (unsigned short)(RAFT_COMMAND + draw(3)),
                                             .buf = random_bytes(a, draw(bytes_max + 1)) };
}

static void random_snapshot(struct arena *a, struct raft_install_snapshot *m)
{
    m->term = draw(0);
    m->last_index = draw(0);
    m->last_term = draw(0);
    m->conf_index = draw(0);
    m->conf.n = (unsigned)draw(WIRE_SERVERS_MAX + 1);
    m->conf.servers = arena_alloc(a, (m->conf.n + 1) * sizeof(*m->conf.servers));
    for (unsigned i = 0; i < m->conf.n; i++) {
        struct str pad = str_printf(a, "%0*u", (int)(1 + draw(WIRE_ADDRESS_BYTES_MAX)), i);

        m->conf.servers[i] = (struct raft_server){ .id = i + 1 + draw(2) * 1000,
                                                   .role = (int)draw(3),
                                                   .address = str_dup(a, pad) };
    }
    m->data = random_bytes(a, draw(WIRE_MANIFEST_BYTES_MAX + 1));
}

static struct raft_message random_message(struct arena *a, unsigned short type)
{
    static const raft_tribool tribools[] = { raft_tribool_unknown, raft_tribool_true,
                                             raft_tribool_false };
    struct raft_message m = { .type = type };

    switch (type) {
    case RAFT_IO_APPEND_ENTRIES:
        random_append(a, &m.append_entries, (unsigned)draw(20), 300);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        random_snapshot(a, &m.install_snapshot);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        m.append_entries_result = (struct raft_append_entries_result){ draw(0), draw(0), draw(0) };
        break;
    case RAFT_IO_REQUEST_VOTE:
        m.request_vote = (struct raft_request_vote){ draw(0), draw(0),      draw(0),
                                                     draw(0), draw(2) == 1, draw(2) == 1 };
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        m.request_vote_result =
            (struct raft_request_vote_result){ draw(0), draw(2) == 1, tribools[draw(3)] };
        break;
    default:
        m.timeout_now = (struct raft_timeout_now){ draw(0), draw(0), draw(0) };
        break;
    }
    return m;
}

/* ---- comparing ---- */

static void expect_append(const struct raft_append_entries *a, const struct raft_append_entries *b)
{
    assert_int_equal(a->term, b->term);
    assert_int_equal(a->prev_log_index, b->prev_log_index);
    assert_int_equal(a->prev_log_term, b->prev_log_term);
    assert_int_equal(a->n_entries, b->n_entries);
    assert_true((b->n_entries == 0) == (b->entries == NULL));
    for (unsigned i = 0; i < a->n_entries; i++) {
        assert_int_equal(a->entries[i].term, b->entries[i].term);
        assert_int_equal(a->entries[i].type, b->entries[i].type);
        assert_int_equal(a->entries[i].buf.len, b->entries[i].buf.len);
        assert_memory_equal(a->entries[i].buf.base, b->entries[i].buf.base, a->entries[i].buf.len);
        assert_non_null(b->entries[i].batch);
        assert_ptr_equal(b->entries[i].batch, b->entries[0].batch);
        assert_int_equal((uintptr_t)b->entries[i].buf.base % 8, 0);
    }
}

static void expect_snapshot(const struct raft_install_snapshot *a,
                            const struct raft_install_snapshot *b)
{
    assert_int_equal(a->term, b->term);
    assert_int_equal(a->last_index, b->last_index);
    assert_int_equal(a->last_term, b->last_term);
    assert_int_equal(a->conf_index, b->conf_index);
    assert_int_equal(a->conf.n, b->conf.n);
    for (unsigned i = 0; i < a->conf.n; i++) {
        assert_int_equal(a->conf.servers[i].id, b->conf.servers[i].id);
        assert_int_equal(a->conf.servers[i].role, b->conf.servers[i].role);
        assert_string_equal(a->conf.servers[i].address, b->conf.servers[i].address);
    }
    assert_int_equal(a->data.len, b->data.len);
    if (a->data.len > 0)
        assert_memory_equal(a->data.base, b->data.base, a->data.len);
}

static void expect_message(const struct raft_message *a, const struct raft_message *b)
{
    assert_int_equal(a->type, b->type);
    switch (a->type) {
    case RAFT_IO_APPEND_ENTRIES:
        expect_append(&a->append_entries, &b->append_entries);
        break;
    case RAFT_IO_INSTALL_SNAPSHOT:
        expect_snapshot(&a->install_snapshot, &b->install_snapshot);
        break;
    case RAFT_IO_APPEND_ENTRIES_RESULT:
        assert_int_equal(a->append_entries_result.term, b->append_entries_result.term);
        assert_int_equal(a->append_entries_result.rejected, b->append_entries_result.rejected);
        assert_int_equal(a->append_entries_result.last_log_index,
                         b->append_entries_result.last_log_index);
        break;
    case RAFT_IO_REQUEST_VOTE:
        assert_int_equal(a->request_vote.term, b->request_vote.term);
        assert_int_equal(a->request_vote.candidate_id, b->request_vote.candidate_id);
        assert_int_equal(a->request_vote.last_log_index, b->request_vote.last_log_index);
        assert_int_equal(a->request_vote.last_log_term, b->request_vote.last_log_term);
        assert_int_equal(a->request_vote.disrupt_leader, b->request_vote.disrupt_leader);
        assert_int_equal(a->request_vote.pre_vote, b->request_vote.pre_vote);
        break;
    case RAFT_IO_REQUEST_VOTE_RESULT:
        assert_int_equal(a->request_vote_result.term, b->request_vote_result.term);
        assert_int_equal(a->request_vote_result.vote_granted, b->request_vote_result.vote_granted);
        assert_int_equal(a->request_vote_result.pre_vote, b->request_vote_result.pre_vote);
        break;
    default:
        assert_int_equal(a->timeout_now.term, b->timeout_now.term);
        assert_int_equal(a->timeout_now.last_log_index, b->timeout_now.last_log_index);
        assert_int_equal(a->timeout_now.last_log_term, b->timeout_now.last_log_term);
        break;
    }
}

static int decode(struct str frame, struct raft_message *out)
{
    struct wire_header h;
    struct err e;
    int rv = wire_header_decode(frame.data, &h, &e);

    if (rv != 0)
        return rv;
    assert_int_equal(h.length, frame.len - WIRE_HEADER_BYTES);
    return wire_decode(&h, str_slice(frame, WIRE_HEADER_BYTES, frame.len), out, &e);
}

/* ---- tests ---- */

static void test_messages_come_back(void **state)
{
    (void)state;
    seed = 88172645463325252u;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned short type = (unsigned short)(RAFT_IO_APPEND_ENTRIES + i % 6);
        struct raft_message back;
        struct raft_message m;
        struct arena a;
        struct buf first;
        struct buf second;

        arena_init(&a);
        buf_init(&first);
        buf_init(&second);
        m = random_message(&a, type);
        /* Alone, a message promises no more than it carries. */
        if (type == RAFT_IO_APPEND_ENTRIES && m.append_entries.n_entries > 0)
            m.append_entries.leader_commit = m.append_entries.prev_log_index;
        assert_true(wire_fits(&m));
        (void)wire_encode(&m, STORE_BUS, 0, SIZE_MAX, &first);
        assert_true(first.len <= wire_bytes(&m));
        assert_int_equal(first.data[4], STORE_BUS);
        assert_int_equal(decode(buf_str(&first), &back), 0);
        expect_message(&m, &back);
        (void)wire_encode(&back, STORE_BUS, 0, SIZE_MAX, &second);
        assert_true(str_eq(buf_str(&first), buf_str(&second)));
        guard_drop_message(&back);
        buf_deinit(&first);
        buf_deinit(&second);
        arena_deinit(&a);
    }
}

/* Any other length than the message's own is refused, and nothing leaks on the way. */
static void test_other_lengths_are_refused(void **state)
{
    (void)state;
    seed = 4711;
    for (unsigned short type = RAFT_IO_APPEND_ENTRIES; type <= RAFT_IO_TIMEOUT_NOW; type++) {
        struct raft_message m;
        struct raft_message back;
        struct arena a;
        struct buf b;
        struct err e;

        arena_init(&a);
        buf_init(&b);
        m = random_message(&a, type);
        if (type == RAFT_IO_INSTALL_SNAPSHOT)
            m.install_snapshot.data.len = 0; /* else every longer one is another manifest */
        (void)wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b);
        for (size_t len = 0; len + WIRE_HEADER_BYTES < b.len; len++) {
            struct wire_header h = { .type = (uint8_t)type, .length = (uint32_t)len };
            char *exact = mem_dup(b.data + WIRE_HEADER_BYTES, len + 1);

            assert_int_equal(wire_decode(&h, str_of(exact, len), &back, &e), -ERR_PROTOCOL);
            mem_free(exact);
        }
        if (type != RAFT_IO_INSTALL_SNAPSHOT) {
            buf_append_byte(&b, 0);
            store_le32(b.data, (uint32_t)(b.len - WIRE_HEADER_BYTES));
            assert_int_equal(decode(buf_str(&b), &back), -ERR_PROTOCOL);
        }
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void test_pieces_make_the_whole(void **state)
{
    (void)state;
    seed = 1234567;
    for (int i = 0; i < ROUNDS; i++) {
        size_t piece_bytes = draw(2000);
        struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
        const struct raft_append_entries *whole = &m.append_entries;
        struct arena a;
        unsigned at = 0;

        arena_init(&a);
        random_append(&a, &m.append_entries, 1 + (unsigned)draw(60), 400);
        while (at < whole->n_entries) {
            struct raft_append_entries expected = *whole;
            struct raft_message back;
            struct buf b;
            unsigned next;

            buf_init(&b);
            next = wire_encode(&m, STORE_CLUSTER, at, piece_bytes, &b);
            assert_true(next > at);
            assert_true(next == at + 1 || b.len <= WIRE_HEADER_BYTES + 36 + piece_bytes);
            assert_int_equal(decode(buf_str(&b), &back), 0);
            expected.entries = &whole->entries[at];
            expected.n_entries = next - at;
            expected.prev_log_index += at;
            if (at > 0)
                expected.prev_log_term = whole->entries[at - 1].term;
            expect_append(&expected, &back.append_entries);
            assert_int_equal(back.append_entries.leader_commit,
                             whole->leader_commit < whole->prev_log_index + next
                                 ? whole->leader_commit
                                 : whole->prev_log_index + next);
            guard_drop_message(&back);
            buf_deinit(&b);
            at = next;
        }
        arena_deinit(&a);
    }
}

/* A heartbeat tells of commits beyond what it follows. */
static void test_heartbeat_keeps_its_commit(void **state)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    struct raft_message back;
    struct buf b;

    (void)state;
    buf_init(&b);
    m.append_entries = (struct raft_append_entries){ .prev_log_index = 5, .leader_commit = 9 };
    assert_int_equal(wire_encode(&m, STORE_CLUSTER, 0, 100, &b), 0);
    assert_int_equal(decode(buf_str(&b), &back), 0);
    assert_int_equal(back.append_entries.leader_commit, 9);
    assert_null(back.append_entries.entries);
    buf_deinit(&b);
}

static void test_frame_limits(void **state)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    unsigned count = WIRE_ENTRIES_MAX + 10;
    struct raft_entry *entries = mem_alloc(count * sizeof(*entries));
    char *large = mem_alloc(WIRE_ENTRY_BYTES_MAX + 1);
    struct raft_message back;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct raft_entry){ .term = 1, .type = RAFT_COMMAND };
    m.append_entries.entries = entries;
    m.append_entries.n_entries = count;
    assert_int_equal(wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b), WIRE_ENTRIES_MAX);
    assert_int_equal(decode(buf_str(&b), &back), 0);
    guard_drop_message(&back);
    /* The largest entry is a frame of its own. */
    entries[0].buf = (struct raft_buffer){ large, WIRE_ENTRY_BYTES_MAX };
    buf_clear(&b);
    assert_true(wire_fits(&m));
    assert_int_equal(wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b), 1);
    assert_int_equal(decode(buf_str(&b), &back), 0);
    guard_drop_message(&back);
    entries[0].buf.len++;
    assert_false(wire_fits(&m));
    buf_deinit(&b);
    mem_free(large);
    mem_free(entries);
}

static void test_what_does_not_fit(void **state)
{
    char address[WIRE_ADDRESS_BYTES_MAX + 2];
    struct raft_server servers[WIRE_SERVERS_MAX + 1] = { { 0 } };
    struct raft_message m = { .type = RAFT_IO_INSTALL_SNAPSHOT };

    (void)state;
    memset(address, 'a', sizeof(address) - 1);
    address[sizeof(address) - 1] = '\0';
    for (size_t i = 0; i <= WIRE_SERVERS_MAX; i++)
        servers[i].address = address + 1;
    m.install_snapshot.conf = (struct raft_configuration){ servers, WIRE_SERVERS_MAX };
    m.install_snapshot.data = (struct raft_buffer){ address, WIRE_MANIFEST_BYTES_MAX };
    assert_true(wire_fits(&m));
    m.install_snapshot.data.len++;
    assert_false(wire_fits(&m));
    m.install_snapshot.data.len--;
    m.install_snapshot.conf.n++;
    assert_false(wire_fits(&m));
    m.install_snapshot.conf.n--;
    servers[3].address = address;
    assert_false(wire_fits(&m));
    m.type = RAFT_IO_TIMEOUT_NOW + 1;
    assert_false(wire_fits(&m));
}

static void test_headers(void **state)
{
    static const struct {
        const char *bytes;
        int rv;
    } cases[] = {
        { "\x15\0\0\0\1\2\1\0", 0 },
        { "\x15\0\0\0\2\2\1\0", 0 },
        { "\x15\0\0\0\1\2\2\0", -ERR_PROTOCOL },   /* version */
        { "\x15\0\0\0\1\2\0\0", -ERR_PROTOCOL },   /* version */
        { "\x15\0\0\0\1\0\1\0", -ERR_PROTOCOL },   /* type */
        { "\x15\0\0\0\1\7\1\0", -ERR_PROTOCOL },   /* type */
        { "\x15\0\0\0\0\2\1\0", -ERR_PROTOCOL },   /* group */
        { "\x15\0\0\0\3\2\1\0", -ERR_PROTOCOL },   /* group */
        { "\x15\0\0\0\1\x40\1\0", -ERR_PROTOCOL }, /* a hello of a group */
        { "\x15\0\0\0\0\x40\1\0", 0 },             /* a hello */
        { "\x11\0\0\0\2\x43\1\0", 0 },             /* a question about reads */
        { "\x11\0\0\0\0\x43\1\0", -ERR_PROTOCOL }, /* a question of no group */
        { "\0\0\0\0\0\x49\1\0", -ERR_PROTOCOL },   /* type */
        { "\1\0\0\0\0\x41\1\0", -ERR_PROTOCOL },   /* a ping with a body */
        { "\x15\0\0\0\1\2\1\1", -ERR_PROTOCOL },   /* reserved */
        { "\x15\1\0\0\1\2\1\0", -ERR_PROTOCOL },   /* long for its type */
        { "\0\0\x80\0\1\1\1\0", 0 },               /* 8 MiB of entries */
        { "\1\0\x80\0\1\1\1\0", -ERR_PROTOCOL },   /* and one */
        { "\xff\xff\xff\xff\1\1\1\0", -ERR_PROTOCOL },
        { "GET / HT", -ERR_PROTOCOL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire_header h;
        struct err e;

        assert_int_equal(wire_header_decode(cases[i].bytes, &h, &e), cases[i].rv);
    }
}

/* One byte of an encoded message is changed: the decoder says no. */
static void test_bytes_out_of_range(void **state)
{
    static const struct {
        unsigned short type;
        size_t at; /* in the body */
        uint8_t value;
    } cases[] = {
        { RAFT_IO_REQUEST_VOTE, 32, 4 },
        { RAFT_IO_REQUEST_VOTE_RESULT, 8, 2 },
        { RAFT_IO_REQUEST_VOTE_RESULT, 9, 3 },
        { RAFT_IO_APPEND_ENTRIES, 34, 1 },      /* 65536 entries more */
        { RAFT_IO_APPEND_ENTRIES, 32, 200 },    /* more entries than bytes */
        { RAFT_IO_APPEND_ENTRIES, 36 + 11, 1 }, /* an entry's length */
        { RAFT_IO_APPEND_ENTRIES, 36 + 12, 0 }, /* an entry's type */
        { RAFT_IO_APPEND_ENTRIES, 36 + 12, 4 },
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD - 1, WIRE_SERVERS_MAX + 1 },
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD, 0 },     /* id 0 */
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD, 2 },     /* the other's id */
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD + 8, 3 }, /* role */
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD + 9, 255 },
        { RAFT_IO_INSTALL_SNAPSHOT, SNAPSHOT_HEAD + SERVER_HEAD, 0 }, /* NUL in the address */
    };
    struct raft_entry entries[] = { { .term = 1, .type = RAFT_COMMAND, .buf = { "abcdefgh", 8 } } };
    struct raft_server servers[] = { { 1, "m1", RAFT_VOTER }, { 2, "m2", RAFT_STANDBY } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct raft_message m = { .type = cases[i].type };
        struct raft_message back;
        struct buf b;

        buf_init(&b);
        if (m.type == RAFT_IO_APPEND_ENTRIES)
            m.append_entries = (struct raft_append_entries){ .entries = entries, .n_entries = 1 };
        if (m.type == RAFT_IO_INSTALL_SNAPSHOT)
            m.install_snapshot.conf = (struct raft_configuration){ servers, 2 };
        (void)wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b);
        assert_int_equal(decode(buf_str(&b), &back), 0);
        guard_drop_message(&back);
        b.data[WIRE_HEADER_BYTES + cases[i].at] = cases[i].value;
        assert_int_equal(decode(buf_str(&b), &back), -ERR_PROTOCOL);
        buf_deinit(&b);
    }
}

static void test_index_that_wraps_is_refused(void **state)
{
    struct raft_entry entry = { .term = 1, .type = RAFT_COMMAND };
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES };
    struct raft_message back;
    struct buf b;

    (void)state;
    buf_init(&b);
    m.append_entries = (struct raft_append_entries){ .prev_log_index = UINT64_MAX,
                                                     .entries = &entry,
                                                     .n_entries = 1 };
    (void)wire_encode(&m, STORE_CLUSTER, 0, 10, &b);
    assert_int_equal(decode(buf_str(&b), &back), -ERR_PROTOCOL);
    buf_deinit(&b);
}

static void test_hello(void **state)
{
    struct wire_hello hello = { 1, 7, 9, str_lit("member-one") };
    struct wire_header h;
    struct wire_hello back;
    struct buf b;
    struct str body;

    (void)state;
    buf_init(&b);
    wire_hello_encode(&hello, &b);
    assert_int_equal(wire_header_decode(b.data, &h, NULL), 0);
    assert_int_equal(h.type, WIRE_HELLO);
    body = str_slice(buf_str(&b), WIRE_HEADER_BYTES, b.len);
    assert_int_equal(h.length, body.len);
    assert_int_equal(wire_hello_decode(body, &back, NULL), 0);
    assert_int_equal(back.kind, 1);
    assert_int_equal(back.from, 7);
    assert_int_equal(back.to, 9);
    assert_true(str_eq_c(back.name, "member-one"));
    for (size_t len = 0; len < body.len; len++)
        assert_int_equal(wire_hello_decode(str_slice(body, 0, len), &back, NULL), -ERR_PROTOCOL);
    buf_append_byte(&b, 'x');
    body = str_slice(buf_str(&b), WIRE_HEADER_BYTES, b.len);
    assert_int_equal(wire_hello_decode(body, &back, NULL), -ERR_PROTOCOL);
    buf_deinit(&b);
}

/* ---- frames out of a stream ---- */

struct taken {
    uint8_t types[64];
    size_t count;
    size_t bytes;
    size_t stop_at; /* this frame says stop */
};

static int on_frame(void *ctx, const struct wire_header *h, struct str body, struct err *e)
{
    struct taken *t = ctx;

    (void)e;
    assert_int_equal(h->length, body.len);
    t->types[t->count++] = h->type;
    t->bytes += body.len;
    return t->count == t->stop_at ? -ERR_CANCELED : 0;
}

static void test_frames_in_any_pieces(void **state)
{
    (void)state;
    seed = 99;
    for (int i = 0; i < ROUNDS; i++) {
        size_t count = 1 + draw(20);
        struct wire_input in;
        struct taken t = { 0 };
        struct arena a;
        struct buf b;
        size_t at = 0;

        arena_init(&a);
        buf_init(&b);
        wire_input_init(&in, WIRE_BODY_BYTES_MAX);
        for (size_t n = 0; n < count; n++) {
            unsigned short type = (unsigned short)(RAFT_IO_APPEND_ENTRIES + draw(6));
            struct raft_message m = random_message(&a, type);

            if (draw(4) == 0)
                wire_signal_encode(WIRE_PING, &b);
            else
                (void)wire_encode(&m, STORE_CLUSTER, 0, SIZE_MAX, &b);
        }
        while (at < b.len) {
            size_t n = 1 + draw(i % 2 == 0 ? 20 : 5000);
            struct str piece = str_slice(buf_str(&b), at, at + n);

            assert_int_equal(wire_input_feed(&in, piece, on_frame, &t, NULL), 0);
            at += piece.len;
        }
        assert_int_equal(t.count, count);
        assert_int_equal(t.bytes + count * WIRE_HEADER_BYTES, b.len);
        wire_input_deinit(&in);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void test_feeding_stops(void **state)
{
    struct wire_input in;
    struct taken t = { .stop_at = 2 };
    struct buf b;

    (void)state;
    buf_init(&b);
    for (int i = 0; i < 3; i++)
        wire_signal_encode(WIRE_PONG, &b);
    wire_input_init(&in, 0);
    assert_int_equal(wire_input_feed(&in, buf_str(&b), on_frame, &t, NULL), -ERR_CANCELED);
    assert_int_equal(t.count, 2);
    /* A stranger may not announce more than a hello. */
    buf_clear(&b);
    buf_append(&b, "\x15\0\0\0\1\2\1\0", WIRE_HEADER_BYTES);
    assert_int_equal(wire_input_feed(&in, buf_str(&b), on_frame, &t, NULL), -ERR_PROTOCOL);
    assert_int_equal(t.count, 2);
    wire_input_deinit(&in);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_back),
        cmocka_unit_test(test_other_lengths_are_refused),
        cmocka_unit_test(test_pieces_make_the_whole),
        cmocka_unit_test(test_heartbeat_keeps_its_commit),
        cmocka_unit_test(test_frame_limits),
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_bytes_out_of_range),
        cmocka_unit_test(test_index_that_wraps_is_refused),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_frames_in_any_pieces),
        cmocka_unit_test(test_feeding_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
