/* What raft_uv gets from posix_fallocate: a file of the size, of zeros, all of it written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/raft_segment.h"
#include "tests/unit/unit.h"

#define SEGMENT_BYTES (1u << 20)

static int open_file(char path[256])
{
    const char *base = getenv("TEST_TMPDIR");

    snprintf(path, 256, "%s/segment-XXXXXX", base != NULL ? base : "/tmp");
    return mkstemp(path);
}

static void test_segment_is_written(void **state)
{
    static char bytes[SEGMENT_BYTES];
    static const char zeros[SEGMENT_BYTES];
    struct stat st;
    char path[256];
    int fd;

    (void)state;
    raft_segment_prepare();
    fd = open_file(path);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, SEGMENT_BYTES), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, SEGMENT_BYTES);
    /* Reserved blocks that were never written count as a hole. */
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), SEGMENT_BYTES);
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), SEGMENT_BYTES);
    assert_memory_equal(bytes, zeros, sizeof(bytes));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(close(fd), 0);
}

static void test_failures_are_told(void **state)
{
    char path[256];
    int fd;
    int read_only;

    (void)state;
    fd = open_file(path);
    assert_true(fd >= 0);
    read_only = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read_only >= 0);
    assert_int_equal(posix_fallocate(read_only, 0, 4096), EBADF);
    assert_int_equal(posix_fallocate(fd, 0, 0), EINVAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(close(read_only), 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_segment_is_written),
                                        cmocka_unit_test(test_failures_are_told) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
