/* Rules of metadata, the same for every kind. */
#ifndef CONTROLPLANE_RESOURCES_METADATA_H
#define CONTROLPLANE_RESOURCES_METADATA_H

#include <stdbool.h>

#include "api/meta/names.h"
#include "controlplane/resources/rules.h"

struct ObjectMeta;
struct err_list;

/* All keys and values of annotations together. */
#define METADATA_ANNOTATIONS_BYTES_MAX (256u << 10)

typedef bool name_syntax_fn(struct str value, struct name_messages *m);

/* name: the kind's syntax. path: "metadata", or "spec.template.metadata". */
void metadata_validate(const struct ObjectMeta *m, bool namespaced, name_syntax_fn *name,
                       const struct field_path *path, struct err_list *out);
void metadata_validate_update(const struct ObjectMeta *m, const struct ObjectMeta *old,
                              const struct field_path *path, struct err_list *out);
/* Labels and annotations alone: what a template's metadata must satisfy. */
void metadata_validate_labels(const void *entries, size_t count, const struct field_path *path,
                              struct err_list *out);
void metadata_validate_annotations(const struct ObjectMeta *m, const struct field_path *path,
                                   struct err_list *out);
/* Only the system's own finalizers do without a domain in front. */
void metadata_check_finalizer_domain(const struct field_path *p, const char *name,
                                     struct err_list *out);

#endif
