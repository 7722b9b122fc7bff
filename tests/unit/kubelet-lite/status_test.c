/* Phase, conditions and container states by what is seen. */
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/text.h"
#include "base/env.h"
#include "kubelet-lite/status.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static PodStatus *status_of(struct fixture *f, struct pod_input *in, const Pod *pod, uint64_t now_s)
{
    in->pod = pod;
    in->view = &f->view;
    in->now_ns = now_s * ENV_S;
    return pod_status(&f->a, &(struct status_input){
                                 .pod = in, .host_ip = "10.0.0.1", .started_ns = 90 * ENV_S });
}

static const PodCondition *condition(const PodStatus *s, const char *type)
{
    return condition_find(s->conditions, s->n_conditions, type);
}

static void assert_condition(const PodStatus *s, const char *type, const char *status,
                             const char *reason)
{
    const PodCondition *c = condition(s, type);
    assert_non_null(c);
    assert_string_equal(c->status, status);
    assert_string_equal(text_of(c->reason), reason);
}

static void test_phases(void **state)
{
    static const struct {
        const char *policy;
        bool created;
        enum seen_state seen;
        int exit_code;
        const char *phase;
    } rows[] = { { "Always", false, SEEN_EXITED, 0, "Pending" },
                 { "Always", true, SEEN_CREATED, 0, "Pending" },
                 { "Always", true, SEEN_RUNNING, 0, "Running" },
                 { "Always", true, SEEN_EXITED, 1, "Running" },
                 { "OnFailure", true, SEEN_EXITED, 1, "Running" },
                 { "OnFailure", true, SEEN_EXITED, 0, "Succeeded" },
                 { "Never", true, SEEN_EXITED, 0, "Succeeded" },
                 { "Never", true, SEEN_EXITED, 3, "Failed" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        struct pod_input in = { .known = true };
        f->view.sandbox_count = f->view.container_count = 0;
        fixture_sandbox(f, "s0", 0, true);
        if (rows[i].created)
            fixture_container(f, "c0", "c", 0, rows[i].seen, rows[i].exit_code);
        PodStatus *s = status_of(f, &in, fixture_simple(f, rows[i].policy), 111);
        assert_string_equal(s->phase, rows[i].phase);
    }
}

static void test_running(void **state)
{
    struct fixture *f = *state;
    struct pod_input in = { .known = true };
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "c0", "c", 0, SEEN_EXITED, 2)->reason = "OOMKilled";
    fixture_container(f, "c1", "c", 1, SEEN_RUNNING, 0);
    PodStatus *s = status_of(f, &in, fixture_simple(f, "Always"), 120);
    assert_string_equal(s->pod_ip, "10.0.0.9");
    assert_string_equal(s->pod_ips[0]->ip, "10.0.0.9");
    assert_string_equal(s->host_ip, "10.0.0.1");
    assert_int_equal(s->start_time->seconds, 90);
    assert_string_equal(s->qos_class, "BestEffort");
    const ContainerStatus *c = s->container_statuses[0];
    assert_true(c->ready && c->started);
    assert_int_equal(c->restart_count, 1);
    assert_string_equal(c->container_id, "containerd://c1");
    assert_int_equal(c->state->running->started_at->seconds, 100);
    assert_string_equal(c->last_state->terminated->reason, "OOMKilled");
    assert_string_equal(c->last_state->terminated->container_id, "containerd://c0");
    assert_condition(s, "PodReadyToStartContainers", "True", "");
    assert_condition(s, "Initialized", "True", "");
    assert_condition(s, "ContainersReady", "True", "");
    assert_condition(s, "Ready", "True", "");
    assert_condition(s, "PodScheduled", "True", "");
}

static void test_crash_loop(void **state)
{
    struct fixture *f = *state;
    struct pod_input in = { .known = true };
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "c0", "c", 2, SEEN_EXITED, 1);
    PodStatus *s = status_of(f, &in, fixture_simple(f, "Always"), 111);
    const ContainerStatus *c = s->container_statuses[0];
    assert_string_equal(c->state->waiting->reason, "CrashLoopBackOff");
    assert_string_equal(c->state->waiting->message,
                        "back-off 20s restarting failed container=c pod=p_n(u)");
    assert_int_equal(c->last_state->terminated->exit_code, 1);
    assert_string_equal(c->last_state->terminated->reason, "Error");
    assert_false(c->ready);
    assert_condition(s, "Ready", "False", "ContainersNotReady");
    assert_string_equal(condition(s, "Ready")->message, "containers with unready status: [c]");
}

