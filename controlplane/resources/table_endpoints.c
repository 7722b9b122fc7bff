/* Rows of Endpoints and EndpointSlices: the first few addresses, and how many more there are. */
#include "api/proto/core.pb-c.h"
#include "api/proto/endpointslice.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/tables.h"

/* As many as upstream shows. */
#define SHOWN_MAX 3

const struct table_column endpoints_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Endpoints", .type = "string" },
    { .name = "Age", .type = "string" }
};

const struct table_column endpoint_slice_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "AddressType", .type = "string" },
    { .name = "Ports", .type = "string" },
    { .name = "Endpoints", .type = "string" },
    { .name = "Age", .type = "string" }
};

/* "a,b,c + 2 more..." */
struct shown {
    struct buf text;
    size_t count;
};

static void shown_add(struct shown *s, struct str item)
{
    if (s->count < SHOWN_MAX) {
        buf_append_c(&s->text, s->count > 0 ? "," : "");
        buf_append_str(&s->text, item);
    }
    s->count++;
}

static struct table_cell shown_cell(struct arena *a, struct shown *s, const char *when_empty)
{
    if (s->count > SHOWN_MAX)
        buf_printf(&s->text, " + %zu more...", s->count - SHOWN_MAX);
    struct str text = s->text.len == 0 ? str_from(when_empty) : str_copy(a, buf_str(&s->text));
    buf_deinit(&s->text);
    return cell_str(text);
}

static struct str host_port(struct arena *a, const char *ip, int port)
{
    bool v6 = str_find_char(str_from(ip), ':', 0) >= 0;
    return str_printf(a, "%s%s%s:%d", v6 ? "[" : "", ip, v6 ? "]" : "", port);
}

static void show_subset(struct arena *a, const EndpointSubset *subset, struct shown *out)
{
    for (size_t i = 0; subset->n_ports == 0 && i < subset->n_addresses; i++)
        shown_add(out, str_from(text_of(subset->addresses[i]->ip)));
    for (size_t p = 0; p < subset->n_ports; p++) {
        for (size_t i = 0; i < subset->n_addresses; i++)
            shown_add(out, host_port(a, text_of(subset->addresses[i]->ip), subset->ports[p]->port));
    }
}

void endpoints_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const Endpoints *e = object;
    struct shown shown = { .count = 0 };
    buf_init(&shown.text);
    for (size_t i = 0; i < e->n_subsets; i++)
        show_subset(c->arena, e->subsets[i], &shown);
    out[0] = cell_name(object);
    out[1] = shown_cell(c->arena, &shown, e->n_subsets == 0 ? "<none>" : "");
    out[2] = cell_age(c, object);
}

/* A port without a number is every port, or what its name means to the pod. */
static struct str shown_port(struct arena *a, const DiscoveryEndpointPort *port)
{
    if (port->has_port)
        return str_printf(a, "%d", port->port);
    return str_from(port->name == NULL ? "*" : port->name);
}

void endpoint_slice_cells(const struct resource_context *c, const void *object,
                          struct table_cell *out)
{
    const EndpointSlice *slice = object;
    struct shown ports = { .count = 0 };
    struct shown addresses = { .count = 0 };
    buf_init(&ports.text);
    buf_init(&addresses.text);
    for (size_t i = 0; i < slice->n_ports; i++)
        shown_add(&ports, shown_port(c->arena, slice->ports[i]));
    for (size_t i = 0; i < slice->n_endpoints; i++) {
        for (size_t j = 0; j < slice->endpoints[i]->n_addresses; j++)
            shown_add(&addresses, str_from(text_of(slice->endpoints[i]->addresses[j])));
    }
    out[0] = cell_name(object);
    out[1] = cell_text(slice->address_type);
    out[2] = shown_cell(c->arena, &ports, "<unset>");
    out[3] = shown_cell(c->arena, &addresses, "<unset>");
    out[4] = cell_age(c, object);
}
