/* Events of a watch, in pieces as they come. */
#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "cli/tree.h"
#include "cli/watch.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

struct seen {
    char text[256];
    int left;
};

static bool on_event(void *ctx, struct str event, const struct json *object)
{
    struct seen *s = ctx;
    size_t len = strlen(s->text);
    (void)snprintf(s->text + len, sizeof s->text - len, "%.*s %.*s;", STR_ARG(event),
                   STR_ARG(tree_text(object, "n", NULL)));
    return --s->left > 0;
}

static int watch(struct cli_world *w, struct seen *s, int status, const char *body, struct err *e)
{
    const struct watch_options o = { .target = "/x?watch=true", .event = on_event, .ctx = s };
    cli_world_reset(w);
    w->answers[0].status = status;
    w->answers[0].body = body;
    w->asks = 0;
    return watch_run(&w->cli, &o, e);
}

static void test_events(void **state)
{
    static const char two[] = "{\"type\":\"ADDED\",\"object\":{\"n\":\"a\"}}\n"
                              "{\"type\":\"DELETED\",\"object\":{\"n\":\"b\"}}\n";
    struct cli_world *w = *state;
    struct seen all = { .left = 9 };
    struct seen one = { .left = 1 };
    struct seen none = { .left = 9 };
    struct err e;
    assert_int_equal(watch(w, &all, 200, two, &e), 0);
    assert_string_equal(w->asked[0], "GET /x?watch=true ");
    assert_string_equal(all.text, "ADDED a;DELETED b;");
    assert_int_equal(watch(w, &one, 200, two, &e), 0);
    assert_string_equal(one.text, "ADDED a;");
    assert_int_equal(watch(w, &none, 200, "nonsense\n", &e), -ERR_PARSE);
    assert_int_equal(watch(w, &none, 410,
                           "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"old\"}", &e),
                     -ERR_INTERNAL);
    assert_string_equal(e.msg, "Error from server (Expired): old");
    assert_string_equal(none.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_events) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
