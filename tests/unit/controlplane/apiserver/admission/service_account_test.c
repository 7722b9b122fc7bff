/* What service accounts put into a pod. */
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define PODS     "/api/v1/namespaces/default/pods"
#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"

static struct reply pod(struct harness *h, const char *name, const char *spec)
{
    struct str body = str_printf(&h->arena,
                                 "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s\"containers\":[{"
                                 "\"name\":\"c\",\"image\":\"i\"}]}}",
                                 name, spec);
    return harness_post(h, PODS, body.data);
}

static void test_missing(void **state)
{
    struct harness *h = *state;
    struct reply r = pod(h, "p", "");
    harness_expect(&r, 403);
    harness_contains(&r, "pods \\\"p\\\" is forbidden: error looking up service account "
                         "default/default: serviceaccount \\\"default\\\" not found");
}

static void test_mounted(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_post(
        h, ACCOUNTS,
        "{\"metadata\":{\"name\":\"default\"},\"imagePullSecrets\":[{\"name\":\"s\"}]}");
    harness_expect(&r, 201);
    r = pod(h, "p", "");
    harness_expect(&r, 201);
    harness_contains(&r, "\"serviceAccountName\":\"default\",\"serviceAccount\":\"default\"");
    harness_contains(&r, "\"imagePullSecrets\":[{\"name\":\"s\"}]");
    harness_contains(&r, "\"readOnly\":true,\"mountPath\":"
                         "\"/var/run/secrets/kubernetes.io/serviceaccount\"");
    harness_contains(&r, "\"projected\":{\"sources\":[{\"configMap\":{\"name\":"
                         "\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":"
                         "\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\","
                         "\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":"
                         "\"metadata.namespace\"}}]}}],\"defaultMode\":420}");
    /* a copy of a pod has its volume already */
    r = pod(h, "copy", "\"volumes\":[{\"name\":\"kube-api-access-abcde\",\"emptyDir\":{}}],");
    harness_expect(&r, 201);
    harness_contains(&r, "{\"name\":\"kube-api-access-abcde\",\"readOnly\":true");
    harness_lacks(&r, "projected");
    r = pod(h, "q", "\"automountServiceAccountToken\":false,");
    harness_expect(&r, 201);
    harness_lacks(&r, "kube-api-access");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_mounted),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
