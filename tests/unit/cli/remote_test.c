/* A command whose input and output are the program's own. */
#include <string.h>

#include "api/schema/json.h"
#include "base/list.h"
#include "cli/remote.h"
#include "tests/unit/cli/exec_server.h"
#include "tests/unit/unit.h"

#define POD     "{\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"}}"
#define PIECE   10000
#define PIECES  500
#define COMMAND "/exec?container=a&stdout=true&stderr=true"

struct talk {
    struct remote r;
    int given;
    size_t back;
    size_t enough;
};

static bool fill(struct remote *r, struct buf *out)
{
    static const char bytes[PIECE];
    buf_append(out, bytes, sizeof bytes);
    return ++container_of(r, struct talk, r)->given < PIECES;
}

static bool take(struct remote *r, struct str bytes)
{
    struct talk *t = container_of(r, struct talk, r);
    t->back += bytes.len;
    return t->back < t->enough;
}

static int run(struct exec_server *s, struct talk *t, const char *const *command)
{
    const struct json *pod;
    assert_int_equal(json_parse(&s->base.cli.arena, str_from(POD), &pod, NULL), 0);
    t->r.cli = &s->base.cli;
    t->r.pod = pod;
    t->r.container = str_lit("a");
    t->r.command = command;
    return remote_run(&t->r);
}

/* Much more than the connection takes at once, there and back. */
static void test_pumped(void **state)
{
    static const char *const command[] = { "cat", "a b", NULL };
    struct exec_server *s = *state;
    struct talk t = { .r = { .fill = fill, .take = take }, .enough = (size_t)-1 };
    exec_server_reset(s);
    assert_int_equal(run(s, &t, command), CLI_OK);
    assert_int_equal(t.back, PIECE * PIECES);
    assert_non_null(strstr(s->base.target, COMMAND "&stdin=true&command=cat&command=a%20b"));
}

static void test_enough(void **state)
{
    static const char *const command[] = { "cat", NULL };
    struct exec_server *s = *state;
    struct talk t = { .r = { .fill = fill, .take = take }, .enough = 1 };
    exec_server_reset(s);
    assert_int_equal(run(s, &t, command), CLI_FAILED);
}

static void test_silent(void **state)
{
    static const struct {
        const char *status;
        int refusal;
        int code;
        bool answered;
        const char *why;
    } cases[] = {
        { "{\"status\":\"Success\"}", 0, 0, true, "" },
        { EXEC_EXIT("1"), 0, 1, true, "" },
        { EXEC_EXIT("127"), 0, 127, true, "" },
        { "{\"status\":\"Failure\",\"message\":\"no such file\"}", 0, -1, true,
          "error: no such file" },
        { "{}", 400, -1, false, "Error from server (BadRequest): not this one" },
    };
    static const char *const command[] = { "test", "-d", "/x", NULL };
    struct exec_server *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk t = { .r = { .silent = true } };
        exec_server_reset(s);
        s->test = cases[i].status;
        s->test_refusal = cases[i].refusal;
        assert_int_equal(run(s, &t, command), cases[i].code);
        assert_int_equal(t.r.answered, cases[i].answered);
        assert_true(str_eq_c(t.r.why, cases[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pumped),
                                        cmocka_unit_test(test_enough),
                                        cmocka_unit_test(test_silent) };
    return cmocka_run_group_tests(tests, exec_server_setup, exec_server_teardown);
}
