/* Defaults, required fields, copies, comparison. Unknown fields: property_test. */
#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static void *decode(struct arena *a, const struct schema *s, const char *text)
{
    const struct json *j;
    struct err e = { 0 };
    void *message = NULL;
    assert_int_equal(json_parse(a, str_from(text), &j, &e), 0);
    assert_int_equal(schema_decode(a, s, j, SCHEMA_STRICT, &message, NULL, &e), 0);
    return message;
}

static void defaults_fill_what_is_unset(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Deployment *d = decode(&a, &schema_Deployment,
                           "{\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"Never\","
                           "\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":1}],"
                           "\"livenessProbe\":{\"periodSeconds\":3}}]}}}}");
    schema_default(&a, &schema_Deployment, d);
    PodSpec *spec = d->spec->template_->spec;
    assert_int_equal(d->spec->replicas, 1);
    assert_true(d->spec->has_replicas);
    assert_string_equal(spec->restart_policy, "Never");
    assert_string_equal(spec->dns_policy, "ClusterFirst");
    assert_int_equal(spec->termination_grace_period_seconds, 30);
    assert_non_null(spec->security_context);
    assert_string_equal(spec->containers[0]->ports[0]->protocol, "TCP");
    assert_string_equal(spec->containers[0]->termination_message_policy, "File");
    assert_int_equal(spec->containers[0]->liveness_probe->period_seconds, 3);
    assert_int_equal(spec->containers[0]->liveness_probe->failure_threshold, 3);
    d->spec->replicas = 0;
    schema_default(&a, &schema_Deployment, d);
    assert_int_equal(d->spec->replicas, 0);
    arena_deinit(&a);
}

static void defaults_make_missing_values(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Namespace *n = decode(&a, &schema_Namespace, "{}");
    schema_default(&a, &schema_Namespace, n);
    assert_string_equal(n->status->phase, "Active");
    arena_deinit(&a);
}

static void required_fields_are_named(void **state)
{
    (void)state;
    struct arena a;
    struct err_list l;
    arena_init(&a);
    err_list_init(&l, &a);
    Condition *c = decode(&a, &schema_Condition, "{\"type\":\"Ready\",\"status\":\"True\"}");
    schema_validate(&schema_Condition, c, "status.conditions[0]", &l);
    assert_int_equal(l.count, 2); /* a message may be empty */
    assert_string_equal(l.entries[0].path, "status.conditions[0].lastTransitionTime");
    assert_string_equal(l.entries[1].path, "status.conditions[0].reason");
    assert_int_equal(l.entries[1].code, FIELD_REQUIRED);
    arena_deinit(&a);
}

static void copies_are_equal_and_apart(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *pod = decode(&a, &schema_Pod, "{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}");
    Pod *copy = schema_copy(&a, &schema_Pod, pod);
    assert_true(schema_equal(&schema_Pod, pod, copy));
    copy->spec->containers[0]->name[0] = 'd';
    assert_false(schema_equal(&schema_Pod, pod, copy));
    assert_string_equal(pod->spec->containers[0]->name, "c");
    /* nil and empty are the same */
    Pod *empty =
        decode(&a, &schema_Pod, "{\"spec\":{\"containers\":[]},\"metadata\":{\"labels\":{}}}");
    assert_true(schema_equal(&schema_Pod, empty, schema_new(&a, &schema_Pod)));
    arena_deinit(&a);
}

static void quantities_are_equal_by_amount(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Pod *x = decode(&a, &schema_Pod,
                    "{\"spec\":{\"overhead\":{\"cpu\":\"1.500\"},\"containers\":[{\"resources\":{"
                    "\"limits\":{\"cpu\":\"+5\"}}}]}}");
    Pod *y = decode(&a, &schema_Pod,
                    "{\"spec\":{\"overhead\":{\"cpu\":\"1500m\"},\"containers\":[{\"resources\":{"
                    "\"limits\":{\"cpu\":\"5\"}}}]}}");
    assert_string_equal(x->spec->overhead[0]->value->string, "1.500");
    assert_true(schema_equal(&schema_Pod, x, y));
    assert_string_equal(x->spec->overhead[0]->value->string, "1.500");
    y->spec->overhead[0]->value->string = str_dup(&a, str_lit("1501m"));
    assert_false(schema_equal(&schema_Pod, x, y));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(defaults_fill_what_is_unset),
                                        cmocka_unit_test(defaults_make_missing_values),
                                        cmocka_unit_test(required_fields_are_named),
                                        cmocka_unit_test(copies_are_equal_and_apart),
                                        cmocka_unit_test(quantities_are_equal_by_amount) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
