/* Deployments driven to convergence against the model of the API, with faults. */
#include <stdio.h>
#include <string.h>

#include "api/meta/labels.h"
#include "controllers/deployment.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static char *deployment_json(struct cluster *c, int replicas, const char *image, const char *more)
{
    return str_dup(
        &c->arena,
        str_printf(&c->arena,
                   "{\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{"
                   "\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
                   "\"progressDeadlineSeconds\":600,\"revisionHistoryLimit\":2,%s"
                   "\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{"
                   "\"containers\":[{\"name\":\"c\",\"image\":\"%s\"}]}}}}",
                   replicas, more, image));
}

#define ROLLING                                                                                    \
    "\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":\"25%\","            \
    "\"maxUnavailable\":\"25%\"}},"

static void set_image(struct cluster *c, const char *image)
{
    Deployment *d = cluster_deployment(c, "web");

    d->spec->template_->spec->containers[0]->image = str_dup(&c->arena, str_from(image));
    fake_put(&c->api, KIND_DEPLOYMENT, d);
}

static void set_replicas(struct cluster *c, int replicas)
{
    Deployment *d = cluster_deployment(c, "web");

    d->spec->replicas = replicas;
    fake_put(&c->api, KIND_DEPLOYMENT, d);
}

/* What `kubectl rollout status` waits for. */
static bool rolled_out(struct cluster *c)
{
    struct arena a;
    const Deployment *d;
    bool done;

    arena_init(&a);
    d = fake_get(&c->api, &a, KIND_DEPLOYMENT, "default", "web");
    done = d->status->observed_generation >= d->metadata->generation &&
           d->status->updated_replicas == d->spec->replicas &&
           d->status->replicas == d->spec->replicas &&
           d->status->available_replicas == d->spec->replicas;
    arena_deinit(&a);
    return done;
}

static void assert_image(struct cluster *c, const char *image, int32_t count)
{
    const void **pods;
    size_t n = fake_list(&c->api, &c->arena, KIND_POD, &pods);
    int32_t found = 0;

    for (size_t i = 0; i < n; i++)
        if (!meta_deleting(((const Pod *)pods[i])->metadata)) {
            assert_string_equal(((const Pod *)pods[i])->spec->containers[0]->image, image);
            found++;
        }
    assert_int_equal(found, count);
}

static void test_create(void **state)
{
    struct cluster c;
    Deployment *d;

    (void)state; /* no shared fixture */
    cluster_init(&c, 1, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 3, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    cluster_run(&c, 3000);
    d = cluster_deployment(&c, "web");
    assert_int_equal(d->status->ready_replicas, 3);
    assert_int_equal(d->status->unavailable_replicas, 0);
    assert_string_equal(cluster_condition(d, "Available"), "MinimumReplicasAvailable");
    assert_string_equal(cluster_condition(d, "Progressing"), "NewReplicaSetAvailable");
    assert_string_equal(meta_annotation(d->metadata, "deployment.kubernetes.io/revision"), "1");
    assert_int_equal(fake_count(&c.api, KIND_REPLICA_SET), 1);
    assert_non_null(cluster_event(&c, "web", "ScalingReplicaSet"));
    assert_int_equal(c.pods_max, 3);
    assert_true(c.queue_samples > 0);
    cluster_deinit(&c);
}

/* Quiet clusters write nothing: every status is reached, not oscillated around. */
static void test_settles(void **state)
{
    struct cluster c;
    size_t before;
    Deployment *d;

    (void)state; /* no shared fixture */
    cluster_init(&c, 2, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 4, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    cluster_run(&c, 5000);
    before = c.api.log_count;
    cluster_run(&c, 60000);
    for (size_t i = before; i < c.api.log_count; i++)
        assert_int_equal(c.api.log[i].kind, KIND_LEASE);
    d = cluster_deployment(&c, "web");
    assert_int_equal(d->status->observed_generation, d->metadata->generation);
    cluster_deinit(&c);
}

static void test_rolling_update_and_back(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 10; seed < 15; seed++) {
        struct cluster c;
        Deployment *d;

        cluster_init(&c, seed, 1, false);
        cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 8, "v1", ROLLING));
        cluster_until(&c, 20000, rolled_out);
        cluster_run(&c, 2000);
        c.available_min = INT32_MAX;
        c.pods_max = 0;
        set_image(&c, "v2");
        cluster_run(&c, 1);
        cluster_until(&c, 60000, rolled_out);
        cluster_run(&c, 2000);
        assert_image(&c, "v2", 8);
        assert_true(c.available_min >= 6);
        assert_true(c.pods_max <= 10);
        set_image(&c, "v1");
        cluster_run(&c, 1);
        cluster_until(&c, 60000, rolled_out);
        cluster_run(&c, 2000);
        assert_image(&c, "v1", 8);
        d = cluster_deployment(&c, "web");
        assert_string_equal(meta_annotation(d->metadata, "deployment.kubernetes.io/revision"), "3");
        assert_int_equal(fake_count(&c.api, KIND_REPLICA_SET), 2);
        cluster_deinit(&c);
    }
}

