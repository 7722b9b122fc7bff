/* From watches to the snapshot and the queue. */
#include <string.h>

#include "api/client/reflector.h"
#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/assert.h"
#include "controllers/objects.h"
#include "controllers/scheduler/impl.h"

#define ROOM_REASONS                                                                               \
    (1u << REASON_TOO_MANY_PODS | 1u << REASON_RESOURCE | 1u << REASON_UNKNOWN_RESOURCE |          \
     1u << REASON_PORTS)

/* ---- pods the scheduler knows ---- */

static struct str own(struct str s)
{
    return str_of(mem_dup(s.data, s.len), s.len);
}

static void disown(struct str *s)
{
    mem_free((char *)(uintptr_t)s->data);
    *s = str_of(NULL, 0);
}

static struct str pod_key(struct arena *a, const struct lister_item *item)
{
    return str_printf(a, "%.*s/%.*s", STR_ARG(item->namespace), STR_ARG(item->name));
}

void sched_pod_unplace(struct sched_pod *p)
{
    if (p->node.len == 0)
        return;
    snapshot_remove_pod(&p->session->snapshot, p->node, &p->row);
    disown(&p->node);
    p->assumed = false;
}

void sched_pod_place(struct sched_pod *p, struct str node, bool assumed)
{
    if (str_eq(p->node, node)) {
        p->assumed = assumed;
        return;
    }
    sched_pod_unplace(p);
    p->node = own(node);
    p->assumed = assumed;
    snapshot_add_pod(&p->session->snapshot, p->node, &p->row);
}

void sched_pod_free(struct sched_pod *p)
{
    ASSERT(p->binding == NULL);
    pod_row_deinit(&p->row);
    disown(&p->namespace);
    disown(&p->name);
    disown(&p->uid);
    disown(&p->node);
    mem_free(p->refused);
    mem_free(p);
}

static void forget(struct session *s, struct sched_pod *p)
{
    struct arena a;
    struct lister_item item = { .namespace = p->namespace, .name = p->name };

    arena_init(&a);
    (void)map_remove(&s->pods, pod_key(&a, &item)); /* it is p */
    arena_deinit(&a);
    sched_pod_unplace(p);
    queue_event(&s->queue, ROOM_REASONS, session_now_ms(s));
    session_kick(s);
    if (p->binding != NULL) {
        p->gone = true; /* its completion frees it */
        return;
    }
    queue_remove(&s->queue, &p->queue);
    sched_pod_free(p);
}

/* ---- nodes ---- */

static uint32_t helped_by(uint32_t change)
{
    uint32_t mask = 0;

    if ((change & NODE_ADDED) != 0)
        return UINT32_MAX;
    if ((change & NODE_RESOURCES) != 0)
        mask |= ROOM_REASONS;
    if ((change & NODE_LABELS) != 0)
        mask |= 1u << REASON_AFFINITY;
    if ((change & NODE_TAINTS) != 0)
        mask |= 1u << REASON_TAINT | 1u << REASON_UNSCHEDULABLE;
    if ((change & NODE_SCHEDULABLE) != 0)
        mask |= 1u << REASON_UNSCHEDULABLE;
    return mask;
}

void track_node(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct session *s = ctx;
    struct arena a;
    const void *node;
    uint32_t mask;

    (void)old; /* the snapshot knows what was */
    arena_init(&a);
    if (lister_decode(reflector_lister(s->node_reflector), &a, item, &node, NULL) == 0) {
        mask = helped_by(snapshot_set_node(&s->snapshot, node));
        if (mask != 0) {
            queue_event(&s->queue, mask, session_now_ms(s));
            session_kick(s);
        }
    }
    arena_deinit(&a);
}

void track_node_gone(void *ctx, const struct lister_item *item)
{
    struct session *s = ctx;

    snapshot_remove_node(&s->snapshot, item->name);
}

/* ---- pods ---- */

