/* The plugins and their order. */
#include "controlplane/apiserver/admission/admission.h"

/* Upstream's order. */
static int (*const plugins[])(struct admission *a, struct err *e) = {
    admit_namespace_lifecycle, admit_service_account, admit_node_taints,     admit_priority,
    admit_default_tolerations, admit_runtime_class,   admit_topology_labels,
};

int admission_run(struct admission *a, struct err *e)
{
    for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        int rc = plugins[i](a, e);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
