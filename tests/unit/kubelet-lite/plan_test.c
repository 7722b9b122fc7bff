/* The pod plan as tables: what is seen, what is done next. */
#include <string.h>

#include "base/env.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const char letters[] = "PVSICG.xkrDF"; /* by enum plan_kind, see kinds_of */

/* The kinds of a plan as text: P prepare, V volumes, S run sandbox, I image, C create, G start,
 * . stop, x remove, k stop sandbox, r remove sandbox, D clean, F finish. */
static void kinds_of(const struct plan *p, char out[PLAN_ACTIONS_MAX + 1])
{
    for (size_t i = 0; i < p->count; i++)
        out[i] = letters[p->actions[i].kind];
    out[p->count] = '\0';
}

struct given {
    struct pod_input in;
    struct plan plan;
    char kinds[PLAN_ACTIONS_MAX + 1];
};

static void plan_it(struct given *g, struct fixture *f, const Pod *pod, uint64_t now_s)
{
    g->in.pod = pod;
    g->in.view = &f->view;
    g->in.now_ns = now_s * ENV_S;
    pod_plan(&g->in, &g->plan);
    kinds_of(&g->plan, g->kinds);
}

static void test_first_start(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true } };
    Pod *pod = fixture_simple(f, "Always");
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "PVS");
    assert_int_equal(g.plan.actions[2].attempt, 0);
    g.in.prepared = g.in.mounted = true;
    fixture_sandbox(f, "s0", 0, true);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "ICG");
    assert_null(g.plan.actions[2].id);
    /* Created and not started: another agent got so far. */
    fixture_container(f, "c0", "c", 0, SEEN_CREATED, 0);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "G");
    assert_string_equal(g.plan.actions[0].id, "c0");
    f->containers[0].state = SEEN_RUNNING;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "");
    assert_int_equal(g.plan.wake_ns, 0);
}

static void test_a_restarted_agent_leaves_it_running(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true } };
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "c0", "c", 3, SEEN_RUNNING, 0);
    /* Nothing was done by this process; only the files are looked after. */
    plan_it(&g, f, fixture_simple(f, "Always"), 200);
    assert_string_equal(g.kinds, "V");
}

static void test_restart_policy_and_back_off(void **state)
{
    static const struct {
        const char *policy;
        int exit_code;
        uint32_t level;
        uint64_t now_s; /* it ended at 110 */
        const char *kinds;
        uint64_t wake_s;
    } rows[] = { { "Always", 1, 0, 110, "ICG", 0 },    { "Always", 0, 0, 110, "ICG", 0 },
                 { "OnFailure", 1, 0, 110, "ICG", 0 }, { "OnFailure", 0, 0, 110, "k", 0 },
                 { "Never", 1, 0, 110, "k", 0 },       { "Never", 0, 0, 110, "k", 0 },
                 { "Always", 1, 1, 111, "", 120 },     { "Always", 1, 1, 120, "ICG", 0 },
                 { "Always", 1, 2, 111, "", 130 },     { "Always", 1, 5, 111, "", 270 },
                 { "Always", 1, 6, 111, "", 410 },     { "Always", 1, 60, 111, "", 410 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        struct given g = { .in = { .known = true, .prepared = true, .mounted = true } };
        f->view.sandbox_count = f->view.container_count = 0;
        fixture_sandbox(f, "s0", 0, true);
        fixture_container(f, "c0", "c", 7, SEEN_EXITED, rows[i].exit_code)->backoff_level =
            rows[i].level;
        plan_it(&g, f, fixture_simple(f, rows[i].policy), rows[i].now_s);
        assert_string_equal(g.kinds, rows[i].kinds);
        assert_int_equal(g.plan.wake_ns, rows[i].wake_s * ENV_S);
        if (strcmp(rows[i].kinds, "ICG") == 0) {
            assert_int_equal(g.plan.actions[1].attempt, 8);
            assert_int_equal(g.plan.actions[1].backoff_level, rows[i].level + 1);
        }
    }
}

static void test_long_runs_reset_the_back_off(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true, .prepared = true, .mounted = true } };
    fixture_sandbox(f, "s0", 0, true);
    struct seen_container *c = fixture_container(f, "c0", "c", 9, SEEN_EXITED, 1);
    c->finished_ns = c->started_ns + (int64_t)(PLAN_BACKOFF_RESET_S * ENV_S);
    plan_it(&g, f, fixture_simple(f, "Always"), 100 + PLAN_BACKOFF_RESET_S);
    assert_string_equal(g.kinds, "ICG");
    assert_int_equal(g.plan.actions[1].backoff_level, 1);
}

static void test_init_containers_in_order(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true, .prepared = true, .mounted = true } };
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p'},'spec':{'restartPolicy':'Never','initContainers':[{'name':"
           "'i1'},{'name':'i2'}],'containers':[{'name':'a'},{'name':'b'}]}}");
    fixture_sandbox(f, "s0", 0, true);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "ICG");
    assert_string_equal(g.plan.actions[0].container->name, "i1");
    fixture_container(f, "x1", "i1", 0, SEEN_RUNNING, 0);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "");
    f->containers[0].state = SEEN_EXITED;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.plan.actions[0].container->name, "i2");
    assert_false(pod_initialized(pod, &f->view));
    fixture_container(f, "x2", "i2", 0, SEEN_EXITED, 0);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "ICGICG");
    assert_true(pod_initialized(pod, &f->view));
    /* One that fails for good ends the pod. */
    f->containers[1].exit_code = 1;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "k");
    assert_true(pod_finished(pod, &f->view));
}

