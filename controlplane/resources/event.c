/* Events (core/v1): they lie in the namespace of what they are about. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

static void defaults(struct arena *a, void *object)
{
    Event *event = object;
    (void)message_ensure(a, &event->involved_object, &object_reference__descriptor);
    (void)message_ensure(a, &event->source, &event_source__descriptor);
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Event *event = object;
    const char *namespace = text_of(event->metadata->namespace_);
    const char *about = text_of(event->involved_object->namespace_);
    struct field_path involved = path_field(NULL, "involvedObject");
    struct field_path p = path_field(&involved, "namespace");
    (void)c;
    /* About a cluster-scoped object: the default namespace. */
    if (text_empty(about) ? !text_eq(namespace, "default") : !text_eq(namespace, about))
        rule_invalid_text(out, &p, about, "does not match event.namespace");
}

const struct resource_strategy event_strategy = { .defaults = defaults, .validate = validate };
