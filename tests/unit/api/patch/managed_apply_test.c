/* Server-side apply: what results, who owns it then, and what is refused. */
#include "api/proto/schemas.h"
#include "tests/unit/api/patch/trees.h"

#define OWNS(fields) "{'f:spec':{" fields "}}"
#define C(n)         "'k:{\\'name\\':\\'" n "\\'}':"
#define LIST(items)  "{'metadata':{},'spec':{'containers':[" items "]}}"

static const struct {
    const char *name;
    const char *live;
    const char *config;
    const char *last;    /* applied by "me" before; NULL: nothing */
    const char *updated; /* owned by the updater "u" */
    const char *applied; /* owned by the applier "other" */
    bool force;
    const char *want;     /* the object; NULL: as live */
    const char *mine;     /* "me" after */
    const char *updates;  /* "u" after; NULL: no entry */
    const char *conflict; /* message, NULL: none */
} cases[] = {
    { .name = "fields join",
      .live = "{'spec':{'priority':1}}",
      .config = "{'spec':{'hostname':'h'}}",
      .updated = OWNS("'f:priority':{}"),
      .want = "{'spec':{'hostname':'h','priority':1}}",
      .mine = OWNS("'f:hostname':{}"),
      .updates = OWNS("'f:priority':{}") },
    { .name = "equal values are shared",
      .live = "{'spec':{'hostname':'h'}}",
      .config = "{'spec':{'hostname':'h'}}",
      .updated = OWNS("'f:hostname':{}"),
      .mine = OWNS("'f:hostname':{}"),
      .updates = OWNS("'f:hostname':{}") },
    { .name = "another value is a conflict",
      .live = "{'spec':{'hostname':'h'}}",
      .config = "{'spec':{'hostname':'i'}}",
      .updated = OWNS("'f:hostname':{}"),
      .conflict = "Apply failed with 1 conflict: conflict with \"u\" using v1: .spec.hostname" },
    { .name = "with an applier too",
      .live = "{'spec':{'hostname':'h','subdomain':'s'}}",
      .config = "{'spec':{'hostname':'i','subdomain':'t'}}",
      .updated = OWNS("'f:hostname':{},'f:subdomain':{}"),
      .applied = OWNS("'f:hostname':{}"),
      .conflict = "Apply failed with 3 conflicts: conflicts with \"other\":\n- .spec.hostname\n"
                  "conflicts with \"u\" using v1:\n- .spec.hostname\n- .spec.subdomain" },
    { .name = "force takes the field",
      .live = "{'spec':{'hostname':'h','priority':1}}",
      .config = "{'spec':{'hostname':'i'}}",
      .updated = OWNS("'f:hostname':{},'f:priority':{}"),
      .force = true,
      .want = "{'spec':{'hostname':'i','priority':1}}",
      .mine = OWNS("'f:hostname':{}"),
      .updates = OWNS("'f:priority':{}") },
    { .name = "what is applied no more goes",
      .live = "{'spec':{'hostname':'h','subdomain':'s'}}",
      .config = "{'spec':{'hostname':'h'}}",
      .last = OWNS("'f:hostname':{},'f:subdomain':{}"),
      .want = "{'spec':{'hostname':'h'}}",
      .mine = OWNS("'f:hostname':{}") },
    { .name = "unless somebody has it",
      .live = "{'spec':{'hostname':'h','subdomain':'s'}}",
      .config = "{'spec':{'hostname':'h'}}",
      .last = OWNS("'f:hostname':{},'f:subdomain':{}"),
      .updated = OWNS("'f:subdomain':{}"),
      .mine = OWNS("'f:hostname':{}"),
      .updates = OWNS("'f:subdomain':{}") },
    { .name = "a map that is applied no more keeps what others have in it",
      .live = "{'metadata':{'name':'p','uid':'u','labels':{'a':'1','b':'2'}}}",
      .config = "{'metadata':{'name':'p'}}",
      .last = "{'f:metadata':{'f:labels':{'f:a':{}}}}",
      .updated = "{'f:metadata':{'f:labels':{'f:b':{}}}}",
      .want = "{'metadata':{'labels':{'b':'2'},'name':'p','uid':'u'}}",
      .updates = "{'f:metadata':{'f:labels':{'f:b':{}}}}" },
    { .name = "and goes when nobody has anything in it",
      .live = "{'metadata':{'name':'p','uid':'u','labels':{'a':'1','b':'2'}}}",
      .config = "{'metadata':{'name':'p'}}",
      .last = "{'f:metadata':{'f:labels':{'f:a':{}}}}",
      .want = "{'metadata':{'name':'p','uid':'u'}}" },
    { .name = "an item goes with what others set in it only by being there",
      .live = LIST("{'name':'a','image':'x'},{'name':'b','image':'y','tty':true}"),
      .config = "{'metadata':{},'spec':{'containers':[{'name':'a','image':'x'}]}}",
      .last = OWNS("'f:containers':{" C("a") "{'.':{},'f:image':{},'f:name':{}}," C(
          "b") "{'.':{},'f:image':{},'f:name':{}}}"),
      .want = LIST("{'image':'x','name':'a'}"),
      .mine = OWNS("'f:containers':{" C("a") "{'.':{},'f:image':{},'f:name':{}}}") },
    { .name = "an item that another holds stays without what I set",
      .live = LIST("{'name':'a'},{'name':'b','image':'y','tty':true}"),
      .config = LIST("{'name':'a'}"),
      .last = OWNS("'f:containers':{" C("a") "{'.':{},'f:name':{}}," C(
          "b") "{'.':{},'f:image':{},'f:name':{}}}"),
      .updated = OWNS("'f:containers':{" C("b") "{'.':{},'f:name':{},'f:tty':{}}}"),
      .want = LIST("{'name':'a'},{'name':'b','tty':true}"),
      .mine = OWNS("'f:containers':{" C("a") "{'.':{},'f:name':{}}}"),
      .updates = OWNS("'f:containers':{" C("b") "{'.':{},'f:name':{},'f:tty':{}}}") },
    { .name = "an atomic list is one field",
      .live = "{'spec':{'tolerations':[{'key':'a'}]}}",
      .config = "{'spec':{'tolerations':[{'key':'b'}]}}",
      .updated = OWNS("'f:tolerations':{}"),
      .conflict = "Apply failed with 1 conflict: conflict with \"u\" using v1: .spec.tolerations" },
    { .name = "items by keys do not conflict with their neighbours",
      .live = LIST("{'name':'a','image':'x'}"),
      .config = LIST("{'name':'b','image':'y'}"),
      .updated = OWNS("'f:containers':{" C("a") "{'.':{},'f:image':{},'f:name':{}}}"),
      .want = LIST("{'name':'a','image':'x'},{'name':'b','image':'y'}"),
      .mine = OWNS("'f:containers':{" C("b") "{'.':{},'f:image':{},'f:name':{}}}"),
      .updates = OWNS("'f:containers':{" C("a") "{'.':{},'f:image':{},'f:name':{}}}") },
    { .name = "the path of an item",
      .live = LIST("{'name':'a','image':'x'}"),
      .config = LIST("{'name':'a','image':'y'}"),
      .updated = OWNS("'f:containers':{" C("a") "{'.':{},'f:image':{},'f:name':{}}}"),
      .conflict = "Apply failed with 1 conflict: conflict with \"u\" using v1: "
                  ".spec.containers[name=\"a\"].image" },
    { .name = "nothing is applied any more",
      .live = "{'spec':{'hostname':'h','priority':1}}",
      .config = "{'spec':{}}",
      .last = OWNS("'f:hostname':{}"),
      .updated = OWNS("'f:priority':{}"),
      .want = "{'spec':{'priority':1}}",
      .mine = "{'f:spec':{}}",
      .updates = OWNS("'f:priority':{}") },
};

