/* Message frames, whole and in pieces. */
#include "base/err.h"
#include "net/grpc_frame.h"
#include "tests/unit/unit.h"

static int count(struct str bytes, size_t piece, size_t *out_bytes, bool *out_partial)
{
    struct grpc_frames f;
    int messages = 0;
    int rc = 0;
    *out_bytes = 0;
    grpc_frames_init(&f, 100);
    while (rc >= 0 && bytes.len > 0) {
        struct str in = str_slice(bytes, 0, piece);
        struct str message;
        bytes = str_slice(bytes, in.len, bytes.len);
        while ((rc = grpc_frames_next(&f, &in, &message)) > 0) {
            messages++;
            *out_bytes += message.len;
        }
    }
    *out_partial = grpc_frames_partial(&f);
    grpc_frames_deinit(&f);
    return rc < 0 ? rc : messages;
}

static const struct {
    struct str bytes;
    int want;
    size_t want_bytes;
    bool partial;
} cases[] = {
    { STR("\0\0\0\0\0"), 1, 0, false },
    { STR("\0\0\0\0\5hello"), 1, 5, false },
    { STR("\0\0\0\0\1a\0\0\0\0\0\0\0\0\0\2bc"), 3, 3, false },
    { STR("\0\0\0\0\5hell"), 0, 0, true },
    { STR("\0\0"), 0, 0, true },
    { STR("\0\0\0\0\1a\0"), 1, 1, true },
    { STR("\0\0\0\0\145"), -ERR_LIMIT, 0, true },
    { STR("\1\0\0\0\1a"), -ERR_UNIMPLEMENTED, 0, true },
    { STR("\2\0\0\0\1a"), -ERR_PROTOCOL, 0, true },
};

static void test_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 20; piece++) {
            size_t bytes = 0;
            bool partial = false;
            assert_int_equal(count(cases[i].bytes, piece, &bytes, &partial), cases[i].want);
            assert_int_equal(bytes, cases[i].want_bytes);
            if (cases[i].want >= 0)
                assert_int_equal(partial, cases[i].partial);
        }
    }
}

static void test_head(void **state)
{
    (void)state;
    uint8_t head[GRPC_FRAME_HEAD_BYTES];
    grpc_frame_head(head, 0x010203);
    assert_memory_equal(head, "\0\0\1\2\3", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
