/* SHA-256 of known bytes, whole and in pieces of every size. */
#include <string.h>

#include "base/arena.h"
#include "net/digest.h"
#include "tests/unit/unit.h"

static const struct {
    struct str bytes;
    const char *hex;
} cases[] = {
    { STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void test_known(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t sum[DIGEST_SHA256_BYTES];
        digest_sha256(cases[i].bytes, sum);
        assert_true(str_eq_c(str_hex(&a, str_of(sum, sizeof sum)), cases[i].hex));
    }
    arena_deinit(&a);
}

static void test_pieces(void **state)
{
    struct str bytes = cases[2].bytes;
    (void)state;
    for (size_t step = 1; step <= bytes.len; step++) {
        struct digest *d = digest_new();
        uint8_t sum[DIGEST_SHA256_BYTES];
        uint8_t whole[DIGEST_SHA256_BYTES];
        for (size_t at = 0; at < bytes.len; at += step) {
            digest_add(d, str_slice(bytes, at, at + step));
            digest_get(d, sum); /* and goes on */
            digest_sha256(str_slice(bytes, 0, at + step), whole);
            assert_memory_equal(sum, whole, sizeof sum);
        }
        digest_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_known),
                                        cmocka_unit_test(test_pieces) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
