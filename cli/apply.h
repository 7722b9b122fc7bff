/* Private to apply: its options, and one object's way by the server's merge or by kubectl's. */
#ifndef CLI_APPLY_H
#define CLI_APPLY_H

#include "cli/act.h"

struct apply_options {
    struct manifest_flags manifests;
    bool server_side;
    bool force_conflicts;
    bool force;
    bool prune;
    bool overwrite;
    bool openapi_patch;
    bool managed_fields;
    const char *manager;
    const char *dry_run;
    const char *output;
    const char *validate;
    const char *selector;
    const char *subresource;
};

/* Who applies, where --field-manager does not say: kubectl's names, so that both tools may be used
 * on one object. */
#define APPLY_CLIENT_MANAGER "kubectl-client-side-apply"
#define APPLY_SERVER_MANAGER "kubectl"

/* One object by the three-way patch made here; CLI_OK, or CLI_FAILED with the reason said. */
int apply_by_client(struct act *a, const struct apply_options *o, struct act_object *object);
/* One object by server-side apply. */
int apply_by_server(struct act *a, const struct apply_options *o, struct act_object *object);

#endif
