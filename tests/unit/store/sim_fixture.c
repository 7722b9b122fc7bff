/* See the header. */
#include "tests/unit/store/sim_fixture.h"

#include <string.h>

void sim_init(struct sim_fixture *f)
{
    memset(f, 0, sizeof *f);
    f->disk = kv_sim_disk_new();
    f->kv = kv_sim_open(f->disk);
    f->t = kv_begin_write(f->kv);
    buf_init(&f->row);
    buf_init(&f->saved);
    compact_load(&f->compact, f->t);
    f->changer = (struct changer){ .t = f->t,
                                   .compact = &f->compact,
                                   .digest = &f->digest,
                                   .at = { 0, 0 },
                                   .row = &f->row,
                                   .saved = &f->saved };
}

void sim_deinit(struct sim_fixture *f)
{
    compact_deinit(&f->compact);
    kv_commit(f->t);
    kv_close(f->kv);
    kv_sim_disk_free(f->disk);
    buf_deinit(&f->row);
    buf_deinit(&f->saved);
}

void sim_put(struct sim_fixture *f, struct store_op op)
{
    f->changer.at = (struct place){ f->changer.at.revision + 1, 0 };
    (void)change_put(&f->changer, &op); /* always writes */
}

bool sim_delete(struct sim_fixture *f, const char *key)
{
    f->changer.at = (struct place){ f->changer.at.revision + 1, 0 };
    return change_delete(&f->changer, str_from(key));
}

size_t sim_rows(struct sim_fixture *f, enum kv_table table)
{
    struct kv_cursor c;
    size_t rows = 0;
    kv_cursor_open(f->t, table, &c);
    for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c))
        rows++;
    kv_cursor_close(&c);
    return rows;
}
