/* See the header. */
#include "tests/unit/store/house_world.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/env_sim.h"
#include "store/group_state.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

#define TURN_MS 100

/* ---- the log ---- */

struct waiting {
    struct proposal p; /* first */
    struct house_world *world;
};

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    assert_int_equal(command, 0);
    ((struct waiting *)p)->world->result = *result;
}

static void on_released(struct proposal *p)
{
    mem_free(p);
}

/* As the proposer does: at the level that the leader has published. */
static int append(struct house_world *w, const struct store_op *ops, size_t count, bool wait)
{
    struct store_txn txn = { .ops = ops, .ops_count = count };
    uint32_t level = house_world_point(w, w->leader).level;
    struct buf bytes;
    if (txn_level(&txn) > level)
        return -ERR_UNIMPLEMENTED;
    buf_init(&bytes);
    assert_int_equal(txn_encode(&txn, &bytes, NULL), 0);
    assert_true(w->index + 1 < HOUSE_ENTRIES_MAX);
    struct buf *entry = &w->log[++w->index];
    entry_begin(entry, level, 1);
    entry_add(entry, buf_str(&bytes));
    entry_end(entry, 1);
    buf_deinit(&bytes);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++) {
        struct waiting *waiting = NULL;
        if (!w->members[i].alive)
            continue;
        if (wait && i == w->leader) {
            waiting = mem_alloc(sizeof *waiting);
            waiting->p = (struct proposal){ on_answer, on_released, 1 };
            waiting->world = w;
        }
        group_apply(w->members[i].group, w->index, 1, buf_str(entry),
                    waiting != NULL ? &waiting->p : NULL);
    }
    return 0;
}

/* ---- what housekeeping sees ---- */

static bool op_leading(void *ctx)
{
    const struct house_member *m = ctx;
    return m == &m->world->members[m->world->leader];
}

static size_t op_members(void *ctx, struct housekeeping_member out[STORE_MEMBERS_MAX])
{
    const struct house_world *w = ((struct house_member *)ctx)->world;
    memcpy(out, w->configuration, sizeof w->configuration);
    return w->configuration_count;
}

static uint64_t now_ms(const struct house_world *w)
{
    return env_now_ns(w->env) / ENV_MS;
}

static void op_ask(void *ctx, uint64_t member, uint64_t digest_index)
{
    struct house_member *m = ctx;
    struct house_member *asked = &m->world->members[member - 1];
    struct housekeeping_report report;
    if (!asked->alive || asked->silent)
        return;
    housekeeping_self(asked->group, digest_index, &report);
    if (asked->level_max == 1)
        report = (struct housekeeping_report){ 0 };
    housekeeping_reported(&m->house, member, now_ms(m->world), &report);
}

static void op_propose(void *ctx, const struct store_op *ops, size_t count)
{
    struct house_world *w = ((struct house_member *)ctx)->world;
    for (size_t i = 0; i < count; i++)
        w->proposed[ops[i].type]++;
    assert_int_equal(append(w, ops, count, false), 0); /* never what may not be proposed */
}

static uint64_t op_wall_ms(void *ctx)
{
    const struct house_member *m = ctx;
    return house_world_wall_ms(m->world, (size_t)m->id - 1);
}

/* As replica.c: the next member that lives takes over, after a while. */
static bool op_defragment(void *ctx, bool hand_over)
{
    struct house_member *m = ctx;
    struct house_world *w = m->world;
    if (op_leading(m)) {
        w->handovers += hand_over ? 1 : 0;
        w->leader = hand_over ? (size_t)m->id % HOUSE_MEMBERS : w->leader;
        return false;
    }
    m->defragmented++;
    m->wasteful = false;
    return true;
}

/* What the sampler would have measured. */
static void set_usage(struct house_member *m)
{
    struct usage_sampler *u = &m->group->usage;
    atomic_store(&u->used_bytes, 10 << 20);
    atomic_store(&u->free_bytes, m->wasteful ? 2 * USAGE_WASTE_BYTES : 0);
    atomic_store(&u->disk_bytes, 1ull << 40);
    atomic_store(&u->disk_free_bytes, 1ull << 39);
}

static const struct housekeeping_ops ops = { .leading = op_leading,
                                             .members = op_members,
                                             .ask = op_ask,
                                             .propose = op_propose,
                                             .wall_ms = op_wall_ms,
                                             .defragment = op_defragment };

/* ---- members ---- */

static void on_halt(void *ctx, enum group_halt why, const char *message)
{
    struct house_member *m = ctx;
    m->halted = why;
    snprintf(m->why, sizeof m->why, "%s", message);
    m->alive = false;
}

