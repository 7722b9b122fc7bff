/* What a text has of a set: by hand, and for random pairs as the sets themselves say. */
#include "api/patch/field_set.h"
#include "tests/unit/api/patch/trees.h"

#define ROUNDS 3000
#define DEPTH  4

static const struct {
    const char *text;
    const char *set;
    enum field_text want;
} cases[] = {
    { "{'f:spec':{'f:a':{},'f:b':{}}}", "{'f:spec':{'f:a':{}}}", FIELD_TEXT_ALL },
    { "{'f:spec':{'f:a':{},'f:b':{}}}", "{'f:spec':{'f:b':{},'f:c':{}}}", FIELD_TEXT_SOME },
    { "{'f:spec':{'f:a':{},'f:b':{}}}", "{'f:spec':{'f:c':{}},'f:status':{}}", FIELD_TEXT_NONE },
    { "{'f:spec':{'f:a':{}}}", "{}", FIELD_TEXT_NONE },
    /* A place with members below is one itself only with a dot. */
    { "{'f:spec':{'f:a':{}}}", "{'f:spec':{}}", FIELD_TEXT_NONE },
    { "{'f:spec':{'.':{},'f:a':{}}}", "{'f:spec':{}}", FIELD_TEXT_ALL },
    { "{'f:spec':{}}", "{'f:spec':{'f:a':{}}}", FIELD_TEXT_NONE },
    { "{'f:l':{'k:{\\'name\\':\\'c\\'}':{'.':{},'f:image':{}}}}",
      "{'f:l':{'k:{\\'name\\':\\'c\\'}':{'f:image':{}}}}", FIELD_TEXT_ALL },
    { "{'f:l':{'v:\\'x\\'':{},'i:3':{}}}", "{'f:l':{'v:\\'x\\'':{},'i:3':{}}}", FIELD_TEXT_ALL },
    { "{'f:\\u00e9':{},'f:quo\\'te':{}}", "{'f:quo\\'te':{}}", FIELD_TEXT_ALL },
    { "{'f:a}':{'f:{':{}},'f:b':{}}", "{'f:b':{}}", FIELD_TEXT_ALL },
};

static const char *const broken[] = {
    "",   "{",        "{\"f:a\"", "{\"f:a\":{}", "{\"f:a\":{}}}", "{\"f:a\":1}", "{ \"f:a\":{}}",
    "[]", "{\"f:a\\", "null"
};

static struct str text_of(struct arena *a, const struct field_set *s)
{
    struct buf b;
    buf_init(&b);
    field_set_write(&b, s);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void test_cases(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct field_set text = set(&a, cases[i].text);
        const struct field_set s = set(&a, cases[i].set);
        if (field_text_has(text_of(&a, &text), &s) != cases[i].want)
            fail_msg("%s in %s: not %d", cases[i].set, cases[i].text, cases[i].want);
    }
    const struct field_set one = set(&a, "{'f:a':{'f:b':{}}}");
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        if (field_text_has(str_from(broken[i]), &one) != FIELD_TEXT_UNSURE)
            fail_msg("%s is searched", broken[i]);
    }
    arena_deinit(&a);
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

static struct field_set random_set(struct arena *a, uint64_t *r, int depth)
{
    static const char *const names[] = { "a", "b", "spec", "q\"", "\xc3\xa9", "." };
    struct field_builder b = { 0 };
    for (size_t i = next(r) % 4; i > 0; i--) {
        struct field_node n = { .member = next(r) % 2 == 0 };
        struct json_member *key = arena_new(a, struct json_member);
        *key = (struct json_member){ str_lit("name"), json_int((int64_t)(next(r) % 3)) };
        n.element =
            (struct field_element){ .type = FIELD_NAME, .name = str_from(names[next(r) % 6]) };
        if (next(r) % 4 == 0)
            n.element = (struct field_element){ .type = FIELD_KEY, .keys = key, .keys_count = 1 };
        if (next(r) % 8 == 0)
            n.element = (struct field_element){ .type = FIELD_VALUE, .value = key->value };
        if (depth < DEPTH)
            n.below = random_set(a, r, depth + 1);
        field_builder_add(a, &b, &n);
    }
    return field_builder_finish(a, &b);
}

static void test_random(void **state)
{
    uint64_t r = 5;
    size_t seen[3] = { 0 };
    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct arena a;
        arena_init(&a);
        struct field_set x = random_set(&a, &r, 0);
        struct field_set y = random_set(&a, &r, 0);
        if (next(&r) % 3 == 0)
            x = field_set_union(&a, &x, &y);
        struct field_set both = field_set_intersection(&a, &x, &y);
        enum field_text want = both.count == 0              ? FIELD_TEXT_NONE
                               : field_set_equal(&both, &y) ? FIELD_TEXT_ALL
                                                            : FIELD_TEXT_SOME;
        struct str text = text_of(&a, &x);
        if (field_text_has(text, &y) != want)
            fail_msg("%.*s in %.*s: not %d", STR_ARG(text_of(&a, &y)), STR_ARG(text), want);
        seen[want]++;
        arena_deinit(&a);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(seen[i] > ROUNDS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                                        cmocka_unit_test(test_random) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
