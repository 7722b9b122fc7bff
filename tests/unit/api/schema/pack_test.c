/* Presence on the wire: values always, pointers when set, maps sorted, zeros of special forms. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

static void assert_packed(struct arena *a, const struct schema *s, const void *message,
                          const char *want_hex)
{
    char *got = str_dup(a, str_hex(a, schema_pack_arena(a, s, message)));
    assert_string_equal(got, want_hex);
}

static void zeros(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    /* name, generateName, namespace, selfLink, uid, resourceVersion, generation, creationTimestamp
     */
    assert_packed(&a, &schema_ObjectMeta, schema_new(&a, &schema_ObjectMeta),
                  "0a0012001a0022002a00320038004200");
    assert_packed(&a, &schema_IntOrString, schema_new(&a, &schema_IntOrString), "080010001a00");
    assert_packed(&a, &schema_Quantity, schema_new(&a, &schema_Quantity), "0a0130");
    assert_packed(&a, &schema_Time, schema_new(&a, &schema_Time), "");
    assert_packed(&a, &schema_RawExtension, schema_new(&a, &schema_RawExtension), "");
    assert_packed(&a, &schema_DeleteOptions, schema_new(&a, &schema_DeleteOptions), "");
    assert_packed(&a, &schema_EnvVar, schema_new(&a, &schema_EnvVar), "0a001200");
    arena_deinit(&a);
}

static void what_is_set(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    Time *time = schema_new(&a, &schema_Time);
    time->has_seconds = 1;
    time->has_nanos = 1;
    time->nanos = 5; /* Time has whole seconds only */
    assert_packed(&a, &schema_Time, time, "08001000");
    DeleteOptions *options = schema_new(&a, &schema_DeleteOptions);
    options->has_grace_period_seconds = 1;
    options->grace_period_seconds = -1;
    char *all[] = { (char[]){ "All" } };
    options->dry_run = all;
    options->n_dry_run = 1;
    assert_packed(&a, &schema_DeleteOptions, options, "08ffffffffffffffffff012a03416c6c");
    arena_deinit(&a);
}

static void maps_are_sorted(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    LabelSelector__MatchLabelsEntry b = LABEL_SELECTOR__MATCH_LABELS_ENTRY__INIT;
    LabelSelector__MatchLabelsEntry c = LABEL_SELECTOR__MATCH_LABELS_ENTRY__INIT;
    LabelSelector__MatchLabelsEntry *entries[] = { &c, &b };
    LabelSelector selector = LABEL_SELECTOR__INIT;
    b.key = (char[]){ "b" };
    c.key = (char[]){ "c" };
    c.value = (char[]){ "1" };
    selector.match_labels = entries;
    selector.n_match_labels = 2;
    assert_packed(&a, &schema_LabelSelector, &selector, "0a050a016212000a060a0163120131");
    arena_deinit(&a);
}

static void large_messages_grow(void **state)
{
    (void)state;
    struct arena a;
    char text[5001];
    arena_init(&a);
    for (size_t i = 0; i < 5000; i++)
        text[i] = 'x';
    text[5000] = '\0';
    char *command[20];
    for (size_t i = 0; i < 20; i++)
        command[i] = text;
    ExecAction action = EXEC_ACTION__INIT;
    action.command = command;
    action.n_command = 20;
    assert_int_equal(schema_pack_arena(&a, &schema_ExecAction, &action).len, 20 * (5000 + 3));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(zeros), cmocka_unit_test(what_is_set),
                                        cmocka_unit_test(maps_are_sorted),
                                        cmocka_unit_test(large_messages_grow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
