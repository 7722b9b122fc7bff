/* Default tolerations, and pods that say something themselves. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"
#include "tests/unit/unit.h"

static size_t admitted(struct arena *a, const char *key, const char *effect, bool any)
{
    struct err e;
    Pod *pod = schema_new(a, &schema_Pod);
    pod->spec = schema_new(a, &schema_PodSpec);
    if (any) {
        Toleration *t = schema_new(a, &schema_Toleration);
        t->key = str_dup(a, str_from(key));
        t->operator_ = str_dup(a, str_lit("Exists"));
        t->effect = str_dup(a, str_from(effect));
        pod->spec->tolerations = arena_array(a, 1, sizeof(t));
        pod->spec->tolerations[0] = t;
        pod->spec->n_tolerations = 1;
    }
    struct admission q = {
        .arena = a, .verb = ADMIT_CREATE, .kind = KIND_POD, .object = pod, .sub = ""
    };
    assert_int_equal(admit_default_tolerations(&q, &e), 0);
    return pod->spec->n_tolerations;
}

static void test_cases(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    assert_int_equal(admitted(&a, "", "", false), 2);
    assert_int_equal(admitted(&a, "other", "", true), 3);
    assert_int_equal(admitted(&a, "", "", true), 1); /* tolerates everything */
    assert_int_equal(admitted(&a, "node.kubernetes.io/not-ready", "", true), 2);
    assert_int_equal(admitted(&a, "node.kubernetes.io/not-ready", "NoExecute", true), 2);
    assert_int_equal(admitted(&a, "node.kubernetes.io/not-ready", "NoSchedule", true), 3);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
