/* Binding: the only way a pod gets its node. What it does to the pod is the API server's matter. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

static void defaults(struct arena *a, void *object)
{
    Binding *binding = object;
    (void)message_ensure(a, &binding->target, &object_reference__descriptor);
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ObjectReference *target = ((const Binding *)object)->target;
    static const char *const kinds[] = { "Node", "<empty>", NULL };
    struct field_path path = path_field(NULL, "target");
    struct field_path kind = path_field(&path, "kind");
    struct field_path name = path_field(&path, "name");
    (void)c;
    if (!text_empty(target->kind) && !text_eq(target->kind, "Node"))
        rule_not_supported(out, &kind, target->kind, kinds);
    if (text_empty(target->name))
        rule_required(out, &name, "");
}

const struct resource_strategy binding_strategy = { .defaults = defaults, .validate = validate };
