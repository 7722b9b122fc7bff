/* Conditions through protobuf-c's descriptors: the field names are the same in every API type. */
#include "api/meta/condition.h"

#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "base/str.h"

static char **string_field(const ProtobufCMessageDescriptor *d, void *message, const char *name)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, name);
    if (f == NULL || f->type != PROTOBUF_C_TYPE_STRING)
        return NULL;
    return (char **)(void *)((char *)message + f->offset);
}

static const char *string_of(const void *message, const char *name)
{
    const ProtobufCMessage *base = message;
    union {
        const void *constant;
        void *plain;
    } m = { message }; /* string_field serves readers and writers */
    char **field = string_field(base->descriptor, m.plain, name);
    return field == NULL || *field == NULL ? "" : *field;
}

void *condition_find(const void *conditions, size_t count, const char *type)
{
    void *const *list = conditions;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(string_of(list[i], "type"), type) == 0)
            return list[i];
    }
    return NULL;
}

const char *condition_status(const void *conditions, size_t count, const char *type)
{
    const void *found = condition_find(conditions, count, type);
    return found == NULL ? NULL : string_of(found, "status");
}

bool condition_is_true(const void *conditions, size_t count, const char *type)
{
    const char *status = condition_status(conditions, count, type);
    return status != NULL && strcmp(status, "True") == 0;
}

static Time *time_of(struct arena *a, uint64_t now_wall_ns)
{
    Time *t = arena_new(a, Time);
    time__init(t);
    t->has_seconds = 1;
    t->seconds = (int64_t)(now_wall_ns / 1000000000);
    t->has_nanos = 1;
    return t;
}

static void set_time(const ProtobufCMessageDescriptor *d, void *message, const char *name, Time *t)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, name);
    if (f != NULL && f->type == PROTOBUF_C_TYPE_MESSAGE)
        memcpy((char *)message + f->offset, &t, sizeof(t));
}

static void set_string(struct arena *a, const ProtobufCMessageDescriptor *d, void *message,
                       const char *name, const char *value)
{
    char **field = string_field(d, message, name);
    if (field != NULL)
        *field = str_dup(a, str_from(value));
}

/* NULL: this type of condition does not say of which generation it is. */
static const ProtobufCFieldDescriptor *generation_field(const ProtobufCMessageDescriptor *d)
{
    return protobuf_c_message_descriptor_get_field_by_name(d, "observed_generation");
}

static int64_t generation_of(const void *message)
{
    const ProtobufCMessage *base = message;
    const ProtobufCFieldDescriptor *f = generation_field(base->descriptor);
    int64_t generation = 0;
    if (f != NULL)
        memcpy(&generation, (const char *)message + f->offset, sizeof(generation));
    return generation;
}

static void set_generation(const ProtobufCMessageDescriptor *d, void *message, int64_t generation)
{
    const ProtobufCFieldDescriptor *f = generation_field(d);
    const protobuf_c_boolean has = generation != 0;
    if (f == NULL)
        return;
    memcpy((char *)message + f->offset, &generation, sizeof(generation));
    memcpy((char *)message + f->quantifier_offset, &has, sizeof(has));
}

static bool same(const void *message, const struct condition_value *v)
{
    const char *reason = v->reason == NULL ? "" : v->reason;
    const char *text = v->message == NULL ? "" : v->message;
    const ProtobufCMessage *base = message;
    if (generation_field(base->descriptor) != NULL && generation_of(message) != v->generation)
        return false;
    return strcmp(string_of(message, "status"), v->status) == 0 &&
           strcmp(string_of(message, "reason"), reason) == 0 &&
           strcmp(string_of(message, "message"), text) == 0;
}

bool condition_set(struct arena *a, const void *descriptor, void *conditions, size_t *count,
                   const struct condition_value *value, uint64_t now_wall_ns)
{
    const ProtobufCMessageDescriptor *d = descriptor;
    void **old;
    memcpy(&old, conditions, sizeof(old));
    void *found = condition_find(old, *count, value->type);
    if (found != NULL && same(found, value))
        return false;

    ProtobufCMessage *made = arena_alloc(a, d->sizeof_message);
    if (found != NULL)
        memcpy(made, found, d->sizeof_message);
    else
        protobuf_c_message_init(d, made);
    Time *now = time_of(a, now_wall_ns);
    if (found == NULL || strcmp(string_of(found, "status"), value->status) != 0)
        set_time(d, made, "last_transition_time", now);
    set_time(d, made, "last_update_time", now);
    set_string(a, d, made, "type", value->type);
    set_string(a, d, made, "status", value->status);
    set_string(a, d, made, "reason", value->reason);
    set_string(a, d, made, "message", value->message);
    set_generation(d, made, value->generation);

    size_t made_count = *count + (found == NULL);
    void **list = arena_array(a, made_count, sizeof(void *));
    for (size_t i = 0; i < *count; i++)
        list[i] = old[i] == found ? (void *)made : old[i];
    if (found == NULL)
        list[made_count - 1] = made;
    memcpy(conditions, &list, sizeof(list));
    *count = made_count;
    return true;
}
