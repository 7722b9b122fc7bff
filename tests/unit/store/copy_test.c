/* Copies for others: made once and shared, replaced, removed, read in ranges, refused for room. */
#include <stdio.h>
#include <string.h>

#include "store/copy.h"
#include "store/kv.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/unit.h"

/* Linked in between: what a full disk would say. */
static _Atomic uint64_t free_bytes = UINT64_MAX;
int __real_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e);
int __wrap_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e)
{
    int rc = __real_env_disk_space(env, path, out_total, out_free, e);
    if (rc == 0 && *out_free > free_bytes && strstr(path, "copies") != NULL)
        *out_free = free_bytes;
    return rc;
}

static size_t files(struct copy_world *w, char *out, size_t len)
{
    struct arena a;
    struct str *names;
    size_t count = 0;
    arena_init(&a);
    assert_int_equal(env_dir_list(w->env, &a, w->copies_folder, &names, &count, NULL), 0);
    if (count > 0 && out != NULL)
        snprintf(out, len, "%s/%.*s", w->copies_folder, STR_ARG(names[0]));
    arena_deinit(&a);
    return count;
}

/* ---- reads ---- */

struct reading {
    struct copy_read read; /* first */
    atomic_bool done;
};

static void on_read(struct copy_read *r)
{
    atomic_store(&((struct reading *)r)->done, true);
}

static void start_read(struct copy_world *w, void *arg)
{
    copies_read(w->copies, arg);
}

static int read_range(struct copy_world *w, struct reading *r, uint64_t id, uint64_t offset,
                      uint32_t max)
{
    *r = (struct reading){ .read = {
                               .id = id, .offset = offset, .bytes_max = max, .done = on_read } };
    copy_world_run(w, start_read, &r->read);
    copy_world_wait(&r->done);
    return r->read.status;
}

static void test_whole(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    struct copy_info again;
    struct reading r;
    char path[600];
    struct point now;
    uint8_t sum[DIGEST_SHA256_BYTES];
    uint64_t bytes;
    copy_world_fill(w, 12, 200000);
    assert_int_equal(copy_world_ask(w, 5, &info, NULL), 0);
    group_point(w->sender, &now);
    assert_true(copy_world_same_point(&info.point, &now));
    assert_true(info.id != 0);
    assert_int_equal(files(w, path, sizeof path), 1);
    assert_int_equal(copy_sum(w->env, path, &bytes, sum, NULL), 0);
    assert_int_equal(bytes, info.bytes);
    assert_memory_equal(sum, info.sha256, sizeof sum);
    /* Who asks for less gets the same. */
    copy_world_fill(w, 1, 10);
    assert_int_equal(copy_world_ask(w, 12, &again, NULL), 0);
    assert_int_equal(again.id, info.id);
    assert_memory_equal(again.sha256, info.sha256, sizeof info.sha256);
    /* Ranges put together are the file. */
    struct digest *d = digest_new();
    for (uint64_t at = 0; at < info.bytes; at += r.read.bytes.len, buf_deinit(&r.read.bytes)) {
        assert_int_equal(read_range(w, &r, info.id, at, 300001), 0);
        assert_true(r.read.bytes.len == 300001 || at + r.read.bytes.len == info.bytes);
        digest_add(d, buf_str(&r.read.bytes));
    }
    buf_deinit(&r.read.bytes);
    digest_get(d, sum);
    digest_free(d);
    assert_memory_equal(sum, info.sha256, sizeof sum);
    assert_int_equal(read_range(w, &r, info.id, 0, UINT32_MAX), 0);
    assert_int_equal(r.read.bytes.len, COPY_CHUNK_BYTES);
    buf_deinit(&r.read.bytes);
}

static void test_refused_reads(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    struct reading r;
    copy_world_fill(w, 1, 10);
    assert_int_equal(read_range(w, &r, 1, 0, 10), -ERR_NOT_FOUND);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    const struct {
        uint64_t id;
        uint64_t offset;
        uint32_t max;
        int status;
    } cases[] = {
        { info.id ^ 2, 0, 10, -ERR_NOT_FOUND },
        { info.id, info.bytes, 10, -ERR_INVALID_ARGUMENT },
        { info.id, UINT64_MAX, 10, -ERR_INVALID_ARGUMENT },
        { info.id, 0, 0, -ERR_INVALID_ARGUMENT },
        { info.id, info.bytes - 1, 10, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_range(w, &r, cases[i].id, cases[i].offset, cases[i].max),
                         cases[i].status);
        assert_int_equal(r.read.bytes.len, cases[i].status == 0);
        buf_deinit(&r.read.bytes);
    }
}

static void start_many(struct copy_world *w, void *arg)
{
    struct reading *r = arg;
    for (int i = 0; i <= COPY_READS_MAX; i++)
        copies_read(w->copies, &r[i].read);
}

