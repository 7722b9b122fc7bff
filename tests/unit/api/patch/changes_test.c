/* Changes of structs are those of their JSON: random messages of every schema, and changed copies;
 * beside them the cases that a reader wants to see. */
#include <string.h>

#include "api/patch/changes.h"
#include "api/patch/typed.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "tests/unit/api/patch/trees.h"
#include "tests/unit/api/schema/random_struct.h"

#define ROUNDS 40

static const struct json *tree_of(struct arena *a, const struct schema *s, const void *message)
{
    const struct json *j = NULL;
    struct err e = { 0 };
    if (schema_to_dom(a, s, schema_pack_arena(a, s, message), NULL, &j, &e) != 0)
        fail_msg("%s: %s", s->name, e.msg);
    return j;
}

static struct str text_of(struct arena *a, const struct field_set *s)
{
    struct buf b;
    buf_init(&b);
    field_set_write(&b, s);
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void assert_same(struct arena *a, const char *name, const char *what,
                        const struct field_set *got, const struct field_set *want)
{
    if (!field_set_equal(got, want))
        fail_msg("%s, %s:\n got %.*s\nwant %.*s", name, what, STR_ARG(text_of(a, got)),
                 STR_ARG(text_of(a, want)));
}

static void check(struct arena *a, const struct schema *s, const void *old, const void *new,
                  const struct field_set *ignored)
{
    struct field_changes got = changes_find(a, s, old, new, ignored);
    void *empty = old == NULL ? schema_new(a, s) : NULL;
    struct field_changes want =
        typed_compare(a, s, tree_of(a, s, old == NULL ? empty : old), tree_of(a, s, new));
    want.added = field_set_recursive_difference(a, &want.added, ignored);
    want.modified = field_set_recursive_difference(a, &want.modified, ignored);
    want.removed = field_set_recursive_difference(a, &want.removed, ignored);
    assert_same(a, s->name, "added", &got.added, &want.added);
    assert_same(a, s->name, "modified", &got.modified, &want.modified);
    assert_same(a, s->name, "removed", &got.removed, &want.removed);
    assert_int_equal(changes_none(&got),
                     want.added.count + want.modified.count + want.removed.count == 0);
}

static void swap_field(const struct schema_field *f, void *to, const void *from)
{
    size_t size = f->type == SCHEMA_BYTES || f->type == SCHEMA_TEXT_BYTES
                      ? sizeof(ProtobufCBinaryData)
                  : f->type == SCHEMA_BOOL  ? sizeof(protobuf_c_boolean)
                  : f->type == SCHEMA_INT32 ? sizeof(int32_t)
                                            : sizeof(int64_t);
    size = f->card == SCHEMA_ONE ? size : sizeof(void *);
    memcpy((char *)to + f->offset, (const char *)from + f->offset, size);
    if (f->quantifier != 0)
        memcpy((char *)to + f->quantifier, (const char *)from + f->quantifier,
               f->card == SCHEMA_ONE ? sizeof(protobuf_c_boolean) : sizeof(size_t));
}

/* A few fields become another message's, here and in what lies below. */
static void change(struct arena *a, const struct schema *s, struct random *r, void *message)
{
    const void *other = random_struct(a, s, r);
    for (size_t i = 0; i < s->field_count; i++) {
        const struct schema_field *f = &s->fields[i];
        void *below = NULL;
        if (f->type == SCHEMA_MESSAGE && f->card != SCHEMA_MAP)
            memcpy(&below, (char *)message + f->offset, sizeof(below));
        if (below != NULL && f->card == SCHEMA_LIST)
            memcpy(&below, below, sizeof(below));
        if (random_next(r) % 6 == 0)
            swap_field(f, message, other);
        else if (below != NULL && f->message->form == SCHEMA_FORM_OBJECT && random_next(r) % 2 == 0)
            change(a, f->message, r, below);
    }
}

static void test_random(void **state)
{
    struct random r = { .state = 7 };
    (void)state;
    for (size_t i = 0; i < schema_all_count; i++) {
        const struct schema *s = schema_all[i];
        if (s->form != SCHEMA_FORM_OBJECT || s->atomic) /* never a kind */
            continue;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct arena a;
            arena_init(&a);
            const struct field_set none = { 0 };
            const struct field_set some =
                set(&a, "{'f:metadata':{'f:labels':{'f:plain':{}}},'f:status':{},'f:spec':{"
                        "'f:template':{},'f:containers':{'k:{\\'name\\':\\'plain\\'}':{}}}}");
            void *x = random_struct(&a, s, &r);
            void *y = schema_copy(&a, s, x);
            check(&a, s, x, y, &none);
            check(&a, s, NULL, x, &none);
            change(&a, s, &r, y);
            check(&a, s, x, y, &none);
            check(&a, s, y, x, &some);
            check(&a, s, x, random_struct(&a, s, &r), &none);
            arena_deinit(&a);
        }
    }
}

static const struct {
    const char *old;
    const char *new;
    const char *added;
    const char *modified;
    const char *removed;
} cases[] = {
    { NULL, "{'spec':{'hostname':'a','containers':[]}}", "{'f:spec':{'f:hostname':{}}}", "{}",
      "{}" },
    { "{'metadata':{'labels':{'b':'1','a':'1'}}}", "{'metadata':{'labels':{'a':'2','c':'1'}}}",
      "{'f:metadata':{'f:labels':{'f:c':{}}}}", "{'f:metadata':{'f:labels':{'f:a':{}}}}",
      "{'f:metadata':{'f:labels':{'f:b':{}}}}" },
    { "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':80}]}]}}",
      "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':80,'protocol':'TCP'}]}]}}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'f:ports':{"
      "'k:{\\'containerPort\\':80,\\'protocol\\':\\'TCP\\'}':{'f:protocol':{}}}}}}}",
      "{}", "{}" },
    { "{'spec':{'containers':[{'name':'a','args':['x']}]}}",
      "{'spec':{'containers':[{'name':'a','args':['x','y']}]}}", "{}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{'f:args':{}}}}}", "{}" },
    { "{'metadata':{'finalizers':['b','a']}}", "{'metadata':{'finalizers':['a','b']}}", "{}", "{}",
      "{}" },
    { "{'spec':{'containers':[{'name':'a'},{'name':'a','image':'x'}]}}",
      "{'spec':{'containers':[{'name':'a'},{'name':'a','image':'y'}]}}", "{}",
      "{'f:spec':{'f:containers':{'k:{\\'name\\':\\'a\\'}':{}}}}", "{}" },
    { "{'spec':{'securityContext':{}}}", "{'spec':{}}", "{}", "{}",
      "{'f:spec':{'f:securityContext':{}}}" },
};

static const void *pod(struct arena *a, const char *text)
{
    struct err e = { 0 };
    void *out = NULL;
    if (text == NULL)
        return NULL;
    if (schema_decode(a, &schema_Pod, tree(a, text), SCHEMA_STRICT, &out, NULL, &e) != 0)
        fail_msg("%s: %s", text, e.msg);
    return out;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        const struct field_set none = { 0 };
        arena_init(&a);
        struct field_changes c =
            changes_find(&a, &schema_Pod, pod(&a, cases[i].old), pod(&a, cases[i].new), &none);
        assert_set(cases[i].new, &c.added, &a, cases[i].added);
        assert_set(cases[i].new, &c.modified, &a, cases[i].modified);
        assert_set(cases[i].new, &c.removed, &a, cases[i].removed);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random),
                                        cmocka_unit_test(test_cases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
