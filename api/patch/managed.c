/* Entries of managers: updates, the bound on them, and order. */
#include "api/patch/managed.h"

#include <stdlib.h>

#include "api/patch/managed_entries.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

void managed_add(struct arena *a, struct managed *m, const struct managed_entry *entry)
{
    m->entries = arena_grow(a, m->entries, m->count, &m->capacity, sizeof(*m->entries));
    m->entries[m->count++] = *entry;
}

int managed_read(struct arena *a, struct managed_entry *e)
{
    int rc = e->unread ? field_set_parse(a, e->text, &e->set, NULL) : 0;
    if (rc != 0)
        e->set = (struct field_set){ 0 };
    e->unread = false;
    return rc;
}

struct json managed_plain(struct arena *a, const struct json *object)
{
    struct json_member *members = arena_array(a, object->count, sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < object->count; i++) {
        struct str key = object->u.members[i].key;
        if (!str_eq_c(key, "kind") && !str_eq_c(key, "apiVersion"))
            members[count++] = object->u.members[i];
    }
    return json_object(members, count);
}

/* Fields of metadata that nobody owns, by name. */
struct field_set managed_stripped(void)
{
#define NAMED(text)                                                                                \
    {                                                                                              \
        .element = { .type = FIELD_NAME, .name = STR(text) }, .member = true                       \
    }
    static const struct field_node below[] = { NAMED("creationTimestamp"), NAMED("generation"),
                                               NAMED("managedFields"),     NAMED("name"),
                                               NAMED("namespace"),         NAMED("resourceVersion"),
                                               NAMED("selfLink"),          NAMED("uid") };
    static const struct field_node metadata = {
        .element = { .type = FIELD_NAME, .name = STR("metadata") },
        .member = true,
        .below = { .nodes = below, .count = sizeof(below) / sizeof(below[0]) },
    };
#undef NAMED
    return (struct field_set){ .nodes = &metadata, .count = 1 };
}

void managed_set_fields(struct managed_entry *e, const struct field_set *set)
{
    if (!field_set_equal(&e->set, set))
        e->text = (struct str){ 0 };
    e->set = *set;
}

void managed_drop_empty(struct managed *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->entries[i].unread || m->entries[i].set.count > 0)
            m->entries[kept++] = m->entries[i];
    }
    m->count = kept;
}

/* Entries of a version that is no longer served say nothing that could be kept. */
void managed_drop_versions(struct managed *m, const struct managed_operation *op)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct str version = m->entries[i].api_version;
        if (str_eq(version, op->api_version) ||
            (op->twin_version.len > 0 && str_eq(version, op->twin_version)))
            m->entries[kept++] = m->entries[i];
    }
    m->count = kept;
}

struct managed_entry *managed_find(const struct managed *m, const struct managed_operation *op,
                                   bool applied)
{
    for (size_t i = 0; i < m->count; i++) {
        struct managed_entry *e = &m->entries[i];
        if (e->applied == applied && str_eq(e->manager, op->manager) &&
            str_eq(e->subresource, op->subresource) &&
            (applied || str_eq(e->api_version, op->api_version)))
            return e;
    }
    return NULL;
}

struct managed_entry *managed_entry_of(struct arena *a, struct managed *m,
                                       const struct managed_operation *op, bool applied)
{
    const struct managed_entry fresh = { .manager = op->manager,
                                         .api_version = op->api_version,
                                         .subresource = op->subresource,
                                         .applied = applied };
    struct managed_entry *e = managed_find(m, op, applied);
    if (e != NULL)
        return e;
    managed_add(a, m, &fresh);
    return &m->entries[m->count - 1];
}

struct field_changes managed_compare(struct arena *a, const struct managed_operation *op,
                                     const struct json *old, const struct json *new)
{
    struct field_changes c = typed_compare(a, op->schema, old, new);
    c.added = field_set_recursive_difference(a, &c.added, &op->ignored);
    c.modified = field_set_recursive_difference(a, &c.modified, &op->ignored);
    c.removed = field_set_recursive_difference(a, &c.removed, &op->ignored);
    return c;
}

/* Everyone but except loses what was taken or is gone. */
void managed_lose(struct arena *a, struct managed *m, const struct managed_entry *except,
                  const struct field_set *taken, const struct field_set *gone)
{
    struct field_set lost = field_set_union(a, taken, gone);
    for (size_t i = 0; i < m->count && lost.count > 0; i++) {
        struct managed_entry *e = &m->entries[i];
        if (e == except || (e->unread && field_text_has(e->text, &lost) == FIELD_TEXT_NONE))
            continue;
        (void)managed_read(a, e); /* what cannot be read has nothing to lose */
        struct field_set left = field_set_difference(a, &e->set, &lost);
        managed_set_fields(e, &left);
    }
}

