/*
 * Another member's copy becomes a group's state while readers and watchers on threads of their own
 * go on: no event is missed or seen twice, no list is torn, no read goes back. And what is refused.
 * Run under ThreadSanitizer too.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "store/folder.h"
#include "store/group.h"
#include "store/kv.h"
#include "store/txn.h"
#include "tests/unit/unit.h"

#define WATCHERS 4
#define READERS  2
#define KEYS     17
#define INSTALLS 6
#define STRIDE   150 /* entries between two installs */
#define WRITES   (INSTALLS * STRIDE + 100)

/* Entry i writes revision i: key i % KEYS gets "value-i". */
struct member {
    struct env *env;
    char folder[300];
    struct env_loop *raft;
    struct store_group *group;
    uint64_t handed;
};

struct world {
    struct env *env;
    char base[256];
    struct env_loop *raft;
    struct member ahead;  /* whose copies are installed */
    struct member behind; /* where */
};

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
}

static void member_open(struct world *w, struct member *m, const char *name, enum store_group_id id)
{
    struct err e = { 0 };
    m->env = w->env;
    m->raft = w->raft;
    snprintf(m->folder, sizeof m->folder, "%s/%s", w->base, name);
    struct group_config config = { .env = w->env,
                                   .id = id,
                                   .folder = m->folder,
                                   .map_bytes = 1u << 30,
                                   .ring_bytes = 16384,
                                   .raft_loop = w->raft };
    if (group_open(&config, &m->group, &e) != 0)
        fail_msg("%s", e.msg);
    struct point p;
    group_point(m->group, &p);
    m->handed = p.index;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->env = env_uv_new();
    w->raft = env_loop_new(w->env, "raft");
    env_loop_start(w->raft);
    const char *base = getenv("TEST_TMPDIR");
    snprintf(w->base, sizeof w->base, "%s/install-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->base));
    member_open(w, &w->ahead, "ahead", STORE_CLUSTER);
    member_open(w, &w->behind, "behind", STORE_CLUSTER);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    env_loop_stop(w->raft);
    env_loop_join(w->raft);
    group_close(w->ahead.group);
    group_close(w->behind.group);
    env_loop_free(w->raft);
    (void)env_remove_tree(w->env, w->base, NULL); /* only a temporary folder */
    env_uv_free(w->env);
    free(w);
    return 0;
}

/* What the raft loop does with a committed entry. */
static void hand_over_op(struct member *m, uint64_t index, struct store_op op, struct proposal *p)
{
    struct buf entry;
    struct buf txn;
    buf_init(&entry);
    buf_init(&txn);
    entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
    assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, NULL), 0);
    entry_add(&entry, buf_str(&txn));
    entry_end(&entry, 1);
    group_apply(m->group, index, 1, buf_str(&entry), p);
    buf_deinit(&entry);
    buf_deinit(&txn);
}

static void hand_over(struct member *m, uint64_t index, struct proposal *p)
{
    char key[32];
    char value[32];
    snprintf(key, sizeof key, "k/%llu", (unsigned long long)(index % KEYS));
    snprintf(value, sizeof value, "value-%llu", (unsigned long long)index);
    hand_over_op(
        m, index,
        (struct store_op){ .type = STORE_OP_PUT, .key = str_from(key), .value = str_from(value) },
        p);
}

static void hand_over_to(struct member *m, uint64_t index)
{
    while (m->handed < index)
        hand_over(m, ++m->handed, NULL);
}

static void wait_covered(struct member *m, uint64_t index)
{
    while (!group_covers(m->group, index))
        nap();
}

/* ---- install, and wait for it ---- */

struct installing {
    struct group_install i; /* first */
    struct env_msg msg;
    struct member *member;
    atomic_bool done;
};

static void on_installed(struct group_install *i)
{
    atomic_store(&((struct installing *)i)->done, true);
}

static void start_install(struct env_msg *m)
{
    struct installing *s = container_of(m, struct installing, msg);
    group_install(s->member->group, &s->i);
}

