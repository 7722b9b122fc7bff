/* What a member answers another that talks nonsense. */
#include "tests/unit/store/peer_caller.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

static void test_nonsense_is_refused(void **state)
{
    static const struct {
        const char *path;
        struct str request;
        enum grpc_code code;
    } cases[] = {
        { "/PeerService/Status", STR("\x08\x07"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Status", STR("\xff\xff\xff"), GRPC_INVALID_ARGUMENT },
        /* A transaction that does not decode must never reach the log. */
        { "/PeerService/Forward", STR("\x08\x01\x12\x03xyz\x18\x05"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Forward", STR("\x08\x01"), GRPC_INVALID_ARGUMENT },
        { "/PeerService/Nothing", STR(""), GRPC_UNIMPLEMENTED },
    };
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(peer_caller_call(w, 1, cases[i].path, cases[i].request), cases[i].code);
    assert_int_equal(store_world_put(w, 1, "alive", "1", 0).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nonsense_is_refused) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
