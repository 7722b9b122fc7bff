/*
 * Backups: what is written is what is taken out; a flipped bit anywhere, a cut anywhere and a lie
 * in the header are found before anything is used.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/backup.h"
#include "store/copy.h"
#include "store/folder.h"
#include "store/kv.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/unit.h"

static const char *at(struct copy_world *w, const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", w->base, name);
    return path;
}

static int collect(void *ctx, struct str bytes)
{
    assert_true(bytes.len <= 1u << 20);
    buf_append_str(ctx, bytes);
    return 0;
}

/* A backup of the sender as the cluster's group, and of a few bytes as the bus's. */
static void make(struct copy_world *w, struct backup *b, struct buf *out)
{
    static char path[600];
    struct copy_info info;
    struct err e;
    assert_int_equal(copy_world_ask(w, 1, &info, NULL), 0);
    snprintf(path, sizeof path, "%s/1-%llu.mdb", w->copies_folder,
             (unsigned long long)info.point.index);
    assert_int_equal(env_file_write(w->env, at(w, "bus"), str_lit("bus bytes"), 0600, NULL), 0);
    *b = (struct backup){
        .cluster_id = "c-1", .version = "1.2.3", .wall_ns = 77, .groups_count = 2
    };
    b->groups[0] = (struct backup_group){ .id = STORE_CLUSTER,
                                          .point = info.point,
                                          .bytes = info.bytes,
                                          .keys = info.keys,
                                          .path = path };
    b->groups[1] = (struct backup_group){
        .id = STORE_BUS, .point = { .index = 4, .level = 1 }, .bytes = 9, .path = at(w, "bus")
    };
    buf_init(out);
    if (backup_write(w->env, b, collect, out, &e) != 0)
        fail_msg("%s", e.msg);
}

/* What restore does first. */
static int extract(struct copy_world *w, const char *file, enum store_group_id id,
                   const char *folder, struct err *e)
{
    struct backup b;
    struct env_file *f;
    char path[600];
    int rc = backup_open(w->env, file, &b, &f, e);
    if (rc != 0)
        return rc;
    rc = -ERR_NOT_FOUND;
    snprintf(path, sizeof path, "%s/" KV_FILE, folder);
    for (size_t i = 0; i < b.groups_count; i++)
        if (b.groups[i].id == id) {
            assert_int_equal(env_dir_make(w->env, folder, 0700, NULL), 0);
            rc = backup_take(w->env, f, &b.groups[i], path, e);
        }
    env_file_close(f);
    return rc;
}

static void put(struct copy_world *w, struct str bytes)
{
    assert_int_equal(env_file_write(w->env, at(w, "backup"), bytes, 0600, NULL), 0);
}

static void test_round_trip(void **state)
{
    struct copy_world *w = *state;
    struct backup b;
    struct backup read;
    struct buf bytes;
    struct err e;
    copy_world_fill(w, 10, 300000);
    make(w, &b, &bytes);
    put(w, buf_str(&bytes));
    if (backup_check(w->env, at(w, "backup"), &read, &e) != 0)
        fail_msg("%s", e.msg);
    assert_string_equal(read.cluster_id, "c-1");
    assert_string_equal(read.version, "1.2.3");
    assert_int_equal(read.wall_ns, 77);
    assert_int_equal(read.groups_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read.groups[i].id, b.groups[i].id);
        assert_int_equal(read.groups[i].bytes, b.groups[i].bytes);
        assert_int_equal(read.groups[i].keys, b.groups[i].keys);
        assert_true(copy_world_same_point(&read.groups[i].point, &b.groups[i].point));
    }
    assert_int_equal(backup_bytes(&b), bytes.len);
    assert_int_equal(extract(w, at(w, "backup"), STORE_CLUSTER, at(w, "x"), NULL), 0);
    struct point point;
    assert_int_equal(group_copy_point(&kv_lmdb, STORE_CLUSTER, at(w, "x/" KV_FILE), &point, NULL),
                     0);
    assert_true(copy_world_same_point(&point, &b.groups[0].point));
    /* A group opens on it: what restore does, with the flat folder of folder.h. */
    struct store_group *g;
    struct group_config config = { .env = w->env, .id = STORE_CLUSTER, .folder = at(w, "x") };
    assert_int_equal(group_open(&config, &g, NULL), 0);
    group_point(g, &point);
    assert_true(copy_world_same_point(&point, &b.groups[0].point));
    group_close(g);
    /* The other; twice is refused; and a file that is not there. */
    assert_int_equal(extract(w, at(w, "backup"), STORE_BUS, at(w, "y"), NULL), 0);
    assert_int_equal(extract(w, at(w, "backup"), STORE_BUS, at(w, "y"), &e), -ERR_ALREADY_EXISTS);
    assert_int_equal(extract(w, at(w, "none"), STORE_BUS, at(w, "z"), &e), -ERR_NOT_FOUND);
    buf_deinit(&bytes);
}