/* Puts a copy of `from` where a fetch would. */
static void stage(struct member *from, struct member *to, char staging[400])
{
    char path[420];
    struct err e = { 0 };
    snprintf(staging, 400, "%s/" FOLDER_STAGING, to->folder);
    snprintf(path, sizeof path, "%s/" KV_FILE, staging);
    assert_int_equal(env_dir_make(to->env, staging, 0700, NULL), 0);
    if (group_copy(from->group, path, &e) != 0)
        fail_msg("%s", e.msg);
}

static int install(struct member *m, const char *staging, uint64_t min_index,
                   struct group_install *out)
{
    struct installing s = {
        .i = { .folder = staging, .min_index = min_index, .done = on_installed }, .member = m
    };
    env_post(m->raft, &s.msg, start_install);
    while (!atomic_load(&s.done))
        nap();
    *out = s.i;
    return s.i.status;
}

/* ---- readers and watchers ---- */

struct watcher {
    struct store_subscriber subscriber; /* first */
    struct env_msg reading;
    struct env_loop *loop;
    struct store_group *group;
    uint64_t seen;
    uint64_t per_turn; /* 0: everything; else so many events a call, to fall behind the ring */
    uint64_t taken;
    _Atomic uint64_t done;
};

static bool on_event(void *ctx, const struct store_event *event)
{
    struct watcher *w = ctx;
    char value[32];
    if (w->per_turn > 0 && w->taken++ == w->per_turn)
        return false;
    assert_int_equal(event->revision, w->seen + 1);
    snprintf(value, sizeof value, "value-%llu", (unsigned long long)event->revision);
    assert_true(str_eq_c(event->value, value));
    if (event->revision > KEYS)
        assert_int_equal(event->old_revision, event->revision - KEYS);
    w->seen = event->revision;
    return true;
}

static void on_published(struct store_subscriber *s, uint64_t revision)
{
    struct watcher *w = (struct watcher *)s;
    while (w->seen < revision) {
        uint64_t last = 0;
        w->taken = 0;
        assert_int_equal(store_events(w->group, w->seen, on_event, w, &last), 0);
        assert_int_equal(last, w->seen);
    }
    atomic_store(&w->done, w->seen);
}

struct rows {
    uint64_t newest;
    char last[32];
};

static bool on_row(void *ctx, const struct store_version *v)
{
    struct rows *rows = ctx;
    if (v->revision > rows->newest)
        rows->newest = v->revision;
    snprintf(rows->last, sizeof(rows->last), "%.*s", STR_ARG(v->key));
    return true;
}

/* Of all keys at the revision, in as many reads as it takes. */
static uint64_t newest_at(struct store_group *g, uint64_t revision)
{
    struct rows rows = { 0 };
    bool more = true;
    while (more) {
        struct store_read r;
        assert_int_equal(store_read_begin(g, revision, &r), 0);
        assert_int_equal(
            store_read_scan(&r, str_from("k/"), str_from(rows.last), on_row, &rows, NULL, &more),
            0);
        store_read_end(&r);
    }
    return rows.newest;
}

static void on_reading(struct env_msg *m)
{
    struct watcher *w = container_of(m, struct watcher, reading);
    struct store_read r;
    uint64_t published = store_published(w->group);
    assert_int_equal(store_read_begin(w->group, 0, &r), 0);
    store_read_end(&r);
    assert_true(r.revision >= published);
    assert_true(r.revision >= w->seen);
    if (r.revision > 0) /* 0 stands for the newest */
        assert_int_equal(newest_at(w->group, r.revision), r.revision);
    /* The past of a revision that was read stays readable, in whichever environment. */
    if (w->seen > 0)
        assert_int_equal(newest_at(w->group, w->seen), w->seen);
    w->seen = r.revision;
    atomic_store(&w->done, w->seen);
    if (w->seen < WRITES)
        env_post(w->loop, m, on_reading);
}

