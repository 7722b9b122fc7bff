/*
 * Managed fields of kinds that are stored as one (api/meta/view.h): an object has entries of both
 * versions, each with the names of its own. Of all other kinds these functions do what api/patch
 * does.
 */
#ifndef CONTROLPLANE_APISERVER_MANAGED_VIEWS_H
#define CONTROLPLANE_APISERVER_MANAGED_VIEWS_H

#include "api/meta/kinds.h"
#include "api/patch/managed.h"

/* managed_update by a kind; op is of its version, changes are in the names of the stored kind. */
void managed_views_update(struct arena *a, enum kind kind, struct managed *m,
                          const struct managed_operation *op, const struct field_changes *changes);
/* managed_apply by a kind; all of op and apply is in the names of the kind, conflicts come out in
 * those of each entry's version. */
int managed_views_apply(struct arena *a, enum kind kind, struct managed *m,
                        struct managed_operation *op, struct managed_apply *apply, struct err *e);

#endif