static void test_lost_sandbox(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true } };
    Pod *pod = fixture_simple(f, "Always");
    fixture_sandbox(f, "s0", 4, false);
    fixture_container(f, "c0", "c", 2, SEEN_EXITED, 255);
    plan_it(&g, f, pod, 111);
    assert_string_equal(g.kinds, "PVS");
    assert_int_equal(g.plan.actions[2].attempt, 5);
    /* The new one is there: no back-off, the count goes on; the old is kept for the last state. */
    g.in.prepared = g.in.mounted = true;
    fixture_sandbox(f, "s1", 5, true);
    plan_it(&g, f, pod, 111);
    assert_string_equal(g.kinds, "ICG");
    assert_int_equal(g.plan.actions[1].attempt, 3);
    fixture_container(f, "c1", "c", 3, SEEN_RUNNING, 0);
    plan_it(&g, f, pod, 112);
    assert_string_equal(g.kinds, "");
    /* The next restart makes the first run the one too many, then its sandbox. */
    f->containers[1].state = SEEN_EXITED;
    fixture_container(f, "c2", "c", 4, SEEN_RUNNING, 0);
    plan_it(&g, f, pod, 112);
    assert_string_equal(g.kinds, "xr");
    assert_string_equal(g.plan.actions[0].id, "c0");
    assert_string_equal(g.plan.actions[1].id, "s0");
}

static void test_replaced_image(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true, .prepared = true, .mounted = true } };
    Pod *pod = fixture_simple(f, "Always");
    char hash[CONTAINER_HASH_BYTES];
    fixture_sandbox(f, "s0", 0, true);
    container_hash(pod->spec->containers[0], hash);
    fixture_container(f, "c0", "c", 0, SEEN_RUNNING, 0)->hash = hash;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "");
    pod->spec->containers[0]->image = (char *)"other";
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, ".");
}

static void test_way_out(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true } };
    Pod *pod = fixture_pod(f, "{'metadata':{'name':'p','deletionTimestamp':'2026-01-01T00:00:00Z',"
                              "'deletionGracePeriodSeconds':7},'spec':{'containers':[{'name':'c'}]"
                              "}}");
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "c0", "c", 0, SEEN_RUNNING, 0);
    fixture_container(f, "d0", "d", 0, SEEN_RUNNING, 0);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "..");
    assert_int_equal(g.plan.actions[0].grace_s, 7);
    assert_true(g.plan.going);
    f->containers[0].state = f->containers[1].state = SEEN_EXITED;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "kr");
    f->view.sandbox_count = f->view.container_count = 0;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "DF");
    g.in.cleaned = true;
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "F");
}

static void test_remains_of_an_unknown_pod(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = false } };
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "c0", "c", 0, SEEN_RUNNING, 0)->grace_s = 3;
    plan_it(&g, f, NULL, 200);
    assert_string_equal(g.kinds, ".");
    assert_int_equal(g.plan.actions[0].grace_s, 3);
}

static void test_holds(void **state)
{
    struct fixture *f = *state;
    struct pod_hold hold = { "c", "ErrImagePull", "no", 300 * ENV_S };
    struct given g = {
        .in = { .known = true, .prepared = true, .mounted = true, .holds = &hold, .hold_count = 1 }
    };
    Pod *pod = fixture_simple(f, "Always");
    fixture_sandbox(f, "s0", 0, true);
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "");
    assert_int_equal(g.plan.wake_ns, 300 * ENV_S);
    plan_it(&g, f, pod, 300);
    assert_string_equal(g.kinds, "ICG");
    hold.name = "";
    plan_it(&g, f, pod, 200);
    assert_string_equal(g.kinds, "");
}

/* Whoever asks for one that never ran is told that it waits, not that there is none. */
static void test_named_containers(void **state)
{
    Pod *pod = fixture_pod(*state, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"initContainers\":[{"
                                   "\"name\":\"i\"}],\"containers\":[{\"name\":\"c\"}],"
                                   "\"ephemeralContainers\":[{\"name\":\"e\"}]}}");
    assert_true(pod_has_container(pod, "i"));
    assert_true(pod_has_container(pod, "c"));
    assert_true(pod_has_container(pod, "e"));
    assert_false(pod_has_container(pod, "x"));
}

static void test_refused_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct given g = { .in = { .known = true, .refused = "spec.x is not supported" } };
    plan_it(&g, f, fixture_simple(f, "Always"), 200);
    assert_string_equal(g.kinds, "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_first_start),
                                        T(test_a_restarted_agent_leaves_it_running),
                                        T(test_restart_policy_and_back_off),
                                        T(test_long_runs_reset_the_back_off),
                                        T(test_init_containers_in_order),
                                        T(test_lost_sandbox),
                                        T(test_replaced_image),
                                        T(test_way_out),
                                        T(test_remains_of_an_unknown_pod),
                                        T(test_holds),
                                        T(test_named_containers),
                                        T(test_refused_does_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
