/*
 * What a loss of power may leave of LMDB's file, opened with LMDB.
 *
 * The store's own state machine runs through a few hundred commits of puts, deletes, rows and
 * compaction, and what LMDB does to its file is noted (lmdb_tape.h). From that come the files that
 * a disk may hold: everything before a flush is there; of what follows it, up to the next, any
 * subset is, each 512-byte sector being whole, and the length is the old one, or as far as
 * something is there, or the new one. Each has to open and hold exactly the state after the last
 * commit whose pages were flushed, or after the one before it; and its digest has to be that of its
 * rows.
 *
 * Between two flushes with at most WRITES_ALL writes every subset of them is tried, and with more
 * of them a sample: each prefix, each single omission, some at random. Of sectors within a write it
 * is always a sample. Making the environment is lmdb_making_test.c's.
 *
 * The last test shows that this finds something: without flushes states appear that never were.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/fsm.h"
#include "store/kv.h"
#include "store/txn.h"
#include "tests/fault/lmdb_tape.h"
#include "tests/unit/unit.h"

#define COMMITS          240
#define KEYS             300
#define SECTOR           512
#define VALUE_MAX        9000 /* over a page: LMDB takes several for it */
#define WRITES_ALL       7
#define RANDOM_PER_FLUSH 24
#define TORN_PER_FLUSH   12
#define FILE_BYTES_MAX   (128u << 20)
#define LOOKS_UNFLUSHED  400

/* ---- the states ---- */

struct run {
    char folder[256]; /* of the environment that is written */
    char image[256];  /* of the file that a loss leaves */
    char file[300];   /* in it */
    struct kv *kv;
    struct fsm fsm;
    uint64_t seed;
    uint64_t index;
    uint64_t states[COMMITS + 1]; /* of all rows, after each commit */
    uint8_t *base;                /* what the last flush made durable */
    size_t base_len;
    size_t behind; /* so many commits may be lost */
    size_t images;
    size_t newest; /* images in which the last commit is there */
    size_t whole;  /* flushes of which every subset was tried */
};

static uint64_t below(struct run *r, uint64_t n)
{
    r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
    return (r->seed >> 33) % n;
}

static uint64_t mix(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.data[i]) * 1099511628211u;
    return (h ^ s.len) * 1099511628211u;
}

/* A hash of every row of every table, and whether the point's digest is that of its rows. */
static uint64_t walk(struct kv *kv, bool *out_digest_fits)
{
    struct kv_txn *t = kv_begin_read(kv);
    struct point point = { 0 };
    uint64_t h = 14695981039346656037u;
    *out_digest_fits = fsm_load_point(t, &point, NULL) == 0 && fsm_digest_full(t) == point.digest;
    for (int table = 0; table < KV_TABLES; table++) {
        struct kv_cursor c;
        kv_cursor_open(t, (enum kv_table)table, &c);
        for (bool more = kv_seek(&c, str_of("", 0)); more; more = kv_next(&c))
            h = mix(mix(h ^ (uint64_t)table, c.key), c.value);
        kv_cursor_close(&c);
    }
    kv_abort(t);
    return h;
}

static void add_op(struct run *r, struct buf *entry, uint32_t *count)
{
    static const char bytes[VALUE_MAX] = "v";
    char key[32];
    struct buf txn;
    struct store_op op = { .type = STORE_OP_PUT };
    uint64_t what = below(r, 10);
    snprintf(key, sizeof key, "pods/%d", (int)below(r, KEYS));
    op.key = str_from(key);
    op.value = str_of(bytes, below(r, below(r, 8) == 0 ? VALUE_MAX : 400));
    if (what < 3) {
        op.type = STORE_OP_DELETE;
        op.value = str_of(NULL, 0);
    } else if (what == 3) {
        op.type = STORE_OP_ROW_PUT;
    } else if (what == 4) {
        op.type = STORE_OP_ROW_DELETE;
        op.value = str_of(NULL, 0);
    } else if (what == 5 && r->fsm.point.revision > 50) {
        op = (struct store_op){ .type = STORE_OP_COMPACT, .revision = r->fsm.point.revision - 50 };
    }
    buf_init(&txn);
    assert_int_equal(txn_encode(&(struct store_txn){ .ops = &op, .ops_count = 1 }, &txn, NULL), 0);
    entry_add(entry, buf_str(&txn));
    buf_deinit(&txn);
    (*count)++;
}