static void test_under_readers(void **state)
{
    struct world *w = *state;
    struct watcher watchers[WATCHERS + READERS];
    memset(watchers, 0, sizeof watchers);
    for (int i = 0; i < WATCHERS + READERS; i++) {
        struct watcher *v = &watchers[i];
        v->group = w->behind.group;
        v->loop = env_loop_new(w->env, "watcher");
        v->subscriber = (struct store_subscriber){ .loop = v->loop, .published = on_published };
        v->per_turn = i % 2 == 0 ? 0 : 3;
        if (i < WATCHERS)
            store_subscribe(v->group, &v->subscriber);
        env_loop_start(v->loop);
        if (i >= WATCHERS)
            env_post(v->loop, &v->reading, on_reading);
    }
    for (uint64_t n = 1; n <= INSTALLS; n++) {
        struct group_install i;
        char staging[400];
        uint64_t at = n * STRIDE;
        /* Applies some by itself, is handed more, and is then overtaken: an even one by a copy
         * that holds all it was handed. */
        hand_over_to(&w->behind, at - STRIDE + 40);
        wait_covered(&w->behind, at - STRIDE + 20);
        hand_over_to(&w->ahead, at);
        wait_covered(&w->ahead, at);
        stage(&w->ahead, &w->behind, staging);
        if (n % 2 == 1)
            hand_over_to(&w->behind, at + 10);
        if (install(&w->behind, staging, at, &i) == -ERR_CONFLICT) {
            /* It had applied them all meanwhile. */
            assert_int_equal(n % 2, 1);
            continue;
        }
        assert_int_equal(i.status, 0);
        assert_int_equal(i.point.index, at);
        assert_true(store_published(w->behind.group) >= at);
        /* The raft loop goes on from where its log begins: at or below the copy's index. */
        if (w->behind.handed < at)
            w->behind.handed = at - 5;
    }
    hand_over_to(&w->behind, WRITES);
    for (int i = 0; i < WATCHERS + READERS; i++)
        while (atomic_load(&watchers[i].done) < WRITES)
            nap();
    hand_over_to(&w->ahead, WRITES);
    wait_covered(&w->ahead, WRITES);
    struct point a;
    struct point b;
    group_point(w->ahead.group, &a);
    group_point(w->behind.group, &b);
    assert_int_equal(a.digest, b.digest);
    assert_int_equal(b.index, WRITES);
    for (int i = 0; i < WATCHERS + READERS; i++) {
        env_loop_stop(watchers[i].loop);
        env_loop_join(watchers[i].loop);
        env_loop_free(watchers[i].loop);
    }
}

/* ---- proposals and what follows ---- */

struct counted {
    struct proposal p; /* first */
    _Atomic int status;
    _Atomic int released;
};

static void on_answer(struct proposal *p, size_t command, const struct store_result *result)
{
    (void)command; /* one */
    atomic_store(&((struct counted *)p)->status, result->status);
}

static void on_released(struct proposal *p)
{
    atomic_fetch_add(&((struct counted *)p)->released, 1);
}

/* Takes its time, so that what is handed over waits behind it with the install. */
static void test_queued_proposals(void **state)
{
    struct world *w = *state;
    struct counted c[40];
    struct group_install i;
    char staging[400];
    hand_over_to(&w->ahead, 20);
    wait_covered(&w->ahead, 20);
    stage(&w->ahead, &w->behind, staging);
    for (uint64_t n = 1; n <= 30; n++) {
        c[n] = (struct counted){ .p = { .answer = on_answer, .released = on_released, .count = 1 },
                                 .status = 1 };
        hand_over(&w->behind, n, &c[n].p);
    }
    (void)install(&w->behind, staging, 20, &i); /* in time, or refused as older */
    wait_covered(&w->behind, 30);
    for (int n = 1; n <= 30; n++) {
        int status = atomic_load(&c[n].status);
        assert_int_equal(atomic_load(&c[n].released), 1);
        assert_true(status == 0 || (status == -ERR_UNKNOWN_OUTCOME && i.status == 0 && n <= 20));
    }
    assert_int_equal(store_published(w->behind.group), 30);
    assert_int_equal(group_queue_bytes(w->behind.group), 0);
}

