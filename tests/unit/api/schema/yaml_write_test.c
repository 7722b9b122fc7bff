/* YAML out: go-yaml's order, quoting and block style. */
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static const char *const cases[][2] = {
    { "{\"b\":[1,{\"c\":true,\"a\":null}],\"a\":\"x\"}", "a: x\nb:\n- 1\n- a: null\n  c: true\n" },
    { "{\"k10\":1,\"k9\":1,\"k-1\":1,\"K\":1,\"a/b\":1}", "K: 1\na/b: 1\nk-1: 1\nk9: 1\nk10: 1\n" },
    { "{\"e\":{},\"l\":[],\"s\":\"\"}", "e: {}\nl: []\ns: \"\"\n" },
    { "[\"yes\",\"1\",\"a: b\",\" x\",\"#\",\"it's\",\"tab\\t\"]",
      "- \"yes\"\n- \"1\"\n- 'a: b'\n- ' x'\n- '#'\n- it's\n- \"tab\\t\"\n" },
    { "{\"s\":\"two\\nlines\\n\",\"t\":\"no\\nend\"}",
      "s: |\n  two\n  lines\nt: |-\n  no\n  end\n" },
    { "{\"m\":\"0/3 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
      "1 "
      "No preemption victims found.\"}",
      "m: '0/3 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available:\n"
      "  1 No preemption victims found.'\n" },
    { "1.5", "1.5\n" }
};

static void styles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena a;
        struct buf b;
        struct err e = { 0 };
        const struct json *j;
        arena_init(&a);
        buf_init(&b);
        assert_int_equal(json_parse(&a, str_from(cases[i][0]), &j, &e), 0);
        assert_int_equal(yaml_write(&b, j, &e), 0);
        buf_append_byte(&b, 0);
        assert_string_equal((char *)b.data, cases[i][1]);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(styles) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
