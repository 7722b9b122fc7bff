/* Decoded reads: revision spliced in, selectors, what is missing or broken. */
#include <string.h>

#include "api/client/cache.h"
#include "api/client/lister.h"
#include "api/meta/selector.h"
#include "api/proto/core.pb-c.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

static void put(struct cache *c, struct arena *a, const char *name, const char *app,
                uint64_t revision)
{
    struct str json = str_printf(
        a, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"d\",\"labels\":{\"app\":\"%s\"}}}", name,
        app);
    struct lister_item item = { str_lit("d"), str_from(name),
                                schema_pack_arena(
                                    a, kind_info(KIND_CONFIG_MAP)->schema,
                                    fake_object(a, KIND_CONFIG_MAP, str_dup(a, json))),
                                revision };

    assert_true(cache_put(c, &item));
}

static void test_reads(void **state)
{
    struct cache *c = cache_new(KIND_CONFIG_MAP);
    struct lister *l = cache_lister(c);
    struct lister_item broken = { str_lit("d"), str_lit("zz"), str_lit("\x0a\xff"), 9 };
    struct selector s;
    struct arena a;
    struct err e = { 0 };
    const void *one, **many;
    size_t n;

    (void)state; /* no shared fixture */
    arena_init(&a);
    put(c, &a, "x", "1", 41);
    put(c, &a, "y", "2", 42);
    assert_int_equal(lister_get(l, &a, str_lit("d"), str_lit("y"), &one, &e), 0);
    assert_string_equal(((const ConfigMap *)one)->metadata->resource_version, "42");
    assert_int_equal(lister_get(l, &a, str_lit("d"), str_lit("q"), &one, &e), -ERR_NOT_FOUND);
    assert_int_equal(selector_parse(&a, str_lit("app=1"), &s, &e), 0);
    assert_int_equal(lister_list(l, &a, str_lit("d"), &s, &many, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_string_equal(((const ConfigMap *)many[0])->metadata->name, "x");
    assert_true(cache_put(c, &broken));
    assert_int_not_equal(lister_list(l, &a, str_lit("d"), NULL, &many, &n, &e), 0);
    assert_non_null(strstr(e.msg, "d/zz"));
    arena_deinit(&a);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reads) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
