/* What the scheduler writes when the API refuses: the pod is decided again; the status is told
 * once. */
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

#define POD(cpu)                                                                                   \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{\"containers\":[{"         \
    "\"name\":"                                                                                    \
    "\"c\",\"resources\":{\"requests\":{\"cpu\":\"" cpu "\"}}}]}}"

struct refusals {
    int left;
    int code;
    int patches;
};

static int on_call(void *ctx, const struct client_call *call)
{
    struct refusals *r = ctx;

    r->patches += call->kind == KIND_POD && call->verb == CLIENT_PATCH;
    if (str_eq_c(call->subresource, "binding") && r->left > 0) {
        r->left--;
        return r->code;
    }
    return 0;
}

static void test_refused_bindings(void **state)
{
    static const int codes[] = { ERR_CONFLICT, ERR_FORBIDDEN, ERR_UNAVAILABLE, ERR_TIMEOUT };

    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct cluster c;
        struct refusals r = { .left = 2, .code = codes[i] };

        cluster_init(&c, i + 1, 2, true);
        c.api.refuse = on_call;
        c.api.refuse_ctx = &r;
        cluster_put(&c, KIND_POD, POD("1"));
        cluster_run(&c, 20000);
        assert_int_equal(r.left, 0);
        assert_int_equal(c.scheduling_events[SCHEDULING_BOUND], 1);
        /* What may have happened is sent again, not decided again. */
        assert_int_equal(c.scheduling_events[SCHEDULING_BIND_FAILED],
                         err_retryable(codes[i]) ? 0 : 2);
        cluster_deinit(&c);
    }
}

static void test_status_once(void **state)
{
    struct cluster c;
    struct refusals r = { 0 };

    (void)state; /* no shared fixture */
    cluster_init(&c, 9, 1, true);
    c.api.refuse = on_call;
    c.api.refuse_ctx = &r;
    cluster_put(&c, KIND_POD, POD("64"));
    cluster_run(&c, 700000); /* flushed twice from the unschedulable ones */
    assert_true(c.scheduling_events[SCHEDULING_UNSCHEDULABLE] >= 2);
    assert_int_equal(r.patches, 1);
    assert_true(cluster_event(&c, "p", "FailedScheduling")->count >= 2);
    cluster_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused_bindings),
                                        cmocka_unit_test(test_status_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
