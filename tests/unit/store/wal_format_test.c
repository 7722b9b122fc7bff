/* The log's bytes: checksums, and that no single bit can change unnoticed. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/wal_format.h"
#include "tests/unit/unit.h"

static void test_crc(void **state)
{
    uint8_t bytes[1100];
    (void)state;
    /* RFC 3720, appendix B.4, and the usual check value. */
    memset(bytes, 0, 32);
    assert_int_equal(wal_crc_table(0, bytes, 32), 0x8a9136aau);
    assert_int_equal(wal_crc_table(0, "123456789", 9), 0xe3069283u);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 3));
    for (size_t len = 0; len < 1024; len++)
        for (size_t from = 0; from < 9; from++)
            assert_int_equal(wal_crc((uint32_t)len, bytes + from, len),
                             wal_crc_table((uint32_t)len, bytes + from, len));
    uint32_t half = wal_crc(0, bytes, 500);
    assert_int_equal(wal_crc(half, bytes + 500, 600), wal_crc(0, bytes, 1100));
}

static void test_record(void **state)
{
    uint8_t bytes[WAL_RECORD_BYTES + 16] = { 0 };
    struct str payload = STR("eleven byte");
    uint32_t seed = wal_seed(7, 9);
    struct wal_record got;
    struct wal_record r = { .kind = WAL_ENTRY,
                            .type = 3,
                            .index = 77,
                            .term = 5,
                            .group = 12,
                            .start = 8192,
                            .end = 9000,
                            .length = (uint32_t)payload.len };
    (void)state;
    assert_int_equal(wal_record_span(payload.len), sizeof bytes);
    assert_int_equal(wal_record_span(0), WAL_RECORD_BYTES);
    wal_record_put(bytes, &r, seed, payload);
    memcpy(bytes + WAL_RECORD_BYTES, payload.data, payload.len);
    assert_true(wal_record_get(bytes, seed, &got));
    assert_true(wal_record_body_ok(bytes, &got));
    assert_int_equal(got.kind, r.kind);
    assert_int_equal(got.type, r.type);
    assert_int_equal(got.index, r.index);
    assert_int_equal(got.term, r.term);
    assert_int_equal(got.group, r.group);
    assert_int_equal(got.start, r.start);
    assert_int_equal(got.end, r.end);
    assert_int_equal(got.length, r.length);
    assert_false(wal_record_get(bytes, wal_seed(7, 10), &got));
    assert_false(wal_record_get(bytes, wal_seed(8, 9), &got));
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool head = wal_record_get(bytes, seed, &got);
        assert_false(head && wal_record_body_ok(bytes, &got));
        /* Damage behind the head leaves the head to tell of it. */
        assert_int_equal(head, bit / 8 < 4 || bit / 8 >= WAL_RECORD_BYTES);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A search from anywhere before a head finds it, whatever its checksums are, and stays inside. */
static void test_zeros(void **state)
{
    uint8_t bytes[1024];
    struct wal_record r = { .kind = WAL_TRUNCATE };
    uint64_t places = 0;
    (void)state;
    for (uint64_t len = sizeof bytes - 7; len <= sizeof bytes; len++)
        for (uint64_t head = 0; head + WAL_RECORD_BYTES <= len; head += WAL_RECORD_ALIGN) {
            memset(bytes, 0, sizeof bytes);
            wal_record_put(bytes + head, &r, 1, str_of("", 0));
            memset(bytes + head, 0, 8); /* checksums can be anything */
            for (uint64_t from = 0; from <= head; from += WAL_RECORD_ALIGN) {
                uint64_t at = from;
                while (wal_past_zeros(bytes, at, len) == at && at < head)
                    at += WAL_RECORD_ALIGN;
                at = wal_past_zeros(bytes, at, len);
                assert_true(at <= head && at >= from);
                places++;
            }
        }
    memset(bytes, 0, sizeof bytes);
    assert_true(wal_past_zeros(bytes, 8, sizeof bytes) > sizeof bytes - 128);
    assert_int_equal(wal_past_zeros(bytes, sizeof bytes, sizeof bytes), sizeof bytes);
    assert_true(places > 50000);
}

static void test_heads(void **state)
{
    uint8_t bytes[WAL_FILE_HEAD_BYTES];
    uint8_t slot_bytes[WAL_SLOT_BYTES];
    struct wal_file_head got;
    struct wal_file_head h = { .last = 1, .group = 2, .before_at = 3, .before_group = 4 };
    struct wal_slot slot = { .version = 9, .term = 8, .vote = 7, .id = 6 };
    struct wal_slot got_slot;
    (void)state;
    wal_file_head_put(bytes, &h, 5, 6);
    assert_int_equal(wal_file_head_get(bytes, 5, 6, &got), 0);
    assert_memory_equal(&got, &h, sizeof h);
    assert_int_equal(wal_file_head_get(bytes, 5, 7, &got), -ERR_NOT_FOUND);
    assert_int_equal(wal_file_head_get(bytes, 4, 6, &got), -ERR_NOT_FOUND);
    wal_slot_put(slot_bytes, &slot);
    assert_int_equal(wal_slot_get(slot_bytes, &got_slot), 0);
    assert_memory_equal(&got_slot, &slot, sizeof slot);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        slot_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(wal_file_head_get(bytes, 5, 6, &got), -ERR_NOT_FOUND);
        assert_int_equal(wal_slot_get(slot_bytes, &got_slot), -ERR_NOT_FOUND);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        slot_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* As a newer build would write it: another format, a checksum that fits. */
static void test_newer_format(void **state)
{
    uint8_t bytes[WAL_SLOT_BYTES];
    struct wal_slot slot = { .version = 9, .id = 6 };
    (void)state;
    wal_slot_put(bytes, &slot);
    store_le32(bytes + 8, WAL_FORMAT + 1);
    store_le32(bytes + 12, wal_crc(wal_crc(0, bytes, 12), bytes + 16, sizeof bytes - 16));
    assert_int_equal(wal_slot_get(bytes, &slot), -ERR_UNIMPLEMENTED);
}

static void test_snapshot(void **state)
{
    struct buf b;
    struct err e;
    struct wal_snapshot got;
    struct wal_snapshot s = { .index = 1, .term = 2, .configuration_index = 1 };
    (void)state;
    buf_init(&b);
    for (size_t count = 0; count <= WAL_SERVERS_MAX; count += WAL_SERVERS_MAX) {
        s.servers_count = count;
        s.manifest_len = count == 0 ? 0 : WAL_MANIFEST_BYTES;
        memset(s.manifest, 'm', s.manifest_len);
        for (size_t i = 0; i < count; i++) {
            s.servers[i] = (struct wal_server){ .id = i + 1, .role = (int)i % 3 };
            memset(s.servers[i].address, 'a', WAL_ADDRESS_BYTES - 1);
        }
        buf_clear(&b);
        wal_snapshot_encode(&s, 5, &b);
        assert_true(b.len <= WAL_SNAPSHOT_MAX);
        assert_int_equal(wal_snapshot_decode(buf_str(&b), 5, &got, &e), 0);
        assert_memory_equal(&got, &s, sizeof s);
        assert_int_equal(wal_snapshot_decode(buf_str(&b), 6, &got, &e), -ERR_CORRUPT);
        for (size_t i = 0; i < b.len; i++) {
            assert_int_equal(wal_snapshot_decode(str_of(b.data, i), 5, &got, &e), -ERR_CORRUPT);
            b.data[i] ^= 0x10;
            assert_int_equal(wal_snapshot_decode(buf_str(&b), 5, &got, &e), -ERR_CORRUPT);
            b.data[i] ^= 0x10;
        }
    }
    buf_deinit(&b);
}

static void test_names(void **state)
{
    char path[WAL_PATH_BYTES];
    (void)state;
    wal_path_of(path, "/a", "log", 0x1f);
    assert_string_equal(path, "/a/log-000000000000001f");
    assert_int_equal(wal_name_sequence(str_lit("log-000000000000001f"), "log"), 0x1f);
    assert_int_equal(wal_name_sequence(str_lit("log-000000000000001F"), "log"), 0);
    assert_int_equal(wal_name_sequence(str_lit("log-00000000000001f"), "log"), 0);
    assert_int_equal(wal_name_sequence(str_lit("spare-000000000000001f"), "log"), 0);
    assert_int_equal(wal_name_sequence(str_lit("log"), "log"), 0);
}

static void test_corrupt_text(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(wal_corrupt(&e, "/d/log-1", 4096, "reason %d", 7), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "/d/log-1 at 4096: reason 7; "));
    assert_non_null(strstr(e.msg, "wipe its data folder and join again (docs/operating.md)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),          cmocka_unit_test(test_record),
        cmocka_unit_test(test_zeros),        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_newer_format), cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_corrupt_text)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
