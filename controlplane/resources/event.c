/*
 * Events. Both groups that show them check the same rows: the core group loosely, as it always
 * did; events.k8s.io also what a new event must say, and that later only its series changes.
 */
#include "api/meta/peek.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

#define NAME_CHARACTERS_MAX 128 /* of reportingInstance, action and reason */
#define NOTE_CHARACTERS_MAX 1024

static void defaults(struct arena *a, void *object)
{
    Event *event = object;
    (void)message_ensure(a, &event->involved_object, &object_reference__descriptor);
    (void)message_ensure(a, &event->source, &event_source__descriptor);
}

static bool time_set(const Time *t)
{
    return t != NULL && t->has_seconds;
}

static bool micro_time_set(const MicroTime *t)
{
    return t != NULL && t->has_seconds;
}

/* Upstream shows no value of what is too long or should not be there. */
static void refuse(struct err_list *out, const char *field, const char *detail)
{
    struct field_path p = path_field(NULL, field);
    rule_invalid_text(out, &p, "", detail);
}

static void require(struct err_list *out, const char *field, const char *value, bool bounded)
{
    struct field_path p = path_field(NULL, field);
    if (text_empty(value))
        rule_required(out, &p, "");
    if (bounded && str_from(value).len > NAME_CHARACTERS_MAX)
        refuse(out, field, "can have at most 128 characters");
}

static void check_namespace(const Event *event, bool matches, struct err_list *out)
{
    struct field_path involved = path_field(NULL, "involvedObject");
    struct field_path p = path_field(&involved, "namespace");
    if (!matches)
        rule_invalid_text(out, &p, event->involved_object->namespace_,
                          "does not match event.namespace");
}

/* Events with an eventTime are of the new form, by whichever group they come. */
static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const Event *event = object;
    const char *namespace = text_of(event->metadata->namespace_);
    const char *about = text_of(event->involved_object->namespace_);
    bool at_default = text_eq(namespace, "default");
    (void)c;
    if (!micro_time_set(event->event_time)) {
        /* About a cluster-scoped object: the default namespace. */
        check_namespace(event, text_empty(about) ? at_default : text_eq(namespace, about), out);
        return;
    }
    check_namespace(event, !text_empty(about) || at_default || text_eq(namespace, "kube-system"),
                    out);
    struct field_path controller = path_field(NULL, "reportingController");
    require(out, "reportingController", event->reporting_component, false);
    (void)check_name(out, &controller, text_of(event->reporting_component), name_qualified);
    require(out, "reportingInstance", event->reporting_instance, true);
    require(out, "action", event->action, true);
    require(out, "reason", event->reason, true);
    if (str_from(event->message).len > NOTE_CHARACTERS_MAX)
        refuse(out, "message", "can have at most 1024 characters");
}

static void check_series(const Event *event, struct err_list *out)
{
    struct field_path last = path_field(NULL, "series.lastObservedTime");
    if (event->series == NULL)
        return;
    if (event->series->count < 2)
        refuse(out, "series.count", "should be at least 2");
    if (!micro_time_set(event->series->last_observed_time))
        rule_required(out, &last, "");
}

static void validate_new(const struct resource_context *c, const void *object, struct err_list *out)
{
    static const char unset[] = "needs to be unset";
    const Event *event = object;
    struct field_path time = path_field(NULL, "eventTime");
    check_series(event, out);
    if (!micro_time_set(event->event_time))
        rule_required(out, &time, "");
    if (!text_eq(event->type, "Normal") && !text_eq(event->type, "Warning"))
        refuse(
            out, "type",
            str_dup(c->arena, str_printf(c->arena, "has invalid value: %s", text_of(event->type))));
    if (time_set(event->first_timestamp))
        refuse(out, "firstTimestamp", unset);
    if (time_set(event->last_timestamp))
        refuse(out, "lastTimestamp", unset);
    if (event->count != 0)
        refuse(out, "count", unset);
    if (!text_empty(event->source->component) || !text_empty(event->source->host))
        refuse(out, "source", unset);
}

/* What no update moves, as fields of the stored message; upstream's names and order. */
static const struct {
    const char *name;
    uint32_t number;
    const struct schema *schema; /* NULL: text or a number */
} frozen[] = { { "involvedObject", 2, &schema_ObjectReference },
               { "reason", 3, NULL },
               { "message", 4, NULL },
               { "source", 5, &schema_EventSource },
               { "firstTimestamp", 6, &schema_Time },
               { "lastTimestamp", 7, &schema_Time },
               { "count", 8, NULL },
               { "type", 9, NULL },
               { "eventTime", 10, &schema_MicroTime },
               { "action", 12, NULL },
               { "related", 13, &schema_ObjectReference },
               { "reportingController", 14, NULL },
               { "reportingInstance", 15, NULL } };

#define SERIES 11

static bool same_field(struct str a, struct str b, uint32_t number)
{
    struct peek_field fa;
    struct peek_field fb;
    bool in_a = peek_field(a, number, &fa);
    bool in_b = peek_field(b, number, &fb);
    if (!in_a || !in_b)
        return in_a == in_b;
    return fa.wire == PEEK_BYTES ? str_eq(fa.bytes, fb.bytes) : fa.number_value == fb.number_value;
}

static const char *time_shown(struct arena *a, struct str time, bool micro)
{
    char text[TIME_TEXT_MAX];
    struct peek_field seconds;
    struct peek_field nanos;
    if (!peek_field(time, 1, &seconds))
        return "null";
    bool fraction = micro && peek_field(time, 2, &nanos);
    if (fraction)
        (void)time_format_micro((int64_t)seconds.number_value, (int32_t)nanos.number_value, text);
    else
        (void)time_format((int64_t)seconds.number_value, text);
    return text_quoted(a, text);
}

static const char *shown(struct arena *a, struct str payload, size_t row)
{
    struct peek_field f;
    struct buf b;
    if (!peek_field(payload, frozen[row].number, &f))
        return "null";
    if (f.wire != PEEK_BYTES)
        return str_dup(a, str_printf(a, "%lld", (long long)f.number_value));
    if (frozen[row].schema == NULL)
        return text_quoted(a, str_dup(a, f.bytes));
    if (frozen[row].schema->form != SCHEMA_FORM_OBJECT)
        return time_shown(a, f.bytes, frozen[row].schema == &schema_MicroTime);
    struct err e;
    buf_init(&b);
    int rc = schema_encode_json(&b, frozen[row].schema, f.bytes, NULL, &e);
    const char *text = rc == 0 ? str_dup(a, buf_str(&b)) : "null";
    buf_deinit(&b);
    return text;
}

static void validate_frozen(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    struct str now = schema_pack_arena(c->arena, &schema_Event, object);
    struct str before = schema_pack_arena(c->arena, &schema_Event, old);
    if (!same_field(now, before, SERIES))
        check_series(object, out);
    for (size_t i = 0; i < sizeof(frozen) / sizeof(frozen[0]); i++) {
        struct field_path p = path_field(NULL, frozen[i].name);
        if (!same_field(now, before, frozen[i].number))
            rule_invalid(out, &p, shown(c->arena, now, i), "field is immutable");
    }
}

const struct resource_strategy event_strategy = { .defaults = defaults, .validate = validate };

const struct resource_strategy events_event_strategy = { .defaults = defaults,
                                                         .validate = validate,
                                                         .validate_create = validate_new,
                                                         .validate_update = validate_frozen };
