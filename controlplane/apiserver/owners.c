/* Equal references are found by sorting: a client may send as many as a body holds. */
#include "controlplane/apiserver/owners.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/text.h"
#include "api/proto/meta.pb-c.h"
#include "base/buf.h"
#include "controlplane/apiserver/request.h"

/* How much of the uids a warning tells; it is cut further where it is sent. */
#define UIDS_SHOWN_BYTES_MAX 4096

struct owner {
    const OwnerReference *ref;
    size_t at;
};

static int compare_flags(int has_a, int a, int has_b, int b)
{
    return has_a != has_b ? has_a - has_b : has_a ? a - b : 0;
}

static int compare_fields(const OwnerReference *a, const OwnerReference *b)
{
    int rc = strcmp(text_of(a->uid), text_of(b->uid));
    rc = rc != 0 ? rc : strcmp(text_of(a->name), text_of(b->name));
    rc = rc != 0 ? rc : strcmp(text_of(a->kind), text_of(b->kind));
    rc = rc != 0 ? rc : strcmp(text_of(a->api_version), text_of(b->api_version));
    rc = rc != 0
             ? rc
             : compare_flags(a->has_controller, a->controller, b->has_controller, b->controller);
    return rc != 0 ? rc
                   : compare_flags(a->has_block_owner_deletion, a->block_owner_deletion,
                                   b->has_block_owner_deletion, b->block_owner_deletion);
}

static int compare(const void *left, const void *right)
{
    const struct owner *a = left;
    const struct owner *b = right;
    int rc = compare_fields(a->ref, b->ref);
    return rc != 0 ? rc : a->at < b->at ? -1 : 1;
}

/* Which references are as an earlier one; NULL: none. */
static const bool *find_repeated(struct arena *a, const ObjectMeta *meta)
{
    size_t count = meta->n_owner_references;
    struct owner *sorted = arena_array(a, count, sizeof(*sorted));
    bool *repeated = arena_array(a, count, sizeof(*repeated));
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct owner){ meta->owner_references[i], i };
    }
    qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 1; i < count; i++) {
        bool same = compare_fields(sorted[i - 1].ref, sorted[i].ref) == 0;
        repeated[sorted[i].at] = same;
        any = any || same;
    }
    return any ? repeated : NULL;
}

static void tell(struct request *r, struct str uids)
{
    struct str text = str_printf(
        &r->arena,
        ".metadata.ownerReferences contains duplicate entries%s; API server dedups owner "
        "references "
        "in 1.20+, and may reject such requests as early as 1.24; please fix your requests; "
        "duplicate UID(s) observed: %.*s",
        r->route.verb == VERB_PATCH ? " after mutating admission happens" : "", STR_ARG(uids));
    request_warn(r, text.data);
}

void owners_dedup(struct request *r, ObjectMeta *meta)
{
    size_t kept = 0;
    struct buf uids;
    const bool *repeated = meta->n_owner_references < 2 ? NULL : find_repeated(&r->arena, meta);
    if (repeated == NULL) {
        return;
    }
    OwnerReference **list = arena_array(&r->arena, meta->n_owner_references, sizeof(*list));
    buf_init(&uids);
    for (size_t i = 0; i < meta->n_owner_references; i++) {
        OwnerReference *ref = meta->owner_references[i];
        if (!repeated[i]) {
            list[kept++] = ref;
        } else if (uids.len < UIDS_SHOWN_BYTES_MAX) {
            buf_printf(&uids, "%s%s", uids.len > 0 ? ", " : "", text_of(ref->uid));
        }
    }
    meta->owner_references = list;
    meta->n_owner_references = kept;
    tell(r, buf_str(&uids));
    buf_deinit(&uids);
}
