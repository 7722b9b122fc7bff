/*
 * A copy fetched under everything that can go wrong on the way: connections cut at random chunks,
 * restarts of either side, damage, nonsense, a full disk. Whatever came whole is not fetched again.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/fetch.h"
#include "store/folder.h"
#include "store/kv.h"
#include "store/proto/peer.pb-c.h"
#include "tests/unit/store/copy_world.h"
#include "tests/unit/unit.h"

#define VALUES      20
#define VALUE_BYTES 300000 /* about six chunks */

/* Linked in between: what a full disk would say of the staging folder. */
static _Atomic uint64_t free_bytes = UINT64_MAX;
int __real_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e);
int __wrap_env_disk_space(struct env *env, const char *path, uint64_t *out_total,
                          uint64_t *out_free, struct err *e)
{
    int rc = __real_env_disk_space(env, path, out_total, out_free, e);
    if (rc == 0 && *out_free > free_bytes && strstr(path, FOLDER_STAGING) != NULL)
        *out_free = free_bytes;
    return rc;
}

/* ---- what was fetched is the sender's state ---- */

struct installing {
    struct group_install i; /* first */
    struct env_msg msg;
    struct copy_world *world;
    atomic_bool done;
};

static void on_installed(struct group_install *i)
{
    atomic_store(&((struct installing *)i)->done, true);
}

static void start_install(struct env_msg *m)
{
    struct installing *s = container_of(m, struct installing, msg);
    group_install(s->world->receiver, &s->i);
}

static void assert_installs(struct copy_world *w, uint64_t index)
{
    struct installing s = {
        .world = w, .i = { .folder = w->staging, .min_index = index, .done = on_installed }
    };
    struct point sent;
    assert_int_equal(w->status, 0);
    env_post(w->raft, &s.msg, start_install);
    copy_world_wait(&s.done);
    if (s.i.status != 0)
        fail_msg("%s", s.i.err.msg);
    group_point(w->sender, &sent);
    assert_true(copy_world_same_point(&s.i.point, &w->point));
    if (sent.index == w->point.index)
        assert_true(copy_world_same_point(&s.i.point, &sent));
}

static void assert_each_once(struct copy_world *w)
{
    uint64_t chunks = (w->total + COPY_CHUNK_BYTES - 1) / COPY_CHUNK_BYTES;
    assert_true(chunks > 4);
    for (uint64_t i = 0; i < COPY_WORLD_CHUNKS_MAX; i++)
        assert_int_equal(w->delivered[i], i < chunks);
}

/* ---- happy ---- */

static void test_whole(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->troubles, 0);
    assert_int_equal(w->got, w->total);
    assert_int_equal(w->point.index, VALUES);
    assert_each_once(w);
    /* A restart before it was installed finds it whole, and asks nobody. */
    copy_world_reset(w);
    copy_world_restart_sender(w);
    w->dead_member = 1;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->opens, 0);
    assert_installs(w, VALUES);
    /* One chunk only, now that staging is gone. */
    copy_world_reset(w);
    assert_false(env_path_exists(w->env, w->staging));
}

static void test_small(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, 1, 1);
    assert_int_equal(copy_world_fetch(w, 1, 0), 0);
    assert_int_equal(w->reads, 1);
    assert_installs(w, 1);
}

/* At a tenth of a second's worth per chunk, six chunks cannot come in less than half a second. */
static void test_rate(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    uint64_t began_ns = env_now_ns(w->env);
    assert_int_equal(copy_world_fetch(w, VALUES, 10 * COPY_CHUNK_BYTES), 0);
    assert_true(env_now_ns(w->env) - began_ns >= 400 * ENV_MS);
    assert_each_once(w);
}

/* ---- cuts and restarts ---- */

static void test_cut(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    for (int after = 1; after <= 6; after++) {
        copy_world_reset(w);
        w->cut_after = after;
        w->cut_calls = 1 + after % 5;
        assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
        assert_true(w->troubles > 0 || w->cut_calls > 0);
        assert_each_once(w);
        assert_int_equal(env_remove_tree(w->env, w->staging, NULL), 0);
    }
    w->cut_after = 0;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_installs(w, VALUES);
}

static void cancel_at(struct copy_world *w, int reads)
{
    if (w->fetch != NULL && reads >= *(int *)w->at_read_ctx)
        fetch_cancel(w->fetch);
}

