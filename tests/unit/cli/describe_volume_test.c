/* describe of volumes. */
#include <string.h>

#include "tests/unit/cli/page_world.h"
#include "tests/unit/unit.h"

static void test_volumes(void **state)
{
    struct cli_world *w = *state;
    const char *page =
        page_of(w, describe_pod,
                "{\"spec\":{\"volumes\":[{\"name\":\"h\",\"hostPath\":{\"path\":\"/p\"}},{\"name"
                "\":\"e\",\"emptyDir\":{}},{\"name\":\"s\",\"secret\":{\"secretName\":\"x\"}},{\""
                "name\":\"m\",\"configMap\":{\"name\":\"y\",\"optional\":true}},{\"name\":\"c\","
                "\"persistentVolumeClaim\":{\"claimName\":\"z\"}},{\"name\":\"d\",\"downwardAPI\""
                ":{\"items\":[{\"path\":\"l\",\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}]}"
                "},{\"name\":\"p\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expira"
                "tionSeconds\":60}},{\"configMap\":{\"name\":\"q\"}},{\"downwardAPI\":{}},{\"secr"
                "et\":{\"name\":\"t\"}}]}},{\"name\":\"o\",\"odd\":{}}]}}",
                NULL);
    assert_non_null(strstr(page, "  h:\n"
                                 "    Type:          HostPath (bare host directory volume)\n"
                                 "    Path:          /p\n"
                                 "    HostPathType:  <none>\n"));
    assert_non_null(strstr(page, "    Medium:     \n"
                                 "    SizeLimit:  <unset>\n"));
    assert_non_null(strstr(page, "    SecretName:  x\n"
                                 "    Optional:    false\n"));
    assert_non_null(strstr(page, "    Name:      y\n"
                                 "    Optional:  true\n"));
    assert_non_null(strstr(page, "    ClaimName:  z\n"
                                 "    ReadOnly:   false\n"));
    assert_non_null(strstr(page, "      metadata.labels -> l\n"));
    assert_non_null(strstr(page, "    TokenExpirationSeconds:  60\n"
                                 "    ConfigMapName:           q\n"
                                 "    Optional:                false\n"
                                 "    DownwardAPI:             true\n"
                                 "    SecretName:              t\n"));
    assert_non_null(strstr(page, "  o:\n"
                                 "  <unknown>\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_volumes) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
