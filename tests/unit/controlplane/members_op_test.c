/* An op's life: large bodies, clients that go away, guards that fail. */
#include <string.h>

#include "controlplane/members_op.h"
#include "tests/unit/controlplane/members_world.h"
#include "tests/unit/unit.h"

static char large[MEMBERS_BODY_BYTES_MAX + 2];

static void test_a_large_body(void **state)
{
    struct members_world *w = *state;
    members_world_first_row(w);
    memset(large, ' ', sizeof large - 1);
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members", large), 413);
    large[MEMBERS_BODY_BYTES_MAX] = '\0';
    /* All of it white space: no body. */
    assert_int_equal(members_world_call(w, "POST", "/gantry/v1/members", large), 400);
}

/* ---- guards ---- */

static int attempts;

/* The rows as they are, but as if a moment had passed: whoever writes now comes too late. */
static void stale_decide(struct members_op *op)
{
    struct roster_row row = op->roster.rows[0];
    roster_txn_deinit(&op->txn);
    roster_txn_init(&op->txn);
    if (++attempts < 4)
        row.revision++;
    roster_txn_row(&op->txn, &row);
    op->answer = str_lit("{}");
    members_op_write(op);
}

static void always_stale_decide(struct members_op *op)
{
    attempts = 0;
    stale_decide(op);
}

static const struct members_verb stale = { "POST", "stale", true, false, stale_decide };
static const struct members_verb always = { "POST", "always", true, true, always_stale_decide };

static bool serve_test_verb(struct members_world *w, struct http_exchange *x)
{
    const struct members_verb *verb = str_eq_c(x->path, "/stale")    ? &stale
                                      : str_eq_c(x->path, "/always") ? &always
                                                                     : NULL;
    if (verb != NULL)
        members_op_begin(w->api, x, verb, str_lit("solo"));
    return verb != NULL;
}

static void test_guards_decide_anew(void **state)
{
    struct members_world *w = *state;
    members_world_first_row(w);
    w->also = serve_test_verb;
    attempts = 0;
    assert_int_equal(members_world_call(w, "POST", "/stale", NULL), 200);
    assert_int_equal(attempts, 4);
    assert_int_equal(members_world_call(w, "POST", "/always", NULL), 409);
    assert_true(str_find(members_world_text(w, "error"), str_lit("somebody else")) > 0);
}

static void test_fields(void **state)
{
    struct members_world *w = *state;
    struct members_op op = { 0 };
    (void)w;
    assert_false(members_op_flag(&op, "wait"));
    assert_int_equal(members_op_text(&op, "name").len, 0);
    assert_int_equal(
        json_parse(&w->arena, str_lit("{\"wait\":true,\"n\":1,\"name\":\"x\"}"), &op.body, NULL),
        0);
    assert_true(members_op_flag(&op, "wait"));
    assert_false(members_op_flag(&op, "n"));
    assert_true(str_eq_c(members_op_text(&op, "name"), "x"));
    assert_int_equal(members_op_text(&op, "wait").len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_large_body, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_guards_decide_anew, members_world_setup,
                                        members_world_teardown),
        cmocka_unit_test_setup_teardown(test_fields, members_world_setup, members_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
