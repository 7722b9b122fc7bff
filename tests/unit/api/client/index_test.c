/* Index terms of packed objects, and of bytes that are none. */
#include "api/client/index.h"
#include "api/meta/kinds.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "tests/unit/controllers/fake_api.h"
#include "tests/unit/unit.h"

static void test_terms(void **state)
{
    struct arena a;
    struct str terms[INDEX_TERMS_MAX], bytes;

    (void)state; /* no shared fixture */
    arena_init(&a);
    bytes = schema_pack_arena(
        &a, kind_info(KIND_POD)->schema,
        fake_object(&a, KIND_POD,
                    "{\"metadata\":{\"name\":\"p\",\"ownerReferences\":[{\"apiVersion\":\"v1\","
                    "\"kind\":\"A\",\"name\":\"a\",\"uid\":\"1\"},{\"apiVersion\":\"v1\",\"kind\":"
                    "\"B\",\"name\":\"b\",\"uid\":\"2\"}]},\"spec\":{\"nodeName\":\"n\","
                    "\"containers\":[]}}"));
    assert_int_equal(index_terms(INDEX_BY_OWNER, KIND_POD, bytes, terms), 2);
    assert_true(str_eq_c(terms[0], "1") && str_eq_c(terms[1], "2"));
    assert_int_equal(index_terms(INDEX_BY_NODE, KIND_POD, bytes, terms), 1);
    assert_true(str_eq_c(terms[0], "n"));
    assert_int_equal(index_terms(INDEX_BY_NODE, KIND_SECRET, bytes, terms), 0);
    assert_int_equal(index_terms(INDEX_BY_OWNER, KIND_POD, str_lit("\x0a\xff"), terms), 0);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_terms) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
