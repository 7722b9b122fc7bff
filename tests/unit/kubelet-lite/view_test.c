/* What the runtime says of a pod as plain data: from lists, from statuses alone, and its marks. */
#include "api/proto/runtime.pb-c.h"
#include "base/arena.h"
#include "kubelet-lite/view.h"
#include "tests/unit/unit.h"

static void fill(Runtime__V1__ContainerStatus *s, Runtime__V1__ContainerMetadata *m)
{
    static Runtime__V1__ContainerStatus__AnnotationsEntry hash =
        RUNTIME__V1__CONTAINER_STATUS__ANNOTATIONS_ENTRY__INIT;
    static Runtime__V1__ContainerStatus__AnnotationsEntry grace =
        RUNTIME__V1__CONTAINER_STATUS__ANNOTATIONS_ENTRY__INIT;
    static Runtime__V1__ContainerStatus__AnnotationsEntry *all[] = { &hash, &grace };
    hash.key = (char *)ANNOTATION_HASH;
    hash.value = (char *)"abc";
    grace.key = (char *)ANNOTATION_GRACE;
    grace.value = (char *)"7";
    runtime__v1__container_metadata__init(m);
    m->name = (char *)"web";
    m->attempt = 3;
    runtime__v1__container_status__init(s);
    s->id = (char *)"c1";
    s->metadata = m;
    s->state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED;
    s->exit_code = 5;
    s->created_at = 11;
    s->annotations = all;
    s->n_annotations = 2;
}

static void test_made(void **state)
{
    struct arena a;
    Runtime__V1__ContainerStatus status;
    Runtime__V1__ContainerMetadata metadata;
    struct seen_container seen = { .id = "c1", .sandbox_id = "s1" };
    (void)state;
    arena_init(&a);
    fill(&status, &metadata);
    view_container_made(&a, &status, &seen);
    assert_string_equal(seen.id, "c1");
    assert_string_equal(seen.sandbox_id, "s1");
    assert_string_equal(seen.name, "web");
    assert_string_equal(seen.hash, "abc");
    assert_string_equal(seen.image, "");
    assert_int_equal(seen.attempt, 3);
    assert_int_equal(seen.grace_s, 7);
    assert_int_equal(seen.state, SEEN_EXITED);
    assert_int_equal(seen.exit_code, 5);
    assert_int_equal(seen.created_ns, 11);
    assert_true(seen.detailed);
    arena_deinit(&a);
}

static void test_newest(void **state)
{
    struct seen_sandbox sandboxes[] = { { .id = "s0", .attempt = 0, .created_ns = 9 },
                                        { .id = "s1", .attempt = 1, .created_ns = 5 } };
    struct seen_container containers[] = { { .id = "a", .name = "web", .attempt = 0 },
                                           { .id = "b", .name = "web", .attempt = 1 },
                                           { .id = "c", .name = "log", .attempt = 4 } };
    struct pod_view v = { sandboxes, 2, containers, 3 };
    (void)state;
    assert_string_equal(view_sandbox_current(&v)->id, "s1");
    assert_string_equal(view_latest(&v, "web")->id, "b");
    assert_string_equal(view_previous(&v, "web")->id, "a");
    assert_null(view_previous(&v, "log"));
    assert_null(view_latest(&v, "none"));
}

static void test_marks(void **state)
{
    (void)state;
    assert_true(view_mark_sandbox("s", true) != view_mark_sandbox("s", false));
    assert_true(view_mark_container("c", SEEN_RUNNING) != view_mark_container("c", SEEN_EXITED));
    assert_true(view_mark_container("c", SEEN_RUNNING) != view_mark_container("d", SEEN_RUNNING));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_made), cmocka_unit_test(test_newest),
                                        cmocka_unit_test(test_marks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
