/* See the header. */
#include "tests/unit/store/admin_world.h"

#include <string.h>
#include <unistd.h>

#include "store/roster_txn.h"
#include "tests/unit/unit.h"

struct asked {
    struct view_ask view;
    struct transfer_ask transfer;
    atomic_bool done;
};

static void on_view(struct view_ask *a)
{
    atomic_store(&((struct asked *)a->priv)->done, true);
}

static void on_transfer(struct transfer_ask *t)
{
    atomic_store(&((struct asked *)t->priv)->done, true);
}

struct view admin_world_view(struct store_world *w, int i)
{
    struct asked a = { .view = { .loop = w->loop, .done = on_view } };

    a.view.priv = &a;
    admin_view(store_admin(w->stores[i]), &a.view);
    store_world_wait(&a.done);
    return a.view.view;
}

int admin_world_transfer(struct store_world *w, int i, enum store_group_id group, uint64_t to)
{
    struct asked a = {
        .transfer = { .loop = w->loop, .done = on_transfer, .group = group, .member_id = to }
    };

    a.transfer.priv = &a;
    admin_transfer(store_admin(w->stores[i]), &a.transfer);
    store_world_wait(&a.done);
    return a.transfer.status;
}

struct roster admin_world_roster(struct store_world *w, int i)
{
    struct roster r;
    struct err e;

    assert_int_equal(roster_read(store_group(w->stores[i], STORE_CLUSTER), &r, &e), 0);
    return r;
}

struct roster_row admin_world_row(struct store_world *w, int i, uint64_t id)
{
    struct roster r = admin_world_roster(w, i);
    const struct roster_row *row = roster_by_id(&r, id);

    return row != NULL ? *row : (struct roster_row){ 0 };
}

void admin_world_wish(struct store_world *w, int i, uint64_t id, enum roster_want want)
{
    struct store_result result = { .status = -ERR_CONFLICT };

    /* A member that corrects its row may come first. */
    while (result.status == -ERR_CONFLICT) {
        struct roster_row row = admin_world_row(w, i, id);
        struct roster_txn t;

        assert_int_equal(row.member.id, id);
        row.want = want;
        roster_txn_init(&t);
        roster_txn_row(&t, &row);
        result = store_world_write(w, i, roster_txn_get(&t, 0));
        roster_txn_deinit(&t);
    }
    assert_int_equal(result.status, 0);
}

void admin_world_until(struct store_world *w, bool (*is)(struct store_world *w, void *ctx),
                       void *ctx)
{
    for (int n = 0; n < 2000; n++) {
        if (is(w, ctx))
            return;
        usleep(10000);
    }
    assert_true(is(w, ctx));
}
