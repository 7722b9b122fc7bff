/* spec.priority from the class name. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"
#include "tests/unit/unit.h"

struct priority_case {
    const char *class_name;
    int given; /* -1: none */
    int rc;
    int32_t priority;
};

static const struct priority_case cases[] = {
    { NULL, -1, 0, 0 },
    { "", 0, 0, 0 },
    { "system-cluster-critical", -1, 0, 2000000000 },
    { "system-node-critical", -1, 0, 2000001000 },
    { "mine", -1, -ERR_FORBIDDEN, 0 },
    { NULL, 5, -ERR_FORBIDDEN, 0 },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct priority_case *c = &cases[i];
        struct arena a;
        struct err e = { 0 };
        arena_init(&a);
        Pod *pod = schema_new(&a, &schema_Pod);
        pod->spec = schema_new(&a, &schema_PodSpec);
        pod->spec->priority_class_name =
            c->class_name == NULL ? NULL : str_dup(&a, str_from(c->class_name));
        pod->spec->has_priority = c->given >= 0;
        pod->spec->priority = c->given;
        struct admission q = {
            .arena = &a, .verb = ADMIT_CREATE, .kind = KIND_POD, .object = pod, .sub = ""
        };
        assert_int_equal(admit_priority(&q, &e), c->rc);
        if (c->rc == 0) {
            assert_int_equal(pod->spec->priority, c->priority);
            assert_string_equal(pod->spec->preemption_policy, "PreemptLowerPriority");
        }
        q.verb = ADMIT_UPDATE;
        assert_int_equal(admit_priority(&q, &e), 0);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