static void member_open(struct house_world *w, size_t i)
{
    struct house_member *m = &w->members[i];
    m->kv = kv_sim_open(m->disk);
    m->apply = env_loop_new(w->env, "apply");
    m->raft = env_loop_new(w->env, "raft");
    env_loop_start(m->apply);
    env_loop_start(m->raft);
    struct group_config config = { .env = w->env,
                                   .id = STORE_CLUSTER,
                                   .kv = m->kv,
                                   .apply_loop = m->apply,
                                   .level_max = m->level_max,
                                   .retain_ms = m->retain_ms,
                                   .retain_revisions = m->retain_ms > 0 ? 1 : 0,
                                   .raft_loop = m->raft,
                                   .on_halt = on_halt,
                                   .ctx = m };
    assert_int_equal(group_open(&config, &m->group, NULL), 0);
    housekeeping_init(&m->house, m->group, m->id, &ops, m);
    m->alive = true;
    for (uint64_t index = 1; index <= w->index; index++)
        group_apply(m->group, index, 1, buf_str(&w->log[index]), NULL);
}

static void member_close(struct house_member *m)
{
    env_loop_stop(m->apply);
    env_loop_stop(m->raft);
    env_loop_free(m->apply);
    env_loop_free(m->raft);
    group_abandon(m->group);
    kv_sim_crash(m->disk, false);
    kv_close(m->kv);
}

void house_world_init(struct house_world *w, const uint32_t level_max[HOUSE_MEMBERS])
{
    memset(w, 0, sizeof *w);
    w->env = env_sim_new(11);
    for (size_t i = 0; i < HOUSE_MEMBERS; i++) {
        struct house_member *m = &w->members[i];
        m->world = w;
        m->id = i + 1;
        m->level_max = level_max[i];
        m->disk = kv_sim_disk_new();
        w->configuration[i] = (struct housekeeping_member){ i + 1, true };
        member_open(w, i);
    }
    w->configuration_count = HOUSE_MEMBERS;
}

void house_world_deinit(struct house_world *w)
{
    for (size_t i = 0; i < HOUSE_MEMBERS; i++) {
        member_close(&w->members[i]);
        kv_sim_disk_free(w->members[i].disk);
    }
    for (uint64_t i = 0; i <= w->index; i++)
        buf_deinit(&w->log[i]);
    env_sim_free(w->env);
}

void house_world_restart(struct house_world *w, size_t i, uint32_t level_max)
{
    member_close(&w->members[i]);
    w->members[i].level_max = level_max;
    member_open(w, i);
}

void house_world_run(struct house_world *w, uint64_t ms)
{
    for (uint64_t end = now_ms(w) + ms; now_ms(w) < end;) {
        for (size_t i = 0; i < HOUSE_MEMBERS; i++)
            if (w->members[i].alive) {
                if (w->wasteful)
                    set_usage(&w->members[i]);
                housekeeping_run(&w->members[i].house, now_ms(w));
            }
        env_sim_run(w->env, TURN_MS);
    }
}

struct store_result house_world_write(struct house_world *w, struct store_op op)
{
    w->result = (struct store_result){ .status = -ERR_UNKNOWN_OUTCOME };
    int rc = append(w, &op, 1, true);
    if (rc != 0)
        return (struct store_result){ .status = rc };
    env_sim_run(w->env, TURN_MS);
    return w->result;
}

struct store_result house_world_put(struct house_world *w, const char *key, uint64_t expires_ms)
{
    return house_world_write(w, (struct store_op){ .type = STORE_OP_PUT,
                                                   .key = str_from(key),
                                                   .value = STR("value"),
                                                   .expires_ms = expires_ms });
}

struct point house_world_point(struct house_world *w, size_t i)
{
    struct point p;
    group_point(w->members[i].group, &p);
    return p;
}

bool house_world_has(struct house_world *w, size_t i, const char *key)
{
    struct store_read r;
    struct store_version v;
    assert_int_equal(store_read_begin(w->members[i].group, 0, &r), 0);
    int rc = store_read_get(&r, str_from(key), &v);
    store_read_end(&r);
    return rc == 0;
}

uint64_t house_world_wall_ms(struct house_world *w, size_t i)
{
    return (uint64_t)((int64_t)(env_wall_ns(w->env) / ENV_MS) + w->members[i].skew_ms);
}

void house_world_corrupt(struct house_world *w, size_t i)
{
    w->members[i].group->fsm.point.digest += i + 1;
}
