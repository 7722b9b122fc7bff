/* Families of Services: a table of what is asked for, on clusters of one family and of two. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/service_families.h"
#include "controlplane/resources/service_ranges.h"
#include "tests/unit/unit.h"

/* Lists are words with a space between. */
struct side {
    const char *type;
    const char *policy;
    const char *families;
    const char *ips;
    bool selects;
};

struct row {
    bool dual;
    struct side spec;
    const char *policy;   /* afterwards; NULL: it fails */
    const char *families; /* afterwards, or what it says */
};

static size_t words(struct arena *a, const char *text, char ***out)
{
    struct str rest = str_from(text == NULL ? "" : text);
    struct str word;
    size_t count = 0;
    *out = arena_array(a, 4, sizeof(**out));
    while (rest.len > 0 && str_split(&rest, ' ', &word))
        (*out)[count++] = str_dup(a, word);
    return count;
}

static ServiceSpec *make(struct arena *a, const struct side *side)
{
    ServiceSpec *spec = arena_new(a, ServiceSpec);
    service_spec__init(spec);
    spec->type = text_new(a, side->type);
    spec->ip_family_policy = side->policy == NULL ? NULL : text_new(a, side->policy);
    spec->n_ip_families = words(a, side->families, &spec->ip_families);
    spec->n_cluster_ips = words(a, side->ips, &spec->cluster_ips);
    spec->cluster_ip = spec->n_cluster_ips > 0 ? spec->cluster_ips[0] : NULL;
    spec->n_selector = side->selects;
    return spec;
}

static const char *joined(struct arena *a, const ServiceSpec *spec)
{
    struct str all = str_lit("");
    for (size_t i = 0; i < spec->n_ip_families; i++)
        all = str_printf(a, "%.*s%s%s", STR_ARG(all), i > 0 ? " " : "", spec->ip_families[i]);
    return str_dup(a, all);
}

static void check(const struct row *row, const struct side *old)
{
    struct arena a;
    struct err_list errors;
    struct service_ranges ranges;
    arena_init(&a);
    err_list_init(&errors, &a);
    assert_int_equal(
        service_ranges_parse(&ranges, row->dual ? "10.96.0.0/12,fd00::/64" : NULL, NULL, NULL), 0);
    ServiceSpec *spec = make(&a, &row->spec);
    service_families_fill(&a, &ranges, spec, old == NULL ? NULL : make(&a, old), &errors);
    if (row->policy == NULL) {
        assert_true(errors.count > 0);
        const struct field_error *e = &errors.entries[0];
        assert_string_equal(str_printf(&a, "%s: %s", e->path, e->text).data, row->families);
    } else {
        assert_int_equal(errors.count, 0);
        assert_string_equal(text_of(spec->ip_family_policy), row->policy);
        assert_string_equal(joined(&a, spec), row->families);
    }
    arena_deinit(&a);
}

#define SINGLE  "SingleStack"
#define PREFER  "PreferDualStack"
#define REQUIRE "RequireDualStack"

static void test_create(void **state)
{
    static const struct row rows[] = {
        { false, { .type = "ClusterIP", .selects = true }, SINGLE, "IPv4" },
        { true, { .type = "ClusterIP", .selects = true }, SINGLE, "IPv4" },
        { false, { .type = "ExternalName" }, "", "" },
        { false, { .type = "NodePort", .policy = PREFER }, PREFER, "IPv4" },
        { true, { .type = "NodePort", .policy = PREFER }, PREFER, "IPv4 IPv6" },
        { true,
          { .type = "NodePort", .policy = REQUIRE, .families = "IPv6" },
          REQUIRE,
          "IPv6 IPv4" },
        { true, { .type = "ClusterIP", .ips = "fd00::5" }, SINGLE, "IPv6" },
        { false, { .type = "ClusterIP", .ips = "None", .selects = true }, SINGLE, "IPv4" },
        { false, { .type = "ClusterIP", .ips = "None" }, REQUIRE, "IPv4 IPv6" },
        { false, { .type = "ClusterIP", .ips = "None", .policy = SINGLE }, SINGLE, "IPv4" },
        { false,
          { .type = "ClusterIP", .policy = REQUIRE },
          NULL,
          "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not "
          "configured for "
          "dual-stack services" },
        { false,
          { .type = "ClusterIP", .families = "IPv6" },
          NULL,
          "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster" },
        { false,
          { .type = "ClusterIP", .ips = "fd00::5" },
          NULL,
          "spec.clusterIPs[0]: Invalid value: [\"fd00::5\"]: IPv6 is not configured on this "
          "cluster" },
        { true,
          { .type = "ClusterIP", .policy = SINGLE, .families = "IPv4 IPv6" },
          NULL,
          "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
          "'PreferDualStack' when multiple IP families are specified" },
        { true,
          { .type = "ClusterIP", .policy = SINGLE, .ips = "10.96.0.9 fd00::9" },
          NULL,
          "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
          "'PreferDualStack' when multiple cluster IPs are specified" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(&rows[i], NULL);
}

static void test_update(void **state)
{
    static const struct side both = {
        .type = "ClusterIP", .policy = REQUIRE, .families = "IPv4 IPv6", .ips = "10.96.0.9 fd00::9"
    };
    static const struct side preferred = {
        .type = "ClusterIP", .policy = PREFER, .families = "IPv4", .ips = "10.96.0.9"
    };
    static const struct row of_both[] = {
        { true, { .type = "ClusterIP", .ips = "10.96.0.9 fd00::9" }, REQUIRE, "IPv4 IPv6" },
        { true,
          { .type = "ClusterIP",
            .policy = SINGLE,
            .families = "IPv4 IPv6",
            .ips = "10.96.0.9 fd00::9" },
          SINGLE,
          "IPv4" },
        { true,
          { .type = "ClusterIP", .policy = PREFER, .ips = "10.96.0.9" },
          NULL,
          "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be 'SingleStack' to "
          "release the "
          "secondary cluster IP" },
        { true,
          { .type = "ClusterIP", .policy = PREFER, .families = "IPv4", .ips = "10.96.0.9 fd00::9" },
          NULL,
          "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be 'SingleStack' to "
          "release the "
          "secondary IP family" },
    };
    /* The cluster came to have two families since: that alone changes nothing. */
    static const struct row of_preferred = {
        true,
        { .type = "ClusterIP", .policy = PREFER, .families = "IPv4", .ips = "10.96.0.9" },
        PREFER,
        "IPv4"
    };
    (void)state;
    for (size_t i = 0; i < sizeof(of_both) / sizeof(of_both[0]); i++)
        check(&of_both[i], &both);
    check(&of_preferred, &preferred);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
