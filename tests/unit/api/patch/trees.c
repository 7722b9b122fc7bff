/* Test data with single quotes, because double ones would have to be escaped twice. */
#include "tests/unit/api/patch/trees.h"

static struct str text_of(struct arena *a, const char *text)
{
    char *copy = str_dup(a, str_from(text));
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    return str_from(copy);
}

const struct json *tree(struct arena *a, const char *text)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (json_parse(a, text_of(a, text), &j, &e) != 0)
        fail_msg("%s: %s", text, e.msg);
    return j;
}

struct field_set set(struct arena *a, const char *text)
{
    struct field_set s = { 0 };
    struct err e = { 0 };
    if (field_set_parse(a, text_of(a, text), &s, &e) != 0)
        fail_msg("%s: %s", text, e.msg);
    return s;
}

static void assert_text(const char *name, struct buf *got, struct str want)
{
    if (!str_eq(buf_str(got), want))
        fail_msg("%s:\n got %.*s\nwant %.*s", name, STR_ARG(buf_str(got)), STR_ARG(want));
    buf_deinit(got);
}

void assert_tree(const char *name, const struct json *got, struct arena *a, const char *want)
{
    struct buf b;
    buf_init(&b);
    json_write(&b, got, false);
    assert_text(name, &b, text_of(a, want));
}

void assert_set(const char *name, const struct field_set *got, struct arena *a, const char *want)
{
    struct buf b;
    buf_init(&b);
    field_set_write(&b, got);
    assert_text(name, &b, text_of(a, want));
}