static void reopen(struct world *w, struct member *m, const char *name)
{
    env_loop_stop(w->raft);
    env_loop_join(w->raft);
    group_close(m->group);
    env_loop_start(w->raft);
    member_open(w, m, name, STORE_CLUSTER);
}

static void test_durable(void **state)
{
    struct world *w = *state;
    struct group_install i;
    char staging[400];
    char path[420];
    for (uint64_t n = 1; n <= 3; n++) {
        hand_over_to(&w->ahead, 10 * n);
        wait_covered(&w->ahead, 10 * n);
        stage(&w->ahead, &w->behind, staging);
        assert_int_equal(install(&w->behind, staging, 10 * n, &i), 0);
        assert_false(env_path_exists(w->env, staging));
    }
    reopen(w, &w->behind, "behind");
    struct point p;
    group_point(w->behind.group, &p);
    assert_int_equal(p.index, 30);
    assert_int_equal(p.revision, 30);
    /* One environment is left. */
    for (int n = 1; n <= 4; n++) {
        snprintf(path, sizeof path, "%s/env-%d", w->behind.folder, n);
        assert_int_equal(env_path_exists(w->env, path), n == 4);
    }
    uint64_t used;
    uint64_t map;
    group_pages(w->behind.group, &used, &map);
    assert_true(used > 0 && used < map && map == 1u << 30);
}

/* What was deleted is not counted, although its history is there. */
static void test_copy_keys(void **state)
{
    struct world *w = *state;
    char staging[400];
    char path[420];
    uint64_t keys;
    struct err e = { 0 };
    hand_over_to(&w->ahead, 5);
    hand_over_op(&w->ahead, ++w->ahead.handed,
                 (struct store_op){ .type = STORE_OP_DELETE, .key = str_lit("k/3") }, NULL);
    wait_covered(&w->ahead, 6);
    stage(&w->ahead, &w->behind, staging);
    snprintf(path, sizeof path, "%s/" KV_FILE, staging);
    assert_int_equal(group_copy_keys(&kv_lmdb, path, &keys, &e), 0);
    assert_int_equal(keys, 4);
    assert_int_not_equal(group_copy_keys(&kv_lmdb, "/nowhere/at/all", &keys, &e), 0);
}