/* ---- the bound ---- */

static int compare_age(const void *x, const void *y)
{
    const struct managed_entry *a = *(const struct managed_entry *const *)x;
    const struct managed_entry *b = *(const struct managed_entry *const *)y;
    int64_t s = a->has_time ? a->time_s : 0;
    int64_t t = b->has_time ? b->time_s : 0;
    int c = (s > t) - (s < t);
    c = c != 0 ? c : str_cmp(a->manager, b->manager);
    return c != 0 ? c : str_cmp(a->subresource, b->subresource);
}

/* Of one version, as all entries are here: the oldest ones become one. */
static void cap(struct arena *a, struct managed *m)
{
    struct managed_entry **updates = arena_array(a, m->count, sizeof(struct managed_entry *));
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (!m->entries[i].applied)
            updates[count++] = &m->entries[i];
    }
    if (count <= MANAGED_UPDATES_MAX)
        return;
    qsort(updates, count, sizeof(*updates), compare_age);
    struct managed_entry *bucket = updates[0];
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(updates[i]->manager, MANAGED_ANCIENT_MANAGER))
            bucket = updates[i];
    }
    for (size_t i = 0; count > MANAGED_UPDATES_MAX; i++) {
        if (updates[i] == bucket)
            continue;
        (void)managed_read(a, bucket); /* as above */
        (void)managed_read(a, updates[i]);
        struct field_set both = field_set_union(a, &bucket->set, &updates[i]->set);
        managed_set_fields(bucket, &both);
        bucket->has_time = updates[i]->has_time; /* it is the younger one */
        bucket->time_s = updates[i]->time_s;
        updates[i]->set = (struct field_set){ 0 };
        count--;
    }
    bucket->manager = str_lit(MANAGED_ANCIENT_MANAGER);
    bucket->subresource = (struct str){ 0 };
    managed_drop_empty(m);
}

/* ---- updates ---- */

/* The entry has all that is gained and nothing that is gone: its set stays. */
static bool stays(const struct managed_entry *e, const struct field_set *gained,
                  const struct field_set *gone)
{
    return e->unread && (gained->count == 0 || field_text_has(e->text, gained) == FIELD_TEXT_ALL) &&
           field_text_has(e->text, gone) == FIELD_TEXT_NONE;
}

static void gain(struct arena *a, struct managed_entry *e, const struct field_set *gained,
                 const struct field_set *gone)
{
    if (stays(e, gained, gone))
        return;
    (void)managed_read(a, e); /* as above */
    struct field_set left = field_set_difference(a, &e->set, gone);
    left = field_set_union(a, &left, gained);
    managed_set_fields(e, &left);
}

void managed_update(struct arena *a, struct managed *m, const struct managed_operation *op,
                    const struct field_changes *changes)
{
    struct field_set stripped = managed_stripped();
    managed_drop_versions(m, op);
    struct field_set changed = field_set_union(a, &changes->added, &changes->modified);
    struct field_set mine = field_set_difference(a, &changed, &stripped);
    struct managed_entry *own = managed_find(m, op, false);
    if (own == NULL && mine.count > 0)
        own = managed_entry_of(a, m, op, false);
    managed_lose(a, m, own, &changed, &changes->removed);
    if (own != NULL)
        gain(a, own, &mine, &changes->removed);
    if (mine.count > 0) {
        own->has_time = true;
        own->time_s = op->now_s;
    }
    managed_drop_empty(m);
    cap(a, m);
}

/* ---- order ---- */

static int compare_entries(const void *x, const void *y)
{
    const struct managed_entry *a = x;
    const struct managed_entry *b = y;
    int64_t s = a->has_time ? a->time_s : 0;
    int64_t t = b->has_time ? b->time_s : 0;
    if (a->applied != b->applied)
        return a->applied ? -1 : 1;
    int c = (s > t) - (s < t);
    c = c != 0 ? c : str_cmp(a->manager, b->manager);
    c = c != 0 ? c : str_cmp(a->api_version, b->api_version);
    return c != 0 ? c : str_cmp(a->subresource, b->subresource);
}

void managed_sort(struct managed *m)
{
    if (m->count > 1)
        qsort(m->entries, m->count, sizeof(*m->entries), compare_entries);
}
