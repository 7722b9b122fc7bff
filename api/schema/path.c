/* Paths of walks, printed. */
#include "api/schema/path.h"

#include "base/buf.h"

void path_write(struct buf *b, const struct path *p, bool indexes)
{
    if (p == NULL)
        return;
    path_write(b, p->up, indexes);
    if (p->index >= 0) {
        if (indexes)
            buf_printf(b, "[%td]", p->index);
        return;
    }
    if (p->name.len == 0 || (p->embedded && indexes))
        return;
    if (b->len > 0)
        buf_append_byte(b, '.');
    buf_append_str(b, p->name);
}
