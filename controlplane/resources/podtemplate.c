/* PodTemplates: a template stored for itself. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/strategies.h"
#include "controlplane/resources/warnings.h"

static void defaults(struct arena *a, void *object)
{
    PodTemplate *t = object;
    pod_template_defaults(a, message_ensure(a, &t->template_, &pod_template_spec__descriptor));
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    struct field_path path = path_field(NULL, "template");
    (void)c;
    pod_template_validate_any(((const PodTemplate *)object)->template_, &path, out);
}

static bool generation_changed(const void *object, const void *old)
{
    return !schema_equal(&schema_PodTemplateSpec, ((const PodTemplate *)object)->template_,
                         ((const PodTemplate *)old)->template_);
}

static void warnings(const struct resource_context *c, const void *object, const void *old,
                     struct resource_warnings *out)
{
    const PodTemplateSpec *t = ((const PodTemplate *)object)->template_;
    const struct field_path path = path_field(NULL, "template");
    (void)old;
    if (t != NULL && t->spec != NULL)
        warn_pod(c, t->spec, t->metadata, &path, out);
}

const struct resource_strategy pod_template_strategy = { .defaults = defaults,
                                                         .warnings = warnings,
                                                         .validate = validate,
                                                         .generation_changed = generation_changed };
