/* A new node's taint, once. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"
#include "tests/unit/unit.h"

static void test_taint(void **state)
{
    (void)state;
    struct arena a;
    struct err e;
    arena_init(&a);
    Node *node = schema_new(&a, &schema_Node);
    struct admission q = {
        .arena = &a, .verb = ADMIT_CREATE, .kind = KIND_NODE, .object = node, .sub = ""
    };
    assert_int_equal(admit_node_taints(&q, &e), 0);
    assert_int_equal(node->spec->n_taints, 1);
    assert_string_equal(node->spec->taints[0]->key, "node.kubernetes.io/not-ready");
    assert_string_equal(node->spec->taints[0]->effect, "NoSchedule");
    assert_int_equal(admit_node_taints(&q, &e), 0);
    assert_int_equal(node->spec->n_taints, 1);
    node->spec->taints[0]->effect = str_dup(&a, str_lit("NoExecute"));
    assert_int_equal(admit_node_taints(&q, &e), 0);
    assert_int_equal(node->spec->n_taints, 2);
    node->spec->n_taints = 0;
    q.verb = ADMIT_UPDATE;
    assert_int_equal(admit_node_taints(&q, &e), 0);
    assert_int_equal(node->spec->n_taints, 0);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
