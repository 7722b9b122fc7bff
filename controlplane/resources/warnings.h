/* What is said of an object that is valid but hardly meant so, in upstream's words: the texts of
 * Warning headers. Private to controlplane/resources. */
#ifndef CONTROLPLANE_RESOURCES_WARNINGS_H
#define CONTROLPLANE_RESOURCES_WARNINGS_H

#include "controlplane/resources/registry.h"
#include "controlplane/resources/rules.h"

struct PodSpec;
struct PodTemplateSpec;

/* "PATH: " and the text after it. */
void warn_at(const struct resource_context *c, struct resource_warnings *out,
             const struct field_path *p, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A pod's, or with a path those of a template. */
void warn_pod(const struct resource_context *c, const struct PodSpec *spec,
              const struct ObjectMeta *meta, const struct field_path *template_path,
              struct resource_warnings *out);
/* Those of a workload's template, path "spec.template": on create, with one about the name (old:
 * NULL), and when an update moves the generation. */
void warn_workload(const struct resource_context *c, const void *object, const void *old,
                   const struct PodTemplateSpec *t, struct resource_warnings *out);
/* A name that becomes a hostname should be a DNS label. what: "the Pod's hostname". */
void warn_name(const struct resource_context *c, const char *name, const char *what,
               struct resource_warnings *out);

#endif
