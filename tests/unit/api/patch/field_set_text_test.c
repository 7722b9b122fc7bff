/* FieldsV1: upstream's order out, every order in, and what is refused. */
#include "tests/unit/api/patch/trees.h"

static const struct {
    const char *in;
    const char *out; /* NULL: the same; "": refused */
} cases[] = {
    { "{}", NULL },
    { "{'f:a':{}}", NULL },
    { "{'f:a':{'.':{}}}", "{'f:a':{}}" },
    { "{'f:b':{},'f:a':{}}", "{'f:a':{},'f:b':{}}" },
    { "{'f:a':{},'f:a':{'f:b':{}}}", "{'f:a':{'.':{},'f:b':{}}}" },
    { "{'i:10':{},'i:9':{},'v:true':{},'v:\\'s\\'':{},'v:2':{},'v:10':{},'v:null':{},"
      "'k:{\\'b\\':1,\\'a\\':2}':{},'f:z':{}}",
      "{'f:z':{},'k:{\\'a\\':2,\\'b\\':1}':{},'v:2':{},'v:10':{},'v:\\'s\\'':{},'v:true':{},"
      "'v:null':{},'i:9':{},'i:10':{}}" },
    { "{'f:':{}}", NULL },
    { "{'f:a:b':{}}", NULL },
    { "{'x:new':{},'f:a':{}}", "{'f:a':{}}" },
    { "{'f:<&>':{}}", NULL },
    { "[]", "" },
    { "{'f:a':1}", "" },
    { "{'a':{}}", "" },
    { "{'k:{}':{}}", "" },
    { "{'k:{\\'a\\':{}}':{}}", "" },
    { "{'v:[]':{}}", "" },
    { "{'i:1.5':{}}", "" },
    { "{'v:':{}}", "" },
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        struct field_set s;
        arena_init(&a);
        buf_init(&b);
        json_write(&b, tree(&a, cases[i].in), false);
        int rc = field_set_parse(&a, buf_str(&b), &s, &e);
        if (cases[i].out != NULL && cases[i].out[0] == '\0') {
            if (rc != -ERR_INVALID_ARGUMENT)
                fail_msg("%s is taken", cases[i].in);
        } else {
            assert_int_equal(rc, 0);
            assert_set(cases[i].in, &s, &a, cases[i].out == NULL ? cases[i].in : cases[i].out);
        }
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = FIELD_SET_DEPTH_MAX; depth <= FIELD_SET_DEPTH_MAX + 1; depth++) {
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        struct field_set s;
        arena_init(&a);
        buf_init(&b);
        for (int i = 0; i < depth; i++)
            buf_append_c(&b, "{\"f:a\":");
        buf_append_c(&b, "{}");
        for (int i = 0; i < depth; i++)
            buf_append_c(&b, "}");
        int rc = field_set_parse(&a, buf_str(&b), &s, &e);
        assert_int_equal(rc, depth <= FIELD_SET_DEPTH_MAX ? 0 : -ERR_INVALID_ARGUMENT);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
