/* The outer names of a view are other ones than the stored kind's; what lies below is the same. */
#include "controlplane/apiserver/managed_views.h"

#include "api/meta/view.h"
#include "base/arena.h"

static struct str name_of_number(const struct schema *s, uint32_t number)
{
    for (size_t i = 0; i < s->field_count; i++) {
        if (s->fields[i].number == number) {
            return s->fields[i].name;
        }
    }
    return (struct str){ 0 };
}

/* The name in kind `to` of what kind `from` calls so, both stored as `stored`; absent: none. */
static struct str rename_field(enum kind from, enum kind to, struct str name)
{
    const struct schema *stored = kind_info(kind_store(from))->schema;
    for (size_t i = 0; i < stored->field_count; i++) {
        uint32_t number = stored->fields[i].number;
        const uint32_t before = view_field_of_stored(from, number);
        if (str_eq(name_of_number(kind_info(from)->schema, before), name)) {
            return name_of_number(kind_info(to)->schema, view_field_of_stored(to, number));
        }
    }
    return (struct str){ 0 };
}

/* Names that mean nothing there are nobody's. */
static struct field_set rename_set(struct arena *a, enum kind from, enum kind to,
                                   const struct field_set *set)
{
    struct field_builder b = { 0 };
    if (from == to) {
        return *set;
    }
    for (size_t i = 0; i < set->count; i++) {
        struct field_node node = set->nodes[i];
        node.element.name = rename_field(from, to, node.element.name);
        if (node.element.type == FIELD_NAME && node.element.name.len > 0) {
            field_builder_add(a, &b, &node);
        }
    }
    return field_builder_finish(a, &b);
}

static struct field_changes rename_changes(struct arena *a, enum kind from, enum kind to,
                                           const struct field_changes *c)
{
    return (struct field_changes){ .added = rename_set(a, from, to, &c->added),
                                   .modified = rename_set(a, from, to, &c->modified),
                                   .removed = rename_set(a, from, to, &c->removed) };
}

static struct str version_of(enum kind kind)
{
    return str_from(kind_api_version(kind));
}

void managed_views_update(struct arena *a, enum kind kind, struct managed *m,
                          const struct managed_operation *op, const struct field_changes *changes)
{
    enum kind twin = view_twin(kind);
    if (twin == KIND_NONE) {
        managed_update(a, m, op, changes);
        return;
    }
    enum kind stored = kind_store(kind);
    struct managed own = { 0 };
    struct managed others = { 0 };
    for (size_t i = 0; i < m->count; i++) {
        bool here = str_eq(m->entries[i].api_version, op->api_version);
        managed_add(a, here ? &own : &others, &m->entries[i]);
    }
    const struct field_changes mine = rename_changes(a, stored, kind, changes);
    managed_update(a, &own, op, &mine);
    /* The others lose what changed, and gain nothing. */
    struct field_set lost = field_set_union(a, &changes->added, &changes->modified);
    lost = field_set_union(a, &lost, &changes->removed);
    const struct field_changes theirs = { .removed = rename_set(a, stored, twin, &lost) };
    struct managed_operation there = *op;
    there.api_version = version_of(twin);
    managed_update(a, &others, &there, &theirs);
    *m = own;
    for (size_t i = 0; i < others.count; i++) {
        managed_add(a, m, &others.entries[i]);
    }
}

/* The sets of the twin's entries from one version's names to another's. Their texts stay as they
 * are: they count for as long as the sets are the same. */
static void rename_twins(struct arena *a, struct managed *m, struct str twin_version,
                         enum kind from, enum kind to)
{
    for (size_t i = 0; i < m->count; i++) {
        struct managed_entry *e = &m->entries[i];
        if (str_eq(e->api_version, twin_version)) {
            (void)managed_read(a, e); /* what cannot be read owns nothing */
            e->set = rename_set(a, from, to, &e->set);
        }
    }
}

static void rename_conflicts(struct arena *a, struct managed_conflicts *c, struct str twin_version,
                             enum kind from, enum kind to)
{
    for (size_t i = 0; i < c->count; i++) {
        if (str_eq(c->at[i].entry->api_version, twin_version)) {
            c->at[i].set = rename_set(a, from, to, &c->at[i].set);
        }
    }
}

int managed_views_apply(struct arena *a, enum kind kind, struct managed *m,
                        struct managed_operation *op, struct managed_apply *apply, struct err *e)
{
    enum kind twin = view_twin(kind);
    if (twin == KIND_NONE) {
        return managed_apply(a, m, op, apply, e);
    }
    op->twin_version = version_of(twin);
    rename_twins(a, m, op->twin_version, twin, kind);
    int rc = managed_apply(a, m, op, apply, e);
    rename_twins(a, m, op->twin_version, kind, twin);
    rename_conflicts(a, &apply->conflicts, op->twin_version, kind, twin);
    return rc;
}
