/* Entries after updates: who gains, who loses, the bound, and order. */
#include "api/patch/managed_entries.h"
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/trees.h"

struct fixture {
    struct arena a;
    struct managed m;
    int64_t now;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){ .now = 100 };
    arena_init(&f->a);
}

static void update(struct fixture *f, const char *manager, const char *sub, const char *old,
                   const char *new)
{
    const struct json *empty =
        tree(&f->a, "{'metadata':{},'spec':{'containers':null},'status':{}}");
    const struct managed_operation op = {
        .schema = &schema_Pod,
        .manager = str_from(manager),
        .api_version = str_lit("v1"),
        .subresource = str_from(sub),
        .empty = empty,
        .ignored = set(&f->a, sub[0] == '\0' ? "{'f:status':{}}" : "{'f:spec':{}}"),
        .now_s = f->now++,
    };
    struct field_changes c =
        managed_compare(&f->a, &op, old == NULL ? empty : tree(&f->a, old), tree(&f->a, new));
    managed_update(&f->a, &f->m, &op, &c);
}

static const struct managed_entry *entry(const struct fixture *f, const char *manager)
{
    for (size_t i = 0; i < f->m.count; i++) {
        if (str_eq_c(f->m.entries[i].manager, manager))
            return &f->m.entries[i];
    }
    return NULL;
}

static void assert_entry(struct fixture *f, const char *manager, int64_t time, const char *want)
{
    const struct managed_entry *e = entry(f, manager);
    if (e == NULL)
        fail_msg("%s has no entry", manager);
    assert_set(manager, &e->set, &f->a, want);
    assert_int_equal(e->time_s, time);
}

static void test_updates(void **state)
{
    struct fixture f;
    static const char first[] = "{'metadata':{'name':'p','uid':'u','labels':{'a':'1'}},"
                                "'spec':{'hostname':'x'},'status':{'phase':'Running'}}";
    (void)state;
    begin(&f);
    update(&f, "one", "", NULL, first);
    assert_entry(&f, "one", 100,
                 "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}},'f:spec':{'f:hostname':{}}}");
    /* A change takes the field over; what is only removed is nobody's. */
    update(&f, "two", "", first, "{'metadata':{'labels':{'a':'1'}},'spec':{'hostname':'y'}}");
    assert_entry(&f, "one", 100, "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}");
    assert_entry(&f, "two", 101, "{'f:spec':{'f:hostname':{}}}");
    update(&f, "one", "", "{'metadata':{'labels':{'a':'1'}},'spec':{'hostname':'y'}}",
           "{'metadata':{'labels':{'a':'1'}},'spec':{}}");
    assert_null(entry(&f, "two"));
    assert_entry(&f, "one", 100, "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}");
    /* The door to the status is another entry, and cannot touch the rest. */
    update(&f, "one", "status", "{'spec':{'hostname':'y'},'status':{}}",
           "{'spec':{'hostname':'z'},'status':{'phase':'Failed'}}");
    assert_int_equal(f.m.count, 2);
    assert_set("status", &f.m.entries[1].set, &f.a, "{'f:status':{'f:phase':{}}}");
    arena_deinit(&f.a);
}

/* An entry whose set stays keeps its text; time moves all the same, since a value did. */
static void test_texts(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    update(&f, "one", "", NULL, "{'spec':{'hostname':'x'}}");
    f.m.entries[0].text = str_lit("kept");
    update(&f, "one", "", "{'spec':{'hostname':'x'}}", "{'spec':{'hostname':'y'}}");
    assert_true(str_eq_c(f.m.entries[0].text, "kept"));
    assert_int_equal(f.m.entries[0].time_s, 101);
    update(&f, "one", "", "{'spec':{'hostname':'y'}}", "{'spec':{'hostname':'y'}}");
    assert_int_equal(f.m.entries[0].time_s, 101);
    update(&f, "one", "", "{'spec':{'hostname':'y'}}", "{'spec':{'hostname':'y','priority':1}}");
    assert_int_equal(f.m.entries[0].text.len, 0);
    arena_deinit(&f.a);
}

static void test_versions(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    update(&f, "one", "", NULL, "{'spec':{'hostname':'x'}}");
    f.m.entries[0].api_version = str_lit("v0");
    update(&f, "two", "", "{'spec':{'hostname':'x'}}", "{'spec':{'hostname':'x','priority':1}}");
    assert_int_equal(f.m.count, 1);
    assert_entry(&f, "two", 101, "{'f:spec':{'f:priority':{}}}");
    arena_deinit(&f.a);
}

static void label(struct fixture *f, int from, int to, const char *manager)
{
    struct buf old;
    struct buf new;
    buf_init(&old);
    buf_init(&new);
    for (int i = 0; i < to; i++) {
        if (i < from)
            buf_printf(&old, "%s'l%02d':'x'", i > 0 ? "," : "", i);
        buf_printf(&new, "%s'l%02d':'x'", i > 0 ? "," : "", i);
    }
    struct str o = str_printf(&f->a, "{'metadata':{'labels':{%.*s}}}", STR_ARG(buf_str(&old)));
    struct str n = str_printf(&f->a, "{'metadata':{'labels':{%.*s}}}", STR_ARG(buf_str(&new)));
    update(f, manager, "", str_dup(&f->a, o), str_dup(&f->a, n));
    buf_deinit(&old);
    buf_deinit(&new);
}

static void test_bound(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    for (int i = 0; i < 14; i++) {
        struct str manager = str_printf(&f.a, "m%02d", 50 - i);
        label(&f, i, i + 1, str_dup(&f.a, manager));
        assert_true(f.m.count <= MANAGED_UPDATES_MAX);
    }
    /* The five oldest are one, as young as its youngest. */
    assert_int_equal(f.m.count, MANAGED_UPDATES_MAX);
    assert_entry(&f, MANAGED_ANCIENT_MANAGER, 104,
                 "{'f:metadata':{'f:labels':{'f:l00':{},'f:l01':{},'f:l02':{},'f:l03':{},"
                 "'f:l04':{}}}}");
    assert_entry(&f, "m45", 105, "{'f:metadata':{'f:labels':{'f:l05':{}}}}");
    arena_deinit(&f.a);
}

static void test_order(void **state)
{
    static const char *const want[] = { "z", "b", "a", "c" };
    struct fixture f;
    struct managed_entry e = { .api_version = str_lit("v1"), .has_time = true };
    (void)state;
    begin(&f);
    e.manager = str_lit("c");
    e.time_s = 2;
    managed_add(&f.a, &f.m, &e);
    e.manager = str_lit("a");
    managed_add(&f.a, &f.m, &e);
    e.manager = str_lit("b");
    e.time_s = 1;
    managed_add(&f.a, &f.m, &e);
    e.manager = str_lit("z");
    e.applied = true;
    e.time_s = 9;
    managed_add(&f.a, &f.m, &e);
    managed_sort(&f.m);
    for (size_t i = 0; i < 4; i++)
        assert_true(str_eq_c(f.m.entries[i].manager, want[i]));
    arena_deinit(&f.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates),  cmocka_unit_test(test_texts),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
