/* Paths and what each decides from the rows. */
#include <string.h>

#include "controlplane/members_api.h"
#include "tests/unit/controlplane/members_world.h"
#include "tests/unit/unit.h"

#define ADD(name, host)                                                                            \
    "{\"name\":\"" name "\",\"raftAddress\":\"tcp:" host ":2381\",\"peerAddress\":\"tcp:" host     \
    ":2380\"}"

static void expect(struct members_world *w, const char *method, const char *target,
                   const char *body, int status, const char *words)
{
    int got = members_world_call(w, method, target, body);
    struct str text = members_world_text(w, "error");
    if (got != status || (words != NULL && str_find(text, str_from(words)) < 0))
        fail_msg("%s %s %s: %d %.*s", method, target, body != NULL ? body : "", got, STR_ARG(text));
}

static void test_paths(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        int status;
    } cases[] = {
        { "GET", "/gantry/v1/membership", 404 },
        { "GET", "/gantry/v1/members/solo", 404 },
        { "DELETE", "/gantry/v1/members", 404 },
        { "GET", "/gantry/v1/members/solo/promote", 404 },
        { "POST", "/gantry/v1/members/solo/else", 404 },
        { "POST", "/gantry/v1/members//promote", 404 },
        { "POST", "/gantry/v1/members/solo/promote/more", 404 },
        { "GET", "/gantry/v1/join", 405 },
    };
    struct members_world *w = *state;
    members_world_first_row(w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(w, cases[i].method, cases[i].target, NULL, cases[i].status, NULL);
    w->verified = false;
    expect(w, "GET", "/gantry/v1/members", NULL, 401, "client certificate");
    expect(w, "POST", "/gantry/v1/members", ADD("m2", "10.0.0.2"), 401, NULL);
    expect(w, "POST", "/gantry/v1/members/solo/remove", "{\"force\":true}", 401, NULL);
    assert_int_equal(members_world_roster(w).count, 1);
}

static void test_before_the_first_rows(void **state)
{
    struct members_world *w = *state;
    expect(w, "POST", "/gantry/v1/members", ADD("m2", "10.0.0.2"), 503, "starting");
    expect(w, "POST", "/gantry/v1/members/solo/promote", NULL, 503, "starting");
    expect(w, "GET", "/gantry/v1/members", NULL, 200, NULL);
}

static void test_add(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *words;
    } cases[] = {
        { ADD("m2", "10.0.0.2"), 201, NULL },
        { ADD("m2", "10.0.0.9"), 409, "member m2 (id 2) is there" },
        { ADD("m3", "10.0.0.2"), 409, "has that address" },
        { ADD("M3", "10.0.0.3"), 400, "[a-z0-9-]" },
        { ADD("", "10.0.0.3"), 400, "[a-z0-9-]" },
        { ADD("a234567890123456789012345678901234567890123456789", "10.0.0.3"), 400, "1 to 48" },
        { ADD("m3", "10.0.0.3 x"), 400, "tcp:HOST:PORT" },
        { ADD("m3", ""), 400, "tcp:HOST:PORT" },
        { "{\"name\":\"m3\"}", 400, "tcp:HOST:PORT" },
        { "{\"name\":3}", 400, NULL },
        { "[]", 400, "not a JSON object" },
        { "{", 400, NULL },
        { NULL, 400, NULL },
        { ADD("m3", "[fd00::3]"), 201, NULL },
        { ADD("m4", "m4.example"), 201, NULL },
        { ADD("m5", "10.0.0.5"), 201, NULL },
        { ADD("m6", "10.0.0.6"), 201, NULL },
        { ADD("m7", "10.0.0.7"), 201, NULL },
        { ADD("m8", "10.0.0.8"), 201, NULL },
        { ADD("m9", "10.0.0.9"), 409, "8 members" },
    };
    struct members_world *w = *state;
    uint64_t id = 2;
    members_world_first_row(w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(w, "POST", "/gantry/v1/members", cases[i].body, cases[i].status, cases[i].words);
        if (cases[i].status != 201)
            continue;
        assert_int_equal(json_get_c(w->answer, "id")->u.integer, (int64_t)id++);
        assert_true(str_eq_c(members_world_text(w, "want"), "standby"));
        assert_int_equal(members_world_text(w, "token").len, 45);
        assert_true(str_starts(members_world_text(w, "caHash"), str_lit("sha256:")));
    }
    assert_int_equal(members_world_roster(w).next_id, id);
}

