/* From a pod to its row: what it asks for, and what restricts it. */
#include <stdlib.h>
#include <string.h>

#include "api/meta/quantity.h"
#include "controllers/objects.h"
#include "controllers/scheduler/snapshot.h"

/* What a container that asks for nothing counts as in scores (not in fitting), as upstream. */
#define SCORED_CPU_MILLI    100
#define SCORED_MEMORY_BYTES (200ll << 20)

/* ---- requests ---- */

struct sums {
    int64_t requests[SNAPSHOT_RESOURCES];
    int64_t scored[2];
};

/* Map entries of every resource list have this layout. */
struct quantity_entry {
    ProtobufCMessage base;
    char *key;
    Quantity *value;
};

static void add_entries(struct snapshot *s, struct pod_row *row, struct sums *sums,
                        const void *entries, size_t count)
{
    struct quantity_entry *const *list = entries;

    for (size_t i = 0; i < count; i++) {
        struct quantity q;
        int at;

        if (list[i]->value == NULL ||
            quantity_parse(str_from(list[i]->value->string), &q, NULL) != 0)
            continue;
        at = snapshot_resource(s, str_from(list[i]->key));
        if (at < 0)
            row->unknown_resource = intern_id(&s->names, str_from(list[i]->key));
        else
            sums->requests[at] += at == RESOURCE_CPU ? quantity_milli(&q) : quantity_value(&q);
    }
}

static struct sums container_sums(struct snapshot *s, struct pod_row *row, const Container *c)
{
    struct sums sums = { 0 };

    if (c->resources != NULL)
        add_entries(s, row, &sums, c->resources->requests, c->resources->n_requests);
    sums.scored[0] = sums.requests[RESOURCE_CPU];
    sums.scored[1] = sums.requests[RESOURCE_MEMORY];
    if (sums.scored[0] == 0)
        sums.scored[0] = SCORED_CPU_MILLI;
    if (sums.scored[1] == 0)
        sums.scored[1] = SCORED_MEMORY_BYTES;
    return sums;
}

static void sums_add(struct sums *into, const struct sums *add)
{
    for (size_t i = 0; i < SNAPSHOT_RESOURCES; i++)
        into->requests[i] += add->requests[i];
    into->scored[0] += add->scored[0];
    into->scored[1] += add->scored[1];
}

static void sums_max(struct sums *into, const struct sums *other)
{
    for (size_t i = 0; i < SNAPSHOT_RESOURCES; i++)
        if (other->requests[i] > into->requests[i])
            into->requests[i] = other->requests[i];
    for (size_t i = 0; i < 2; i++)
        if (other->scored[i] > into->scored[i])
            into->scored[i] = other->scored[i];
}

/* max(containers and sidecars, each init container with the sidecars before it) + overhead. */
static void sum_requests(struct snapshot *s, struct pod_row *row, const PodSpec *spec)
{
    struct sums total = { 0 }, sidecars = { 0 }, init = { 0 }, overhead = { 0 };

    for (size_t i = 0; i < spec->n_containers; i++) {
        struct sums c = container_sums(s, row, spec->containers[i]);

        sums_add(&total, &c);
    }
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        struct sums c = container_sums(s, row, spec->init_containers[i]);

        if (text_eq(spec->init_containers[i]->restart_policy, "Always")) {
            sums_add(&sidecars, &c);
            sums_add(&total, &c);
        } else {
            sums_add(&c, &sidecars);
            sums_max(&init, &c);
        }
    }
    sums_max(&total, &init);
    add_entries(s, row, &overhead, spec->overhead, spec->n_overhead);
    overhead.scored[0] = overhead.requests[RESOURCE_CPU];
    overhead.scored[1] = overhead.requests[RESOURCE_MEMORY];
    sums_add(&total, &overhead);
    memcpy(row->requests, total.requests, sizeof(row->requests));
    memcpy(row->scored, total.scored, sizeof(row->scored));
}

/* ---- host ports ---- */

static size_t count_ports(const PodSpec *spec)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->n_containers; i++)
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++)
            n += spec->containers[i]->ports[j]->host_port > 0 ? 1 : 0;
    return n;
}

static void collect_ports(struct snapshot *s, struct pod_row *row, const PodSpec *spec)
{
    size_t n = count_ports(spec), at = 0;

    if (n == 0)
        return;
    row->ports = mem_alloc(n * sizeof(*row->ports));
    row->ports_count = n;
    for (size_t i = 0; i < spec->n_containers; i++)
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++) {
            const ContainerPort *p = spec->containers[i]->ports[j];
            const char *protocol = text_of(p->protocol);

            if (p->host_port <= 0)
                continue;
            row->ports[at].port = (uint16_t)p->host_port;
            row->ports[at].protocol = (uint16_t)(protocol[0] != 0 ? protocol[0] : 'T');
            if (!text_eq(p->host_ip, "0.0.0.0"))
                row->ports[at].ip = intern_id(&s->names, str_from(p->host_ip));
            at++;
        }
}

/* ---- constraints ---- */

static const struct expression *node_selector(struct snapshot *s, struct constraints *c,
                                              const PodSpec *spec)
{
    struct expression *list = arena_array(&c->arena, spec->n_node_selector, sizeof(*list));

    for (size_t i = 0; i < spec->n_node_selector; i++) {
        uint32_t *value = arena_alloc(&c->arena, sizeof(*value));

        *value = intern_id(&s->names, str_from(spec->node_selector[i]->value));
        list[i] =
            (struct expression){ .key = intern_id(&s->names, str_from(spec->node_selector[i]->key)),
                                 .operator= MATCH_IN,
                                 .values = value,
                                 .values_count = 1 };
    }
    return list;
}