/* One transaction of the state machine, as the applier makes it, or a step of compaction. */
static void commit(struct run *r)
{
    struct kv_txn *t = kv_begin_write(r->kv);
    if (compact_pending(&r->fsm.compact) && below(r, 3) == 0) {
        (void)compact_step(&r->fsm.compact, t, COMPACT_STEP_ROWS);
    } else {
        struct buf entry;
        uint32_t count = 0;
        size_t commands;
        struct err e = { 0 };
        buf_init(&entry);
        entry_begin(&entry, STORE_FEATURE_LEVEL, 1);
        for (uint64_t i = 1 + below(r, 8); i > 0; i--)
            add_op(r, &entry, &count);
        entry_end(&entry, count);
        if (fsm_apply(&r->fsm, t, ++r->index, buf_str(&entry), NULL, NULL, &commands, &e) != 0)
            fail_msg("%s", e.msg);
        buf_deinit(&entry);
    }
    fsm_save(&r->fsm, t);
    kv_commit(t);
}

/* ---- one image ---- */

/* Which sectors of the events [from, to) are there. */
struct loss {
    size_t from;
    size_t to;
    size_t missing;  /* this event is not; SIZE_MAX: none */
    size_t torn;     /* of this one only some sectors are; SIZE_MAX: none */
    uint64_t random; /* a choice of events; 0: all of them */
    bool is_subset;  /* or this one: a bit for each, the first event's is the lowest */
    uint64_t subset;
    bool short_file; /* growth that nothing needs is lost */
};

static bool is_there(const struct loss *l, size_t i)
{
    uint64_t h = (l->random + i) * 0x9e3779b97f4a7c15u;
    if (l->is_subset)
        return (l->subset >> (i - l->from) & 1) != 0;
    return i != l->missing && (l->random == 0 || (h >> 40) % 2 == 0);
}

static uint64_t apply_write(int fd, const struct loss *l, size_t i)
{
    const struct event *e = &tape.events[i];
    uint64_t end = 0;
    for (size_t at = 0; at < e->len;) {
        size_t n = SECTOR - (size_t)((e->at + at) % SECTOR);
        n = n < e->len - at ? n : e->len - at;
        uint64_t h = (l->random + (at / SECTOR) + 7) * 0x9e3779b97f4a7c15u;
        if (i != l->torn || (h >> 40) % 2 == 0) {
            tape_put(fd, e->bytes + at, n, e->at + at);
            end = e->at + at + n;
        }
        at += n;
    }
    return end;
}

/* Makes the file base and what the loss left of the rest. */
static void make_image(const struct run *r, int fd, const struct loss *l)
{
    uint64_t len = r->base_len;
    for (size_t i = l->from; i < l->to; i++) {
        const struct event *e = &tape.events[i];
        uint64_t end = 0;
        if (e->type == EVENT_WRITE && is_there(l, i))
            end = apply_write(fd, l, i);
        else if (e->type == EVENT_LENGTH && !l->short_file)
            end = e->at;
        len = end > len ? end : len;
    }
    tape_set_length(fd, len);
}

static void unmake_image(const struct run *r, int fd, const struct loss *l)
{
    for (size_t i = l->from; i < l->to; i++) {
        const struct event *e = &tape.events[i];
        if (e->type == EVENT_WRITE && e->at < r->base_len)
            tape_put(fd, r->base + e->at,
                     e->at + e->len < r->base_len ? e->len : r->base_len - e->at, e->at);
    }
    tape_set_length(fd, r->base_len);
}

enum verdict { IMAGE_OLD, IMAGE_NEW, IMAGE_BROKEN };

