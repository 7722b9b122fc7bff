/* Every pod tolerates a node that is not ready or not reachable for five minutes, unless it says
 * something about that itself. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

#define TOLERATION_SECONDS 300

static const char *const keys[] = {
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
};

static bool says_something(const PodSpec *spec, const char *key)
{
    for (size_t i = 0; i < spec->n_tolerations; i++) {
        const Toleration *t = spec->tolerations[i];
        struct str have = str_from(t->key);
        struct str effect = str_from(t->effect);
        if ((have.len == 0 || str_eq_c(have, key)) &&
            (effect.len == 0 || str_eq_c(effect, "NoExecute"))) {
            return true;
        }
    }
    return false;
}

static void add(struct arena *a, PodSpec *spec, const char *key)
{
    Toleration **list = arena_array(a, spec->n_tolerations + 1, sizeof(*list));
    for (size_t i = 0; i < spec->n_tolerations; i++) {
        list[i] = spec->tolerations[i];
    }
    Toleration *t = schema_new(a, &schema_Toleration);
    t->key = str_dup(a, str_from(key));
    t->operator_ = str_dup(a, str_lit("Exists"));
    t->effect = str_dup(a, str_lit("NoExecute"));
    t->has_toleration_seconds = 1;
    t->toleration_seconds = TOLERATION_SECONDS;
    list[spec->n_tolerations++] = t;
    spec->tolerations = list;
}

int admit_default_tolerations(struct admission *a, struct err *e)
{
    (void)e;
    Pod *pod = a->object;
    if (a->kind != KIND_POD || a->verb != ADMIT_CREATE || pod->spec == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!says_something(pod->spec, keys[i])) {
            add(a->arena, pod->spec, keys[i]);
        }
    }
    return 0;
}