static void test_other_groups(void **state)
{
    struct copy_world *w = *state;
    struct backup b;
    struct backup read;
    struct buf bytes;
    struct err e;
    copy_world_fill(w, 1, 10);
    make(w, &b, &bytes);
    b.groups_count = 1;
    buf_clear(&bytes);
    assert_int_equal(backup_write(w->env, &b, collect, &bytes, NULL), 0);
    put(w, buf_str(&bytes));
    assert_int_equal(backup_check(w->env, at(w, "backup"), &read, NULL), 0);
    assert_int_equal(extract(w, at(w, "backup"), STORE_BUS, at(w, "z"), &e), -ERR_NOT_FOUND);
    assert_false(env_path_exists(w->env, at(w, "z")));
    /* A copy that is not as long as was said. */
    b.groups[0].bytes++;
    assert_int_equal(backup_write(w->env, &b, collect, &bytes, &e), -ERR_CORRUPT);
    buf_deinit(&bytes);
}

static int full(void *ctx, struct str bytes)
{
    uint64_t *left = ctx;
    if (bytes.len > *left)
        return -ERR_NO_SPACE;
    *left -= bytes.len;
    return 0;
}

static void test_sink_fails(void **state)
{
    struct copy_world *w = *state;
    struct backup b;
    struct buf bytes;
    copy_world_fill(w, 1, 10);
    make(w, &b, &bytes);
    for (uint64_t room = 0; room <= bytes.len; room += room < 64 ? 1 : 997) {
        uint64_t left = room;
        assert_int_equal(backup_write(w->env, &b, full, &left, NULL),
                         room < bytes.len ? -ERR_NO_SPACE : 0);
    }
    buf_deinit(&bytes);
}

static void set_byte(struct env_file *f, size_t i, uint8_t byte)
{
    assert_int_equal(env_file_pwrite(f, i, str_of(&byte, 1), NULL), 0);
}

/* A bit of every byte flipped, then every length. */
static void test_damage(void **state)
{
    struct copy_world *w = *state;
    struct backup b;
    struct backup read;
    struct buf bytes;
    struct err e;
    struct env_file *f;
    char folder[400];
    char path[400];
    copy_world_fill(w, 1, 10);
    make(w, &b, &bytes);
    snprintf(folder, sizeof folder, "%s/z", w->base);
    snprintf(path, sizeof path, "%s/backup", w->base);
    put(w, buf_str(&bytes));
    assert_int_equal(env_file_open(w->env, path, ENV_FILE_WRITE, 0, &f, NULL), 0);
    for (size_t i = 0; i < bytes.len; i++) {
        set_byte(f, i, bytes.data[i] ^ (uint8_t)(1u << (i % 8)));
        int rc = backup_check(w->env, path, &read, &e);
        assert_true(rc == -ERR_CORRUPT || (rc == -ERR_UNIMPLEMENTED && i >= 8 && i < 12));
        assert_non_null(strstr(e.msg, path));
        if (i % 61 == 0)
            assert_int_equal(extract(w, path, STORE_CLUSTER, folder, &e), rc);
        set_byte(f, i, bytes.data[i]);
    }
    assert_false(env_path_exists(w->env, folder));
    assert_int_equal(backup_check(w->env, path, &read, &e), 0);
    set_byte(f, bytes.len, 0);
    for (size_t len = bytes.len + 1;; len--) {
        assert_int_equal(env_file_truncate(f, len, NULL), 0);
        assert_int_equal(backup_check(w->env, path, &read, &e),
                         len == bytes.len ? 0 : -ERR_CORRUPT);
        if (len == 0)
            break;
    }
    env_file_close(f);
    buf_deinit(&bytes);
}

