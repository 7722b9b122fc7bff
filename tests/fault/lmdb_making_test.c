/* How an environment is made, as LMDB's calls were noted (lmdb_tape.h). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/kv.h"
#include "tests/fault/lmdb_tape.h"
#include "tests/unit/unit.h"

/* Until it is whole and flushed it is not there; what is left of one that was not finished is in
 * nobody's way. */
static void test_making(void **state)
{
    const char *tmp = getenv("TEST_TMPDIR");
    char folder[256];
    char path[300];
    struct kv *kv;
    struct err e = { 0 };
    size_t writes = 0;
    bool flushed = true;
    (void)state; /* no shared fixture */
    snprintf(folder, sizeof folder, "%s/lmdb-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" KV_FILE ".new", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    tape_put(fd, folder, sizeof folder, 0); /* no meta page */
    (void)close(fd);

    tape.making = true;
    if (kv_lmdb_open(folder, 1u << 30, &kv, &e) != 0)
        fail_msg("%s", e.msg);
    size_t i = 0;
    for (; i < tape.count && tape.events[i].type != EVENT_NAMED; i++) {
        writes += tape.events[i].type == EVENT_WRITE;
        flushed =
            tape.events[i].type == EVENT_FLUSH || (flushed && tape.events[i].type != EVENT_WRITE);
    }
    assert_true(i < tape.count); /* it got its name, */
    assert_true(writes > 2);
    assert_true(flushed); /* and everything before that was flushed */
    assert_int_equal(access(path, F_OK), -1);
    tape_clear();
    kv_close(kv);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/" KV_FILE, folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else lies there */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_making) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
