/* Namespaces: emptied, pods first, then gone; and what every active one has. */
#include <string.h>

#include "controllers/namespace.h"
#include "controllers/objects.h"
#include "tests/unit/controllers/cluster.h"
#include "tests/unit/unit.h"

static void test_terminates(void **state)
{
    (void)state; /* no shared fixture */
    for (uint64_t seed = 1; seed < 6; seed++) {
        struct cluster c;

        cluster_init(&c, seed, 1, false);
        cluster_put(&c, KIND_NAMESPACE,
                    "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}}");
        cluster_put(&c, KIND_CONFIG_MAP, "{\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"}}");
        cluster_put(&c, KIND_POD,
                    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":"
                    "\"node-1\",\"containers\":[{\"name\":\"c\"}]}}");
        cluster_run(&c, 5000);
        c.dead_node = "node-1";
        fake_delete(&c.api, KIND_NAMESPACE, "", "d");
        cluster_run(&c, 10000);
        /* The pod's agent has not let go: nothing else goes before. */
        assert_non_null(fake_get(&c.api, &c.arena, KIND_CONFIG_MAP, "d", "m"));
        assert_non_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "d"));
        c.dead_node = NULL;
        cluster_run(&c, 10000);
        assert_null(fake_get(&c.api, &c.arena, KIND_CONFIG_MAP, "d", "m"));
        assert_null(fake_get(&c.api, &c.arena, KIND_SERVICE_ACCOUNT, "d", "default"));
        assert_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "d"));
        assert_non_null(fake_get(&c.api, &c.arena, KIND_NAMESPACE, "", "default"));
        cluster_deinit(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_terminates) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
