/* The cache: order, namespaces, indexes, revisions, relists. */
#include <string.h>

#include "api/client/cache.h"
#include "api/meta/kinds.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

static void put(struct cache *c, const char *namespace, const char *name, const char *node,
                const char *owner, uint64_t revision)
{
    struct arena a;
    struct str json;
    struct lister_item item = { str_from(namespace), str_from(name), { NULL, 0 }, revision };

    arena_init(&a);
    json = str_printf(&a,
                      "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"ownerReferences\":[{"
                      "\"apiVersion\":\"v1\",\"kind\":\"X\",\"name\":\"x\",\"uid\":\"%s\"}]},"
                      "\"spec\":{\"nodeName\":\"%s\",\"containers\":[]}}",
                      name, namespace, owner, node);
    item.bytes = schema_pack_arena(&a, kind_info(KIND_POD)->schema,
                                   fake_object(&a, KIND_POD, str_dup(&a, json)));
    (void)cache_put(c, &item); /* older revisions are ignored: a test below says so */
    arena_deinit(&a);
}

static bool visit_name(void *ctx, const struct lister_item *item)
{
    struct buf *b = ctx;

    buf_printf(b, "%.*s/%.*s ", STR_ARG(item->namespace), STR_ARG(item->name));
    return true;
}

static void assert_names(struct cache *c, int index, const char *term, const char *want)
{
    struct lister *l = cache_lister(c);
    struct buf b;
    int rc;

    buf_init(&b);
    if (index < 0)
        rc = l->ops->list(l, str_from(term), visit_name, &b);
    else
        rc = l->ops->by_index(l, (enum index_id)index, str_from(term), visit_name, &b);
    assert_int_equal(rc, 0);
    buf_append_byte(&b, 0);
    assert_string_equal((char *)b.data, want);
    buf_deinit(&b);
}

static void test_order_and_indexes(void **state)
{
    struct cache *c = cache_new(KIND_POD);

    (void)state; /* no shared fixture */
    put(c, "b", "2", "n1", "u1", 1);
    put(c, "a", "9", "n1", "u2", 2);
    put(c, "b", "1", "", "u1", 3);
    put(c, "a-", "1", "n2", "u1", 4);
    assert_names(c, -1, "", "a/9 a-/1 b/1 b/2 ");
    assert_names(c, -1, "b", "b/1 b/2 ");
    assert_names(c, -1, "a", "a/9 ");
    assert_names(c, INDEX_BY_NODE, "n1", "a/9 b/2 ");
    assert_names(c, INDEX_BY_NODE, "", "b/1 ");
    assert_names(c, INDEX_BY_OWNER, "u1", "a-/1 b/1 b/2 ");
    put(c, "b", "1", "n1", "u2", 5);
    assert_names(c, INDEX_BY_NODE, "", "");
    assert_names(c, INDEX_BY_NODE, "n1", "a/9 b/1 b/2 ");
    assert_names(c, INDEX_BY_OWNER, "u1", "a-/1 b/2 ");
    put(c, "b", "1", "", "u1", 4); /* older than what is there */
    assert_names(c, INDEX_BY_NODE, "", "");
    assert_true(cache_remove(c, str_lit("b"), str_lit("1")));
    assert_false(cache_remove(c, str_lit("b"), str_lit("1")));
    assert_names(c, INDEX_BY_NODE, "n1", "a/9 b/2 ");
    assert_int_equal(cache_count(c), 3);
    cache_free(c);
}

static void on_drop(void *ctx, const struct lister_item *item)
{
    (void)visit_name(ctx, item); /* it always goes on */
}

static void test_relist(void **state)
{
    struct cache *c = cache_new(KIND_POD);
    struct buf b;

    (void)state; /* no shared fixture */
    buf_init(&b);
    put(c, "a", "1", "", "u", 1);
    put(c, "a", "2", "", "u", 2);
    put(c, "a", "3", "", "u", 3);
    cache_relist_begin(c);
    put(c, "a", "2", "", "u", 2); /* unchanged, but seen */
    put(c, "a", "4", "", "u", 9);
    cache_relist_end(c, on_drop, &b);
    buf_append_byte(&b, 0);
    assert_string_equal((char *)b.data, "a/1 a/3 ");
    assert_names(c, -1, "", "a/2 a/4 ");
    cache_set_revision(c, 9);
    cache_set_revision(c, 4);
    assert_int_equal(lister_revision(cache_lister(c)), 9);
    buf_deinit(&b);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order_and_indexes),
                                        cmocka_unit_test(test_relist) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
