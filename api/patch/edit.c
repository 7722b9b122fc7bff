/* Trees in change: arrays with spare room behind nodes marked as owned. */
#include "api/patch/edit.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define ROOM_MIN 8

/* Stands before an owned array. */
struct room {
    size_t capacity;
    size_t pad; /* keeps the array aligned to 16 bytes */
};

static size_t element_size(const struct json *node)
{
    return node->type == JSON_OBJECT ? sizeof(struct json_member) : sizeof(struct json);
}

static const void *array_of(const struct json *node)
{
    return node->type == JSON_OBJECT ? (const void *)node->u.members : (const void *)node->u.items;
}

static struct room *room_of(const struct json *node)
{
    return (struct room *)(uintptr_t)((const char *)array_of(node) - sizeof(struct room));
}

/* Makes the node's array ours, with room for extra more elements. */
static void own(struct arena *a, struct json *node, size_t extra)
{
    size_t size = element_size(node);
    ASSERT(node->type == JSON_ARRAY || node->type == JSON_OBJECT);
    if (node->owned != 0 && room_of(node)->capacity >= node->count + extra)
        return;
    size_t capacity = node->count + extra < ROOM_MIN ? ROOM_MIN : (node->count + extra) * 2;
    struct room *room = arena_alloc(a, sizeof(*room) + capacity * size);
    room->capacity = capacity;
    if (node->count > 0)
        memcpy(room + 1, array_of(node), node->count * size);
    if (node->type == JSON_OBJECT)
        node->u.members = (struct json_member *)(void *)(room + 1);
    else
        node->u.items = (struct json *)(void *)(room + 1);
    node->owned = 1;
}

static struct json_member *members_of(const struct json *object)
{
    return (struct json_member *)(uintptr_t)object->u.members;
}

static struct json *items_of(const struct json *array)
{
    return (struct json *)(uintptr_t)array->u.items;
}

/* The last of duplicates, or -1. */
static ptrdiff_t find(const struct json *object, struct str key)
{
    for (size_t i = object->count; i > 0; i--) {
        if (str_eq(object->u.members[i - 1].key, key))
            return (ptrdiff_t)i - 1;
    }
    return -1;
}

struct json *edit_member(struct arena *a, struct json *object, struct str key)
{
    ptrdiff_t at = find(object, key);
    if (at < 0)
        return NULL;
    own(a, object, 0);
    return &members_of(object)[at].value;
}

struct json *edit_item(struct arena *a, struct json *array, size_t index)
{
    if (index >= array->count)
        return NULL;
    own(a, array, 0);
    return &items_of(array)[index];
}

void edit_put(struct arena *a, struct json *object, struct str key, struct json value)
{
    ptrdiff_t at = find(object, key);
    own(a, object, at < 0 ? 1 : 0);
    if (at < 0) {
        at = object->count++;
        members_of(object)[at].key = key;
    }
    members_of(object)[at].value = value;
}

bool edit_drop(struct arena *a, struct json *object, struct str key)
{
    uint32_t kept = 0;
    uint32_t count = object->count;
    if (find(object, key) < 0)
        return false;
    own(a, object, 0);
    struct json_member *members = members_of(object);
    for (uint32_t i = 0; i < count; i++) {
        if (!str_eq(members[i].key, key))
            members[kept++] = members[i];
    }
    object->count = kept;
    return true;
}

void edit_insert(struct arena *a, struct json *array, size_t index, struct json value)
{
    ASSERT(index <= array->count);
    own(a, array, 1);
    struct json *items = items_of(array);
    memmove(items + index + 1, items + index, (array->count - index) * sizeof(*items));
    items[index] = value;
    array->count++;
}

void edit_erase(struct arena *a, struct json *array, size_t index)
{
    ASSERT(index < array->count);
    own(a, array, 0);
    struct json *items = items_of(array);
    array->count--;
    memmove(items + index, items + index + 1, (array->count - index) * sizeof(*items));
}

struct json edit_copy(struct arena *a, const struct json *value, size_t *bytes)
{
    struct json out = *value;
    out.owned = 0;
    *bytes += sizeof(out) + (value->type == JSON_STRING ? value->count : 0);
    if (value->type == JSON_ARRAY) {
        struct json *items = arena_array(a, value->count, sizeof(*items));
        for (size_t i = 0; i < value->count; i++)
            items[i] = edit_copy(a, &value->u.items[i], bytes);
        out.u.items = items;
    } else if (value->type == JSON_OBJECT) {
        struct json_member *members = arena_array(a, value->count, sizeof(*members));
        for (size_t i = 0; i < value->count; i++) {
            members[i].key = value->u.members[i].key;
            members[i].value = edit_copy(a, &value->u.members[i].value, bytes);
            *bytes += members[i].key.len;
        }
        out.u.members = members;
    }
    return out;
}

size_t edit_depth(const struct json *value, uint64_t *visited)
{
    size_t deepest = 0;
    if (value->type < JSON_ARRAY)
        return 0;
    *visited += value->count;
    for (size_t i = 0; i < value->count; i++) {
        size_t depth = edit_depth(
            value->type == JSON_ARRAY ? &value->u.items[i] : &value->u.members[i].value, visited);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

void edit_finish(struct json *root)
{
    if (root->owned == 0)
        return;
    root->owned = 0;
    for (size_t i = 0; i < root->count; i++)
        edit_finish(root->type == JSON_ARRAY ? &items_of(root)[i] : &members_of(root)[i].value);
}
