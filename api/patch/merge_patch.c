/*
 * RFC 7386: objects merge member by member, null removes, everything else replaces. What comes in
 * place of something that is no object is rid of its null members, those in lists too, as
 * upstream's library has it; a list that takes an object's place is not.
 */
#include "api/patch/edit.h"
#include "api/patch/patch.h"
#include "base/arena.h"
#include "base/err.h"

/* Member comparisons of one patch: bounds what two huge objects can cost, to about a tenth of a
 * second of a loop that others wait for. */
#define COMPARISONS_MAX 20000000u

struct merger {
    struct arena *arena;
    uint64_t comparisons;
};

/* A value without its null members; null items of lists stay. */
static struct json prune(struct merger *m, const struct json *j)
{
    struct json_member *members;
    struct json *items;
    size_t count = 0;
    if (j->type == JSON_ARRAY) {
        items = arena_array(m->arena, j->count, sizeof(*items));
        for (; count < j->count; count++)
            items[count] = prune(m, &j->u.items[count]);
        return json_array(items, count);
    }
    if (j->type != JSON_OBJECT)
        return *j;
    members = arena_array(m->arena, j->count, sizeof(*members));
    for (size_t i = 0; i < j->count; i++) {
        if (j->u.members[i].value.type == JSON_NULL)
            continue;
        members[count].key = j->u.members[i].key;
        members[count++].value = prune(m, &j->u.members[i].value);
    }
    return json_object(members, count);
}

static struct json merge(struct merger *m, const struct json *target, const struct json *patch)
{
    bool object = target != NULL && target->type == JSON_OBJECT;
    if (!object)
        return prune(m, patch);
    if (patch->type != JSON_OBJECT)
        return *patch;
    struct json out = *target;
    for (size_t i = 0; i < patch->count && m->comparisons <= COMPARISONS_MAX; i++) {
        const struct json_member *member = &patch->u.members[i];
        m->comparisons += out.count;
        if (member->value.type == JSON_NULL)
            (void)edit_drop(m->arena, &out, member->key); /* absent already is fine */
        else
            edit_put(m->arena, &out, member->key,
                     merge(m, json_get(&out, member->key), &member->value));
    }
    return out;
}

int patch_merge(struct arena *a, const struct json *object, const struct json *patch,
                const struct json **out, struct err *e)
{
    struct merger m = { .arena = a };
    struct json root = merge(&m, object, patch);
    if (m.comparisons > COMPARISONS_MAX)
        return err_set(e, ERR_TOO_LARGE, "the patch and the object are too large to merge");
    edit_finish(&root);
    *out = arena_copy(a, &root, sizeof(root));
    return 0;
}