/* commits: that many have their pages flushed. */
static enum verdict look(const struct run *r, size_t commits)
{
    struct kv *kv;
    struct err e = { 0 };
    bool digest_fits = false;
    if (kv_lmdb_open(r->image, 1u << 30, &kv, &e) != 0) {
        fprintf(stderr, "does not open: %s\n", e.msg);
        return IMAGE_BROKEN;
    }
    uint64_t state = walk(kv, &digest_fits);
    kv_close(kv);
    if (!digest_fits)
        fprintf(stderr, "the digest is not that of the rows\n");
    if (digest_fits && state == r->states[commits])
        return IMAGE_NEW;
    for (size_t i = 1; digest_fits && i <= r->behind && i <= commits; i++)
        if (state == r->states[commits - i])
            return IMAGE_OLD;
    fprintf(stderr, "a state that should not be there, after %zu commits\n", commits);
    return IMAGE_BROKEN;
}

/* ---- all images between two flushes ---- */

struct tally {
    uint32_t images;
    uint32_t newest;
    bool broken;
};

static void try_loss(const struct run *r, int fd, struct loss l, size_t commits, struct tally *t)
{
    if (t->broken)
        return;
    make_image(r, fd, &l);
    enum verdict v = look(r, commits);
    t->images++;
    t->newest += v == IMAGE_NEW;
    t->broken = v == IMAGE_BROKEN;
    if (t->broken)
        fprintf(stderr, "events %zu to %zu, missing %zd, torn %zd, random %llx, %s file\n", l.from,
                l.to, (ssize_t)l.missing, (ssize_t)l.torn, (unsigned long long)l.random,
                l.short_file ? "short" : "long");
    unmake_image(r, fd, &l);
}

/* The writes among these events as bits; 0: too many to try every subset. */
static uint64_t few_writes(size_t from, size_t to, bool *out_grows)
{
    uint64_t writes = 0;
    *out_grows = false;
    for (size_t i = from; i < to && i - from < 64; i++) {
        if (tape.events[i].type == EVENT_WRITE)
            writes |= UINT64_C(1) << (i - from);
        *out_grows = *out_grows || tape.events[i].type == EVENT_LENGTH;
    }
    return to - from < 64 && __builtin_popcountll(writes) <= WRITES_ALL ? writes : 0;
}

static void try_subsets(struct run *r, int fd, struct loss l, uint64_t writes, bool grows,
                        size_t commits, struct tally *t)
{
    uint64_t subset = writes;
    l.is_subset = true;
    for (;;) {
        l.subset = subset;
        for (int shorter = grows ? 0 : 1; shorter < 2; shorter++) {
            l.short_file = shorter != 0;
            try_loss(r, fd, l, commits, t);
        }
        if (subset == 0)
            return;
        subset = (subset - 1) & writes;
    }
}

static void try_some(struct run *r, int fd, struct loss all, size_t commits, struct tally *t)
{
    size_t from = all.from;
    size_t to = all.to;
    for (size_t end = from; end <= to; end++) {
        struct loss l = all;
        l.to = end;
        l.short_file = (end - from) % 2 == 1;
        try_loss(r, fd, l, commits, t);
    }
    for (size_t i = from; i < to; i++) {
        struct loss l = all;
        l.missing = i;
        l.short_file = true;
        try_loss(r, fd, l, commits, t);
    }
    for (size_t i = 0; i < RANDOM_PER_FLUSH && from < to; i++) {
        struct loss l = all;
        l.random = below(r, 1u << 30) + 1;
        l.short_file = i % 2 == 0;
        try_loss(r, fd, l, commits, t);
    }
}

static void try_torn(struct run *r, int fd, struct loss all, size_t commits, struct tally *t)
{
    size_t from = all.from;
    size_t to = all.to;
    for (size_t i = 0; i < TORN_PER_FLUSH && from < to; i++) {
        struct loss l = all;
        l.torn = i == 0 ? from : from + below(r, to - from); /* the first is the meta page */
        l.random = i < TORN_PER_FLUSH / 2 ? 0 : below(r, 1u << 30) + 1;
        try_loss(r, fd, l, commits, t);
    }
}