static enum match_operator operator_of(const char *text)
{
    static const struct {
        const char *text;
        enum match_operator operator;
    } table[] = { { "In", MATCH_IN },         { "NotIn", MATCH_NOT_IN },
                  { "Exists", MATCH_EXISTS }, { "DoesNotExist", MATCH_NOT_EXISTS },
                  { "Gt", MATCH_GREATER },    { "Lt", MATCH_LESS } };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (text_eq(table[i].text, text))
            return table[i].operator;
    return MATCH_NOTHING;
}

static struct expression expression_of(struct snapshot *s, struct constraints *c,
                                       const NodeSelectorRequirement *r, bool field)
{
    uint32_t *values = arena_array(&c->arena, r->n_values + 1, sizeof(*values));
    struct expression e = { .key = intern_id(&s->names, str_from(r->key)),
                            .operator= operator_of(r->operator_),
                            .values = values,
                            .values_count = r->n_values };

    for (size_t i = 0; i < r->n_values; i++)
        values[i] = intern_id(&s->names, str_from(r->values[i]));
    if ((e.operator== MATCH_GREATER || e.operator== MATCH_LESS) &&
        (r->n_values != 1 || str_to_i64(str_from(r->values[0]), &e.number) != 0))
        e.operator= MATCH_NOTHING;
    if (field) {
        bool known = text_eq(r->key, "metadata.name");

        e.operator= known && e.operator== MATCH_IN ? MATCH_NAME
        : known && e.operator== MATCH_NOT_IN       ? MATCH_NOT_NAME
                                                   : MATCH_NOTHING;
    }
    return e;
}

static void node_affinity(struct snapshot *s, struct constraints *c, const PodSpec *spec)
{
    const NodeSelector *required =
        spec->affinity != NULL && spec->affinity->node_affinity != NULL
            ? spec->affinity->node_affinity->required_during_scheduling_ignored_during_execution
            : NULL;
    struct term *terms;

    if (required == NULL)
        return;
    terms = arena_array(&c->arena, required->n_node_selector_terms + 1, sizeof(*terms));
    for (size_t i = 0; i < required->n_node_selector_terms; i++) {
        const NodeSelectorTerm *t = required->node_selector_terms[i];
        size_t n = t->n_match_expressions + t->n_match_fields;
        struct expression *list = arena_array(&c->arena, n + 1, sizeof(*list));

        for (size_t j = 0; j < t->n_match_expressions; j++)
            list[j] = expression_of(s, c, t->match_expressions[j], false);
        for (size_t j = 0; j < t->n_match_fields; j++)
            list[t->n_match_expressions + j] = expression_of(s, c, t->match_fields[j], true);
        if (n == 0)
            list[n++].operator= MATCH_NOTHING; /* an empty term matches no node */
        terms[i] = (struct term){ list, n };
    }
    c->has_terms = true;
    c->terms = terms;
    c->terms_count = required->n_node_selector_terms;
}

static void tolerations(struct snapshot *s, struct constraints *c, const PodSpec *spec)
{
    struct toleration_row *rows = arena_array(&c->arena, spec->n_tolerations + 1, sizeof(*rows));

    for (size_t i = 0; i < spec->n_tolerations; i++) {
        const Toleration *t = spec->tolerations[i];
        struct toleration_row *row = &rows[i];

        row->key = intern_id(&s->names, str_from(t->key));
        row->value = intern_id(&s->names, str_from(t->value));
        row->exists = text_eq(t->operator_, "Exists");
        row->any_effect = text_of(t->effect)[0] == 0;
        row->effect = text_eq(t->effect, "NoExecute")          ? TAINT_NO_EXECUTE
                      : text_eq(t->effect, "PreferNoSchedule") ? TAINT_PREFER_NO_SCHEDULE
                                                               : TAINT_NO_SCHEDULE;
    }
    c->tolerations = rows;
    c->tolerations_count = spec->n_tolerations;
}

static struct constraints *constraints_new(struct snapshot *s, const PodSpec *spec)
{
    struct constraints *c = mem_alloc(sizeof(*c));

    arena_init(&c->arena);
    c->selector = node_selector(s, c, spec);
    c->selector_count = spec->n_node_selector;
    node_affinity(s, c, spec);
    tolerations(s, c, spec);
    return c;
}

/* ---- public ---- */

void pod_row_init(struct snapshot *s, struct pod_row *row, const Pod *pod, bool with_constraints)
{
    *row = (struct pod_row){ 0 };
    row->priority = pod->spec->has_priority ? pod->spec->priority : 0;
    sum_requests(s, row, pod->spec);
    collect_ports(s, row, pod->spec);
    if (with_constraints)
        row->constraints = constraints_new(s, pod->spec);
}

void pod_row_drop_constraints(struct pod_row *row)
{
    if (row->constraints == NULL)
        return;
    arena_deinit(&row->constraints->arena);
    mem_free(row->constraints);
    row->constraints = NULL;
}

void pod_row_deinit(struct pod_row *row)
{
    pod_row_drop_constraints(row);
    mem_free(row->ports);
}
