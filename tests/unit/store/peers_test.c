/* The peer loop's door: members only. */
#include "tests/unit/store/peer_caller.h"
#include "tests/unit/store/store_world.h"
#include "tests/unit/unit.h"

static void test_only_members_are_served(void **state)
{
    struct store_world *w = *state;
    struct str status = str_lit("\x08\x01"); /* group 1 */

    (void)store_world_wait_leader(w);
    assert_int_equal(peer_caller_call(w, 1, "/PeerService/Status", status), GRPC_OK);
    assert_int_equal(peer_caller_call(w, -1, "/PeerService/Status", status),
                     GRPC_PERMISSION_DENIED);
    /* Its own certificate proves nobody else. */
    assert_int_equal(peer_caller_call(w, 0, "/PeerService/Status", status), GRPC_PERMISSION_DENIED);
}

/* A browser at the door is told so, and the member lives. */
static void test_plain_http_is_refused(void **state)
{
    struct store_world *w = *state;

    assert_int_equal(peer_caller_get(w, -1, "/"), 404);
    assert_int_equal(peer_caller_get(w, 1, "/"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_only_members_are_served),
                                        cmocka_unit_test(test_plain_http_is_refused) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
