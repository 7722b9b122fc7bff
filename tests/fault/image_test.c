/*
 * A process under the shim writes, flushes, renames and removes, and is killed; then its disk loses
 * power. What was flushed is there, whatever else happens; the rest is there or not, by the page.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/image.h"
#include "tests/fault/shim.h"
#include "tests/unit/unit.h"

#define PAGES  8
#define LEN    (PAGES * IMAGE_PAGE_BYTES)
#define SECTOR 512
#define SHIM   "tests/fault/fault_shim.so"
#define SEEDS  40

/* ---- in the process that is killed ---- */

static void need(bool good)
{
    if (!good)
        _exit(3);
}

static int make(const char *path, int flags, char fill)
{
    static char bytes[LEN];
    int fd = open(path, O_RDWR | O_CREAT | flags, 0600);

    memset(bytes, fill, sizeof bytes);
    need(fd >= 0);
    need(pwrite(fd, bytes, sizeof bytes, 0) == LEN);
    return fd;
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    need(fd >= 0);
    need(fsync(fd) == 0);
    close(fd);
}

static void write_files(void)
{
    struct iovec part = { .iov_base = (char[]){ "zz" }, .iov_len = 2 };
    int fd;

    need(fdatasync(make("flushed", 0, 'a')) == 0);
    (void)make("not-flushed", 0, 'a');
    (void)make("at-once", O_DSYNC, 'a');
    need(mkdir("folder", 0700) == 0);
    need(fsync(make("folder/flushed", 0, 'a')) == 0);
    need(fsync(make("removed", 0, 'a')) == 0);
    need(fsync(make("removed-for-good", 0, 'a')) == 0);
    need(fsync(make("short", 0, 'a')) == 0);
    need(fsync(make("new-1", 0, 'b')) == 0);
    need(rename("new-1", "renamed-for-good") == 0);
    need(unlink("removed-for-good") == 0);
    sync_folder(".");
    need(unlink("removed") == 0);
    need(fsync(make("new-2", 0, 'b')) == 0);
    need(rename("new-2", "flushed") == 0);
    fd = open("folder/flushed", O_WRONLY);
    need(fd >= 0);
    for (off_t at = 0; at < LEN; at += IMAGE_PAGE_BYTES / 2)
        need(pwritev(fd, &part, 1, at) == 2);
    fd = open("short", O_WRONLY);
    need(ftruncate(fd, 10) == 0);
    need(fdatasync(fd) == 0);
}

static int child_main(const char *folder)
{
    need(chdir(folder) == 0);
    write_files();
    raise(SIGKILL);
    return 1;
}

/* The wall clock and the other one, as a process with a wrong clock sees them. */
static int clock_main(void)
{
    struct timespec wall;
    struct timespec steady;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    printf("%lld %lld %lld\n", (long long)wall.tv_sec, (long long)time(NULL),
           (long long)steady.tv_sec);
    return 0;
}

/* ---- the test ---- */

struct disk {
    char folder[64];
    char root[96];
    char image[96];
    char control[96];
};

static void disk_make(struct disk *d)
{
    int fd;

    /* A memory file system: it does not use inode numbers again (image.h). */
    snprintf(d->folder, sizeof d->folder, "/dev/shm/gantry-image-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->root, sizeof d->root, "%s/root", d->folder);
    snprintf(d->image, sizeof d->image, "%s/image", d->folder);
    snprintf(d->control, sizeof d->control, "%s/control", d->folder);
    assert_int_equal(mkdir(d->root, 0700), 0);
    assert_int_equal(mkdir(d->image, 0700), 0);
    fd = open(d->control, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, sizeof(struct shim_control)), 0);
    close(fd);
}

