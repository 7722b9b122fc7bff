/* See the header. */
#include "controllers/runtime/memory.h"

#include "base/arena.h"
#include "base/assert.h"

struct sight {
    uint64_t value;
    uint64_t since_ns;
};

void memory_init(struct memory *m)
{
    map_init(&m->seen);
}

void memory_deinit(struct memory *m)
{
    map_foreach (it, &m->seen)
        mem_free(it.value);
    map_deinit(&m->seen);
}

uint64_t memory_unchanged_ns(struct memory *m, struct str name, uint64_t value, uint64_t now_ns)
{
    struct sight *s = map_get(&m->seen, name);

    if (s == NULL) {
        s = mem_alloc(sizeof(*s));
        (void)map_put(&m->seen, name, s); /* new: replaces nothing */
    } else if (s->value == value) {
        ASSERT(now_ns >= s->since_ns);
        return now_ns - s->since_ns;
    }
    *s = (struct sight){ .value = value, .since_ns = now_ns };
    return 0;
}

void memory_forget(struct memory *m, struct str name)
{
    mem_free(map_remove(&m->seen, name));
}
