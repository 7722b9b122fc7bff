/* Texts of the machine, and the machine itself. */
#include <string.h>

#include "base/arena.h"
#include "base/env_uv.h"
#include "kubelet-lite/node_facts.h"
#include "tests/unit/unit.h"

static void test_texts(void **state)
{
    (void)state;
    struct arena a;
    struct str meminfo = STR("MemTotal:       24661000 kB\nMemFree:  1 kB\nMemTotalX: 2 kB\n");
    arena_init(&a);
    assert_int_equal(meminfo_bytes(meminfo, "MemTotal"), 24661000ll * 1024);
    assert_int_equal(meminfo_bytes(meminfo, "MemFree"), 1024);
    assert_int_equal(meminfo_bytes(meminfo, "MemAvailable"), -1);
    assert_int_equal(meminfo_bytes(str_lit("MemTotal: x kB"), "MemTotal"), -1);
    assert_string_equal(os_release_name(&a, str_lit("ID=x\nPRETTY_NAME=\"Some Linux 1\"\n")),
                        "Some Linux 1");
    assert_string_equal(os_release_name(&a, str_lit("PRETTY_NAME=Bare")), "Bare");
    assert_string_equal(os_release_name(&a, str_lit("")), "Linux");
    arena_deinit(&a);
}

static void test_machine(void **state)
{
    (void)state;
    struct env *env = env_uv_new();
    struct arena a;
    struct node_facts f;
    struct err e = { 0 };
    arena_init(&a);
    assert_int_equal(node_facts_read(env, &a, "/tmp", &f, &e), 0);
    assert_true(f.cpus > 0 && f.memory_bytes > 0 && f.disk_bytes > 0);
    assert_true(f.kernel[0] != '\0' && f.os_image[0] != '\0');
    arena_deinit(&a);
    env_uv_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_texts),
                                        cmocka_unit_test(test_machine) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
