/* Discovery documents are JSON that names every served kind once per shape. */
#include "api/meta/kinds.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/discovery.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/unit.h"

static void test_groups(void **state)
{
    (void)state;
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    assert_true(count >= 3);
    assert_string_equal(groups[0].group, "");
    for (size_t i = 1; i < count; i++) {
        assert_true(groups[i].group[0] != '\0');
    }
}

static void check_json(struct buf *b)
{
    struct err e = { 0 };
    if (json_check(buf_str(b), &e) != 0) {
        fail_msg("%s in %.*s", e.msg, STR_ARG(buf_str(b)));
    }
}

static void test_documents(void **state)
{
    (void)state;
    struct buf legacy;
    struct buf aggregated;
    struct arena a;
    arena_init(&a);
    buf_init(&legacy);
    buf_init(&aggregated);
    discovery_write_aggregated(&aggregated, true, "v2");
    check_json(&aggregated);
    size_t core = aggregated.len;
    discovery_write_aggregated(&aggregated, false, "v2");
    struct buf rest = { .data = aggregated.data + core, .len = aggregated.len - core };
    check_json(&rest);
    for (size_t i = 0; i < resource_count(); i++) {
        const struct kind_info *k = kind_info(resource_at(i)->kind);
        buf_clear(&legacy);
        assert_true(discovery_write_resources(&legacy, str_from(k->group), str_from(k->version)));
        check_json(&legacy);
        struct str name =
            str_printf(&a, "{\"name\":\"%s\",\"singularName\":\"%s\"", k->plural, k->singular);
        struct str resource = str_printf(&a, "{\"resource\":\"%s\",", k->plural);
        assert_true(str_find(buf_str(&legacy), name) > 0);
        assert_true(str_find(buf_str(&aggregated), resource) > 0);
    }
    buf_clear(&legacy);
    assert_false(discovery_write_resources(&legacy, str_lit("none"), str_lit("v1")));
    assert_false(discovery_write_group(&legacy, str_lit("")));
    buf_clear(&legacy);
    discovery_write_core(&legacy, str_lit("host\"x:1"));
    check_json(&legacy);
    buf_clear(&legacy);
    discovery_write_groups(&legacy);
    check_json(&legacy);
    buf_deinit(&legacy);
    buf_deinit(&aggregated);
    arena_deinit(&a);
}

/* A stream's kind is that of its query. */
static void test_streams(void **state)
{
    static const char *const legacy[] = {
        "{\"name\":\"pods/attach\",\"singularName\":\"\",\"namespaced\":true,"
        "\"kind\":\"PodAttachOptions\",\"verbs\":[\"create\",\"get\"]}",
        "{\"name\":\"pods/exec\",\"singularName\":\"\",\"namespaced\":true,"
        "\"kind\":\"PodExecOptions\",\"verbs\":[\"create\",\"get\"]}",
        "{\"name\":\"nodes/proxy\",\"singularName\":\"\",\"namespaced\":false,"
        "\"kind\":\"NodeProxyOptions\","
        "\"verbs\":[\"create\",\"delete\",\"get\",\"patch\",\"update\"]}",
        "{\"name\":\"services/proxy\",\"singularName\":\"\",\"namespaced\":true,"
        "\"kind\":\"ServiceProxyOptions\","
        "\"verbs\":[\"create\",\"delete\",\"get\",\"patch\",\"update\"]}",
        "{\"name\":\"pods/portforward\",\"singularName\":\"\",\"namespaced\":true,"
        "\"kind\":\"PodPortForwardOptions\",\"verbs\":[\"create\",\"get\"]}",
    };
    struct buf b;
    (void)state;
    buf_init(&b);
    assert_true(discovery_write_resources(&b, str_lit(""), str_lit("v1")));
    for (size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
        if (str_find(buf_str(&b), str_from(legacy[i])) < 0) {
            fail_msg("no %s", legacy[i]);
        }
    }
    buf_clear(&b);
    discovery_write_aggregated(&b, true, "v2");
    assert_true(
        str_find(buf_str(&b), str_lit("{\"subresource\":\"exec\",\"responseKind\":{\"group\":\"\","
                                      "\"version\":\"v1\",\"kind\":\"PodExecOptions\"},"
                                      "\"verbs\":[\"create\",\"get\"]}")) > 0);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
