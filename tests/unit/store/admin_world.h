/* What operators ask, as calls that wait; and waiting for the roster to become something. */
#ifndef TESTS_UNIT_STORE_ADMIN_WORLD_H
#define TESTS_UNIT_STORE_ADMIN_WORLD_H

#include "store/admin.h"
#include "store/roster.h"
#include "tests/unit/store/store_world.h"

struct view admin_world_view(struct store_world *w, int i);
int admin_world_transfer(struct store_world *w, int i, enum store_group_id group, uint64_t to);
struct roster admin_world_roster(struct store_world *w, int i);
/* The row of a member, or one without a name. */
struct roster_row admin_world_row(struct store_world *w, int i, uint64_t id);
void admin_world_wish(struct store_world *w, int i, uint64_t id, enum roster_want want);
/* Until the condition holds; fails after 20 s. */
void admin_world_until(struct store_world *w, bool (*is)(struct store_world *w, void *ctx),
                       void *ctx);

#endif