/* Headers that would be trouble if they were believed. */
static void test_headers(void **state)
{
    static const struct {
        const char *name;
        struct backup b;
        int status;
    } cases[] = {
        { "none", { .groups_count = 0 }, 0 },
        { "one", { .groups = { { .id = STORE_BUS, .bytes = 1 } }, .groups_count = 1 }, 0 },
        { "twice",
          { .groups = { { .id = STORE_BUS, .bytes = 1 }, { .id = STORE_BUS, .bytes = 1 } },
            .groups_count = 2 },
          -ERR_CORRUPT },
        { "no id", { .groups = { { .bytes = 1 } }, .groups_count = 1 }, -ERR_CORRUPT },
        { "strange id",
          { .groups = { { .id = (enum store_group_id)3, .bytes = 1 } }, .groups_count = 1 },
          -ERR_CORRUPT },
        { "empty", { .groups = { { .id = STORE_BUS } }, .groups_count = 1 }, -ERR_CORRUPT },
        { "huge",
          { .groups = { { .id = STORE_BUS, .bytes = UINT64_MAX } }, .groups_count = 1 },
          -ERR_CORRUPT },
        { "text", { .cluster_id = "\xff" }, -ERR_CORRUPT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf bytes;
        struct backup read;
        struct err e;
        buf_init(&bytes);
        backup_encode(&cases[i].b, &bytes);
        int rc = backup_decode(buf_str(&bytes), &read, &e);
        if (rc != cases[i].status)
            fail_msg("%s: %d", cases[i].name, rc);
        for (size_t len = 0; len < bytes.len; len++)
            assert_int_equal(backup_decode(str_of(bytes.data, len), &read, &e), -ERR_CORRUPT);
        buf_append_byte(&bytes, 0);
        assert_int_equal(backup_decode(buf_str(&bytes), &read, &e), -ERR_CORRUPT);
        buf_deinit(&bytes);
    }
}

/* A file of the first format is read; what it does not say is not made up. */
static void test_first_format(void **state)
{
    (void)state;
    struct backup b = { .cluster_id = "c", .version = "1", .groups_count = 2 };
    struct backup read;
    struct buf now;
    struct buf then;
    struct err e = { 0 };
    for (size_t i = 0; i < 2; i++)
        b.groups[i] = (struct backup_group){ .id = (enum store_group_id)(STORE_CLUSTER + i),
                                             .bytes = 5 + i,
                                             .keys = 7 + i };
    buf_init(&now);
    buf_init(&then);
    backup_encode(&b, &now);
    assert_int_equal(backup_decode(buf_str(&now), &read, &e), 0);
    assert_int_equal(read.groups[0].keys, 7);
    assert_int_equal(read.groups[1].keys, 8);
    size_t group = 8 + 6 * 8; /* before its keys */
    size_t first = now.len - 2 * (group + 8);
    buf_append_str(&then, str_of((const char *)now.data, first + group));
    buf_append_str(&then, str_of((const char *)now.data + first + group + 8, group));
    store_le32(then.data + 8, 1);
    store_le32(then.data + 12, (uint32_t)then.len);
    assert_int_equal(backup_decode(buf_str(&then), &read, &e), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read.groups[i].bytes, 5 + i);
        assert_true(read.groups[i].keys == BACKUP_KEYS_UNKNOWN);
    }
    for (uint32_t format = 0; format <= 3; format += 3) {
        store_le32(now.data + 8, format);
        assert_int_equal(backup_decode(buf_str(&now), &read, &e), -ERR_UNIMPLEMENTED);
    }
    buf_deinit(&now);
    buf_deinit(&then);
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, copy_world_setup, copy_world_teardown)
    const struct CMUnitTest tests[] = {
        ON_WORLD(test_round_trip),      ON_WORLD(test_other_groups),
        ON_WORLD(test_sink_fails),      ON_WORLD(test_damage),
        cmocka_unit_test(test_headers), cmocka_unit_test(test_first_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
