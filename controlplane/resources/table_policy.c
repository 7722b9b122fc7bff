/* Rows of ResourceQuotas, LimitRanges, PodDisruptionBudgets and ControllerRevisions. */
#include <stdlib.h>
#include <string.h>

#include "api/meta/owner.h"
#include "api/meta/time.h"
#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/quantities.h"
#include "controlplane/resources/tables.h"

const struct table_column resource_quota_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Request", .type = "string" },
    { .name = "Limit", .type = "string" },
    { .name = "Age", .type = "string" }
};

const struct table_column limit_range_columns[] = {
    { .name = "Name", .type = "string", .format = "name" }, { .name = "Created At", .type = "date" }
};

const struct table_column pod_disruption_budget_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Min Available", .type = "string" },
    { .name = "Max Unavailable", .type = "string" },
    { .name = "Allowed Disruptions", .type = "integer" },
    { .name = "Age", .type = "string" }
};

const struct table_column controller_revision_columns[] = {
    { .name = "Name", .type = "string", .format = "name" },
    { .name = "Controller", .type = "string" },
    { .name = "Revision", .type = "string" },
    { .name = "Age", .type = "string" }
};

static int key_order(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static const char *amount_shown(struct arena *a, const struct quantities *all, const char *name)
{
    struct quantity q = { 0 };
    (void)quantities_get(all, name, &q);
    return quantity_shown(a, &q);
}

/* Names of limits are told apart by this. */
static const char limits_prefix[] = "limits.";

/* "pods: 1/4, requests.cpu: 0/2", in the order of names; limits: those, or the others. */
static struct table_cell quota_cell(struct arena *a, const struct quantities *used,
                                    const struct quantities *hard, bool limits)
{
    const char **names = arena_array(a, hard->count, sizeof(*names));
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < hard->count; i++)
        names[i] = quantities_key(hard, i);
    if (hard->count > 1)
        qsort(names, hard->count, sizeof(*names), key_order);
    for (size_t i = 0; i < hard->count; i++) {
        if ((strncmp(names[i], limits_prefix, sizeof(limits_prefix) - 1) == 0) == limits)
            buf_printf(&b, "%s%s: %s/%s", b.len > 0 ? ", " : "", names[i],
                       amount_shown(a, used, names[i]), amount_shown(a, hard, names[i]));
    }
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return cell_str(text);
}

void resource_quota_cells(const struct resource_context *c, const void *object,
                          struct table_cell *out)
{
    static const ResourceQuotaStatus none = RESOURCE_QUOTA_STATUS__INIT;
    const ResourceQuota *quota = object;
    const ResourceQuotaStatus *s = quota->status == NULL ? &none : quota->status;
    const struct quantities hard = { .entries = s->hard, .count = s->n_hard };
    const struct quantities used = { .entries = s->used, .count = s->n_used };
    out[0] = cell_name(object);
    out[1] = quota_cell(c->arena, &used, &hard, false);
    out[2] = quota_cell(c->arena, &used, &hard, true);
    out[3] = cell_age(c, object);
}

void limit_range_cells(const struct resource_context *c, const void *object, struct table_cell *out)
{
    const ObjectMeta *meta = resource_meta_const(object);
    char text[TIME_TEXT_MAX] = "<unknown>";
    if (meta != NULL && meta->creation_timestamp != NULL)
        (void)time_format(time_seconds(meta->creation_timestamp), text);
    out[0] = cell_name(object);
    out[1] = cell_text(text_new(c->arena, text));
}

static struct table_cell amount_cell(struct arena *a, const IntOrString *v)
{
    if (v == NULL)
        return cell_text("N/A");
    return int_or_string_is_text(v) ? cell_text(text_of(v->str_val))
                                    : cell_text(int_or_string_shown(a, v));
}

void pod_disruption_budget_cells(const struct resource_context *c, const void *object,
                                 struct table_cell *out)
{
    const PodDisruptionBudget *b = object;
    out[0] = cell_name(object);
    out[1] = amount_cell(c->arena, b->spec != NULL ? b->spec->min_available : NULL);
    out[2] = amount_cell(c->arena, b->spec != NULL ? b->spec->max_unavailable : NULL);
    out[3] = cell_number(b->status != NULL ? b->status->disruptions_allowed : 0);
    out[4] = cell_age(c, object);
}

/* "statefulset.apps/web" */
static struct table_cell controller_cell(struct arena *a, const ObjectMeta *meta)
{
    const OwnerReference *ref = meta == NULL ? NULL : owner_controller(meta);
    if (ref == NULL)
        return cell_text("<none>");
    struct str version = str_from(text_of(ref->api_version));
    ptrdiff_t slash = str_find_char(version, '/', 0);
    char *kind = text_new(a, text_of(ref->kind));
    for (char *c = kind; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return cell_str(str_printf(a, "%s%s%.*s/%s", kind, slash > 0 ? "." : "",
                               (int)(slash > 0 ? slash : 0), version.data, text_of(ref->name)));
}

void controller_revision_cells(const struct resource_context *c, const void *object,
                               struct table_cell *out)
{
    const ControllerRevision *revision = object;
    out[0] = cell_name(object);
    out[1] = controller_cell(c->arena, revision->metadata);
    out[2] = cell_number(revision->revision);
    out[3] = cell_age(c, object);
}