static enum roster_want want_of(struct members_world *w, const char *name)
{
    struct roster r = members_world_roster(w);
    const struct roster_row *row = roster_by_name(&r, str_from(name));
    return row != NULL ? row->want : 0;
}

static void test_promote_and_lessen(void **state)
{
    struct members_world *w = *state;
    members_world_first_row(w);
    expect(w, "POST", "/gantry/v1/members", ADD("m2", "10.0.0.2"), 201, NULL);
    expect(w, "POST", "/gantry/v1/members/m9/promote", NULL, 404, "no member 'm9'");
    expect(w, "POST", "/gantry/v1/members/solo/promote", NULL, 200, NULL);
    expect(w, "POST", "/gantry/v1/members/m2/promote", NULL, 409, "not caught up");
    expect(w, "POST", "/gantry/v1/members/m2/promote", "{\"wait\":false}", 409, "--wait");
    assert_int_equal(want_of(w, "m2"), ROSTER_STANDBY);
    expect(w, "POST", "/gantry/v1/members/solo/demote", NULL, 409, "last voter");
    expect(w, "POST", "/gantry/v1/members/solo/remove", "{\"force\":true}", 409, "last voter");
    expect(w, "POST", "/gantry/v1/members/m2/promote", "{\"wait\":true}", 200, NULL);
    expect(w, "GET", "/gantry/v1/members", NULL, 200, NULL);
    /* The only voter there is, whatever shall be. */
    expect(w, "POST", "/gantry/v1/members/solo/remove", NULL, 409, "the cluster would stop");
    expect(w, "POST", "/gantry/v1/members/m2/demote", NULL, 200, NULL);
    expect(w, "POST", "/gantry/v1/members/m2/remove", NULL, 200, NULL);
    expect(w, "POST", "/gantry/v1/members/m2/promote", "{\"wait\":true}", 409, "being removed");
    expect(w, "POST", "/gantry/v1/members/m2/token", NULL, 409, "being removed");
}

static void test_token_and_transfer(void **state)
{
    struct members_world *w = *state;
    struct str first;
    members_world_first_row(w);
    expect(w, "POST", "/gantry/v1/members", ADD("m2", "10.0.0.2"), 201, NULL);
    first = members_world_text(w, "token");
    expect(w, "POST", "/gantry/v1/members/m2/token", NULL, 200, NULL);
    assert_int_equal(members_world_text(w, "token").len, first.len);
    assert_false(str_eq(members_world_text(w, "token"), first));
    expect(w, "POST", "/gantry/v1/members/solo/token", NULL, 409, "has joined");
    expect(w, "POST", "/gantry/v1/members/solo/transfer", "{\"group\":\"x\"}", 400, "cluster");
    expect(w, "POST", "/gantry/v1/members/m2/transfer", NULL, 409, "cannot lead");
    expect(w, "POST", "/gantry/v1/members/-/transfer", NULL, 409, "no other voter");
    /* Where it is already. */
    expect(w, "POST", "/gantry/v1/members/solo/transfer", NULL, 200, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paths, members_world_setup, members_world_teardown),
        cmocka_unit_test_setup_teardown(test_before_the_first_rows, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_add, members_world_setup, members_world_teardown),
        cmocka_unit_test_setup_teardown(test_promote_and_lessen, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_token_and_transfer, members_world_setup,
                                        members_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
