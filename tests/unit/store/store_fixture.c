/* See the header. Waiting polls: a test has nothing better to do. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "store/txn.h"

struct fixture_proposal {
    struct proposal p;
    struct store_fixture *fixture;
};

static void open_group(struct store_fixture *f)
{
    struct group_config config = {
        .env = f->env, .id = STORE_CLUSTER, .folder = f->folder, .ring_bytes = f->ring_bytes
    };
    struct err e = { 0 };
    int rc = group_open(&config, &f->group, &e);
    if (rc != 0)
        fprintf(stderr, "group_open: %s\n", e.msg);
    ASSERT(rc == 0);
}

void fixture_init(struct store_fixture *f, size_t ring_bytes)
{
    *f = (struct store_fixture){ .env = env_uv_new(), .term = 1, .ring_bytes = ring_bytes };
    buf_init(&f->entry);
    const char *base = getenv("TEST_TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    ASSERT(mkdtemp(f->folder) != NULL);
    open_group(f);
}

void fixture_deinit(struct store_fixture *f)
{
    group_close(f->group);
    buf_deinit(&f->entry);
    (void)env_remove_tree(f->env, f->folder, NULL); /* only a temporary folder */
    env_uv_free(f->env);
}

void fixture_reopen(struct store_fixture *f)
{
    group_close(f->group);
    open_group(f);
}

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    struct fixture_proposal *mine = (struct fixture_proposal *)p;
    mine->fixture->results[command] = *result;
}

static void on_released(struct proposal *p)
{
    mem_free(p);
}

void fixture_apply(struct store_fixture *f, const struct store_txn *txns, size_t count)
{
    ASSERT(count <= FIXTURE_TXNS_MAX);
    struct buf txn;
    buf_clear(&f->entry);
    buf_init(&txn);
    entry_begin(&f->entry, STORE_FEATURE_LEVEL, f->term);
    for (size_t i = 0; i < count; i++) {
        struct err e = { 0 };
        buf_clear(&txn);
        int rc = txn_encode(&txns[i], &txn, &e);
        if (rc != 0)
            fprintf(stderr, "txn_encode: %s\n", e.msg);
        ASSERT(rc == 0);
        entry_add(&f->entry, buf_str(&txn));
    }
    entry_end(&f->entry, (uint32_t)count);
    struct fixture_proposal *p = mem_alloc(sizeof *p);
    p->p = (struct proposal){ .answer = on_answer, .released = on_released, .count = count };
    p->fixture = f;
    group_apply(f->group, ++f->index, f->term, buf_str(&f->entry), &p->p);
    while (!group_covers(f->group, f->index))
        nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
    buf_deinit(&txn);
}

struct store_result fixture_txn(struct store_fixture *f, const struct store_txn *txn)
{
    fixture_apply(f, txn, 1);
    return f->results[0];
}

struct store_result fixture_op(struct store_fixture *f, struct store_op op)
{
    return fixture_txn(f, &(struct store_txn){ .ops = &op, .ops_count = 1 });
}

struct store_result fixture_put(struct store_fixture *f, const char *key, const char *value)
{
    return fixture_op(
        f,
        (struct store_op){ .type = STORE_OP_PUT, .key = str_from(key), .value = str_from(value) });
}

struct store_result fixture_delete(struct store_fixture *f, const char *key)
{
    return fixture_op(f, (struct store_op){ .type = STORE_OP_DELETE, .key = str_from(key) });
}
