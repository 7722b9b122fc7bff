/*
 * Robin-hood hash map: an entry far from its home slot takes the place of one nearer to its own,
 * so probe lengths stay short and a lookup may stop early. Removal shifts the run back; there are
 * no tombstones.
 */
#include "base/map.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#define MAP_FIRST_CAPACITY 16u

struct map_slot {
    void *value; /* NULL: the slot is free */
    char *key;
    size_t key_len;
    uint64_t hash;
};

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_deinit(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        mem_free(m->slots[i].key);
    mem_free(m->slots);
    *m = (struct map){ 0 };
}

/* How far slot i lies from where its entry would like to be. */
static size_t map_distance(const struct map *m, size_t i)
{
    return (i - (size_t)m->slots[i].hash) & (m->capacity - 1);
}

static bool map_slot_is(const struct map_slot *slot, uint64_t hash, struct str key)
{
    return slot->hash == hash && str_eq(str_of(slot->key, slot->key_len), key);
}

/* The slot of key, or NULL. */
static struct map_slot *map_find(const struct map *m, struct str key, uint64_t hash)
{
    if (m->count == 0)
        return NULL;
    size_t mask = m->capacity - 1;
    size_t i = (size_t)hash & mask;
    for (size_t distance = 0; m->slots[i].value != NULL; distance++) {
        if (map_distance(m, i) < distance)
            return NULL; /* key would have displaced this one */
        if (map_slot_is(&m->slots[i], hash, key))
            return &m->slots[i];
        i = (i + 1) & mask;
    }
    return NULL;
}

/* Places an entry known to be absent; there is a free slot. */
static void map_place(struct map *m, struct map_slot entry)
{
    size_t mask = m->capacity - 1;
    size_t i = (size_t)entry.hash & mask;
    size_t distance = 0;
    while (m->slots[i].value != NULL) {
        size_t theirs = map_distance(m, i);
        if (theirs < distance) {
            struct map_slot displaced = m->slots[i];
            m->slots[i] = entry;
            entry = displaced;
            distance = theirs;
        }
        i = (i + 1) & mask;
        distance++;
    }
    m->slots[i] = entry;
}

static void map_resize(struct map *m, size_t capacity)
{
    struct map old = *m;
    m->capacity = capacity;
    m->slots = mem_alloc(capacity * sizeof(struct map_slot));
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value != NULL)
            map_place(m, old.slots[i]);
    mem_free(old.slots);
}

void *map_get(const struct map *m, struct str key)
{
    const struct map_slot *slot = map_find(m, key, str_hash(key));
    return slot != NULL ? slot->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    ASSERT(value != NULL);
    uint64_t hash = str_hash(key);
    struct map_slot *slot = map_find(m, key, hash);
    if (slot != NULL) {
        void *replaced = slot->value;
        slot->value = value;
        return replaced;
    }
    if (m->capacity == 0)
        map_resize(m, MAP_FIRST_CAPACITY);
    else if (m->count >= m->capacity / 4 * 3)
        map_resize(m, m->capacity * 2);
    map_place(m, (struct map_slot){ value, mem_dup(key.data, key.len), key.len, hash });
    m->count++;
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    struct map_slot *slot = map_find(m, key, str_hash(key));
    if (slot == NULL)
        return NULL;
    void *value = slot->value;
    mem_free(slot->key);
    size_t mask = m->capacity - 1;
    size_t hole = (size_t)(slot - m->slots);
    for (;;) {
        size_t next = (hole + 1) & mask;
        if (m->slots[next].value == NULL || map_distance(m, next) == 0)
            break;
        m->slots[hole] = m->slots[next];
        hole = next;
    }
    m->slots[hole] = (struct map_slot){ 0 };
    m->count--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, struct map_iter *it)
{
    for (; it->at < m->capacity; it->at++) {
        const struct map_slot *slot = &m->slots[it->at];
        if (slot->value == NULL)
            continue;
        it->key = str_of(slot->key, slot->key_len);
        it->value = slot->value;
        it->at++;
        return true;
    }
    return false;
}
