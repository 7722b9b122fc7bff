/* The next step from what is to what is wished, as a table. */
#include <raft.h>
#include <string.h>

#include "store/membership.h"
#include "tests/unit/unit.h"

#define LAST 5000

struct server {
    uint64_t id;
    int role;
    uint64_t match;
    bool deaf; /* not heard of */
};

struct wish {
    uint64_t id;
    enum roster_want want;
    const char *name; /* NULL: m<id> */
};

static const struct {
    const char *about;
    struct wish wishes[ROSTER_MAX];
    struct server servers[ROSTER_MAX];
    uint64_t self;
    enum membership_kind kind;
    uint64_t id;
    int role;
} cases[] = {
    { "nothing is known yet",
      { { 0 } },
      { { 1, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "all is as wished",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_STANDBY, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 2, RAFT_STANDBY, 10, false } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "a wanted member comes as a spare",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_ADD,
      4,
      0 },
    { "a spare is sent the log",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 4, RAFT_SPARE, 0, true } },
      1,
      MEMBERSHIP_ASSIGN,
      4,
      RAFT_STANDBY },
    { "far behind: no vote yet",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 4, RAFT_STANDBY, LAST - MEMBERSHIP_LAG - 1, false } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "caught up: votes",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 4, RAFT_STANDBY, LAST - MEMBERSHIP_LAG, false } },
      1,
      MEMBERSHIP_ASSIGN,
      4,
      RAFT_VOTER },
    { "caught up but silent: no vote",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 4, RAFT_STANDBY, LAST, true } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "a silent newcomer does not keep another from its vote",
      { { 1, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL }, { 5, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 4, RAFT_STANDBY, 0, true },
        { 5, RAFT_STANDBY, LAST, false } },
      1,
      MEMBERSHIP_ASSIGN,
      5,
      RAFT_VOTER },
    { "a dead member goes",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL }, { 3, ROSTER_GONE, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 3, RAFT_VOTER, 9, true } },
      1,
      MEMBERSHIP_REMOVE,
      3,
      0 },
    { "not when no majority would be left",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL }, { 3, ROSTER_GONE, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, 9, true },
        { 3, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "a leader that is not wanted hands over first",
      { { 1, ROSTER_GONE, NULL }, { 2, ROSTER_VOTER, NULL }, { 3, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, 9, false },
        { 3, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_TRANSFER,
      3,
      0 },
    { "the last voter stays",
      { { 1, ROSTER_GONE, NULL }, { 2, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 2, RAFT_STANDBY, 0, true } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "a name's former owner goes before the new one comes",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, "m3" } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 3, RAFT_VOTER, 9, true } },
      1,
      MEMBERSHIP_REMOVE,
      3,
      0 },
    { "a server without a row goes",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 7, RAFT_STANDBY, 0, true } },
      1,
      MEMBERSHIP_REMOVE,
      7,
      0 },
    { "a server that is newer than these rows stays",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 8, RAFT_STANDBY, 0, true } },
      1,
      MEMBERSHIP_NONE,
      0,
      0 },
    { "a voter that shall only stand by",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_VOTER, NULL }, { 3, ROSTER_STANDBY, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 3, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_ASSIGN,
      3,
      RAFT_STANDBY },
    { "a leader that is to go hands over before others go",
      { { 1, ROSTER_GONE, NULL }, { 3, ROSTER_VOTER, NULL }, { 4, ROSTER_GONE, NULL } },
      { { 1, RAFT_VOTER, 9, true },
        { 3, RAFT_VOTER, LAST, false },
        { 4, RAFT_VOTER, LAST, false } },
      4,
      MEMBERSHIP_TRANSFER,
      3,
      0 },
    { "so does one that shall only stand by",
      { { 1, ROSTER_STANDBY, NULL }, { 2, ROSTER_VOTER, NULL }, { 3, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false },
        { 2, RAFT_VOTER, LAST, false },
        { 3, RAFT_VOTER, 9, true } },
      1,
      MEMBERSHIP_TRANSFER,
      2,
      0 },
    { "nobody to hand over to: what can be done is done",
      { { 1, ROSTER_GONE, NULL }, { 2, ROSTER_VOTER, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 2, RAFT_STANDBY, LAST, false } },
      1,
      MEMBERSHIP_ASSIGN,
      2,
      RAFT_VOTER },
    { "who comes, comes before who goes",
      { { 1, ROSTER_VOTER, NULL }, { 2, ROSTER_GONE, NULL }, { 4, ROSTER_VOTER, NULL } },
      { { 1, RAFT_VOTER, LAST, false }, { 2, RAFT_VOTER, LAST, false } },
      1,
      MEMBERSHIP_ADD,
      4,
      0 },
};

static void run_case(size_t at)
{
    struct roster roster = { .next_id = 8 };
    struct raft_server_view servers[ROSTER_MAX] = { 0 };
    size_t count = 0;
    struct membership_step step;

    for (const struct wish *w = cases[at].wishes; w->id != 0; w++) {
        struct roster_row *row = &roster.rows[roster.count++];

        row->member.id = w->id;
        row->want = w->want;
        if (w->name != NULL)
            snprintf(row->member.name, sizeof(row->member.name), "%s", w->name);
        else
            snprintf(row->member.name, sizeof(row->member.name), "m%d", (int)w->id);
    }
    for (const struct server *s = cases[at].servers; s->id != 0; s++) {
        struct raft_server_view *v = &servers[count++];

        v->id = s->id;
        v->role = s->role;
        v->match_index = s->match;
        v->heard = !s->deaf;
        snprintf(v->name, sizeof(v->name), "m%d", (int)s->id);
    }
    step = membership_next(&roster, servers, count, cases[at].self, LAST);
    if (step.kind != cases[at].kind || step.id != cases[at].id || step.role != cases[at].role)
        fail_msg("%s: step %d of member %d, role %d", cases[at].about, (int)step.kind, (int)step.id,
                 step.role);
    if ((step.why != NULL) != (step.kind != MEMBERSHIP_NONE))
        fail_msg("%s: no reason is given", cases[at].about);
}

static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_case(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_steps) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
