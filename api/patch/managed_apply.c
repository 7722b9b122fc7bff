/*
 * Server-side apply.
 *
 *   live + configuration, by the schema
 *     minus what this manager applied before and does not now, unless somebody owns it
 *     = the new object; what differs from live and belongs to others is a conflict
 */
#include <stdlib.h>

#include "api/patch/managed_entries.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* ---- fields that go ---- */

static struct field_set named_fields(struct arena *a, const struct schema *s, const struct json *j)
{
    struct field_set set = typed_fields(a, s, j);
    return typed_named(a, s, &set);
}

static struct field_set everyones(struct arena *a, const struct schema *s, const struct managed *m)
{
    struct field_set all = { 0 };
    for (size_t i = 0; i < m->count; i++)
        all = field_set_union(a, &all, &m->entries[i].set);
    return typed_named(a, s, &all);
}

/* Three steps, each from the whole merged object: take out what was applied before, put back what
 * somebody owns, put back what was never applied by this manager but lay below. */
static struct json prune(struct arena *a, const struct schema *s, const struct managed *m,
                         const struct json *merged, const struct field_set *last)
{
    if (last->count == 0)
        return *merged;
    struct field_set before = typed_named(a, s, last);
    struct field_set owned = everyones(a, s, m);
    struct field_set all = named_fields(a, s, merged);
    struct json left = typed_remove(a, s, merged, &before);
    struct field_set stays = named_fields(a, s, &left);
    stays = field_set_union(a, &stays, &owned);
    struct field_set goes = field_set_difference(a, &all, &stays);
    left = typed_remove(a, s, merged, &goes);
    stays = named_fields(a, s, &left);
    goes = field_set_difference(a, &all, &stays);
    goes = field_set_intersection(a, &goes, &before);
    return typed_remove(a, s, merged, &goes);
}

/* ---- conflicts ---- */

static int compare_managers(const struct managed_entry *a, const struct managed_entry *b)
{
    int c = str_cmp(a->manager, b->manager);
    c = c != 0 ? c : (int)b->applied - (int)a->applied;
    c = c != 0 ? c : str_cmp(a->api_version, b->api_version);
    return c != 0 ? c : str_cmp(a->subresource, b->subresource);
}

static int compare_conflicts(const void *x, const void *y)
{
    const struct managed_conflict *a = x;
    const struct managed_conflict *b = y;
    return compare_managers(a->entry, b->entry);
}

static void find_conflicts(struct arena *a, const struct managed *m,
                           const struct managed_entry *own, const struct field_set *changed,
                           const struct field_set *allowed, struct managed_conflicts *out)
{
    out->at = arena_array(a, m->count, sizeof(*out->at));
    out->count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (&m->entries[i] == own)
            continue;
        struct field_set both = field_set_intersection(a, &m->entries[i].set, changed);
        both = field_set_difference(a, &both, allowed);
        if (both.count > 0)
            out->at[out->count++] =
                (struct managed_conflict){ arena_copy(a, &m->entries[i], sizeof(*m->entries)),
                                           both };
    }
    if (out->count > 1)
        qsort(out->at, out->count, sizeof(*out->at), compare_conflicts);
}

void managed_show_manager(struct buf *out, const struct managed_entry *e)
{
    json_write_string(out, e->manager, false);
    if (e->subresource.len > 0) {
        buf_append_c(out, " with subresource ");
        json_write_string(out, e->subresource, false);
    }
    if (!e->applied)
        buf_printf(out, " using %.*s", STR_ARG(e->api_version));
}

static void count_path(void *context, struct str path)
{
    (void)path;
    ++*(size_t *)context;
}

static void show_path(void *context, struct str path)
{
    buf_printf(context, "\n- %.*s", STR_ARG(path));
}

static void show_only_path(void *context, struct str path)
{
    buf_printf(context, ": %.*s", STR_ARG(path));
}

void managed_conflict_message(struct buf *out, const struct managed_conflicts *conflicts)
{
    size_t count = 0;
    for (size_t i = 0; i < conflicts->count; i++)
        field_set_each(&conflicts->at[i].set, count_path, &count);
    buf_printf(out, "Apply failed with %zu conflict%s: ", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < conflicts->count; i++) {
        buf_append_c(out, i > 0 ? "\n" : "");
        buf_append_c(out, count == 1 ? "conflict with " : "conflicts with ");
        managed_show_manager(out, conflicts->at[i].entry);
        buf_append_c(out, count == 1 ? "" : ":");
        field_set_each(&conflicts->at[i].set, count == 1 ? show_only_path : show_path, out);
    }
}

