/* LimitRanges as data: bounds that do not contradict each other. Nothing is bounded yet. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/quantities.h"
#include "controlplane/resources/strategies.h"

static struct quantities max_of(const LimitRangeItem *i)
{
    return (struct quantities){ .entries = i->max, .count = i->n_max };
}

static struct quantities min_of(const LimitRangeItem *i)
{
    return (struct quantities){ .entries = i->min, .count = i->n_min };
}

static struct quantities default_of(const LimitRangeItem *i)
{
    return (struct quantities){ .entries = i->default_, .count = i->n_default_ };
}

static struct quantities request_of(const LimitRangeItem *i)
{
    return (struct quantities){ .entries = i->default_request, .count = i->n_default_request };
}

static struct quantities ratio_of(const LimitRangeItem *i)
{
    return (struct quantities){ .entries = i->max_limit_request_ratio,
                                .count = i->n_max_limit_request_ratio };
}

static void defaults(struct arena *a, void *object)
{
    LimitRange *range = object;
    LimitRangeSpec *spec = message_ensure(a, &range->spec, &limit_range_spec__descriptor);
    for (size_t i = 0; i < spec->n_limits; i++) {
        LimitRangeItem *item = spec->limits[i];
        if (!text_eq(item->type, "Container"))
            continue;
        const struct quantities max = max_of(item);
        quantities_add_missing(a, &item->default_, &item->n_default_,
                               &limit_range_item__default_entry__descriptor, &max);
        const struct quantities limits = default_of(item);
        const struct quantities min = min_of(item);
        quantities_add_missing(a, &item->default_request, &item->n_default_request,
                               &limit_range_item__default_request_entry__descriptor, &limits);
        quantities_add_missing(a, &item->default_request, &item->n_default_request,
                               &limit_range_item__default_request_entry__descriptor, &min);
    }
}

/* ---- one resource of one item ---- */

enum bound { MIN, MAX, DEFAULT, REQUEST, RATIO, BOUNDS };

static const char *const fields[BOUNDS] = { "min", "max", "default", "defaultRequest",
                                            "maxLimitRequestRatio" };

struct bounds {
    bool has[BOUNDS];
    struct quantity value[BOUNDS];
};

/* An item's five maps. */
struct maps {
    struct quantities all[BOUNDS];
    struct keys names[BOUNDS];
};

static struct maps maps_of(struct arena *a, const LimitRangeItem *item)
{
    struct maps m = { .all = { min_of(item), max_of(item), default_of(item), request_of(item),
                               ratio_of(item) } };
    for (int b = 0; b < BOUNDS; b++)
        m.names[b] = quantities_names(a, &m.all[b]);
    return m;
}

static void bounds_read(const struct maps *m, const char *name, struct bounds *out)
{
    for (int b = 0; b < BOUNDS; b++)
        out->has[b] = quantities_find(&m->all[b], &m->names[b], name, &out->value[b]);
}

static bool above(const struct bounds *b, enum bound low, enum bound high)
{
    return b->has[low] && b->has[high] && quantity_cmp(&b->value[low], &b->value[high]) > 0;
}

static void add(struct err_list *out, const struct field_path *item, enum bound at,
                const char *name, const struct quantity *shown, struct str detail)
{
    struct field_path field = path_field(item, fields[at]);
    struct field_path p = path_key(&field, name);
    rule_invalid_text(out, &p, quantity_shown(out->arena, shown), str_dup(out->arena, detail));
}

static void check_order(const struct bounds *b, const char *name, const struct field_path *item,
                        struct err_list *out)
{
    static const struct {
        enum bound low;
        enum bound high;
        enum bound at;    /* the field that is blamed */
        enum bound shown; /* the value that is shown */
        const char *form;
    } rules[] = {
        { MIN, MAX, MIN, MIN, "min value %s is greater than max value %s" },
        { MIN, REQUEST, REQUEST, REQUEST, "min value %s is greater than default request value %s" },
        { REQUEST, MAX, REQUEST, REQUEST, "default request value %s is greater than max value %s" },
        { REQUEST, DEFAULT, REQUEST, REQUEST,
          "default request value %s is greater than default limit value %s" },
        { MIN, DEFAULT, DEFAULT, MIN, "min value %s is greater than default value %s" },
        { DEFAULT, MAX, DEFAULT, MAX, "default value %s is greater than max value %s" }
    };
    struct arena *a = out->arena;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (above(b, rules[i].low, rules[i].high))
            add(out, item, rules[i].at, name, &b->value[rules[i].shown],
                str_printf(a, rules[i].form, quantity_shown(a, &b->value[rules[i].low]),
                           quantity_shown(a, &b->value[rules[i].high])));
    }
}

