/* Strings as numbers: equal text, equal number. Never forgets; the names of a cluster are few. */
#ifndef CONTROLLERS_SCHEDULER_INTERN_H
#define CONTROLLERS_SCHEDULER_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"

struct intern {
    struct map ids;
    struct str *texts; /* by number; 0 is the empty text */
    size_t count;
    size_t capacity;
};

void intern_init(struct intern *in);
void intern_deinit(struct intern *in);
/* The number of a text, given one when new. 0 for the empty text. */
uint32_t intern_id(struct intern *in, struct str text);
/* Borrowed; NUL-terminated. */
struct str intern_text(const struct intern *in, uint32_t id);

#endif
