/* One answer from three representations of the same labels. */
#include <stdio.h>

#include "api/meta/labels.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "tests/unit/unit.h"

enum { LABELS_FIELD = 11 };

static void test_sources(void **state)
{
    static const struct label pairs[] = { { STR("a"), STR("b") }, { STR("empty"), STR("") } };
    char a[] = "a";
    char b[] = "b";
    char empty[] = "empty";
    ObjectMeta__LabelsEntry first = OBJECT_META__LABELS_ENTRY__INIT;
    ObjectMeta__LabelsEntry second = OBJECT_META__LABELS_ENTRY__INIT;
    ObjectMeta__LabelsEntry *entries[] = { &first, &second };
    ObjectMeta meta = OBJECT_META__INIT;
    uint8_t bytes[64];
    (void)state;
    first.key = a;
    first.value = b;
    second.key = empty;
    meta.labels = entries;
    meta.n_labels = 2;
    assert_true(protobuf_c_message_get_packed_size(&meta.base) <= sizeof(bytes));
    size_t len = protobuf_c_message_pack(&meta.base, bytes);
    const struct labels views[] = { labels_of_pairs(pairs, 2), labels_of_entries(entries, 2),
                                    labels_of_message(str_of(bytes, len), LABELS_FIELD) };
    for (size_t i = 0; i < 3; i++) {
        struct str value;
        assert_true(labels_get(&views[i], str_lit("a"), &value));
        assert_true(str_eq_c(value, "b"));
        assert_true(labels_get(&views[i], str_lit("empty"), &value));
        assert_int_equal(value.len, 0);
        assert_false(labels_get(&views[i], str_lit("b"), &value));
        assert_false(labels_get(&views[i], str_lit(""), &value));
    }
    struct labels none = labels_none();
    struct str value;
    assert_false(labels_get(&none, str_lit("a"), &value));

    assert_string_equal(entries_get(entries, 2, "a"), "b");
    assert_string_equal(entries_get(entries, 2, "empty"), "");
    assert_null(entries_get(entries, 2, "x"));
    assert_true(entries_contain(entries, 2, entries, 1));
    assert_false(entries_contain(entries, 1, entries, 2));
}

/* Long maps in two orders: sorted, not searched for each key. */
static void test_long_maps(void **state)
{
    enum { MANY = 100000 };
    static ObjectMeta__LabelsEntry entries[MANY];
    static ObjectMeta__LabelsEntry *up[MANY];
    static ObjectMeta__LabelsEntry *down[MANY];
    static char keys[MANY][8];
    static char value[] = "v";
    static char other[] = "w";
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        object_meta__labels_entry__init(&entries[i]);
        entries[i].key = keys[i];
        entries[i].value = value;
        up[i] = down[MANY - 1 - i] = &entries[i];
    }
    assert_true(entries_contain(up, MANY, down, MANY));
    assert_true(entries_contain(up, MANY, down, MANY - 1));
    assert_false(entries_contain(up + 1, MANY - 1, down, MANY));
    ObjectMeta__LabelsEntry changed = entries[MANY / 2];
    changed.value = other;
    up[MANY / 2] = &changed;
    assert_false(entries_contain(up, MANY, down, MANY));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sources),
                                        cmocka_unit_test(test_long_maps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
