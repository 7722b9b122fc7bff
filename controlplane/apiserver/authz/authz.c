/* Everybody who is somebody may do everything, until RBAC comes. Nobody is asked about in reviews
 * only: authn refuses who has no certificate. */
#include "controlplane/apiserver/authz/authz.h"

#include "controlplane/apiserver/authn/authn.h"

bool authz_allow(const struct authz_request *q)
{
    struct str user = q->identity->user;
    return user.len > 0 && !str_eq_c(user, "system:anonymous");
}
