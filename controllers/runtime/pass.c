/*
 * One reconcile of one key: decide, perform, wait until the listers show what was written.
 *
 *   pass_start -> controller.reconcile -> execute -> pass_executed -> (waiting) -> pass_check ->
 * end
 */
#include <string.h>

#include "api/meta/object.h"
#include "base/assert.h"
#include "controllers/runtime/impl.h"

static void pass_free(struct pass *p)
{
    struct engine *en = p->engine;

    list_remove(&p->node);
    arena_deinit(&p->arena);
    mem_free(p);
    runtime_pass_ended(en);
}

/* ---- ending ---- */

static void note_failure(struct pass *p)
{
    struct map *failures = &p->engine->failures;
    struct failure *f = map_get(failures, p->key_text);

    if (p->error.code == ERR_NONE) {
        if (f != NULL) {
            (void)map_remove(failures, p->key_text); /* it is f */
            mem_free(f);
        }
        return;
    }
    if (f == NULL) {
        f = mem_alloc(sizeof(*f));
        (void)map_put(failures, p->key_text, f); /* new: replaces nothing */
    }
    f->error = p->error;
    f->kind = p->error_kind;
}

static void pass_end(struct pass *p)
{
    struct workqueue *q = p->engine->queue;

    if (!p->engine->rt->stopping) {
        note_failure(p);
        if (p->error.code != ERR_NONE)
            workqueue_add_limited(q, p->key_text);
        else
            workqueue_forget(q, p->key_text);
        if (p->actions.requeue_after_ms > 0 && p->error.code == ERR_NONE)
            workqueue_add_after(q, p->key_text, p->actions.requeue_after_ms);
    }
    workqueue_done(q, p->key_text);
    pass_free(p);
}

/* ---- reading our own writes ---- */

struct gone {
    struct str uid;
    bool here; /* the object is there, with this uid, and not terminating */
};

static bool visit_gone(void *ctx, const struct lister_item *item)
{
    struct gone *g = ctx;
    struct object_meta meta;

    object_meta_scan(item->bytes, &meta);
    g->here = str_eq(meta.uid, g->uid) && !meta.deleting;
    return false;
}

static bool write_visible(const struct runtime *rt, const struct pending_write *w)
{
    struct lister *l = rt->listers[w->kind];
    struct gone g = { .uid = w->uid };

    if (w->revision > 0)
        return lister_revision(l) >= w->revision;
    if (l->ops->get(l, w->namespace, w->name, visit_gone, &g) != 0)
        return true;
    return !g.here;
}

void pass_check(struct pass *p)
{
    struct runtime *rt = p->engine->rt;

    if (p->executing)
        return;
    while (p->writes_count > 0 && !rt->stopping) {
        if (!write_visible(rt, &p->writes[p->writes_count - 1]))
            return;
        p->writes_count--;
    }
    pass_end(p);
}

void pass_executed(struct pass *p)
{
    pass_check(p);
}

void pass_cancel(struct pass *p)
{
    if (p->executing)
        execute_cancel(p);
    else
        pass_check(p);
}

/* ---- beginning ---- */

static void decide(struct pass *p, const struct key *k)
{
    struct runtime *rt = p->engine->rt;
    const struct failure *f = map_get(&p->engine->failures, p->key_text);
    struct world w = { .arena = &p->arena,
                       .wall_ns = env_wall_ns(env_of(rt->config.loop)),
                       .now_ns = env_now_ns(env_of(rt->config.loop)),
                       .memory = &p->engine->memory,
                       .listers = rt->listers,
                       .flags = rt->config.flags,
                       .last_error = f != NULL ? &f->error : NULL,
                       .last_error_kind = f != NULL ? f->kind : KIND_NONE };
    int rc;

    p->actions.arena = &p->arena;
    rc = p->engine->controller->reconcile(&w, k, &p->actions, &p->error);
    if (rc == 0 && w.read_error.code != ERR_NONE) {
        p->error = w.read_error;
        rc = -(int)w.read_error.code;
    }
    if (rc != 0) {
        ASSERT(p->error.code != ERR_NONE);
        p->actions.count = 0;
    }
}

void pass_start(struct engine *en, struct str key_text)
{
    struct pass *p = mem_alloc(sizeof(*p));
    struct key k;

    p->engine = en;
    p->decision = ++en->rt->decisions;
    arena_init(&p->arena);
    list_append(&en->rt->passes, &p->node);
    p->key_text = str_copy(&p->arena, key_text);
    if (key_parse(p->key_text, &k, &p->error) == 0)
        decide(p, &k);
    execute(p);
}
