/* Views as bytes, and what is read out of several of them. */
#include <string.h>

#include "store/proto/peer.pb-c.h"
#include "store/view.h"
#include "tests/unit/unit.h"

static struct view_group group(uint64_t leader, uint64_t term, bool leads, bool settled,
                               uint64_t member)
{
    struct view_group g = { .leader_id = leader,
                            .term = term,
                            .leads = leads,
                            .settled = settled,
                            .last_index = 900,
                            .applied_index = 800,
                            .got_bytes = 7,
                            .total_bytes = 70,
                            .servers_count = 2 };

    g.servers[0] = (struct view_server){ 1, VIEW_VOTER, 900, true };
    g.servers[1] = (struct view_server){ member, VIEW_STANDBY, 12, false };
    return g;
}

static struct view_member member(uint64_t id, bool answered, struct view_group cluster,
                                 struct view_group bus)
{
    struct view_member m = { .id = id, .answered = answered };

    m.groups[STORE_CLUSTER] = cluster;
    m.groups[STORE_BUS] = bus;
    return m;
}

static void test_round_trip(void **state)
{
    struct view_member from =
        member(3, true, group(1, 5, true, true, 4), group(2, 6, false, false, 9));
    struct view_member to;
    struct buf bytes;

    (void)state;
    buf_init(&bytes);
    view_pack(&from, &bytes);
    assert_int_equal(view_unpack(buf_str(&bytes), &to), 0);
    assert_int_equal(to.id, 3);
    assert_true(to.answered);
    for (enum store_group_id id = STORE_CLUSTER; id <= STORE_BUS; id++) {
        const struct view_group *a = &from.groups[id];
        const struct view_group *b = &to.groups[id];

        assert_int_equal(a->leader_id, b->leader_id);
        assert_int_equal(a->term, b->term);
        assert_int_equal(a->leads, b->leads);
        assert_int_equal(a->settled, b->settled);
        assert_int_equal(a->last_index, b->last_index);
        assert_int_equal(a->applied_index, b->applied_index);
        assert_int_equal(a->got_bytes, b->got_bytes);
        assert_int_equal(a->total_bytes, b->total_bytes);
        assert_int_equal(b->servers_count, 2);
        assert_int_equal(b->servers[1].id, a->servers[1].id);
        assert_int_equal(b->servers[1].role, VIEW_STANDBY);
        assert_int_equal(b->servers[1].match_index, 12);
        assert_false(b->servers[1].heard);
        assert_true(b->servers[0].heard);
    }
    /* Cut anywhere, it is no view, or a shorter one: never more than what was sent. */
    for (size_t len = 0; len < bytes.len; len++)
        (void)view_unpack(str_of(bytes.data, len), &to);
    assert_int_equal(view_unpack(str_lit("\xff\xff"), &to), -ERR_PARSE);
    buf_deinit(&bytes);
}

static void test_too_many_servers(void **state)
{
    PeerMembersResponse m = PEER_MEMBERS_RESPONSE__INIT;
    PeerGroupView group_view = PEER_GROUP_VIEW__INIT;
    PeerServerView server = PEER_SERVER_VIEW__INIT;
    PeerServerView *servers[VIEW_SERVERS_MAX + 1];
    PeerGroupView *groups[] = { &group_view };
    uint8_t bytes[1024];

    (void)state;
    for (size_t i = 0; i <= VIEW_SERVERS_MAX; i++)
        servers[i] = &server;
    m.n_groups = 1;
    m.groups = groups;
    group_view.group = STORE_BUS;
    group_view.servers = servers;
    for (group_view.n_servers = VIEW_SERVERS_MAX; group_view.n_servers <= VIEW_SERVERS_MAX + 1;
         group_view.n_servers++) {
        struct view_member to;
        size_t len = peer_members_response__pack(&m, bytes);

        assert_int_equal(view_unpack(str_of(bytes, len), &to),
                         group_view.n_servers > VIEW_SERVERS_MAX ? -ERR_PARSE : 0);
    }
    group_view.n_servers = 1;
    server.role = VIEW_VOTER + 1;
    assert_int_equal(view_unpack(str_of(bytes, peer_members_response__pack(&m, bytes)),
                                 &(struct view_member){ 0 }),
                     -ERR_PARSE);
}

static void test_leader(void **state)
{
    struct view v = { .count = 3 };

    (void)state;
    v.members[0] = member(1, true, group(1, 5, true, true, 4), group(2, 6, false, true, 4));
    v.members[1] = member(2, true, group(1, 5, false, false, 4), group(2, 6, true, true, 4));
    v.members[2] = member(3, false, group(3, 9, true, true, 4), group(3, 9, true, true, 4));
    assert_ptr_equal(view_leader(&v, STORE_CLUSTER), &v.members[0].groups[STORE_CLUSTER]);
    assert_ptr_equal(view_leader(&v, STORE_BUS), &v.members[1].groups[STORE_BUS]);
    /* Two say they lead: the newer term does. */
    v.members[2].answered = true;
    assert_ptr_equal(view_leader(&v, STORE_CLUSTER), &v.members[2].groups[STORE_CLUSTER]);
    v.members[0].groups[STORE_CLUSTER].leads = v.members[2].groups[STORE_CLUSTER].leads = false;
    assert_null(view_leader(&v, STORE_CLUSTER));
    assert_ptr_equal(view_of(&v, 2), &v.members[1]);
    assert_null(view_of(&v, 7));
}

static void test_out(void **state)
{
    static const struct {
        const char *about;
        bool settled;
        bool bus_leads;
        uint64_t in_bus;
        bool out;
    } cases[] = { { "in no configuration", true, true, 5, true },
                  { "in one of them", true, true, 4, false },
                  { "a change is under way", false, true, 5, false },
                  { "a group without a leader may hold it", true, false, 5, false } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct view v = { .count = 1 };

        v.members[0] = member(1, true, group(1, 5, true, cases[i].settled, 5),
                              group(1, 5, cases[i].bus_leads, true, cases[i].in_bus));
        if (view_is_out(&v, 4) != cases[i].out)
            fail_msg("%s", cases[i].about);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip),
                                        cmocka_unit_test(test_too_many_servers),
                                        cmocka_unit_test(test_leader), cmocka_unit_test(test_out) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
