/* Runs one patch case; the inputs must stay as they were. */
#include "tests/unit/api/patch/patch_cases.h"

#include <string.h>

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (json_parse(a, str_from(text), &j, &e) != 0)
        fail_msg("%s: %s", text, e.msg);
    return j;
}

static void assert_text(const char *name, const struct json *j, const char *want)
{
    struct buf b;
    buf_init(&b);
    json_write(&b, j, false);
    if (!str_eq_c(buf_str(&b), want))
        fail_msg("%s:\n got %.*s\nwant %s", name, STR_ARG(buf_str(&b)), want);
    buf_deinit(&b);
}

void run_patch_case(const struct patch_case *c, patch_function f)
{
    struct arena a;
    struct err e = { 0 };
    const struct json *out = NULL;
    arena_init(&a);
    const struct json *object = parse(&a, c->object);
    const struct json *patch = parse(&a, c->patch);
    int rc = f(&a, object, patch, &out, &e);
    if (c->want == NULL) {
        if (rc != -c->error || strstr(e.msg, c->message) == NULL)
            fail_msg("%s: rc %d, message %s", c->name, rc, e.msg);
    } else {
        if (rc != 0)
            fail_msg("%s: %s", c->name, e.msg);
        assert_text(c->name, out, c->want);
    }
    assert_text(c->name, object, c->object);
    assert_text(c->name, patch, c->patch);
    arena_deinit(&a);
}