static void try_all(struct run *r, int fd, size_t from, size_t to, size_t commits, struct tally *t)
{
    struct loss all = { .from = from, .to = to, .missing = SIZE_MAX, .torn = SIZE_MAX };
    bool grows;
    uint64_t writes = few_writes(from, to, &grows);
    if (writes != 0)
        try_subsets(r, fd, all, writes, grows, commits, t);
    else
        try_some(r, fd, all, commits, t);
    try_torn(r, fd, all, commits, t);
}

/* In a child: a broken file may well end the process that reads it. */
static struct tally in_child(struct run *r, size_t from, size_t to, size_t commits,
                             void (*try)(struct run *, int, size_t, size_t, size_t, struct tally *))
{
    struct tally t = { 0 };
    int ends[2];
    int status;
    assert_int_equal(pipe(ends), 0);
    r->seed++;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(r->file, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            _exit(2);
        tape.inode = 0;
        tape.flushes_nothing = true;
        try(r, fd, from, to, commits, &t);
        _exit(write(ends[1], &t, sizeof t) == sizeof t ? 0 : 2);
    }
    (void)close(ends[1]);
    if (read(ends[0], &t, sizeof t) != sizeof t)
        t = (struct tally){ .images = 1, .broken = true };
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return t;
}

/* What was flushed becomes the base. */
static void absorb(struct run *r, size_t from, size_t to)
{
    int fd = open(r->file, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = from; i < to; i++) {
        const struct event *e = &tape.events[i];
        size_t end = (size_t)e->at + e->len;
        if (e->type != EVENT_WRITE && e->type != EVENT_LENGTH)
            continue;
        assert_true(end <= FILE_BYTES_MAX);
        if (e->type == EVENT_WRITE) {
            memcpy(r->base + e->at, e->bytes, e->len);
            tape_put(fd, e->bytes, e->len, e->at);
        }
        r->base_len = end > r->base_len ? end : r->base_len;
    }
    tape_set_length(fd, r->base_len);
    (void)close(fd);
}

/* ---- a run ---- */

static void read_base(struct run *r, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int out = open(r->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat st;
    assert_true(fd >= 0 && out >= 0 && fstat(fd, &st) == 0);
    r->base_len = (size_t)st.st_size;
    assert_true(r->base_len <= FILE_BYTES_MAX);
    assert_int_equal(pread(fd, r->base, r->base_len, 0), r->base_len);
    tape_put(out, r->base, r->base_len, 0);
    tape.inode = st.st_ino;
    (void)close(fd);
    (void)close(out);
}

static void run_open(struct run *r)
{
    const char *tmp = getenv("TEST_TMPDIR");
    struct err e = { 0 };
    char path[300];
    bool digest_fits;
    r->seed = 7;
    snprintf(r->folder, sizeof r->folder, "%s/lmdb-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->image, sizeof r->image, "%s/lmdb-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->image));
    snprintf(r->file, sizeof r->file, "%s/" KV_FILE, r->image);
    snprintf(path, sizeof path, "%s/" KV_FILE, r->folder);
    r->base = mem_alloc(FILE_BYTES_MAX);
    /* Made, and closed: all of it is flushed. */
    assert_int_equal(kv_lmdb_open(r->folder, 1u << 30, &r->kv, &e), 0);
    assert_int_equal(fsm_init(&r->fsm, r->kv, &e), 0);
    commit(r);
    kv_close(r->kv);
    read_base(r, path);
    assert_int_equal(kv_lmdb_open(r->folder, 1u << 30, &r->kv, &e), 0);
    r->states[0] = walk(r->kv, &digest_fits);
    assert_true(digest_fits);
}

