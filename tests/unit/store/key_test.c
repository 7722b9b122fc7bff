/* Keys of rows: order, prefixes, and what is shortened. */
#include <string.h>

#include "base/arena.h"
#include "store/key.h"
#include "tests/unit/unit.h"

static void test_prefix(void **state)
{
    (void)state;
    struct arena a;
    char name[100];
    arena_init(&a);
    memset(name, 'x', sizeof name);
    struct str at_limit = str_of(name, KEY_PREFIX_BYTES_MAX);
    assert_true(str_eq(key_shorten(&a, at_limit), at_limit));
    /* SHA-256 of 65 times x, by sha256sum. */
    struct str longer = key_shorten(&a, str_of(name, KEY_PREFIX_BYTES_MAX + 1));
    assert_true(str_eq_c(longer, "~9537c5fdf120482f7d58d25e9ed583f5"));
    arena_deinit(&a);
}

static void test_rev_order(void **state)
{
    (void)state;
    static const struct {
        uint64_t revision;
        uint32_t sub;
    } rows[] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 255, 9 }, { 256, 0 }, { 1ull << 40, 3 } };
    struct key before = { .len = 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key k;
        uint64_t revision;
        uint32_t sub;
        key_rev(&k, rows[i].revision, rows[i].sub);
        key_rev_parse(key_str(&k), &revision, &sub);
        assert_true(revision == rows[i].revision && sub == rows[i].sub);
        assert_true(str_cmp(key_str(&before), key_str(&k)) < 0);
        before = k;
    }
}

static void test_index(void **state)
{
    (void)state;
    char bytes[STORE_TERM_WHOLE_BYTES_MAX];
    char name[STORE_KEY_BYTES_MAX];
    memset(bytes, 't', sizeof bytes);
    memset(name, 'k', sizeof name);
    struct key k;
    struct key other;
    struct str key = str_of(name, sizeof name);
    static const size_t lengths[] = { 0, 1, 31, 32, 63, 64, 65, 1024 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct str term = str_of(bytes, lengths[i]);
        key_index(&k, 7, term, key);
        assert_true(str_eq(str_slice(key_str(&k), key_index_term_bytes(term), k.len), key));
        /* No other term's rows begin the same way. */
        for (size_t j = 0; j < i; j++) {
            key_index(&other, 7, str_of(bytes, lengths[j]), str_of("", 0));
            assert_false(str_starts(key_str(&k), key_str(&other)));
        }
    }
}

static void test_stream(void **state)
{
    (void)state;
    struct key a;
    struct key b;
    key_stream(&a, str_lit("t"), 9);
    key_stream(&b, str_lit("t"), 10);
    assert_true(str_cmp(key_str(&a), key_str(&b)) < 0);
    assert_int_equal(key_stream_sequence(key_str(&b)), 10);
    /* A stream whose name the other begins with lies apart. */
    key_stream(&b, str_lit("t2"), 1);
    assert_false(str_starts(key_str(&b), str_of(a.bytes, a.len - 8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_rev_order),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
