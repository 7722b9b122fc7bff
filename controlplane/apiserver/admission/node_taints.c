/* A new node is not ready: no pod goes there until its agent has said otherwise. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

static const char taint_key[] = "node.kubernetes.io/not-ready";
static const char taint_effect[] = "NoSchedule";

int admit_node_taints(struct admission *a, struct err *e)
{
    (void)e;
    if (a->kind != KIND_NODE || a->verb != ADMIT_CREATE) {
        return 0;
    }
    Node *node = a->object;
    if (node->spec == NULL) {
        node->spec = schema_new(a->arena, &schema_NodeSpec);
    }
    for (size_t i = 0; i < node->spec->n_taints; i++) {
        const Taint *t = node->spec->taints[i];
        if (str_eq_c(str_from(t->key), taint_key) && str_eq_c(str_from(t->effect), taint_effect)) {
            return 0;
        }
    }
    Taint **taints = arena_array(a->arena, node->spec->n_taints + 1, sizeof(*taints));
    for (size_t i = 0; i < node->spec->n_taints; i++) {
        taints[i] = node->spec->taints[i];
    }
    Taint *t = schema_new(a->arena, &schema_Taint);
    t->key = str_dup(a->arena, str_from(taint_key));
    t->effect = str_dup(a->arena, str_from(taint_effect));
    taints[node->spec->n_taints++] = t;
    node->spec->taints = taints;
    return 0;
}