static void run_commits(struct run *r)
{
    bool digest_fits;
    for (size_t i = 1; i <= COMMITS; i++) {
        commit(r);
        tape_note(EVENT_COMMITTED, 0, NULL, 0);
        r->states[i] = walk(r->kv, &digest_fits);
        assert_true(digest_fits);
    }
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = { KV_FILE, "lock.mdb" };
    char path[300];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static void run_close(struct run *r)
{
    kv_close(r->kv);
    fsm_deinit(&r->fsm);
    tape_clear();
    remove_folder(r->folder);
    remove_folder(r->image);
    mem_free(r->base);
}

/* ---- the tests ---- */

static void legal_images(bool grows_by_itself)
{
    static struct run r;
    struct tally t = { 0 };
    size_t commits = 0;
    size_t from = 0;
    bool grows;
    memset(&r, 0, sizeof r);
    r.behind = 1;
    tape.grows_by_itself = grows_by_itself;
    run_open(&r);
    run_commits(&r);
    for (size_t i = 0; i <= tape.count; i++) {
        if (i < tape.count && tape.events[i].type != EVENT_FLUSH)
            continue;
        t = in_child(&r, from, i, commits, try_all);
        r.images += t.images;
        r.newest += t.newest;
        r.whole += few_writes(from, i, &grows) != 0;
        if (t.broken)
            fail_msg("an image of those after %zu commits is broken", commits);
        if (i == tape.count)
            break;
        absorb(&r, from, i);
        from = i + 1;
        commits++; /* its pages are flushed; its meta page is what comes next */
    }
    assert_int_equal(commits, COMMITS);
    print_message("%s: %zu commits, %zu writes noted, %zu images opened, the last commit there in "
                  "%zu, every subset of %zu flushes, file of %zu KiB\n",
                  grows_by_itself ? "grown by LMDB" : "extended ahead", commits, tape.count,
                  r.images, r.newest, r.whole, r.base_len >> 10);
    assert_true(r.whole > 0);
    /* Both outcomes were seen often, so the choice of images is no formality. */
    assert_true(r.images > 20 * COMMITS);
    assert_true(r.newest > r.images / 10 && r.newest < r.images - r.images / 10);
    run_close(&r);
}

static void test_legal_images(void **state)
{
    (void)state; /* no shared fixture */
    legal_images(false);
}

static void test_legal_images_of_a_growing_file(void **state)
{
    (void)state; /* no shared fixture */
    legal_images(true);
}

/* One choice among everything that was never flushed. */
static void try_one(struct run *r, int fd, size_t from, size_t to, size_t commits, struct tally *t)
{
    struct loss l = { .from = from, .to = to, .missing = SIZE_MAX, .torn = SIZE_MAX };
    l.random = below(r, 1u << 30) + 1;
    (void)freopen("/dev/null", "w", stderr); /* what is wrong with each is of no interest */
    try_loss(r, fd, l, commits, t);
}

/* All of it, in order: what a kill leaves. */
static void try_whole(struct run *r, int fd, size_t from, size_t to, size_t commits,
                      struct tally *t)
{
    struct loss l = { .from = from, .to = to, .missing = SIZE_MAX, .torn = SIZE_MAX };
    try_loss(r, fd, l, commits, t);
}

static void test_without_flushes(void **state)
{
    static struct run r;
    size_t broken = 0;
    (void)state; /* no shared fixture */
    memset(&r, 0, sizeof r);
    r.behind = COMMITS; /* an old state is a state that was; broken is worse */
    tape.open_flags = MDB_NOSYNC;
    run_open(&r);
    run_commits(&r);
    size_t commits = 0;
    for (size_t i = 0; i < tape.count && r.images < LOOKS_UNFLUSHED; i++) {
        assert_true(tape.events[i].type != EVENT_FLUSH);
        if (tape.events[i].type != EVENT_COMMITTED || ++commits % 4 != 0)
            continue;
        assert_int_equal(in_child(&r, 0, i, commits, try_whole).newest, 1);
        broken += in_child(&r, 0, i, commits, try_one).broken ? 1 : 0;
        r.images++;
        /* A child that died did not put it back. */
        int fd = open(r.file, O_RDWR | O_CLOEXEC);
        unmake_image(&r, fd, &(struct loss){ .to = tape.count });
        (void)close(fd);
    }
    print_message("without flushes: %zu of %zu images are broken\n", broken, r.images);
    assert_true(broken > 0);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legal_images),
        cmocka_unit_test(test_legal_images_of_a_growing_file),
        cmocka_unit_test(test_without_flushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