/* A template that never gets ready stops the rollout and leaves the least available. */
static void test_bad_template_holds(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 20, 1, false);
    c.broken_image = "bad";
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 4, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    c.available_min = INT32_MAX;
    set_image(&c, "bad");
    cluster_run(&c, 700 * 1000);
    assert_true(c.available_min >= 3);
    assert_string_equal(cluster_condition(cluster_deployment(&c, "web"), "Progressing"),
                        "ProgressDeadlineExceeded");
    set_image(&c, "v1");
    cluster_run(&c, 1);
    cluster_until(&c, 60000, rolled_out);
    cluster_run(&c, 2000);
    assert_image(&c, "v1", 4);
    assert_string_equal(cluster_condition(cluster_deployment(&c, "web"), "Progressing"),
                        "NewReplicaSetAvailable");
    cluster_deinit(&c);
}

static void test_recreate(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 30, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT,
                deployment_json(&c, 3, "v1", "\"strategy\":{\"type\":\"Recreate\"},"));
    cluster_until(&c, 20000, rolled_out);
    cluster_run(&c, 2000);
    c.pods_max = 0;
    set_image(&c, "v2");
    cluster_run(&c, 1);
    cluster_until(&c, 60000, rolled_out);
    cluster_run(&c, 2000);
    assert_image(&c, "v2", 3);
    assert_int_equal(c.pods_max, 3);
    cluster_deinit(&c);
}

static void test_scale(void **state)
{
    static const int sizes[] = { 5, 1, 0, 7 };
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 40, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 2, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        set_replicas(&c, sizes[i]);
        cluster_run(&c, 1);
        cluster_until(&c, 30000, rolled_out);
        cluster_run(&c, 3000);
        assert_image(&c, "v1", sizes[i]);
    }
    cluster_deinit(&c);
}

/* In the middle of a rollout both sets grow in proportion. */
static void test_scale_mid_rollout(void **state)
{
    struct cluster c;
    const void **sets;
    int32_t total = 0;

    (void)state; /* no shared fixture */
    cluster_init(&c, 50, 1, false);
    c.broken_image = "bad";
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 10, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    set_image(&c, "bad");
    cluster_run(&c, 20000);
    set_replicas(&c, 20);
    cluster_run(&c, 20000);
    assert_int_equal(fake_list(&c.api, &c.arena, KIND_REPLICA_SET, &sets), 2);
    for (int i = 0; i < 2; i++) {
        const ReplicaSet *rs = sets[i];

        assert_true(rs->spec->replicas >= 8);
        total += rs->spec->replicas;
        assert_string_equal(
            meta_annotation(rs->metadata, "deployment.kubernetes.io/desired-replicas"), "20");
    }
    assert_int_equal(total, 25);
    cluster_deinit(&c);
}

static void test_paused(void **state)
{
    struct cluster c;
    Deployment *d;

    (void)state; /* no shared fixture */
    cluster_init(&c, 60, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 2, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    d = cluster_deployment(&c, "web");
    d->spec->has_paused = d->spec->paused = 1;
    fake_put(&c.api, KIND_DEPLOYMENT, d);
    set_image(&c, "v2");
    cluster_run(&c, 10000);
    assert_image(&c, "v1", 2);
    assert_string_equal(cluster_condition(cluster_deployment(&c, "web"), "Progressing"),
                        "DeploymentPaused");
    d = cluster_deployment(&c, "web");
    d->spec->paused = 0;
    fake_put(&c.api, KIND_DEPLOYMENT, d);
    cluster_run(&c, 1);
    cluster_until(&c, 60000, rolled_out);
    cluster_run(&c, 2000);
    assert_image(&c, "v2", 2);
    cluster_deinit(&c);
}

/* Old sets beyond revisionHistoryLimit go. */
static void test_history_limit(void **state)
{
    static const char *const images[] = { "v2", "v3", "v4", "v5" };
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 70, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 1, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        set_image(&c, images[i]);
        cluster_run(&c, 1);
        cluster_until(&c, 60000, rolled_out);
        cluster_run(&c, 3000);
    }
    assert_int_equal(fake_count(&c.api, KIND_REPLICA_SET), 3);
    cluster_deinit(&c);
}