static bool is_ours(const struct session *s, const Pod *pod)
{
    const char *name = s->config->name;
    const char *asked = text_of(pod->spec->scheduler_name);

    return text_eq(asked[0] != 0 ? asked : "default-scheduler", name);
}

static struct sched_pod *new_pod(struct session *s, struct str key, const struct lister_item *item,
                                 const Pod *pod)
{
    struct sched_pod *p = mem_alloc(sizeof(*p));

    p->session = s;
    p->namespace = own(item->namespace);
    p->name = own(item->name);
    p->uid = own(str_from(pod->metadata->uid));
    (void)map_put(&s->pods, key, p); /* new: replaces nothing */
    return p;
}

/* The row follows the object; while the pod is counted on a node, the sums follow the row. */
static void refresh_row(struct sched_pod *p, const Pod *pod, bool with_constraints)
{
    struct session *s = p->session;
    struct pod_row row;

    pod_row_init(&s->snapshot, &row, pod, with_constraints);
    if (p->node.len > 0) {
        snapshot_add_pod(&s->snapshot, p->node, &row);
        snapshot_remove_pod(&s->snapshot, p->node, &p->row);
    }
    pod_row_deinit(&p->row);
    p->row = row;
}

static void track_waiting(struct session *s, struct sched_pod *p, const Pod *pod)
{
    bool fresh = !p->waits;

    /* A binding in flight keeps its assumption, and what it was decided on. */
    if (p->binding != NULL)
        return;
    sched_pod_unplace(p);
    refresh_row(p, pod, true);
    p->generation = pod->metadata->generation;
    p->waits = true;
    queue_add(&s->queue, &p->queue, p->row.priority, session_now_ms(s));
    if (fresh) {
        s->added++;
        session_publish(s, p, SCHEDULING_QUEUED, str_of("", 0), NULL);
    }
    session_kick(s);
}

static void track_placed(struct session *s, struct sched_pod *p, const Pod *pod)
{
    if (p->binding == NULL)
        queue_remove(&s->queue, &p->queue);
    p->waits = false;
    refresh_row(p, pod, p->binding != NULL);
    sched_pod_place(p, str_from(pod_node(pod)), false);
}

static void track_decoded(struct session *s, const struct lister_item *item, const Pod *pod)
{
    static const uint8_t spec_path[] = { 2, 0 };
    uint64_t spec_hash = str_hash(peek_string(item->bytes, spec_path));
    struct arena a;
    struct str key;
    struct sched_pod *p;

    arena_init(&a);
    key = pod_key(&a, item);
    p = map_get(&s->pods, key);
    if (p != NULL && !str_eq_c(p->uid, pod->metadata->uid)) {
        forget(s, p); /* another pod of this name */
        p = NULL;
    }
    if (pod_finished(pod) ||
        (pod_node(pod)[0] == 0 &&
         (meta_deleting(pod->metadata) || !is_ours(s, pod) || pod->spec->n_scheduling_gates > 0))) {
        if (p != NULL)
            forget(s, p);
    } else {
        if (p == NULL)
            p = new_pod(s, key, item, pod);
        p->revision = item->revision;
        if (pod_node(pod)[0] != 0)
            track_placed(s, p, pod);
        else if (!p->waits || p->spec_hash != spec_hash) /* not for a change of status */
            track_waiting(s, p, pod);
        p->spec_hash = spec_hash;
    }
    arena_deinit(&a);
}

void track_pod(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct session *s = ctx;
    struct arena a;
    const void *pod;

    (void)old; /* struct sched_pod knows what was */
    arena_init(&a);
    if (lister_decode(reflector_lister(s->pod_reflector), &a, item, &pod, NULL) == 0)
        track_decoded(s, item, pod);
    arena_deinit(&a);
}

void track_pod_gone(void *ctx, const struct lister_item *item)
{
    struct session *s = ctx;
    struct arena a;
    struct sched_pod *p;

    arena_init(&a);
    p = map_get(&s->pods, pod_key(&a, item));
    arena_deinit(&a);
    if (p != NULL)
        forget(s, p);
}
