/* Creating in namespaces that are there, going, and missing; deleting those that must stay. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"
#include "tests/unit/unit.h"

static int read_namespace(struct admission *a, enum kind kind, struct str ns, struct str name,
                          bool guard, struct str *out)
{
    assert_int_equal(kind, KIND_NAMESPACE);
    assert_int_equal(ns.len, 0);
    assert_true(guard);
    if (str_eq_c(name, "missing")) {
        return -ERR_NOT_FOUND;
    }
    Namespace *n = schema_new(a->arena, &schema_Namespace);
    n->status = schema_new(a->arena, &schema_NamespaceStatus);
    n->status->phase =
        str_dup(a->arena, str_eq_c(name, "going") ? str_lit("Terminating") : str_lit("Active"));
    if (str_eq_c(name, "deleted")) {
        n->metadata = schema_new(a->arena, &schema_ObjectMeta);
        n->metadata->deletion_timestamp = schema_new(a->arena, &schema_Time);
    }
    *out = schema_pack_arena(a->arena, &schema_Namespace, n);
    return 0;
}

struct lifecycle_case {
    enum admission_verb verb;
    enum kind kind;
    const char *ns;
    const char *name;
    int rc;
};

static const struct lifecycle_case cases[] = {
    { ADMIT_CREATE, KIND_POD, "here", "p", 0 },
    { ADMIT_CREATE, KIND_POD, "missing", "p", -ERR_NOT_FOUND },
    { ADMIT_CREATE, KIND_POD, "going", "p", -ERR_FORBIDDEN },
    { ADMIT_CREATE, KIND_POD, "deleted", "p", -ERR_FORBIDDEN },
    { ADMIT_UPDATE, KIND_POD, "going", "p", 0 },
    { ADMIT_DELETE, KIND_POD, "going", "p", 0 },
    { ADMIT_CREATE, KIND_NODE, "", "n", 0 },
    { ADMIT_DELETE, KIND_NAMESPACE, "", "default", -ERR_FORBIDDEN },
    { ADMIT_DELETE, KIND_NAMESPACE, "", "kube-system", -ERR_FORBIDDEN },
    { ADMIT_DELETE, KIND_NAMESPACE, "", "kube-public", -ERR_FORBIDDEN },
    { ADMIT_DELETE, KIND_NAMESPACE, "", "mine", 0 },
};

static void test_cases(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct lifecycle_case *c = &cases[i];
        struct err e = { 0 };
        struct admission q = { .arena = &a,
                               .verb = c->verb,
                               .kind = c->kind,
                               .ns = str_from(c->ns),
                               .name = str_from(c->name),
                               .sub = "",
                               .read = read_namespace };
        assert_int_equal(admit_namespace_lifecycle(&q, &e), c->rc);
        if (str_eq_c(q.ns, "going") && c->rc != 0) {
            assert_true(str_eq_c(q.cause_reason, "NamespaceTerminating"));
            assert_string_equal(e.msg, "unable to create new content in namespace going because "
                                       "it is being terminated");
        }
    }
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
