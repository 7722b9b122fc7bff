/* Rows of events. */
#include "api/meta/time.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/tables.h"

const struct table_column event_columns[] = {
    { .name = "Last Seen", .type = "string" },
    { .name = "Type", .type = "string" },
    { .name = "Reason", .type = "string" },
    { .name = "Object", .type = "string" },
    { .name = "Subobject", .type = "string", .priority = 1 },
    { .name = "Source", .type = "string", .priority = 1 },
    { .name = "Message", .type = "string" },
    { .name = "First Seen", .type = "string", .priority = 1 },
    { .name = "Count", .type = "string", .priority = 1 },
    { .name = "Name", .type = "string", .format = "name", .priority = 1 }
};

/* "pod/web": the kind in lower case. */
static struct str about(struct arena *a, const ObjectReference *o)
{
    if (o == NULL)
        return (struct str){ 0 };
    char *kind = text_new(a, text_of(o->kind));
    for (char *c = kind; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return text_empty(o->name) ? str_from(kind) : str_printf(a, "%s/%s", kind, o->name);
}

static struct str source(struct arena *a, const Event *event)
{
    const char *component = event->source == NULL ? "" : text_of(event->source->component);
    const char *host = event->source == NULL ? "" : text_of(event->source->host);
    if (component[0] == '\0')
        component = text_of(event->reporting_component);
    if (host[0] == '\0')
        host = text_of(event->reporting_instance);
    return host[0] == '\0' ? str_from(component) : str_printf(a, "%s, %s", component, host);
}

void event_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Event *event = object;
    struct arena *a = c->arena;
    int64_t at = event->event_time == NULL ? 0 : event->event_time->seconds;
    int64_t first = time_seconds(event->first_timestamp);
    int64_t last = time_seconds(event->last_timestamp);
    int64_t count = event->count;
    if (first == 0)
        first = at;
    if (event->series != NULL) {
        if (event->series->last_observed_time != NULL)
            last = event->series->last_observed_time->seconds;
        count = event->series->count;
    } else if (count == 0) {
        count = 1; /* a single event of the new API carries no count */
    }
    if (last == 0)
        last = first;
    out[0] = cell_str(time_age(a, last, c->now_wall_ns));
    out[1] = cell_text(event->type);
    out[2] = cell_text(event->reason);
    out[3] = cell_str(about(a, event->involved_object));
    out[4] = cell_text(event->involved_object == NULL ? "" : event->involved_object->field_path);
    out[5] = cell_str(source(a, event));
    out[6] = cell_str(str_trim(str_from(event->message)));
    out[7] = cell_str(time_age(a, first, c->now_wall_ns));
    out[8] = cell_number(count);
    out[9] = cell_name(object);
}
