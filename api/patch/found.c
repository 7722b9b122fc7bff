/* See the header. */
#include "api/patch/found.h"

void found_add(struct arena *a, struct field_builder *b, const struct field_element *e,
               const struct found *f)
{
    for (int i = 0; i < CHANGES; i++) {
        const struct field_node n = { .element = *e, .member = f->self[i], .below = f->below[i] };
        field_builder_add(a, &b[i], &n);
    }
}

void found_finish(struct arena *a, struct field_builder *b, struct found *out)
{
    for (int i = 0; i < CHANGES; i++)
        out->below[i] = field_builder_finish(a, &b[i]);
}