static void check_ratio(const struct bounds *b, const char *name, const struct field_path *item,
                        struct err_list *out)
{
    const struct quantity one = quantity_of_value(1, QUANTITY_DECIMAL);
    struct arena *a = out->arena;
    if (!b->has[RATIO])
        return;
    const char *shown = quantity_shown(a, &b->value[RATIO]);
    if (quantity_cmp(&b->value[RATIO], &one) < 0)
        add(out, item, RATIO, name, &b->value[RATIO],
            str_printf(a, "ratio %s is less than 1", shown));
    if (!b->has[MIN] || !b->has[MAX] || b->value[MIN].nanos == 0)
        return;
    double widest = (double)b->value[MAX].nanos / (double)b->value[MIN].nanos;
    if ((double)quantity_value(&b->value[RATIO]) > widest)
        add(out, item, RATIO, name, &b->value[RATIO],
            str_printf(a, "ratio %s is greater than max/min = %f", shown, widest));
}

static void check_resource(const struct maps *limits, const char *name,
                           const struct field_path *item, struct err_list *out)
{
    struct bounds b = { 0 };
    struct arena *a = out->arena;
    bounds_read(limits, name, &b);
    check_order(&b, name, item, out);
    check_ratio(&b, name, item, out);
    if (!resource_overcommits(name) && b.has[DEFAULT] && b.has[REQUEST] &&
        quantity_cmp(&b.value[DEFAULT], &b.value[REQUEST]) != 0)
        add(out, item, REQUEST, name, &b.value[REQUEST],
            str_printf(a, "default value %s must equal to defaultRequest value %s in %s",
                       quantity_shown(a, &b.value[DEFAULT]), quantity_shown(a, &b.value[REQUEST]),
                       name));
}

/* ---- one item ---- */

static void check_names(const LimitRangeItem *item, const struct quantities *all, enum bound b,
                        const struct field_path *up, struct err_list *out)
{
    struct field_path field = path_field(up, fields[b]);
    bool containers = text_eq(item->type, "Pod") || text_eq(item->type, "Container");
    for (size_t i = 0; i < all->count; i++) {
        const char *name = quantities_key(all, i);
        struct field_path p = path_key(&field, name);
        if (containers)
            check_container_resource_name(out, &p, name);
        else
            (void)check_resource_name(out, &p, name);
    }
}

static void check_all_names(const LimitRangeItem *item, const struct field_path *p,
                            struct err_list *out)
{
    const struct quantities all[BOUNDS] = { min_of(item), max_of(item), default_of(item),
                                            request_of(item), ratio_of(item) };
    bool pod = text_eq(item->type, "Pod");
    for (int b = 0; b < BOUNDS; b++) {
        struct field_path field = path_field(p, fields[b]);
        if (!pod || (b != DEFAULT && b != REQUEST))
            check_names(item, &all[b], (enum bound)b, p, out);
        else if (all[b].count > 0)
            rule_forbidden(out, &field, "may not be specified when `type` is 'Pod'");
    }
}

/* In a map before this one, or in this one at an earlier place. */
static bool earlier(const struct maps *m, int map, size_t at, const char *name)
{
    for (int b = 0; b < map; b++) {
        if (keys_have(&m->names[b], name))
            return true;
    }
    return keys_repeated(&m->names[map], at);
}

/* Every resource that any list names, once. */
static void check_resources(const LimitRangeItem *item, const struct field_path *p,
                            struct err_list *out)
{
    const struct maps m = maps_of(out->arena, item);
    for (int map = 0; map < BOUNDS; map++) {
        for (size_t i = 0; i < m.all[map].count; i++) {
            const char *name = quantities_key(&m.all[map], i);
            if (!earlier(&m, map, i, name))
                check_resource(&m, name, p, out);
        }
    }
}

static void check_type(const LimitRangeItem *item, bool taken, const struct field_path *up,
                       struct err_list *out)
{
    static const char *const types[] = { "Pod", "Container", "PersistentVolumeClaim", NULL };
    const char *type = text_of(item->type);
    struct field_path p = path_field(up, "type");
    bool known = strchr(type, '/') != NULL;
    for (size_t i = 0; types[i] != NULL; i++)
        known = known || text_eq(type, types[i]);
    if (check_name(out, &p, type, name_qualified) && !known)
        rule_invalid_text(out, &p, type, "must be a standard limit type or fully qualified");
    if (taken)
        rule_duplicate(out, &p, type);
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const LimitRangeSpec *spec = ((const LimitRange *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path list = path_field(&path, "limits");
    struct quantity ignored;
    struct keys types = keys_new(c->arena, spec->n_limits);
    for (size_t i = 0; i < spec->n_limits; i++)
        keys_add(&types, (struct key){ .text = spec->limits[i]->type });
    keys_sort(&types);
    for (size_t i = 0; i < spec->n_limits; i++) {
        const LimitRangeItem *item = spec->limits[i];
        const struct quantities min = min_of(item);
        const struct quantities max = max_of(item);
        struct field_path p = path_index(&list, i);
        struct field_path limits = path_field(&p, "limits");
        check_type(item, keys_repeated(&types, i), &p, out);
        check_all_names(item, &p, out);
        if (text_eq(item->type, "PersistentVolumeClaim") &&
            !quantities_get(&min, "storage", &ignored) &&
            !quantities_get(&max, "storage", &ignored))
            rule_required(out, &limits,
                          "either minimum or maximum storage value is required, but neither was "
                          "provided");
        check_resources(item, &p, out);
    }
}

const struct resource_strategy limit_range_strategy = { .defaults = defaults,
                                                        .validate = validate };
