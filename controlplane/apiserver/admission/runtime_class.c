/* There are no runtime classes: a pod that wants one, or says what one costs, is refused. */
#include "api/proto/core.pb-c.h"
#include "controlplane/apiserver/admission/admission.h"

int admit_runtime_class(struct admission *a, struct err *e)
{
    const Pod *pod = a->object;
    if (a->kind != KIND_POD || a->verb != ADMIT_CREATE || pod->spec == NULL) {
        return 0;
    }
    if (pod->spec->runtime_class_name != NULL) {
        return err_set(e, ERR_FORBIDDEN, "pod rejected: RuntimeClass \"%s\" not found",
                       pod->spec->runtime_class_name);
    }
    if (pod->spec->n_overhead > 0) {
        return err_set(e, ERR_FORBIDDEN,
                       "pod rejected: Pod Overhead set without corresponding RuntimeClass defined "
                       "Overhead");
    }
    return 0;
}