static void add(struct arena *a, struct managed *m, const char *manager, bool applied,
                const char *fields)
{
    const struct managed_entry e = { .manager = str_from(manager),
                                     .api_version = str_lit("v1"),
                                     .applied = applied,
                                     .has_time = true,
                                     .time_s = 5,
                                     .text = str_lit("text"),
                                     .set = fields == NULL ? (struct field_set){ 0 }
                                                           : set(a, fields) };
    if (fields != NULL)
        managed_add(a, m, &e);
}

static const struct managed_entry *entry(const struct managed *m, const char *manager)
{
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq_c(m->entries[i].manager, manager))
            return &m->entries[i];
    }
    return NULL;
}

static void assert_entry(const char *name, struct arena *a, const struct managed *m,
                         const char *manager, const char *want)
{
    const struct managed_entry *e = entry(m, manager);
    if ((e == NULL) != (want == NULL))
        fail_msg("%s: %s %s an entry", name, manager, e == NULL ? "has not" : "has");
    if (e != NULL)
        assert_set(name, &e->set, a, want);
}

static void assert_conflict(const char *name, const struct managed_apply *apply, const char *want)
{
    struct buf b;
    buf_init(&b);
    managed_conflict_message(&b, &apply->conflicts);
    if (!str_eq_c(buf_str(&b), want))
        fail_msg("%s:\n got %.*s\nwant %s", name, STR_ARG(buf_str(&b)), want);
    buf_deinit(&b);
}

static struct managed_operation operation(struct arena *a)
{
    return (struct managed_operation){ .schema = &schema_Pod,
                                       .manager = str_lit("me"),
                                       .api_version = str_lit("v1"),
                                       .empty = tree(a, "{'metadata':{},'spec':{}}"),
                                       .now_s = 9 };
}

static void assert_object(struct arena *a, size_t i, const struct json *got)
{
    const char *want = cases[i].want == NULL ? cases[i].live : cases[i].want;
    if (!json_equal(got, tree(a, want)))
        assert_tree(cases[i].name, got, a, want);
}

