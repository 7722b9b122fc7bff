/* Rows of nodes and what sits on them (see snapshot.h). */
#include "controllers/scheduler/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/quantity.h"
#include "base/assert.h"
#include "controllers/objects.h"

void snapshot_init(struct snapshot *s)
{
    *s = (struct snapshot){ 0 };
    intern_init(&s->names);
    map_init(&s->by_name);
    s->resources[RESOURCE_CPU] = intern_id(&s->names, str_lit("cpu"));
    s->resources[RESOURCE_MEMORY] = intern_id(&s->names, str_lit("memory"));
    s->resources[RESOURCE_EPHEMERAL] = intern_id(&s->names, str_lit("ephemeral-storage"));
    s->resources_count = RESOURCE_EXTENDED;
    s->unschedulable_key = intern_id(&s->names, str_lit("node.kubernetes.io/unschedulable"));
}

static void row_free(struct node_row *row)
{
    mem_free(row->labels);
    mem_free(row->taints);
    mem_free(row->ports);
    mem_free(row);
}

void snapshot_deinit(struct snapshot *s)
{
    for (size_t i = 0; i < s->rows_count; i++)
        row_free(s->rows[i]);
    mem_free(s->rows);
    map_deinit(&s->by_name);
    intern_deinit(&s->names);
}

int snapshot_resource(struct snapshot *s, struct str name)
{
    uint32_t id = intern_id(&s->names, name);

    for (size_t i = 0; i < s->resources_count; i++)
        if (s->resources[i] == id)
            return (int)i;
    if (s->resources_count == SNAPSHOT_RESOURCES)
        return -1;
    s->resources[s->resources_count] = id;
    return (int)s->resources_count++;
}

/* ---- rows ---- */

struct node_row *snapshot_node(const struct snapshot *s, struct str name)
{
    return map_get(&s->by_name, name);
}

static struct node_row *row_of(struct snapshot *s, struct str name)
{
    struct node_row *row = snapshot_node(s, name);

    if (row != NULL)
        return row;
    row = mem_alloc(sizeof(*row));
    row->name = intern_id(&s->names, name);
    if (s->rows_count == s->rows_capacity) {
        s->rows_capacity = s->rows_capacity ? 2 * s->rows_capacity : 64;
        s->rows = mem_realloc(s->rows, s->rows_capacity * sizeof(struct node_row *));
    }
    s->rows[s->rows_count++] = row;
    (void)map_put(&s->by_name, name, row); /* new: replaces nothing */
    return row;
}

static void row_release(struct snapshot *s, struct node_row *row)
{
    if (row->present || row->pods > 0)
        return;
    for (size_t i = 0; i < s->rows_count; i++) {
        if (s->rows[i] != row)
            continue;
        memmove(s->rows + i, s->rows + i + 1, (s->rows_count - i - 1) * sizeof(struct node_row *));
        s->rows_count--;
        break;
    }
    (void)map_remove(&s->by_name, intern_text(&s->names, row->name)); /* it is row */
    row_free(row);
}

/* ---- nodes ---- */

/* memcmp that takes NULL for nothing. */
static bool rows_differ(const void *a, const void *b, size_t bytes)
{
    return bytes > 0 && memcmp(a, b, bytes) != 0;
}

static int by_key(const void *pa, const void *pb)
{
    const struct label_row *a = pa, *b = pb;

    return a->key < b->key ? -1 : a->key > b->key;
}

static bool set_labels(struct snapshot *s, struct node_row *row, const Node *node)
{
    const ObjectMeta *meta = node->metadata;
    struct label_row *labels = mem_alloc((meta->n_labels + 1) * sizeof(*labels));
    bool changed;

    for (size_t i = 0; i < meta->n_labels; i++)
        labels[i] = (struct label_row){ intern_id(&s->names, str_from(meta->labels[i]->key)),
                                        intern_id(&s->names, str_from(meta->labels[i]->value)) };
    qsort(labels, meta->n_labels, sizeof(*labels), by_key);
    changed = row->labels_count != meta->n_labels ||
              rows_differ(row->labels, labels, meta->n_labels * sizeof(*labels));
    mem_free(row->labels);
    row->labels = labels;
    row->labels_count = meta->n_labels;
    return changed;
}

static bool effect_of(const char *text, enum taint_effect *out)
{
    if (text_eq(text, "NoSchedule"))
        *out = TAINT_NO_SCHEDULE;
    else if (text_eq(text, "PreferNoSchedule"))
        *out = TAINT_PREFER_NO_SCHEDULE;
    else if (text_eq(text, "NoExecute"))
        *out = TAINT_NO_EXECUTE;
    else
        return false;
    return true;
}