static void test_waiting_reasons(void **state)
{
    struct fixture *f = *state;
    struct pod_hold hold = { "c", "ErrImagePull", "no such image", 500 * ENV_S };
    struct pod_input in = { .known = true };
    Pod *pod = fixture_simple(f, "Always");
    PodStatus *s = status_of(f, &in, pod, 111);
    assert_string_equal(s->container_statuses[0]->state->waiting->reason, "ContainerCreating");
    in.holds = &hold;
    in.hold_count = 1;
    s = status_of(f, &in, pod, 111);
    assert_string_equal(s->container_statuses[0]->state->waiting->reason, "ErrImagePull");
    assert_string_equal(s->container_statuses[0]->state->waiting->message, "no such image");
    in.hold_count = 0;
    in.refused = "spec.containers[0].livenessProbe is not supported by this node yet";
    s = status_of(f, &in, pod, 111);
    assert_string_equal(s->phase, "Pending");
    assert_condition(s, "Ready", "False", "UnsupportedPodSpec");
    assert_string_equal(condition(s, "Ready")->message, in.refused);
}

static void test_init(void **state)
{
    struct fixture *f = *state;
    struct pod_input in = { .known = true };
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p'},'spec':{'restartPolicy':'Never','initContainers':[{'name':"
           "'i'}],'containers':[{'name':'a'}]}}");
    fixture_sandbox(f, "s0", 0, true);
    fixture_container(f, "x", "i", 0, SEEN_RUNNING, 0);
    PodStatus *s = status_of(f, &in, pod, 111);
    assert_string_equal(s->phase, "Pending");
    assert_condition(s, "Initialized", "False", "ContainersNotInitialized");
    assert_string_equal(s->container_statuses[0]->state->waiting->reason, "PodInitializing");
    assert_false(s->init_container_statuses[0]->ready);
    f->containers[0].state = SEEN_EXITED;
    s = status_of(f, &in, pod, 111);
    assert_condition(s, "Initialized", "True", "");
    assert_true(s->init_container_statuses[0]->ready);
    f->containers[0].exit_code = 1;
    s = status_of(f, &in, pod, 111);
    assert_string_equal(s->phase, "Failed");
    assert_condition(s, "Ready", "False", "PodFailed");
}

static void test_the_end_stays(void **state)
{
    struct fixture *f = *state;
    struct pod_input in = { .known = true };
    Pod *pod = fixture_pod(f, "{'metadata':{'name':'p'},'spec':{'restartPolicy':'Never',"
                              "'containers':[{'name':'c'}]},'status':{'phase':'Succeeded'}}");
    PodStatus *s = status_of(f, &in, pod, 111);
    assert_string_equal(s->phase, "Succeeded");
    assert_condition(s, "Ready", "False", "PodCompleted");
}

static void test_times_move_only_with_the_status(void **state)
{
    struct fixture *f = *state;
    struct pod_input in = { .known = true };
    Pod *pod = fixture_simple(f, "Always");
    fixture_sandbox(f, "s0", 0, true);
    pod->status = status_of(f, &in, pod, 111);
    PodStatus *s = status_of(f, &in, pod, 222);
    assert_int_equal(condition(s, "Ready")->last_transition_time->seconds, 111);
    fixture_container(f, "c1", "c", 0, SEEN_RUNNING, 0);
    s = status_of(f, &in, pod, 333);
    assert_int_equal(condition(s, "Ready")->last_transition_time->seconds, 333);
    assert_int_equal(condition(s, "Initialized")->last_transition_time->seconds, 111);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_phases),
                                        T(test_running),
                                        T(test_crash_loop),
                                        T(test_waiting_reasons),
                                        T(test_init),
                                        T(test_the_end_stays),
                                        T(test_times_move_only_with_the_status) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