/* Another object has the name the new set would get: the hash is salted. */
static void test_collision(void **state)
{
    struct cluster c;
    const void **sets;
    ReplicaSet *squatter;

    (void)state; /* no shared fixture */
    cluster_init(&c, 80, 1, false);
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 1, "v1", ROLLING));
    cluster_until(&c, 20000, rolled_out);
    assert_int_equal(fake_list(&c.api, &c.arena, KIND_REPLICA_SET, &sets), 1);
    squatter = fake_get(&c.api, &c.arena, KIND_REPLICA_SET, "default",
                        ((const ReplicaSet *)sets[0])->metadata->name);
    squatter->metadata->n_owner_references = 0;
    squatter->metadata->n_labels = 0;
    squatter->spec->template_->spec->containers[0]->image = str_dup(&c.arena, str_lit("else"));
    squatter->spec->selector->n_match_labels = 0;
    squatter->spec->replicas = 0;
    fake_put(&c.api, KIND_REPLICA_SET, squatter);
    cluster_run(&c, 20000);
    cluster_until(&c, 20000, rolled_out);
    assert_int_equal(cluster_deployment(&c, "web")->status->collision_count, 1);
    assert_int_equal(fake_count(&c.api, KIND_REPLICA_SET), 2);
    cluster_deinit(&c);
}

/* Lost answers, broken and expired watches, a change of leadership: no twin, and it converges. */
static void test_faults(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 100; seed < 110; seed++) {
        struct cluster c;

        cluster_init(&c, seed, 1, false);
        c.api.lose_every = 3;
        cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 6, "v1", ROLLING));
        cluster_run(&c, 400);
        fake_break_watches(&c.api, -ERR_UNAVAILABLE);
        cluster_until(&c, 60000, rolled_out);
        assert_int_equal(c.pods_max, 6);
        c.api.expire_watches = true;
        fake_break_watches(&c.api, 0);
        set_image(&c, "v2");
        cluster_run(&c, 700);
        c.api.expire_watches = false;
        cluster_resign(&c);
        c.api.fence = 2;
        cluster_lead(&c, 2);
        cluster_until(&c, 120000, rolled_out);
        cluster_run(&c, 5000);
        assert_image(&c, "v2", 6);
        assert_true(c.pods_max <= 8);
        assert_int_equal(c.fenced, 0);
        cluster_deinit(&c);
    }
}

/* Writes under an old term are refused, and stop the generation that made them. */
static void test_fenced(void **state)
{
    struct cluster c;

    (void)state; /* no shared fixture */
    cluster_init(&c, 120, 1, false);
    cluster_run(&c, 3000);
    c.api.fence = 2;
    cluster_put(&c, KIND_DEPLOYMENT, deployment_json(&c, 2, "v1", ROLLING));
    cluster_run(&c, 5000);
    assert_int_equal(c.fenced, 1);
    assert_int_equal(fake_count(&c.api, KIND_POD), 0);
    cluster_lead(&c, 2);
    cluster_until(&c, 20000, rolled_out);
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_create),
                                        cmocka_unit_test(test_settles),
                                        cmocka_unit_test(test_rolling_update_and_back),
                                        cmocka_unit_test(test_bad_template_holds),
                                        cmocka_unit_test(test_recreate),
                                        cmocka_unit_test(test_scale),
                                        cmocka_unit_test(test_scale_mid_rollout),
                                        cmocka_unit_test(test_paused),
                                        cmocka_unit_test(test_history_limit),
                                        cmocka_unit_test(test_collision),
                                        cmocka_unit_test(test_faults),
                                        cmocka_unit_test(test_fenced) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
