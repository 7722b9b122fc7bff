/* What a backup is made of: copies of both groups that stay whole, one at a time, also at the end
 * of a store. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/save.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/unit.h"

struct saving {
    struct copy_world *world;
    struct store_group *groups[STORE_BUS + 1];
    struct copies *copies[STORE_BUS + 1];
    struct saver *saver;
};

struct save {
    struct store_save save;
    struct saver *saver;
    atomic_bool done;
    bool began;
};

static void on_done(struct store_save *s)
{
    atomic_store(&container_of(s, struct save, save)->done, true);
}

static void begin(struct copy_world *w, void *arg)
{
    struct save *s = arg;
    s->save = (struct store_save){ .loop = w->peers, .done = on_done, .local = true };
    atomic_store(&s->done, false);
    saver_begin(s->saver, &s->save);
    s->began = true;
    assert_false(atomic_load(&s->done)); /* never inside the call */
}

static void end(struct copy_world *w, void *arg)
{
    struct save *s = arg;
    (void)w;
    saver_end(s->saver, &s->save);
}

/* One keeper of copies stands for both groups. */
static void make(struct copy_world *w, void *arg)
{
    struct saving *m = arg;
    m->world = w;
    m->groups[STORE_CLUSTER] = m->groups[STORE_BUS] = w->sender;
    m->copies[STORE_CLUSTER] = m->copies[STORE_BUS] = w->copies;
    struct saver_config config = { .loop = w->peers, .groups = m->groups, .copies = m->copies };
    m->saver = saver_new(&config);
}

static void stop(struct copy_world *w, void *arg)
{
    (void)w;
    saver_stop(arg);
}

static void finish(struct copy_world *w, struct saver *v)
{
    copy_world_run(w, stop, v);
    saver_free(v);
}

static int run(struct copy_world *w, struct save *s)
{
    copy_world_run(w, begin, s);
    copy_world_wait(&s->done);
    return s->save.status;
}

/* The file is whole although its name may be gone. */
static void check(struct copy_world *w, const struct save *s)
{
    assert_int_equal(s->save.groups_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct backup_group *g = &s->save.groups[i];
        struct env_stat stat;
        assert_int_equal(g->id, STORE_CLUSTER + i);
        assert_int_equal(env_file_stat(g->file, &stat, NULL), 0);
        assert_int_equal(stat.size, g->bytes);
        assert_int_equal(g->point.index, w->handed);
        assert_int_equal(g->keys, w->handed); /* each entry puts another */
    }
}

static void test_saved(void **state)
{
    struct copy_world *w = *state;
    struct saving m = { 0 };
    copy_world_run(w, make, &m);
    struct save one = { .saver = m.saver };
    struct save two = { .saver = m.saver };
    copy_world_fill(w, 3, 1000);
    assert_int_equal(run(w, &one), 0);
    check(w, &one);
    /* One at a time, until the first has ended. */
    assert_int_equal(run(w, &two), -ERR_TOO_MANY_REQUESTS);
    assert_non_null(strstr(two.save.err.msg, "under way"));
    copy_world_run(w, end, &two); /* changes nothing: it holds nothing */
    assert_int_equal(run(w, &two), -ERR_TOO_MANY_REQUESTS);
    /* A newer copy takes the place of the first: its file is still read. */
    uint64_t index = one.save.groups[0].point.index;
    copy_world_fill(w, 1, 1000);
    struct copy_info info;
    assert_int_equal(copy_world_ask(w, w->handed, &info, NULL), 0);
    assert_true(info.point.index > index);
    struct env_stat stat;
    assert_int_equal(env_file_stat(one.save.groups[0].file, &stat, NULL), 0);
    assert_int_equal(stat.size, one.save.groups[0].bytes);
    copy_world_run(w, end, &one);
    assert_int_equal(run(w, &two), 0);
    check(w, &two);
    copy_world_run(w, end, &two);
    finish(w, m.saver);
}

/* Somebody took the files of copies away: others are made, and nobody waits for ever. */
static void test_taken_away(void **state)
{
    struct copy_world *w = *state;
    struct saving m = { 0 };
    copy_world_run(w, make, &m);
    struct save one = { .saver = m.saver };
    copy_world_fill(w, 3, 1000);
    assert_int_equal(run(w, &one), 0);
    copy_world_run(w, end, &one);
    struct err e;
    assert_int_equal(env_path_remove(w->env, one.save.path, &e), 0);
    assert_int_equal(run(w, &one), 0);
    check(w, &one);
    copy_world_run(w, end, &one);
    finish(w, m.saver);
}

static void test_stopping(void **state)
{
    struct copy_world *w = *state;
    struct saving m = { 0 };
    copy_world_run(w, make, &m);
    struct save one = { .saver = m.saver };
    copy_world_fill(w, 3, 1000);
    copy_world_run(w, begin, &one);
    copy_world_run(w, stop, m.saver); /* whatever it is doing */
    copy_world_wait(&one.done);
    assert_true(one.save.status == -ERR_UNAVAILABLE || one.save.status == 0);
    copy_world_run(w, end, &one);
    struct save two = { .saver = m.saver };
    assert_int_equal(run(w, &two), -ERR_UNAVAILABLE);
    saver_free(m.saver);
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, copy_world_setup, copy_world_teardown)
    const struct CMUnitTest tests[] = { ON_WORLD(test_saved), ON_WORLD(test_taken_away),
                                        ON_WORLD(test_stopping) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