/* The receiver dies, over and over: what was written is never asked for again. */
static void test_receiver_restarts(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    int rounds = 0;
    uint64_t before = 0;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    assert_int_equal(copy_world_ask(w, VALUES, &info, NULL), 0);
    do {
        memset(w->delivered, 0, sizeof w->delivered);
        w->cancel_at_got = before + 1;
        int status = copy_world_fetch(w, VALUES, 0);
        assert_true(status == 0 || status == -ERR_CANCELED);
        for (uint64_t i = 0; i < before / COPY_CHUNK_BYTES; i++)
            assert_int_equal(w->delivered[i], 0);
        assert_true(w->got > before || status == 0);
        before = w->got;
        rounds++;
    } while (w->status != 0);
    assert_true(rounds > 2);
    assert_true(w->opens == rounds || w->opens == rounds - 1); /* the last may find it whole */
    assert_installs(w, VALUES);
}

/* The sender dies: its copy is gone, and another one is begun. */
static void test_sender_restarts(void **state)
{
    struct copy_world *w = *state;
    int at = 3;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->at_read = cancel_at;
    w->at_read_ctx = &at;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), -ERR_CANCELED);
    copy_world_restart_sender(w);
    copy_world_fill(w, 1, 10);
    copy_world_reset(w);
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_each_once(w);
    assert_int_equal(w->point.index, VALUES + 1);
    assert_installs(w, VALUES + 1);
}

/* Half a write at the end of a part is cut off. */
static void test_torn_part(void **state)
{
    struct copy_world *w = *state;
    char path[500];
    struct env_file *f;
    struct env_stat stat;
    int at = 4;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->at_read = cancel_at;
    w->at_read_ctx = &at;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), -ERR_CANCELED);
    snprintf(path, sizeof path, "%s/" KV_FILE, w->staging);
    assert_int_equal(env_path_stat(w->env, path, &stat, NULL), 0);
    assert_int_equal(env_file_open(w->env, path, ENV_FILE_WRITE, 0, &f, NULL), 0);
    assert_int_equal(env_file_pwrite(f, stat.size, str_lit("torn"), NULL), 0);
    env_file_close(f);
    copy_world_reset(w);
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_installs(w, VALUES);
}

struct newer {
    struct copy_world *world;
    struct env_msg msg;
    bool asked;
};

static void on_newer(struct env_msg *m)
{
    struct newer *n = container_of(m, struct newer, msg);
    struct copy_info info;
    if (copies_ask(n->world->copies, 2 * VALUES + 1, 0, &info, NULL) == -ERR_AGAIN)
        env_post(n->world->peers, m, on_newer);
    else
        n->world->hold = false;
}

static void make_newer(struct copy_world *w, int reads)
{
    struct newer *n = w->at_read_ctx;
    if (reads < 3 || n->asked)
        return;
    n->asked = true;
    w->hold = true;
    env_post(w->peers, &n->msg, on_newer);
}

/* Somebody else needs a newer copy while this one is read: it is gone, and the newer one taken. */
static void test_copy_replaced(void **state)
{
    struct copy_world *w = *state;
    struct newer n = { .world = w };
    struct copy_info info;
    /* So many that some are asked for only after the window that is answered from the old one. */
    copy_world_fill(w, 2 * VALUES, VALUE_BYTES);
    assert_int_equal(copy_world_ask(w, 2 * VALUES, &info, NULL), 0);
    copy_world_fill(w, 1, 10);
    w->at_read = make_newer;
    w->at_read_ctx = &n;
    assert_int_equal(copy_world_fetch(w, 2 * VALUES, 0), 0);
    assert_int_equal(w->opens, 2);
    assert_non_null(strstr(w->trouble.msg, "gone"));
    assert_installs(w, 2 * VALUES + 1);
}

/* ---- another member ---- */

static void use_other(struct copy_world *w, void *arg)
{
    (void)arg; /* nothing to say */
    fetch_use(w->fetch, 2);
}

static void test_other_member(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->dead_member = 1;
    copy_world_fetch_start(w, VALUES, 0);
    copy_world_run(w, use_other, NULL);
    copy_world_wait(&w->done);
    assert_int_equal(w->status, 0);
    assert_each_once(w);
    assert_installs(w, VALUES);
}

static void switch_once(struct copy_world *w, int reads)
{
    if (reads == 2 && w->fetch != NULL)
        fetch_use(w->fetch, 2);
}

static void test_other_member_midway(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    assert_int_equal(copy_world_ask(w, VALUES, &info, NULL), 0);
    w->at_read = switch_once;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->opens, 2);
    assert_installs(w, VALUES);
}

/* ---- damage and nonsense ---- */

static void test_damaged_once(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->damage_read = 3;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->troubles, 1);
    assert_non_null(strstr(w->trouble.msg, "digest"));
    assert_installs(w, VALUES);
}