static void run_case(size_t i)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = tree(&a, cases[i].live),
                                   .config = tree(&a, cases[i].config),
                                   .force = cases[i].force };
    add(&a, &m, "me", true, cases[i].last);
    add(&a, &m, "u", false, cases[i].updated);
    add(&a, &m, "other", true, cases[i].applied);
    size_t before = m.count;
    int rc = managed_apply(&a, &m, &op, &apply, &e);
    if (cases[i].conflict != NULL) {
        assert_int_equal(rc, -ERR_CONFLICT);
        assert_int_equal(m.count, before);
        assert_conflict(cases[i].name, &apply, cases[i].conflict);
    } else {
        assert_int_equal(rc, 0);
        assert_object(&a, i, &apply.object);
        assert_int_equal(apply.same, cases[i].want == NULL);
        assert_entry(cases[i].name, &a, &m, "me", cases[i].mine);
        assert_entry(cases[i].name, &a, &m, "u", cases[i].updates);
    }
    arena_deinit(&a);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_case(i);
}

static void test_no_change(void **state)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = tree(&a, "{'spec':{'hostname':'h'}}"),
                                   .config = tree(&a, "{'spec':{'hostname':'h'}}") };
    add(&a, &m, "me", true, OWNS("'f:hostname':{}"));
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), 0);
    assert_true(apply.same);
    assert_int_equal(m.entries[0].time_s, 5);
    assert_true(str_eq_c(m.entries[0].text, "text"));
    /* The same fields with another value: the text stays, the time does not. */
    apply.config = tree(&a, "{'spec':{'hostname':'i'}}");
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), 0);
    assert_int_equal(m.entries[0].time_s, 9);
    assert_true(str_eq_c(m.entries[0].text, "text"));
    arena_deinit(&a);
}

static void test_adopts(void **state)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = tree(&a, "{'metadata':{'name':'p'},'spec':{'hostname':"
                                                    "'h','priority':1}}"),
                                   .config = tree(&a, "{'spec':{'hostname':'i'}}") };
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), -ERR_CONFLICT);
    assert_conflict("adopt", &apply,
                    "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: "
                    ".spec.hostname");
    apply.force = true;
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), 0);
    assert_entry("adopt", &a, &m, MANAGED_BEFORE_APPLY_MANAGER, OWNS("'f:priority':{}"));
    assert_entry("adopt", &a, &m, "me", OWNS("'f:hostname':{}"));
    arena_deinit(&a);
}

/* What client-side apply set is passed over, if it still stands as it was set. */
static void test_last_applied(void **state)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = tree(&a, "{'spec':{'hostname':'h','subdomain':'s'}}"),
                                   .config =
                                       tree(&a, "{'spec':{'hostname':'i','subdomain':'t'}}") };
    add(&a, &m, "u", false, OWNS("'f:hostname':{},'f:subdomain':{}"));
    apply.allowed = managed_last_applied(
        &a, &op,
        str_lit("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"hostname\":\"h\","
                "\"subdomain\":\"old\"}}"),
        apply.live);
    assert_set("allowed", &apply.allowed, &a, OWNS("'f:hostname':{}"));
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), -ERR_CONFLICT);
    assert_conflict("left", &apply,
                    "Apply failed with 1 conflict: conflict with \"u\" using v1: .spec.subdomain");
    apply.config = tree(&a, "{'spec':{'hostname':'i'}}");
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), 0);
    struct field_set none =
        managed_last_applied(&a, &op, str_lit("{\"apiVersion\":\"v2\"}"), apply.live);
    assert_int_equal(none.count, 0);
    none = managed_last_applied(&a, &op, str_lit("nonsense"), apply.live);
    assert_int_equal(none.count, 0);
    arena_deinit(&a);
}

static void test_bound(void **state)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = op.empty,
                                   .config = tree(&a, "{'spec':{'hostname':'h'}}") };
    for (int i = 0; i < MANAGED_ENTRIES_MAX; i++) {
        struct str name = str_printf(&a, "m%d", i);
        add(&a, &m, str_dup(&a, name), true, OWNS("'f:hostname':{}"));
    }
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), -ERR_LIMIT);
    assert_int_equal(m.count, MANAGED_ENTRIES_MAX);
    m.count--;
    apply.force = true;
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), 0);
    arena_deinit(&a);
}

static void test_refused(void **state)
{
    struct arena a;
    struct managed m = { 0 };
    struct err e = { 0 };
    (void)state;
    arena_init(&a);
    const struct managed_operation op = operation(&a);
    struct managed_apply apply = { .live = op.empty, .config = tree(&a, "{'spec':{'x':1}}") };
    assert_int_equal(managed_apply(&a, &m, &op, &apply, &e), -ERR_INVALID_ARGUMENT);
    assert_true(str_eq_c(apply.problems, ".spec.x: field not declared in schema"));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),  cmocka_unit_test(test_no_change),
        cmocka_unit_test(test_adopts), cmocka_unit_test(test_last_applied),
        cmocka_unit_test(test_bound),  cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
