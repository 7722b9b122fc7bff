/* A view and what lies in the store are the same object, both ways. */
#include "api/meta/view.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/events.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/err.h"
#include "tests/unit/unit.h"

static void *decode(struct arena *a, const struct schema *s, const char *json)
{
    const struct json *tree;
    struct err e;
    void *object = NULL;
    assert_int_equal(json_parse(a, str_from(json), &tree, &e), 0);
    assert_int_equal(schema_decode(a, s, tree, SCHEMA_STRICT, &object, NULL, &e), 0);
    return object;
}

/* Every field has a value of its own: none can be taken for another. */
static void test_event(void **state)
{
    struct arena a;
    struct err e;
    void *object = NULL;
    (void)state;
    arena_init(&a);
    struct str shown = schema_pack_arena(
        &a, &schema_EventsEvent,
        decode(&a, &schema_EventsEvent,
               "{\"metadata\":{\"name\":\"n\"},\"eventTime\":\"2023-11-14T22:13:20.000001Z\","
               "\"series\":{\"count\":7,\"lastObservedTime\":null},\"reportingController\":\"rc\","
               "\"reportingInstance\":\"ri\",\"action\":\"ac\",\"reason\":\"re\",\"regarding\":{"
               "\"name\":\"on\"},\"related\":{\"name\":\"rel\"},\"note\":\"no\",\"type\":\"ty\","
               "\"deprecatedSource\":{\"host\":\"ho\"},\"deprecatedFirstTimestamp\":"
               "\"2023-11-14T22:13:21Z\",\"deprecatedLastTimestamp\":\"2023-11-14T22:13:22Z\","
               "\"deprecatedCount\":9}"));
    struct str stored = view_to_stored(&a, KIND_EVENTS_EVENT, shown);
    assert_int_equal(schema_unpack(&a, &schema_Event, stored, &object, &e), 0);
    const Event *event = object;
    assert_string_equal(event->metadata->name, "n");
    assert_int_equal(event->event_time->nanos, 1000);
    assert_int_equal(event->series->count, 7);
    assert_string_equal(event->reporting_component, "rc");
    assert_string_equal(event->reporting_instance, "ri");
    assert_string_equal(event->action, "ac");
    assert_string_equal(event->reason, "re");
    assert_string_equal(event->involved_object->name, "on");
    assert_string_equal(event->related->name, "rel");
    assert_string_equal(event->message, "no");
    assert_string_equal(event->type, "ty");
    assert_string_equal(event->source->host, "ho");
    assert_int_equal(event->first_timestamp->seconds, 1700000001);
    assert_int_equal(event->last_timestamp->seconds, 1700000002);
    assert_int_equal(event->count, 9);
    struct str back = view_of_stored(&a, KIND_EVENTS_EVENT, stored);
    assert_true(str_eq(back, shown));
    arena_deinit(&a);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(view_twin(KIND_EVENT), KIND_EVENTS_EVENT);
    assert_int_equal(view_twin(KIND_EVENTS_EVENT), KIND_EVENT);
    assert_int_equal(view_twin(KIND_POD), KIND_NONE);
    assert_int_equal(view_field_of_stored(KIND_EVENTS_EVENT, 2), 8);
    assert_int_equal(view_field_of_stored(KIND_EVENTS_EVENT, 99), 0);
    assert_int_equal(view_field_of_stored(KIND_EVENT, 2), 2);
}

/* What is no view is not touched; what does not parse ends where it stops. */
static void test_others(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    struct str bytes = str_lit("\x0a\x01x");
    assert_ptr_equal(view_of_stored(&a, KIND_EVENT, bytes).data, bytes.data);
    assert_ptr_equal(view_to_stored(&a, KIND_POD, bytes).data, bytes.data);
    assert_int_equal(view_of_stored(&a, KIND_EVENTS_EVENT, str_lit("\xff\xff")).len, 0);
    arena_deinit(&a);
}

/* Of a later release: another number than any of ours, any wire type, both ways. */
static void test_unknown_fields(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a);
    struct str unknown = STR("\x82\x01\x01x\xa5\x06\x01\x02\x03\x04\xa8\x06\x07");
    struct str stored = STR("\x1a\x01r\x82\x01\x01x\xa5\x06\x01\x02\x03\x04\xa8\x06\x07");
    struct str shown = view_of_stored(&a, KIND_EVENTS_EVENT, stored);
    assert_true(str_ends(shown, unknown));
    assert_true(str_starts(shown, str_lit("\x3a\x01r"))); /* reason is field 7 there */
    assert_true(str_eq(view_to_stored(&a, KIND_EVENTS_EVENT, shown), stored));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_unknown_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