static struct shim_control *disk_control(const struct disk *d)
{
    int fd = open(d->control, O_RDWR);
    void *page = mmap(NULL, sizeof(struct shim_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    close(fd);
    assert_true(page != MAP_FAILED);
    return page;
}

static void disk_remove(const struct disk *d)
{
    pid_t pid = fork();

    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--one-file-system", d->folder, (char *)NULL);
        _exit(4);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Runs this program once more, under the shim. Returns the status of wait. */
static int run(const struct disk *d, const char *what, int output)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("LD_PRELOAD", SHIM, 1);
        setenv(SHIM_CONTROL, d->control, 1);
        setenv(SHIM_ROOT, d->root, 1);
        setenv(SHIM_IMAGE, d->image, 1);
        if (output >= 0)
            dup2(output, 1);
        execl("/proc/self/exe", "image_test", what, d->root, (char *)NULL);
        _exit(4);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The file's length, or -1: it is not there. */
static ssize_t read_file(const struct disk *d, const char *name, char out[LEN])
{
    char path[256];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/%s", d->root, name);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    n = read(fd, out, LEN);
    close(fd);
    return n;
}

static bool is_all(const char *bytes, ssize_t len, char c)
{
    for (ssize_t i = 0; i < len; i++)
        if (bytes[i] != c)
            return false;
    return true;
}

static void expect(const struct disk *d, const char *name, ssize_t len, char c)
{
    static char bytes[LEN];
    ssize_t n = read_file(d, name, bytes);

    if (n != len || (n > 0 && !is_all(bytes, n, c)))
        fail_msg("%s: %zd bytes, the first is '%c'", name, n, n > 0 ? bytes[0] : ' ');
}

static void lose(enum image_loss loss, uint64_t seed, struct disk *d, struct image_lost *out)
{
    uint64_t rng = seed * 0x9e3779b97f4a7c15ull;
    int status;

    disk_make(d);
    status = run(d, "write", -1);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    image_lose(d->root, d->image, loss, &rng, out);
}

/* What a flush promised, after any loss. */
static void expect_durable(const struct disk *d)
{
    expect(d, "at-once", LEN, 'a');
    expect(d, "renamed-for-good", LEN, 'b');
    expect(d, "removed-for-good", -1, 0);
    expect(d, "short", 10, 'a');
}

static void test_everything_not_flushed_is_lost(void **state)
{
    struct image_lost lost;
    struct disk d;

    (void)state;
    lose(IMAGE_LOSE_ALL, 1, &d, &lost);
    expect_durable(&d);
    expect(&d, "flushed", LEN, 'a');
    expect(&d, "new-2", LEN, 'b');
    expect(&d, "removed", LEN, 'a');
    expect(&d, "not-flushed", 0, 0);
    expect(&d, "folder/flushed", LEN, 'a');
    assert_int_equal(lost.kept, 0);
    assert_true(lost.pages >= 2 * PAGES);
    assert_int_equal(lost.names, 2); /* the removal and the last renaming */
    /* What is there now is durable: another loss takes nothing. */
    image_lose(d.root, d.image, IMAGE_LOSE_ALL, &(uint64_t){ 1 }, &lost);
    assert_int_equal(lost.pages + lost.names, 0);
    expect_durable(&d);
    expect(&d, "flushed", LEN, 'a');
    disk_remove(&d);
}

static void test_some_of_it_is_lost(void **state)
{
    static char bytes[LEN];
    unsigned torn = 0;
    unsigned back = 0;
    unsigned replaced = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct image_lost lost;
        struct disk d;

        lose(IMAGE_LOSE_SOME, seed, &d, &lost);
        expect_durable(&d);
        assert_int_equal(read_file(&d, "folder/flushed", bytes), LEN);
        for (size_t at = 0; at < LEN; at += SECTOR) {
            bool old = is_all(bytes + at, SECTOR, 'a');
            bool new = memcmp(bytes + at, "zz", 2) == 0 && is_all(bytes + at + 2, SECTOR - 2, 'a');

            assert_true(old || (new &&at % (IMAGE_PAGE_BYTES / 2) == 0));
        }
        for (size_t at = 0; at < LEN; at += IMAGE_PAGE_BYTES)
            torn += (bytes[at] == 'z') != (bytes[at + IMAGE_PAGE_BYTES / 2] == 'z');
        back += read_file(&d, "removed", bytes) == LEN;
        assert_int_equal(read_file(&d, "flushed", bytes), LEN);
        assert_true(is_all(bytes, LEN, 'a') || is_all(bytes, LEN, 'b'));
        replaced += bytes[0] == 'b';
        disk_remove(&d);
    }
    print_message("of %d: %u pages torn, %u times back, %u times replaced\n", SEEDS, torn, back,
                  replaced);
    assert_in_range(torn, 1, SEEDS * PAGES - 1);
    assert_in_range(back, 1, SEEDS - 1);
    assert_in_range(replaced, 1, SEEDS - 1);
}

static void test_a_disk_that_lies(void **state)
{
    struct image_lost lost;
    struct disk d;

    (void)state;
    disk_make(&d);
    atomic_store(&disk_control(&d)->disk_lies, 1);
    assert_true(WIFSIGNALED(run(&d, "write", -1)));
    image_lose(d.root, d.image, IMAGE_LOSE_ALL, &(uint64_t){ 1 }, &lost);
    expect(&d, "at-once", -1, 0);
    expect(&d, "flushed", -1, 0);
    disk_remove(&d);
}

static void test_a_wrong_clock(void **state)
{
    struct timespec wall;
    struct timespec steady;
    long long seen[3];
    struct disk d;
    char text[128] = "";
    int ends[2];

    (void)state;
    disk_make(&d);
    atomic_store(&disk_control(&d)->clock_offset_ns, -86400ll * 1000000000);
    assert_int_equal(pipe(ends), 0);
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    assert_int_equal(run(&d, "clock", ends[1]), 0);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    assert_int_equal(sscanf(text, "%lld %lld %lld", &seen[0], &seen[1], &seen[2]), 3);
    assert_true(seen[0] >= wall.tv_sec - 86400 && seen[0] < wall.tv_sec - 80000);
    assert_true(seen[1] >= wall.tv_sec - 86400 && seen[1] < wall.tv_sec - 80000);
    assert_true(seen[2] >= steady.tv_sec && seen[2] < steady.tv_sec + 6400);
    close(ends[0]);
    close(ends[1]);
    disk_remove(&d);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_not_flushed_is_lost),
        cmocka_unit_test(test_some_of_it_is_lost),
        cmocka_unit_test(test_a_disk_that_lies),
        cmocka_unit_test(test_a_wrong_clock),
    };

    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return child_main(argv[2]);
    if (argc == 3)
        return clock_main();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
