/* What a member answers those that call as members, and who only have a member's certificate. */
#include <string.h>

#include "store/member_service.h"
#include "store/proto/peer.pb-c.h"
#include "tests/unit/store/admin_world.h"
#include "tests/unit/store/peer_caller.h"
#include "tests/unit/unit.h"

static void test_nonsense_is_refused(void **state)
{
    static const struct {
        const char *path;
        struct str request;
        enum grpc_code code;
    } cases[] = {
        { MEMBER_SERVICE_MEMBERS, STR(""), GRPC_OK },
        { MEMBER_SERVICE_TRANSFER, STR(""), GRPC_INVALID_ARGUMENT },
        { MEMBER_SERVICE_TRANSFER, STR("\x08\x07\x10\x01"), GRPC_INVALID_ARGUMENT },
        { MEMBER_SERVICE_TRANSFER, STR("\x08\x01\x10\x00"), GRPC_INVALID_ARGUMENT },
        { MEMBER_SERVICE_ANNOUNCE, STR("\xff"), GRPC_INVALID_ARGUMENT },
        { "/MemberService/Nothing", STR(""), GRPC_UNIMPLEMENTED },
    };
    struct store_world *w = *state;

    (void)store_world_wait_leader(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(peer_caller_call(w, 1, cases[i].path, cases[i].request), cases[i].code);
    /* Whoever shows no certificate, or its own: this member calls nobody as itself. */
    assert_int_equal(peer_caller_call(w, -1, MEMBER_SERVICE_MEMBERS, str_lit("")),
                     GRPC_PERMISSION_DENIED);
    assert_int_equal(peer_caller_call(w, 0, MEMBER_SERVICE_TRANSFER, str_lit("\x08\x01\x10\x01")),
                     GRPC_PERMISSION_DENIED);
}

static enum grpc_code announce(struct store_world *w, int as, uint64_t id, const char *name,
                               const char *raft, const char *peer)
{
    PeerAnnounceRequest m = PEER_ANNOUNCE_REQUEST__INIT;
    uint8_t bytes[1024];

    m.member_id = id;
    m.name = (char *)(uintptr_t)name;
    m.raft_address = (char *)(uintptr_t)raft;
    m.peer_address = (char *)(uintptr_t)peer;
    assert_true(peer_announce_request__get_packed_size(&m) <= sizeof(bytes));
    return peer_caller_call(w, as, MEMBER_SERVICE_ANNOUNCE,
                            str_of(bytes, peer_announce_request__pack(&m, bytes)));
}

static bool rows_are_written(struct store_world *w, void *ctx)
{
    (void)ctx;
    return admin_world_roster(w, 0).next_revision != 0;
}

static void test_who_may_announce_what(void **state)
{
    static const struct {
        int as;
        uint64_t id;
        const char *name;
        const char *raft;
        enum grpc_code code;
    } cases[] = {
        { 1, 2, "m2", NULL, GRPC_OK },
        { 1, 3, "m3", "tcp:127.0.0.9:1", GRPC_PERMISSION_DENIED }, /* another's name */
        { 1, 3, "m2", "tcp:127.0.0.9:1", GRPC_OK },                /* another's id: no row of it */
        { -1, 2, "m2", "tcp:127.0.0.9:1", GRPC_PERMISSION_DENIED },
        { 1, 0, "m2", "tcp:127.0.0.9:1", GRPC_PERMISSION_DENIED },
        { 1, 2, "m2", "unix:/x", GRPC_PERMISSION_DENIED },
        { 1, 2, "m2", "tcp:a b", GRPC_PERMISSION_DENIED },
        { 1, 2, "M2", NULL, GRPC_PERMISSION_DENIED },
        { 1, 2, "", NULL, GRPC_PERMISSION_DENIED },
        { 1, 4, "m2", "tcp:127.0.0.9:1", GRPC_OK }, /* newer than the rows: not removed */
    };
    struct store_world *w = *state;
    struct roster before;
    struct roster after;

    (void)store_world_wait_leader(w);
    admin_world_until(w, rows_are_written, NULL);
    before = admin_world_roster(w, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *raft = cases[i].raft != NULL ? cases[i].raft : w->m.table[1].raft_address;
        enum grpc_code code =
            announce(w, cases[i].as, cases[i].id, cases[i].name, raft, w->m.table[1].peer_address);

        if (code != cases[i].code)
            fail_msg("case %zu: %d", i, (int)code);
    }
    assert_int_equal(store_world_put(w, 0, "after", "1", 0).status, 0);
    (void)store_world_read_point(w, 0, 0, 0);
    after = admin_world_roster(w, 0);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++)
        assert_memory_equal(&after.rows[i].member, &before.rows[i].member,
                            sizeof(after.rows[i].member));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nonsense_is_refused),
                                        cmocka_unit_test(test_who_may_announce_what) };

    return cmocka_run_group_tests(tests, store_world_setup, store_world_teardown);
}
