/* Strings as numbers (see intern.h). Map values are number + 1 as pointers: NULL means absent. */
#include "controllers/scheduler/intern.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

void intern_init(struct intern *in)
{
    *in = (struct intern){ 0 };
    map_init(&in->ids);
    (void)intern_id(in, str_of("", 0)); /* number 0 */
}

void intern_deinit(struct intern *in)
{
    for (size_t i = 0; i < in->count; i++)
        mem_free((char *)(uintptr_t)in->texts[i].data);
    mem_free(in->texts);
    map_deinit(&in->ids);
}

uint32_t intern_id(struct intern *in, struct str text)
{
    void *found = map_get(&in->ids, text);
    char *copy;

    if (found != NULL)
        return (uint32_t)((uintptr_t)found - 1);
    ASSERT(in->count < UINT32_MAX);
    if (in->count == in->capacity) {
        in->capacity = in->capacity ? 2 * in->capacity : 64;
        in->texts = mem_realloc(in->texts, in->capacity * sizeof(*in->texts));
    }
    copy = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    in->texts[in->count] = str_of(copy, text.len);
    (void)map_put(&in->ids, text, (void *)(uintptr_t)(in->count + 1)); /* new: replaces nothing */
    return (uint32_t)in->count++;
}

struct str intern_text(const struct intern *in, uint32_t id)
{
    ASSERT(id < in->count);
    return in->texts[id];
}
