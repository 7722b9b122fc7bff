/* spec.priority from spec.priorityClassName. Of the classes only the two of the system exist yet:
 * PriorityClass comes with its kind; without a name the priority is 0. */
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

static const struct {
    const char *name;
    int32_t value;
} classes[] = {
    { "system-cluster-critical", 2000000000 },
    { "system-node-critical", 2000001000 },
};

static bool class_value(struct str name, int32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (str_eq_c(name, classes[i].name)) {
            *out = classes[i].value;
            return true;
        }
    }
    return name.len == 0;
}

int admit_priority(struct admission *a, struct err *e)
{
    int32_t value = 0;
    if (a->kind != KIND_POD || a->verb != ADMIT_CREATE) {
        return 0;
    }
    Pod *pod = a->object;
    if (pod->spec == NULL) {
        return 0; /* validation tells */
    }
    struct str name = str_from(pod->spec->priority_class_name);
    if (!class_value(name, &value)) {
        return err_set(e, ERR_FORBIDDEN, "no PriorityClass with name %.*s was found",
                       STR_ARG(name));
    }
    if (pod->spec->has_priority && pod->spec->priority != value) {
        return err_set(e, ERR_FORBIDDEN,
                       "the integer value of priority (%d) must not be provided in pod spec; "
                       "priority admission controller computed %d from the given PriorityClass "
                       "name",
                       pod->spec->priority, value);
    }
    pod->spec->has_priority = 1;
    pod->spec->priority = value;
    if (str_from(pod->spec->preemption_policy).len == 0) {
        pod->spec->preemption_policy = str_dup(a->arena, str_lit("PreemptLowerPriority"));
    }
    return 0;
}
