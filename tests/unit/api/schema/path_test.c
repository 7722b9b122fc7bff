/* Paths of walks. */
#include "api/schema/path.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

static void paths(void **state)
{
    (void)state;
    struct path root = PATH_ROOT;
    struct path spec = { .up = &root, .name = str_lit("spec"), .index = -1 };
    struct path list = { .up = &spec, .name = str_lit("containers"), .index = -1 };
    struct path item = { .up = &list, .index = 3 };
    struct path common = { .up = &item, .name = str_lit("Common"), .index = -1, .embedded = true };
    struct path name = { .up = &common, .name = str_lit("name"), .index = -1 };
    struct buf b;
    buf_init(&b);
    path_write(&b, &name, true);
    assert_true(str_eq_c(buf_str(&b), "spec.containers[3].name"));
    buf_clear(&b);
    path_write(&b, &name, false);
    assert_true(str_eq_c(buf_str(&b), "spec.containers.Common.name"));
    buf_clear(&b);
    path_write(&b, &root, true);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(paths) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
