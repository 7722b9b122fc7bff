/* The reflector: a copy that follows, through broken and expired watches and failing lists. */
#include <stdio.h>
#include <string.h>

#include "api/client/reflector.h"
#include "api/meta/object.h"
#include "base/buf.h"
#include "base/env_sim.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

struct world {
    struct env *env;
    struct env_loop *loop;
    struct fake_api api;
    struct reflector *reflector;
    struct env_msg msg;
    int upserts, removals;
    uint64_t revision;
    bool failing;
    bool keeps; /* config.keep is set and is asked */
};

static void on_upsert(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct world *w = ctx;

    assert_true(old->revision < item->revision);
    assert_true(item->bytes.len > 0);
    w->upserts++;
}

static void on_removed(void *ctx, const struct lister_item *item)
{
    assert_true(item->name.len > 0);
    ((struct world *)ctx)->removals++;
}

static void on_advanced(void *ctx, uint64_t revision)
{
    struct world *w = ctx;

    assert_true(revision >= w->revision);
    w->revision = revision;
}

static int on_call(void *ctx, const struct client_call *call)
{
    (void)call; /* every call */
    return ((struct world *)ctx)->failing ? ERR_UNAVAILABLE : 0;
}

static void start(struct env_msg *m)
{
    reflector_start(container_of(m, struct world, msg)->reflector);
}

static void stop(struct env_msg *m)
{
    reflector_stop(container_of(m, struct world, msg)->reflector);
}

/* Of names that end in an even digit everything, of others who they are. */
static struct str keep(void *ctx, const struct lister_item *item, struct buf *scratch)
{
    (void)ctx; /* every world */
    assert_int_equal(scratch->len, 0);
    if (item->name.data[item->name.len - 1] % 2 == 0)
        return item->bytes;
    object_put_identity(scratch, item->bytes);
    return buf_str(scratch);
}

static void world_init(struct world *w, uint64_t seed, bool keys_only)
{
    struct reflector_config config = { .kind = KIND_CONFIG_MAP,
                                       .keys_only = keys_only,
                                       .keep = seed % 3 == 0 ? keep : NULL,
                                       .upsert = on_upsert,
                                       .removed = on_removed,
                                       .advanced = on_advanced,
                                       .ctx = w };

    *w = (struct world){ .env = env_sim_new(seed) };
    w->loop = env_loop_new(w->env, "loop");
    env_loop_start(w->loop);
    fake_api_init(&w->api, w->env, w->loop);
    w->api.refuse = on_call;
    w->api.refuse_ctx = w;
    config.client = &w->api.client;
    w->keeps = config.keep != NULL && !keys_only;
    w->reflector = reflector_new(&config);
    env_post(w->loop, &w->msg, start);
}

static void world_deinit(struct world *w)
{
    int before;

    env_post(w->loop, &w->msg, stop);
    env_sim_run(w->env, 1);
    before = w->upserts;
    reflector_free(w->reflector);
    env_sim_run(w->env, 60000);
    assert_int_equal(w->upserts, before);
    fake_api_deinit(&w->api);
    env_loop_free(w->loop);
    env_sim_free(w->env);
}

static void put(struct world *w, const char *name, const char *value)
{
    struct arena a;
    struct str json;

    arena_init(&a);
    json = str_printf(
        &a, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"d\"},\"data\":{\"k\":\"%s\"}}", name,
        value);
    fake_put(&w->api, KIND_CONFIG_MAP, fake_object(&a, KIND_CONFIG_MAP, str_dup(&a, json)));
    arena_deinit(&a);
}

static bool visit_same(void *ctx, const struct lister_item *item)
{
    struct world *w = ctx;
    struct lister_item have;

    assert_true(cache_find(w->api.kinds[KIND_CONFIG_MAP], item->namespace, item->name, &have));
    assert_int_equal(have.revision, item->revision);
    if (w->keeps)
        assert_int_equal(item->bytes.len == have.bytes.len,
                         item->name.data[item->name.len - 1] % 2 == 0);
    w->upserts++;
    return true;
}

/* The copy has exactly what the API has. */
static void assert_same(struct world *w)
{
    struct lister *l = reflector_lister(w->reflector);
    int before = w->upserts;

    assert_int_equal(l->ops->list(l, str_of(NULL, 0), visit_same, w), 0);
    assert_int_equal(w->upserts - before, fake_count(&w->api, KIND_CONFIG_MAP));
    w->upserts = before;
}

static void test_follows(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct world w;
        char name[] = "m0";

        world_init(&w, seed, seed % 2 == 0);
        put(&w, "m0", "x");
        for (int i = 0; i < 200; i++) {
            name[1] = (char)('0' + env_sim_random(w.env, 8));
            switch (env_sim_random(w.env, 12)) {
            case 0:
                fake_break_watches(&w.api, 0);
                break;
            case 1:
                fake_break_watches(&w.api, -ERR_UNAVAILABLE);
                break;
            case 2:
                fake_break_watches(&w.api, -ERR_EXPIRED);
                break;
            case 3:
                w.failing = !w.failing;
                break;
            case 4:
            case 5:
                if (cache_find(w.api.kinds[KIND_CONFIG_MAP], str_lit("d"), str_from(name),
                               &(struct lister_item){ 0 }))
                    fake_remove(&w.api, KIND_CONFIG_MAP, "d", name);
                break;
            default:
                put(&w, name, "y");
            }
            env_sim_run(w.env, env_sim_random(w.env, 40));
        }
        w.failing = false;
        env_sim_run(w.env, 60000);
        assert_true(reflector_synced(w.reflector));
        assert_same(&w);
        assert_int_equal(lister_revision(reflector_lister(w.reflector)) <= w.api.revision, 1);
        world_deinit(&w);
    }
}

/* What vanished between two lists is told. */
static void test_vanished(void **state)
{
    struct world w;

    (void)state; /* no shared fixture */
    world_init(&w, 3, false);
    put(&w, "a", "1");
    put(&w, "b", "1");
    env_sim_run(w.env, 1000);
    assert_int_equal(w.upserts, 2);
    w.api.expire_watches = true;
    fake_break_watches(&w.api, -ERR_EXPIRED);
    fake_remove(&w.api, KIND_CONFIG_MAP, "d", "a");
    w.failing = true;
    env_sim_run(w.env, 3000);
    w.failing = w.api.expire_watches = false;
    env_sim_run(w.env, 30000);
    assert_int_equal(w.removals, 1);
    assert_same(&w);
    assert_true(reflector_lists(w.reflector) >= 2);
    world_deinit(&w);
}

/* No answer for long: the pauses grow, so the number of tries stays small. */
static void test_backs_off(void **state)
{
    struct world w;

    (void)state; /* no shared fixture */
    world_init(&w, 4, false);
    w.failing = true;
    env_sim_run(w.env, 300000);
    assert_false(reflector_synced(w.reflector));
    assert_in_range(reflector_lists(w.reflector), 15, 45);
    w.failing = false;
    env_sim_run(w.env, 30000);
    assert_true(reflector_synced(w.reflector));
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_follows),
                                        cmocka_unit_test(test_vanished),
                                        cmocka_unit_test(test_backs_off) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
