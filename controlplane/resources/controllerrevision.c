/* ControllerRevisions: what a controller's template once was; it never changes. */
#include "api/proto/apps.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ControllerRevision *revision = object;
    struct field_path data = path_field(NULL, "data");
    struct field_path number = path_field(NULL, "revision");
    (void)c;
    if (revision->data == NULL || revision->data->raw.len == 0)
        rule_required(out, &data, "data is mandatory");
    (void)check_not_negative(out, &number, revision->revision);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const RawExtension *data = ((const ControllerRevision *)object)->data;
    const RawExtension *was = ((const ControllerRevision *)old)->data;
    struct field_path path = path_field(NULL, "data");
    (void)c;
    if (data == NULL || was == NULL || schema_equal(&schema_RawExtension, data, was))
        return;
    struct str shown = str_of(data->raw.data, data->raw.len); /* JSON itself */
    rule_invalid(out, &path, str_dup(out->arena, shown), "field is immutable");
}

const struct resource_strategy controller_revision_strategy = { .validate = validate,
                                                                .validate_update =
                                                                    validate_update };
