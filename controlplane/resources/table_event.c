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

/* Of a series, or of the two times and the count of the old API. */
struct seen {
    int64_t first; /* seconds; 0: unknown */
    int64_t last;
    int64_t count;
};

static struct seen seen_of(const Event *event)
{
    int64_t at = event->event_time == NULL ? 0 : event->event_time->seconds;
    int64_t first = time_seconds(event->first_timestamp);
    int64_t last = time_seconds(event->last_timestamp);
    struct seen s = { .first = first == 0 ? at : first };
    if (event->series != NULL) {
        const MicroTime *observed = event->series->last_observed_time;
        s.last = observed == NULL ? 0 : observed->seconds;
        s.count = event->series->count;
        return s;
    }
    s.last = last == 0 ? s.first : last;
    s.count = event->count == 0 ? 1 : event->count; /* a single event of the new API has none */
    return s;
}

void event_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Event *event = object;
    struct arena *a = c->arena;
    const struct seen seen = seen_of(event);
    out[0] = cell_str(time_age(a, seen.last, c->now_wall_ns));
    out[1] = cell_text(event->type);
    out[2] = cell_text(event->reason);
    out[3] = cell_str(about(a, event->involved_object));
    out[4] = cell_text(event->involved_object == NULL ? "" : event->involved_object->field_path);
    out[5] = cell_str(source(a, event));
    out[6] = cell_str(str_trim(str_from(event->message)));
    out[7] = cell_str(time_age(a, seen.first, c->now_wall_ns));
    out[8] = cell_number(seen.count);
    out[9] = cell_name(object);
}