/* ---- apply ---- */

/* What stands in an object that nobody managed so far gets an owner. */
static void adopt(struct arena *a, struct managed *m, const struct managed_operation *op,
                  const struct json *live)
{
    struct managed_operation before = *op;
    before.manager = str_lit(MANAGED_BEFORE_APPLY_MANAGER);
    struct field_changes c = managed_compare(a, op, op->empty, live);
    managed_update(a, m, &before, &c);
}

/* A copy of the entries in which this apply can be tried. */
static struct managed working_copy(struct arena *a, const struct managed *m,
                                   const struct managed_operation *op, const struct json *live)
{
    struct managed next = { 0 };
    for (size_t i = 0; i < m->count; i++)
        managed_add(a, &next, &m->entries[i]);
    for (size_t i = 0; i < next.count; i++)
        (void)managed_read(a, &next.entries[i]); /* what cannot be read owns nothing */
    managed_drop_versions(&next, op);
    if (next.count == 0)
        adopt(a, &next, op, live);
    return next;
}

static void take(struct arena *a, struct managed *m, struct managed_entry *own,
                 const struct managed_entry *before, const struct managed_operation *op,
                 const struct field_changes *c, bool same_object)
{
    struct field_set stripped = managed_stripped();
    struct field_set changed = field_set_union(a, &c->added, &c->modified);
    managed_lose(a, m, own, &changed, &c->removed);
    own->set = field_set_difference(a, &own->set, &stripped);
    bool same_set =
        field_set_equal(&own->set, &before->set) && str_eq(own->api_version, before->api_version);
    own->text = same_set ? before->text : (struct str){ 0 };
    if (!same_object || !same_set) {
        own->has_time = true;
        own->time_s = op->now_s;
    }
    managed_drop_empty(m);
}

int managed_apply(struct arena *a, struct managed *m, const struct managed_operation *op,
                  struct managed_apply *apply, struct err *e)
{
    if (typed_check(a, op->schema, apply->config, &apply->problems) != 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "the configuration does not fit the schema");
    struct managed next = working_copy(a, m, op, apply->live);
    struct managed_entry *own = managed_entry_of(a, &next, op, true);
    const struct managed_entry before = *own;
    if (next.count > MANAGED_ENTRIES_MAX)
        return err_set(e, ERR_LIMIT, "an object is managed by at most %d managers",
                       MANAGED_ENTRIES_MAX);
    struct json merged = typed_merge(a, op->schema, apply->live, apply->config);
    own->api_version = op->api_version;
    own->set = typed_fields(a, op->schema, apply->config);
    own->set = field_set_recursive_difference(a, &own->set, &op->ignored);
    apply->object = prune(a, op->schema, &next, &merged, &before.set);
    struct field_changes c = managed_compare(a, op, apply->live, &apply->object);
    struct field_set changed = field_set_union(a, &c.added, &c.modified);
    find_conflicts(a, &next, own, &changed, &apply->allowed, &apply->conflicts);
    if (apply->conflicts.count > 0 && !apply->force)
        return err_set(e, ERR_CONFLICT, "other managers own fields that would change");
    apply->same = json_equal(apply->live, &apply->object);
    take(a, &next, own, &before, op, &c, apply->same);
    *m = next;
    return 0;
}

struct field_set managed_last_applied(struct arena *a, const struct managed_operation *op,
                                      struct str text, const struct json *live)
{
    const struct json *j = NULL;
    const struct json *version = NULL;
    struct field_set none = { 0 };
    if (json_parse(a, text, &j, NULL) != 0 || j->type != JSON_OBJECT)
        return none;
    version = json_get_c(j, "apiVersion");
    if (version == NULL || !str_eq(json_str(version), op->api_version))
        return none;
    struct json plain = managed_plain(a, j);
    if (typed_check(a, op->schema, &plain, NULL) != 0)
        return none;
    struct field_set set = typed_fields(a, op->schema, &plain);
    struct field_changes c = typed_compare(a, op->schema, &plain, live);
    set = field_set_difference(a, &set, &c.modified);
    set = field_set_difference(a, &set, &c.added);
    return field_set_difference(a, &set, &c.removed);
}
