/* What every active namespace has: made, made again, put right; not in one that goes. */
#include "controllers/serviceaccount.h"
#include "tests/unit/controllers/decision.h"
#include "tests/unit/unit.h"

#define NAMESPACE "{\"metadata\":{\"name\":\"d\"}}"
#define GOING     "{\"metadata\":{\"name\":\"d\",\"deletionTimestamp\":\"2001-01-01T00:00:00Z\"}}"
#define ACCOUNT   "{\"metadata\":{\"name\":\"default\",\"namespace\":\"d\"}}"
#define MAP(pem)                                                                                   \
    "{\"metadata\":{\"name\":\"kube-root-ca.crt\",\"namespace\":\"d\"},\"data\":{\"ca.crt\":"      \
    "\"" pem "\",\"mine\":\"x\"}}"

static const struct row {
    const char *namespace, *account, *map, *want_account, *want_map;
} rows[] = {
    { NAMESPACE, NULL, NULL, "create ServiceAccount d/default\n",
      "create ConfigMap d/kube-root-ca.crt\n" },
    { NAMESPACE, ACCOUNT, MAP("PEM"), "", "" },
    { NAMESPACE, ACCOUNT, MAP("old"), "", "update ConfigMap d/kube-root-ca.crt\n" },
    { GOING, NULL, NULL, "", "" },
    { NULL, NULL, NULL, "", "" },
};

static void test_rows(void **state)
{
    (void)state; /* no shared fixture */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct decision_case c;

        decision_init(&c);
        c.flags.root_ca_pem = str_lit("PEM");
        if (rows[i].namespace != NULL)
            decision_add(&c, KIND_NAMESPACE, rows[i].namespace);
        if (rows[i].account != NULL)
            decision_add(&c, KIND_SERVICE_ACCOUNT, rows[i].account);
        if (rows[i].map != NULL)
            decision_add(&c, KIND_CONFIG_MAP, rows[i].map);
        decision_check(&c, &serviceaccount_controller, KIND_NAMESPACE, "", "d",
                       rows[i].want_account);
        decision_check(&c, &rootca_controller, KIND_NAMESPACE, "", "d", rows[i].want_map);
        c.flags.root_ca_pem = str_of(NULL, 0);
        decision_check(&c, &rootca_controller, KIND_NAMESPACE, "", "d", "");
        decision_deinit(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