static void test_refused(void **state)
{
    struct world *w = *state;
    struct group_install i;
    char staging[400];
    char path[420];
    struct point p;
    hand_over_to(&w->ahead, 20);
    hand_over_to(&w->behind, 25);
    wait_covered(&w->ahead, 20);
    wait_covered(&w->behind, 25);
    /* Older than what is published. */
    stage(&w->ahead, &w->behind, staging);
    snprintf(path, sizeof path, "%s/" KV_FILE, staging);
    assert_int_equal(group_copy_point(&kv_lmdb, STORE_CLUSTER, path, &p, NULL), 0);
    assert_int_equal(p.index, 20);
    struct err e = { 0 };
    assert_int_equal(group_copy_point(&kv_lmdb, STORE_BUS, path, &p, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(install(&w->behind, staging, 20, &i), -ERR_CONFLICT);
    assert_non_null(strstr(i.err.msg, "older"));
    /* Older than what was asked for. */
    hand_over_to(&w->ahead, 30);
    wait_covered(&w->ahead, 30);
    stage(&w->ahead, &w->behind, staging);
    assert_int_equal(install(&w->behind, staging, 31, &i), -ERR_CONFLICT);
    /* Not an environment, and none at all. */
    assert_int_equal(env_dir_make(w->env, staging, 0700, NULL), 0);
    static char junk[20000];
    memset(junk, 'j', sizeof junk);
    assert_int_equal(env_file_write(w->env, path, str_of(junk, sizeof junk), 0600, NULL), 0);
    assert_int_equal(install(&w->behind, staging, 0, &i), -ERR_CORRUPT);
    assert_int_equal(install(&w->behind, staging, 0, &i), -ERR_NOT_FOUND);
    /* Another group's. */
    struct member bus = { 0 };
    member_open(w, &bus, "bus", STORE_BUS);
    hand_over_to(&bus, 40);
    wait_covered(&bus, 40);
    stage(&bus, &w->behind, staging);
    assert_int_equal(install(&w->behind, staging, 0, &i), -ERR_CORRUPT);
    assert_non_null(strstr(i.err.msg, "not the state of group"));
    group_close(bus.group);
    struct group_config config = { .env = w->env, .id = STORE_CLUSTER, .folder = bus.folder };
    assert_int_equal(group_open(&config, &bus.group, &e), -ERR_CORRUPT);
    /* Nothing changed, and it goes on; the right one is still taken. */
    hand_over_to(&w->behind, 28);
    wait_covered(&w->behind, 28);
    assert_int_equal(store_published(w->behind.group), 28);
    stage(&w->ahead, &w->behind, staging);
    assert_int_equal(install(&w->behind, staging, 30, &i), 0);
    assert_int_equal(store_published(w->behind.group), 30);
    reopen(w, &w->behind, "behind");
    assert_int_equal(store_published(w->behind.group), 30);
}

/* A reader stays in the environment it entered, which lives until it has left. */
static void test_reader_inside(void **state)
{
    struct world *w = *state;
    struct group_install i;
    struct store_read r;
    struct store_version v;
    char staging[400];
    char old[420];
    hand_over_to(&w->behind, 5);
    wait_covered(&w->behind, 5);
    hand_over_to(&w->ahead, 50);
    wait_covered(&w->ahead, 50);
    stage(&w->ahead, &w->behind, staging);
    snprintf(old, sizeof old, "%s/env-1", w->behind.folder);
    assert_int_equal(store_read_begin(w->behind.group, 0, &r), 0);
    assert_int_equal(install(&w->behind, staging, 50, &i), 0);
    assert_int_equal(store_published(w->behind.group), 50);
    assert_int_equal(r.revision, 5);
    assert_int_equal(store_read_get(&r, str_from("k/5"), &v), 0);
    assert_true(str_eq_c(v.value, "value-5"));
    assert_true(env_path_exists(w->env, old));
    store_read_end(&r);
    while (env_path_exists(w->env, old))
        nap();
    assert_int_equal(store_read_begin(w->behind.group, 0, &r), 0);
    assert_int_equal(store_read_get(&r, str_from("k/5"), &v), 0);
    assert_true(str_eq_c(v.value, "value-39"));
    store_read_end(&r);
}

static struct str current_of(struct arena *a, const struct member *m)
{
    struct str name;
    char path[320];
    snprintf(path, sizeof path, "%s/CURRENT", m->folder);
    assert_int_equal(env_file_read(m->env, a, path, 256, &name, NULL), 0);
    return name;
}

/* The same state in another file, while entries keep coming. */
static void test_defragment(void **state)
{
    struct world *w = *state;
    struct member *m = &w->behind;
    struct arena a;
    struct point point;
    struct point expected;
    arena_init(&a);
    hand_over_to(&w->ahead, 400);
    hand_over_to(m, 300);
    wait_covered(m, 300);
    struct str before = current_of(&a, m);
    group_defragment(m->group);
    hand_over_to(m, 400);
    while (str_eq(current_of(&a, m), before))
        nap();
    wait_covered(m, 400);
    wait_covered(&w->ahead, 400);
    group_point(m->group, &point);
    group_point(w->ahead.group, &expected);
    assert_true(point.index == expected.index && point.digest == expected.digest);
    /* It did not come from elsewhere: the log must still hold what it did. */
    assert_int_equal(group_installed(m->group), 0);
    group_close(m->group);
    member_open(w, m, "behind", STORE_CLUSTER);
    group_point(m->group, &point);
    assert_true(point.index == expected.index && point.digest == expected.digest);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_under_readers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queued_proposals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reader_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_defragment, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
