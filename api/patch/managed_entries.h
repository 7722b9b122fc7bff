/* Private to api/patch: what updates and applies share of entries. */
#ifndef API_PATCH_MANAGED_ENTRIES_H
#define API_PATCH_MANAGED_ENTRIES_H

#include "api/patch/managed.h"
#include "api/patch/typed.h"

struct field_set managed_stripped(void);
/* The text goes when the set is another. */
void managed_set_fields(struct managed_entry *e, const struct field_set *set);
void managed_drop_empty(struct managed *m);
void managed_drop_versions(struct managed *m, const struct managed_operation *op);
struct managed_entry *managed_find(const struct managed *m, const struct managed_operation *op,
                                   bool applied);
/* Found, or added without fields. */
struct managed_entry *managed_entry_of(struct arena *a, struct managed *m,
                                       const struct managed_operation *op, bool applied);
/* Without what the operation cannot set. */
struct field_changes managed_compare(struct arena *a, const struct managed_operation *op,
                                     const struct json *old, const struct json *new);
void managed_lose(struct arena *a, struct managed *m, const struct managed_entry *except,
                  const struct field_set *taken, const struct field_set *gone);

#endif
