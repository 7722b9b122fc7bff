/* No pod of a runtime class, and none with what such a class costs. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"
#include "tests/unit/unit.h"

static void test_refused(void **state)
{
    (void)state;
    struct arena a;
    struct err e = { 0 };
    arena_init(&a);
    Pod *pod = schema_new(&a, &schema_Pod);
    pod->spec = schema_new(&a, &schema_PodSpec);
    struct admission q = {
        .arena = &a, .verb = ADMIT_CREATE, .kind = KIND_POD, .object = pod, .sub = ""
    };
    assert_int_equal(admit_runtime_class(&q, &e), 0);
    pod->spec->runtime_class_name = str_dup(&a, str_lit("kata"));
    assert_int_equal(admit_runtime_class(&q, &e), -ERR_FORBIDDEN);
    assert_string_equal(e.msg, "pod rejected: RuntimeClass \"kata\" not found");
    q.verb = ADMIT_UPDATE; /* one that is there stays */
    assert_int_equal(admit_runtime_class(&q, &e), 0);
    q.verb = ADMIT_CREATE;
    pod->spec->runtime_class_name = NULL;
    pod->spec->n_overhead = 1;
    assert_int_equal(admit_runtime_class(&q, &e), -ERR_FORBIDDEN);
    assert_string_equal(e.msg, "pod rejected: Pod Overhead set without corresponding RuntimeClass "
                               "defined Overhead");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
