/* What the runtime keeps of objects. (That it reconciles is tested through the controllers.) */
#include "api/proto/core.pb-c.h"
#include "base/env_sim.h"
#include "controllers/runtime/runtime.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

/* What the two controllers were shown, by the last letter of the object's name. */
static size_t data_seen['z' + 1];
static unsigned looks;

static int look(struct world *w, const struct key *k, struct actions *out, struct err *e)
{
    const ConfigMap *map = world_get(w, k->kind, k->namespace, k->name);
    (void)out;
    (void)e;
    assert_non_null(map);
    assert_true(map->metadata->uid[0] != '\0');
    assert_int_equal(map->metadata->n_owner_references, 1);
    data_seen[(unsigned char)k->name.data[k->name.len - 1]] = map->n_data;
    looks++;
    return 0;
}

static bool reads_none(enum kind kind, const struct lister_item *item)
{
    assert_int_equal(kind, KIND_CONFIG_MAP);
    (void)item;
    return false;
}

static bool reads_b(enum kind kind, const struct lister_item *item)
{
    (void)kind;
    return str_eq_c(item->name, "b");
}

static const struct watch watches[] = { { KIND_CONFIG_MAP, enqueue_self }, { KIND_NONE, NULL } };
static const struct watch others[] = { { KIND_SECRET, enqueue_self }, { KIND_NONE, NULL } };
static const struct controller first = {
    .name = "first", .watches = watches, .reads = reads_none, .reconcile = look
};
static const struct controller second = {
    .name = "second", .watches = watches, .reads = reads_b, .reconcile = look
};
/* Reads everything, but of another kind. */
static const struct controller third = { .name = "third", .watches = others, .reconcile = look };

struct start {
    struct env_msg msg;
    struct runtime_config config;
    struct runtime *runtime;
};

static void start(struct env_msg *m)
{
    struct start *s = container_of(m, struct start, msg);
    s->runtime = runtime_start(&s->config);
}

static void stop(struct env_msg *m)
{
    runtime_stop(container_of(m, struct start, msg)->runtime);
}

static void put(struct fake_api *api, const char *name)
{
    struct arena a;
    arena_init(&a);
    struct str json = str_printf(
        &a,
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"d\",\"ownerReferences\":[{\"apiVersion\":"
        "\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}]},\"data\":{\"k\":\"v\"}}",
        name);
    fake_put(api, KIND_CONFIG_MAP, fake_object(&a, KIND_CONFIG_MAP, str_dup(&a, json)));
    arena_deinit(&a);
}

static void test_only_what_somebody_reads_is_kept(void **state)
{
    static const struct controller *const all[] = { &first, &second, &third, NULL };
    static const struct controllers_flags flags;
    struct env *env = env_sim_new(1);
    struct env_loop *loop = env_loop_new(env, "loop");
    struct fake_api api;
    (void)state; /* no shared fixture */
    env_loop_start(loop);
    fake_api_init(&api, env, loop);
    put(&api, "a");
    put(&api, "b");
    struct start s = { .config = { .loop = loop,
                                   .client = &api.client,
                                   .controllers = all,
                                   .flags = &flags,
                                   .instance = "i",
                                   .term = 1 } };
    env_post(loop, &s.msg, start);
    env_sim_run(env, 1000);
    put(&api, "c"); /* by watch, not by list */
    env_sim_run(env, 1000);
    assert_int_equal(looks, 6); /* three objects, two controllers */
    assert_int_equal(data_seen['a'], 0);
    assert_int_equal(data_seen['b'], 1);
    assert_int_equal(data_seen['c'], 0);
    env_post(loop, &s.msg, stop);
    env_sim_run(env, 1000);
    fake_api_deinit(&api);
    env_loop_free(loop);
    env_sim_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_only_what_somebody_reads_is_kept) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
