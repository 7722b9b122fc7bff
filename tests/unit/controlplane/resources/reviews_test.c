/* What a review must look like. */
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

static const struct {
    enum kind kind;
    const char *json;
    const char *errors;
} cases[] = {
    { KIND_SELF_SUBJECT_ACCESS_REVIEW, "{'spec':{'resourceAttributes':{'verb':'get'}}}", "" },
    { KIND_SELF_SUBJECT_ACCESS_REVIEW, "{}",
      "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
      "resourceAttributes must be specified" },
    { KIND_SELF_SUBJECT_ACCESS_REVIEW,
      "{'spec':{'resourceAttributes':{},'nonResourceAttributes':{'path':'/'}}}",
      "spec.nonResourceAttributes: Invalid value: {\"path\":\"/\"}: cannot be specified in "
      "combination with resourceAttributes" },
    { KIND_SELF_SUBJECT_ACCESS_REVIEW,
      "{'metadata':{'name':'n'},'spec':{'resourceAttributes':{'verb':'get'}}}",
      "metadata: Invalid value: {\"name\":\"n\"}: must be empty" },
    { KIND_SUBJECT_ACCESS_REVIEW, "{'spec':{'resourceAttributes':{'verb':'get'}}}",
      "spec.user: Invalid value: \"\": at least one of user or group must be specified" },
    { KIND_SUBJECT_ACCESS_REVIEW, "{'spec':{'groups':['g'],'nonResourceAttributes':{}}}", "" },
    { KIND_LOCAL_SUBJECT_ACCESS_REVIEW,
      "{'metadata':{'namespace':'a'},'spec':{'user':'u','resourceAttributes':{'namespace':'a'}}}",
      "" },
    { KIND_LOCAL_SUBJECT_ACCESS_REVIEW,
      "{'metadata':{'namespace':'a'},'spec':{'user':'u','resourceAttributes':{'namespace':'b'}}}",
      "spec.resourceAttributes.namespace: Invalid value: \"b\": must match metadata.namespace" },
    { KIND_LOCAL_SUBJECT_ACCESS_REVIEW,
      "{'metadata':{'namespace':'a','name':'n'},'spec':{'user':'u','nonResourceAttributes':{}}}",
      "[metadata: Invalid value: {\"name\":\"n\",\"namespace\":\"a\"}: must be empty except for "
      "namespace, spec.nonResourceAttributes: Invalid value: {}: disallowed on this kind of "
      "request]" },
};

static void test_validate(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct err_list errors;
        struct buf text;
        fixture_init(&f);
        buf_init(&text);
        err_list_init(&errors, &f.arena);
        void *object = fixture_object(&f, cases[i].kind, cases[i].json);
        resource_of(cases[i].kind)->strategy->validate(&f.context, object, &errors);
        if (errors.count > 0)
            err_list_write(&errors, &text);
        buf_append_byte(&text, 0);
        assert_string_equal((const char *)text.data, cases[i].errors);
        buf_deinit(&text);
        fixture_deinit(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_validate) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