static bool set_taints(struct snapshot *s, struct node_row *row, const Node *node)
{
    size_t n = node->spec->n_taints, count = 0;
    struct taint_row *taints = mem_alloc((n + 1) * sizeof(*taints));
    bool changed;

    for (size_t i = 0; i < n; i++) {
        const Taint *t = node->spec->taints[i];

        if (!effect_of(t->effect, &taints[count].effect))
            continue;
        taints[count].key = intern_id(&s->names, str_from(t->key));
        taints[count].value = intern_id(&s->names, str_from(t->value));
        count++;
    }
    changed =
        row->taints_count != count || rows_differ(row->taints, taints, count * sizeof(*taints));
    mem_free(row->taints);
    row->taints = taints;
    row->taints_count = count;
    return changed;
}

static bool set_allocatable(struct snapshot *s, struct node_row *row, const Node *node)
{
    int64_t old[SNAPSHOT_RESOURCES];
    uint32_t old_pods = row->pods_max;
    bool grew = false;

    memcpy(old, row->allocatable, sizeof(old));
    memset(row->allocatable, 0, sizeof(row->allocatable));
    row->pods_max = 0;
    for (size_t i = 0; i < node->status->n_allocatable; i++) {
        const NodeStatus__AllocatableEntry *entry = node->status->allocatable[i];
        struct quantity q;
        int at;

        if (entry->value == NULL || quantity_parse(str_from(entry->value->string), &q, NULL) != 0)
            continue;
        if (text_eq(entry->key, "pods")) {
            row->pods_max = (uint32_t)quantity_value(&q);
            continue;
        }
        at = snapshot_resource(s, str_from(entry->key));
        if (at >= 0)
            row->allocatable[at] = at == RESOURCE_CPU ? quantity_milli(&q) : quantity_value(&q);
    }
    for (size_t i = 0; i < SNAPSHOT_RESOURCES; i++)
        grew |= row->allocatable[i] > old[i];
    return grew || row->pods_max > old_pods;
}

uint32_t snapshot_set_node(struct snapshot *s, const Node *node)
{
    struct node_row *row = row_of(s, str_from(node->metadata->name));
    bool unschedulable = node->spec->unschedulable;
    uint32_t change = 0;

    if (!row->present) {
        change |= NODE_ADDED;
        s->present++;
    }
    row->present = true;
    if (row->unschedulable && !unschedulable)
        change |= NODE_SCHEDULABLE;
    row->unschedulable = unschedulable;
    if (set_labels(s, row, node))
        change |= NODE_LABELS;
    if (set_taints(s, row, node))
        change |= NODE_TAINTS;
    if (set_allocatable(s, row, node))
        change |= NODE_RESOURCES;
    return change;
}

void snapshot_remove_node(struct snapshot *s, struct str name)
{
    struct node_row *row = snapshot_node(s, name);

    if (row == NULL || !row->present)
        return;
    row->present = false;
    s->present--;
    row_release(s, row);
}

/* ---- pods on nodes ---- */

static void add_ports(struct node_row *row, const struct pod_row *pod)
{
    for (size_t i = 0; i < pod->ports_count; i++) {
        if (row->ports_count == row->ports_capacity) {
            row->ports_capacity = row->ports_capacity ? 2 * row->ports_capacity : 8;
            row->ports = mem_realloc(row->ports, row->ports_capacity * sizeof(*row->ports));
        }
        row->ports[row->ports_count++] = pod->ports[i];
    }
}

static void remove_ports(struct node_row *row, const struct pod_row *pod)
{
    for (size_t i = 0; i < pod->ports_count; i++)
        for (size_t j = 0; j < row->ports_count; j++)
            if (memcmp(&row->ports[j], &pod->ports[i], sizeof(row->ports[j])) == 0) {
                row->ports[j] = row->ports[--row->ports_count];
                break;
            }
}

void snapshot_add_pod(struct snapshot *s, struct str node, const struct pod_row *pod)
{
    struct node_row *row = row_of(s, node);

    for (size_t i = 0; i < SNAPSHOT_RESOURCES; i++)
        row->requested[i] += pod->requests[i];
    row->scored[0] += pod->scored[0];
    row->scored[1] += pod->scored[1];
    row->pods++;
    add_ports(row, pod);
}

void snapshot_remove_pod(struct snapshot *s, struct str node, const struct pod_row *pod)
{
    struct node_row *row = snapshot_node(s, node);

    ASSERT(row != NULL && row->pods > 0);
    for (size_t i = 0; i < SNAPSHOT_RESOURCES; i++)
        row->requested[i] -= pod->requests[i];
    row->scored[0] -= pod->scored[0];
    row->scored[1] -= pod->scored[1];
    row->pods--;
    remove_ports(row, pod);
    row_release(s, row);
}