static void test_damaged_always(void **state)
{
    struct copy_world *w = *state;
    struct copy_info info;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    assert_int_equal(copy_world_ask(w, VALUES, &info, NULL), 0);
    w->damage_read = -1;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), -ERR_CORRUPT);
    assert_non_null(strstr(w->err.msg, "digest"));
    assert_int_equal(w->opens, FETCH_ANEW_MAX);
}

static void test_short_chunk(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->shorten_read = 2;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->troubles, 1);
    assert_each_once(w);
    assert_installs(w, VALUES);
}

static struct str answer(struct buf *b, bool full, uint64_t bytes, size_t sha_len, uint64_t index)
{
    static uint8_t sha[64];
    CopyOpenResponse m = COPY_OPEN_RESPONSE__INIT;
    m.ready = true;
    m.has_copy_id = m.has_bytes = m.has_sha256 = m.has_index = full;
    m.copy_id = 9;
    m.bytes = bytes;
    m.sha256 = (ProtobufCBinaryData){ .data = sha, .len = sha_len };
    m.index = index;
    buf_init(b);
    buf_reserve(b, 256);
    b->len = copy_open_response__pack(&m, b->data);
    return buf_str(b);
}

static void test_nonsense(void **state)
{
    struct copy_world *w = *state;
    struct buf b[6];
    copy_world_fill(w, VALUES, VALUE_BYTES);
    w->bad_answers[0] = str_lit("\xff\xff");
    w->bad_answers[1] = answer(&b[0], false, 0, 0, 0);
    w->bad_answers[2] = answer(&b[1], true, 0, 32, VALUES);
    w->bad_answers[3] = answer(&b[2], true, UINT64_MAX, 32, VALUES);
    w->bad_answers[4] = answer(&b[3], true, 1 << 20, 31, VALUES);
    w->bad_answers[5] = answer(&b[4], true, 1 << 20, 32, VALUES - 1);
    w->bad_count = 6;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_int_equal(w->troubles, 6);
    assert_int_equal(w->opens >= 7, 1);
    assert_installs(w, VALUES);
    for (size_t i = 0; i < 5; i++)
        buf_deinit(&b[i]);
}

static void test_not_there_yet(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, 1, 10);
    copy_world_fetch_start(w, 2, 0);
    while (w->opens < 2)
        copy_world_nap();
    copy_world_fill(w, 1, 10);
    copy_world_wait(&w->done);
    assert_int_equal(w->status, 0);
    assert_true(w->troubles > 0);
    assert_non_null(strstr(w->trouble.msg, "not yet at 2"));
    assert_int_equal(w->point.index, 2);
}

static void test_no_room(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    free_bytes = 20 << 20;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), -ERR_NO_SPACE);
    assert_non_null(strstr(w->err.msg, w->staging));
    free_bytes = UINT64_MAX;
    assert_int_equal(copy_world_fetch(w, VALUES, 0), 0);
    assert_installs(w, VALUES);
}

/* ---- cancelled ---- */

static void cancel_now(struct copy_world *w, void *arg)
{
    (void)arg; /* nothing to say */
    if (w->fetch != NULL)
        fetch_cancel(w->fetch);
}

static void test_cancelled(void **state)
{
    struct copy_world *w = *state;
    copy_world_fill(w, VALUES, VALUE_BYTES);
    for (int naps = 0; naps < 40; naps++) {
        w->dead_member = naps % 3 == 0;
        copy_world_fetch_start(w, VALUES, 0);
        for (int i = 0; i < naps; i++)
            copy_world_nap();
        copy_world_run(w, cancel_now, NULL);
        copy_world_wait(&w->done);
        assert_true(w->status == 0 || w->status == -ERR_CANCELED);
        assert_true(w->status == 0 || strstr(w->err.msg, "given up") != NULL);
        if (naps % 5 == 0)
            assert_int_equal(env_remove_tree(w->env, w->staging, NULL), 0);
    }
}

int main(void)
{
#define ON_WORLD(test) cmocka_unit_test_setup_teardown(test, copy_world_setup, copy_world_teardown)
    const struct CMUnitTest tests[] = {
        ON_WORLD(test_whole),
        ON_WORLD(test_small),
        ON_WORLD(test_rate),
        ON_WORLD(test_cut),
        ON_WORLD(test_receiver_restarts),
        ON_WORLD(test_sender_restarts),
        ON_WORLD(test_torn_part),
        ON_WORLD(test_copy_replaced),
        ON_WORLD(test_other_member),
        ON_WORLD(test_other_member_midway),
        ON_WORLD(test_damaged_once),
        ON_WORLD(test_damaged_always),
        ON_WORLD(test_short_chunk),
        ON_WORLD(test_nonsense),
        ON_WORLD(test_not_there_yet),
        ON_WORLD(test_no_room),
        ON_WORLD(test_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
