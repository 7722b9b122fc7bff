/* Nothing is created in a namespace that does not exist or is going away; the namespaces that the
 * cluster stands on are not deleted. */
#include "api/meta/object.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "controlplane/apiserver/admission/admission.h"

static bool immortal(struct str name)
{
    return str_eq_c(name, "default") || str_eq_c(name, "kube-system") ||
           str_eq_c(name, "kube-public");
}

/* Looked at in its bytes: this is asked for every object that is created. */
static bool terminating(struct str namespace)
{
    static const uint8_t status_phase[] = { 3, 1, 0 };
    struct object_meta meta;
    object_meta_scan(namespace, &meta);
    return meta.deleting || str_eq_c(peek_string(namespace, status_phase), "Terminating");
}

int admit_namespace_lifecycle(struct admission *a, struct err *e)
{
    struct str found;
    if (a->verb == ADMIT_DELETE && a->kind == KIND_NAMESPACE && immortal(a->name)) {
        return err_set(e, ERR_FORBIDDEN, "this namespace may not be deleted");
    }
    if (a->verb != ADMIT_CREATE || a->ns.len == 0) {
        return 0;
    }
    int rc = a->read(a, KIND_NAMESPACE, str_lit(""), a->ns, true, &found);
    if (rc == -ERR_NOT_FOUND) {
        return err_set(e, ERR_NOT_FOUND, "namespaces \"%.*s\" not found", STR_ARG(a->ns));
    }
    if (rc != 0) {
        return err_set(e, (enum err_code) - rc, "namespaces \"%.*s\" cannot be read",
                       STR_ARG(a->ns));
    }
    if (!terminating(found)) {
        return 0;
    }
    a->cause_reason = str_lit("NamespaceTerminating");
    a->cause_message = str_printf(a->arena, "namespace %.*s is being terminated", STR_ARG(a->ns));
    a->cause_field = str_lit("metadata.namespace");
    return err_set(e, ERR_FORBIDDEN,
                   "unable to create new content in namespace %.*s because it is being terminated",
                   STR_ARG(a->ns));
}
