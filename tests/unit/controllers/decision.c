/* A controller's decision as text (see decision.h). */
#include "tests/unit/controllers/decision.h"

#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/schema/codec.h"
#include "base/buf.h"
#include "base/env.h"
#include "controllers/controllers.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

struct any_object {
    ProtobufCMessage base;
    ObjectMeta *metadata;
};

void decision_init(struct decision_case *c)
{
    *c = (struct decision_case){ 0 };
    arena_init(&c->arena);
    memory_init(&c->memory);
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        c->kinds[kind] = cache_new((enum kind)kind);
        c->listers[kind] = cache_lister(c->kinds[kind]);
    }
    controllers_flags_default(&c->flags);
}

void decision_deinit(struct decision_case *c)
{
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        cache_free(c->kinds[kind]);
    memory_deinit(&c->memory);
    arena_deinit(&c->arena);
}

void decision_add(struct decision_case *c, enum kind kind, const char *json)
{
    struct any_object *object = fake_object(&c->arena, kind, json);
    ObjectMeta *meta = object->metadata;
    struct lister_item item;

    if (meta->uid == NULL || meta->uid[0] == 0)
        meta->uid = str_dup(&c->arena, str_printf(&c->arena, "uid-%s", meta->name));
    item = (struct lister_item){ str_from(meta->namespace_), str_from(meta->name),
                                 schema_pack_arena(&c->arena, kind_info(kind)->schema, object),
                                 ++c->revision };
    assert_true(cache_put(c->kinds[kind], &item));
}

static void render(struct buf *b, const struct action *a)
{
    static const char *const verbs[] = { [ACTION_CREATE] = "create",
                                         [ACTION_UPDATE] = "update",
                                         [ACTION_PATCH] = "patch",
                                         [ACTION_DELETE] = "delete",
                                         [ACTION_DELETE_COLLECTION] = "delete-all",
                                         [ACTION_CONFIRM_ABSENT] = "confirm-absent",
                                         [ACTION_CONFIRM_EMPTY] = "confirm-empty",
                                         [ACTION_EVENT] = "event" };

    buf_append_c(b, verbs[a->type]);
    if (a->type == ACTION_EVENT) {
        buf_printf(b, " %s %s\n", a->on_success->type, a->on_success->reason);
        return;
    }
    buf_printf(b, " %s %.*s/%.*s", kind_info(a->kind)->name, STR_ARG(a->namespace),
               STR_ARG(a->name));
    if (a->type == ACTION_CREATE && a->name.len == 0)
        buf_printf(b, "%s?", ((const struct any_object *)a->object)->metadata->generate_name);
    if (a->subresource.len > 0)
        buf_printf(b, " %.*s", STR_ARG(a->subresource));
    if (a->grace_seconds >= 0)
        buf_printf(b, " grace=%lld", (long long)a->grace_seconds);
    buf_append_byte(b, '\n');
}

void decision_check(struct decision_case *c, const struct controller *controller, enum kind kind,
                    const char *namespace, const char *name, const char *want)
{
    struct world w = { .arena = &c->arena,
                       .wall_ns = (uint64_t)DECISION_SECONDS * ENV_S,
                       .now_ns = c->now_ns,
                       .memory = &c->memory,
                       .listers = c->listers,
                       .flags = &c->flags,
                       .last_error = c->last_error,
                       .last_error_kind = c->last_error_kind };
    struct key k = { kind, str_from(namespace), str_from(name) };
    struct err e = { 0 };
    struct buf b;

    buf_init(&b);
    c->actions = (struct actions){ .arena = &c->arena };
    assert_int_equal(controller->reconcile(&w, &k, &c->actions, &e), 0);
    assert_int_equal(w.read_error.code, 0);
    for (size_t i = 0; i < c->actions.count; i++)
        render(&b, &c->actions.items[i]);
    if (c->actions.requeue_after_ms > 0)
        buf_printf(&b, "again %llu\n", (unsigned long long)c->actions.requeue_after_ms);
    buf_append_byte(&b, 0);
    assert_string_equal((char *)b.data, want);
    buf_deinit(&b);
}
