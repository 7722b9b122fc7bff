/* kubectl's last-applied annotation: kept in step while objects have it, so that client-side apply
 * can take over again. */
#include <stdlib.h>
#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "base/buf.h"
#include "controlplane/apiserver/managed_fields.h"
#include "controlplane/apiserver/write.h"

/* Of all annotations of an object, as upstream. */
#define ANNOTATIONS_BYTES_MAX (256u << 10)

static int compare_members(const void *x, const void *y)
{
    const struct json_member *a = x;
    const struct json_member *b = y;
    return str_cmp(a->key, b->key);
}

/* Members by key, as Go prints maps; the annotation itself left out. */
static struct json sorted(struct arena *a, const struct json *j)
{
    struct json out = *j;
    if (j->type == JSON_ARRAY) {
        struct json *items = arena_array(a, j->count, sizeof(*items));
        for (size_t i = 0; i < j->count; i++) {
            items[i] = sorted(a, &j->u.items[i]);
        }
        return json_array(items, j->count);
    }
    if (j->type != JSON_OBJECT) {
        return out;
    }
    struct json_member *members = arena_array(a, j->count, sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < j->count; i++) {
        if (!str_eq_c(j->u.members[i].key, LAST_APPLIED)) {
            members[count].key = j->u.members[i].key;
            members[count++].value = sorted(a, &j->u.members[i].value);
        }
    }
    if (count > 1) {
        qsort(members, count, sizeof(*members), compare_members);
    }
    return json_object(members, count);
}

static size_t annotation_bytes(const ObjectMeta *meta)
{
    size_t bytes = 0;
    for (size_t i = 0; i < meta->n_annotations; i++) {
        bytes += write_text(meta->annotations[i]->key).len;
        bytes += write_text(meta->annotations[i]->value).len;
    }
    return bytes;
}

ObjectMeta__AnnotationsEntry *last_applied_find(const ObjectMeta *meta)
{
    for (size_t i = 0; i < meta->n_annotations; i++) {
        if (str_eq_c(write_text(meta->annotations[i]->key), LAST_APPLIED)) {
            return meta->annotations[i];
        }
    }
    return NULL;
}

static void drop(ObjectMeta *meta, const ObjectMeta__AnnotationsEntry *entry)
{
    size_t kept = 0;
    for (size_t i = 0; i < meta->n_annotations; i++) {
        if (meta->annotations[i] != entry) {
            meta->annotations[kept++] = meta->annotations[i];
        }
    }
    meta->n_annotations = kept;
}

void last_applied_sync(struct request *r, const struct json *config, ObjectMeta *meta)
{
    ObjectMeta__AnnotationsEntry *entry = last_applied_find(meta);
    if (entry == NULL || !str_eq_c(route_param(&r->route, "fieldManager"), KUBECTL_MANAGER)) {
        return;
    }
    struct json plain = sorted(&r->arena, config);
    struct buf text;
    buf_init(&text);
    json_write(&text, &plain, true);
    buf_append_c(&text, "\n");
    entry->value = str_dup(&r->arena, buf_str(&text));
    buf_deinit(&text);
    if (annotation_bytes(meta) > ANNOTATIONS_BYTES_MAX) {
        drop(meta, entry);
    }
}
