/* Whole documents: JSON, complete, with nothing that is referred to missing. */
#include "api/meta/kinds.h"
#include "api/schema/json.h"
#include "api/schema/schema.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/apiserver/openapi/document.h"
#include "controlplane/resources/registry.h"
#include "tests/unit/unit.h"

static const struct json *parse(struct arena *a, const struct buf *b)
{
    const struct json *tree = NULL;
    struct err e = { 0 };
    if (json_parse(a, buf_str(b), &tree, &e) != 0) {
        fail_msg("%s", e.msg);
    }
    return tree;
}

/* Every $ref below j names a member of definitions. */
static void check_refs(const struct json *j, const struct json *definitions, size_t prefix)
{
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++) {
        check_refs(&j->u.items[i], definitions, prefix);
    }
    for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        if (str_eq_c(m->key, "$ref") && m->value.type == JSON_STRING) {
            struct str name = json_str(&m->value);
            if (json_get(definitions, str_slice(name, prefix, name.len)) == NULL) {
                fail_msg("%.*s is not defined", STR_ARG(name));
            }
        } else {
            check_refs(&m->value, definitions, prefix);
        }
    }
}

static bool is_kind(const struct json *definition, const struct kind_info *k)
{
    const struct json *kinds = json_get_c(definition, "x-kubernetes-group-version-kind");
    return kinds != NULL && kinds->count == 1 &&
           str_eq_c(json_str(json_get_c(&kinds->u.items[0], "group")), k->group) &&
           str_eq_c(json_str(json_get_c(&kinds->u.items[0], "version")), k->version) &&
           str_eq_c(json_str(json_get_c(&kinds->u.items[0], "kind")), k->name);
}

/* The kind and its list are defined, and somebody wrote a word about it. */
static void check_kind(const struct json *definitions, const struct kind_info *k)
{
    const struct json *d = json_get_c(definitions, k->schema->model);
    assert_non_null(d);
    assert_true(is_kind(d, k));
    assert_non_null(json_get_c(d, "description"));
    if (k->list_schema != NULL) {
        assert_non_null(json_get_c(definitions, k->list_schema->model));
    }
}

static void test_v2(void **state)
{
    struct arena a;
    struct buf b;
    (void)state;
    arena_init(&a);
    buf_init(&b);
    openapi_write_v2(&b);
    const struct json *tree = parse(&a, &b);
    const struct json *definitions = json_get_c(tree, "definitions");
    check_refs(tree, definitions, sizeof("#/definitions/") - 1);
    for (size_t i = 0; i < resource_count(); i++) {
        check_kind(definitions, kind_info(resource_at(i)->kind));
    }
    /* Inline messages are no types of their own. */
    assert_null(json_get_c(definitions, "io.k8s.api.core.v1.VolumeSource"));
    const struct json *options =
        json_get_c(definitions, "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
    struct group_version groups[GROUPS_MAX];
    assert_int_equal(json_get_c(options, "x-kubernetes-group-version-kind")->count,
                     resource_groups(groups));
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_v3(void **state)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    (void)state;
    for (size_t g = 0; g < count; g++) {
        struct arena a;
        struct buf b;
        arena_init(&a);
        buf_init(&b);
        openapi_write_v3(&b, &groups[g]);
        const struct json *tree = parse(&a, &b);
        const struct json *schemas = json_get_c(json_get_c(tree, "components"), "schemas");
        check_refs(tree, schemas, sizeof("#/components/schemas/") - 1);
        for (size_t i = 0; i < resource_count(); i++) {
            const struct kind_info *k = kind_info(resource_at(i)->kind);
            if (str_eq_c(str_from(k->group), groups[g].group)) {
                check_kind(schemas, k);
            }
        }
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_v2), cmocka_unit_test(test_v3) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