static void test_too_many_reads(void **state)
{
    struct copy_world *w = *state;
    static struct reading r[COPY_READS_MAX + 1];
    struct copy_info info;
    copy_world_fill(w, 1, 10);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    for (int i = 0; i <= COPY_READS_MAX; i++)
        r[i] = (struct reading){ .read = { .id = info.id, .bytes_max = 9, .done = on_read } };
    copy_world_run(w, start_many, r);
    for (int i = 0; i <= COPY_READS_MAX; i++) {
        copy_world_wait(&r[i].done);
        assert_int_equal(r[i].read.status, i < COPY_READS_MAX ? 0 : -ERR_TOO_MANY_REQUESTS);
        buf_deinit(&r[i].read.bytes);
    }
}

/* ---- one at a time ---- */

static void ask_for_old(struct copy_world *w, void *arg)
{
    struct copy_info *info = arg;
    struct copy_info out;
    /* A newer one is begun for somebody; whoever reads the old one still gets it. */
    assert_int_equal(copies_ask(w->copies, info->point.index + 1, 0, &out, NULL), -ERR_AGAIN);
    assert_int_equal(copies_ask(w->copies, 1, 0, &out, NULL), -ERR_AGAIN);
    assert_int_equal(copies_ask(w->copies, 1, info->id, &out, NULL), 0);
    assert_int_equal(out.id, info->id);
}

static void test_newer(void **state)
{
    struct copy_world *w = *state;
    struct copy_info first;
    struct copy_info second;
    struct reading r;
    struct err e;
    copy_world_fill(w, 3, 10);
    assert_int_equal(copy_world_ask(w, 3, &first, NULL), 0);
    assert_int_equal(copy_world_ask(w, 4, &second, &e), -ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "index 3, not yet at 4"));
    copy_world_fill(w, 3, 10);
    copy_world_run(w, ask_for_old, &first);
    assert_int_equal(copy_world_ask(w, 4, &second, NULL), 0);
    assert_int_equal(second.point.index, 6);
    assert_true(second.id != first.id);
    assert_int_equal(read_range(w, &r, first.id, 0, 10), -ERR_NOT_FOUND);
    while (files(w, NULL, 0) != 1)
        copy_world_nap();
    assert_int_equal(read_range(w, &r, second.id, 0, 10), 0);
    buf_deinit(&r.read.bytes);
}

static void get_path(struct copy_world *w, void *arg)
{
    struct copy_info *info = arg;
    char path[600];
    assert_true(copies_path(w->copies, info->id, path, sizeof path));
    assert_true(env_path_exists(w->env, path));
    assert_false(copies_path(w->copies, info->id + 2, path, sizeof path));
    assert_false(copies_path(w->copies, info->id, path, 5));
}

/* What a crash leaves is gone after the next start, and so is what was kept; another group's is
 * not. */
static void test_restart(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    char path[600];
    copy_world_fill(w, 1, 10);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    copy_world_run(w, get_path, &info);
    static const char *const names[] = { "1-making", "1-77.mdb", "2-77.mdb" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", w->copies_folder, names[i]);
        assert_int_equal(env_file_write(w->env, path, str_lit("x"), 0600, NULL), 0);
    }
    copy_world_restart_sender(w);
    assert_int_equal(files(w, path, sizeof path), 1);
    assert_non_null(strstr(path, "/2-77.mdb"));
    assert_int_equal(env_path_remove(w->env, path, NULL), 0);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
}

static void open_short(struct copy_world *w, void *arg)
{
    struct copies **out = arg;
    struct copies_config config = { .env = w->env,
                                    .loop = w->peers,
                                    .group = w->sender,
                                    .folder = w->copies_folder,
                                    .keep_ms = 1 };
    assert_int_equal(copies_open(&config, out, NULL), 0);
}

static void swap(struct copy_world *w, void *arg)
{
    struct copies **other = arg;
    struct copies *mine = w->copies;
    w->copies = *other;
    *other = mine;
}

static void on_closed(void *ctx)
{
    atomic_store((atomic_bool *)ctx, true);
}

static void close_other(struct copy_world *w, void *arg)
{
    copies_close(w->copies, on_closed, arg);
}

static void test_idle(void **state)
{
    struct copy_world *w = *state;
    struct copies *other;
    struct copy_info info;
    atomic_bool closed = false;
    copy_world_fill(w, 1, 10);
    copy_world_run(w, open_short, &other);
    copy_world_run(w, swap, &other);
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    while (files(w, NULL, 0) > 0)
        copy_world_nap(); /* it goes by itself */
    copy_world_run(w, close_other, &closed);
    copy_world_wait(&closed);
    copy_world_run(w, swap, &other);
}

static void test_no_room(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    struct err e = { 0 };
    copy_world_fill(w, 10, 200000);
    free_bytes = 3 << 20;
    assert_int_equal(copy_world_ask(w, 1, &info, &e), -ERR_NO_SPACE);
    assert_non_null(strstr(e.msg, "twice its room"));
    assert_non_null(strstr(e.msg, w->copies_folder));
    assert_int_equal(files(w, NULL, 0), 0);
    free_bytes = UINT64_MAX;
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, copy_world_setup, copy_world_teardown)
    const struct CMUnitTest tests[] = {
        ON_WORLD(test_whole),   ON_WORLD(test_refused_reads), ON_WORLD(test_too_many_reads),
        ON_WORLD(test_newer),   ON_WORLD(test_restart),       ON_WORLD(test_idle),
        ON_WORLD(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
