/* Release on the way in, acquire on the way out. */
#include "base/cell.h"

#include <stdatomic.h>
#include <stddef.h>

void *cell_get(const struct cell *c)
{
    return atomic_load_explicit(&c->value, memory_order_acquire);
}

void *cell_set(struct cell *c, void *value)
{
    void *present = NULL;
    if (atomic_compare_exchange_strong_explicit(&c->value, &present, value, memory_order_acq_rel,
                                                memory_order_acquire))
        return value;
    return present;
}
