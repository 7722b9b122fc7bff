/* Watches: where they start, what they say, how they end; and watch = list + deltas. */
#include <string.h>

#include "base/env.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static const char table[] = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n";

static struct reply make(struct harness *h, const char *name, const char *labels)
{
    struct str body =
        str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\",\"labels\":{%s}}}", name, labels);
    struct reply r = harness_post(h, MAPS, body.data);
    harness_expect(&r, 201);
    return r;
}

static struct reply label(struct harness *h, const char *name, const char *labels)
{
    struct str target = str_printf(&h->arena, MAPS "/%s", name);
    struct str body = str_printf(&h->arena, "{\"metadata\":{\"labels\":{%s}}}", labels);
    struct reply r = harness_send(h, "PATCH", target.data,
                                  "Content-Type: application/merge-patch+json\r\n", body.data);
    harness_expect(&r, 200);
    return r;
}

static struct reply drop(struct harness *h, const char *name)
{
    struct str target = str_printf(&h->arena, MAPS "/%s", name);
    struct reply r = harness_send(h, "DELETE", target.data, NULL, NULL);
    harness_expect(&r, 200);
    return r;
}

static void expect_event(struct harness *h, struct stream *s, const char *type, const char *name)
{
    struct str line = stream_line(h, s);
    struct str start = str_printf(&h->arena,
                                  "{\"type\":\"%s\",\"object\":{\"kind\":\"ConfigMap\","
                                  "\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\"",
                                  type, name);
    if (!str_starts(line, start)) {
        fail_msg("not %s %s: %.*s", type, name, STR_ARG(line));
    }
}

static struct str newest(struct harness *h)
{
    struct reply r = harness_get(h, MAPS);
    harness_expect(&r, 200);
    return harness_member(h, &r, "resourceVersion");
}

static void test_from_revision(void **state)
{
    struct harness *h = *state;
    struct stream s;
    struct str target =
        str_printf(&h->arena, MAPS "?watch=true&resourceVersion=%.*s", STR_ARG(newest(h)));
    (void)make(h, "a", "");
    stream_open(h, &s, target.data, NULL);
    assert_int_equal(s.status, 200);
    expect_event(h, &s, "ADDED", "a");
    struct reply changed = label(h, "a", "\"x\":\"1\"");
    struct str line = stream_line(h, &s);
    /* The event's object is what the writer was told. */
    assert_true(str_find(line, str_slice(changed.body, 0, changed.body.len - 1)) > 0);
    (void)drop(h, "a");
    line = stream_line(h, &s);
    assert_true(str_starts(line, str_lit("{\"type\":\"DELETED\"")));
    struct reply deleted = { .body = line };
    assert_false(str_eq(harness_member(h, &deleted, "resourceVersion"),
                        harness_member(h, &changed, "resourceVersion")));
    stream_close(&s);
}

static void test_initial_and_selector(void **state)
{
    struct harness *h = *state;
    struct stream s;
    (void)make(h, "b1", "\"in\":\"y\"");
    (void)make(h, "b2", "");
    stream_open(h, &s, MAPS "?watch=true&labelSelector=in%3Dy", NULL);
    expect_event(h, &s, "ADDED", "b1");
    (void)label(h, "b2", "\"in\":\"y\"");
    expect_event(h, &s, "ADDED", "b2");
    (void)label(h, "b2", "\"other\":\"z\"");
    expect_event(h, &s, "MODIFIED", "b2");
    (void)label(h, "b1", "\"in\":null");
    expect_event(h, &s, "DELETED", "b1");
    (void)label(h, "b1", "\"other\":\"z\""); /* outside: no event */
    (void)drop(h, "b1");                     /* likewise */
    (void)drop(h, "b2");
    expect_event(h, &s, "DELETED", "b2");
    stream_close(&s);
}

static void test_single(void **state)
{
    struct harness *h = *state;
    struct stream s;
    (void)make(h, "one", "");
    (void)make(h, "one-more", "");
    stream_open(h, &s, MAPS "?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Done",
                NULL);
    expect_event(h, &s, "ADDED", "one");
    (void)drop(h, "one-more");
    (void)drop(h, "one");
    expect_event(h, &s, "DELETED", "one");
    stream_close(&s);
}

static void test_send_initial_events(void **state)
{
    struct harness *h = *state;
    struct stream s;
    (void)make(h, "i", "");
    stream_open(h, &s,
                MAPS "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                     "allowWatchBookmarks=true&fieldSelector=metadata.name%3Di",
                NULL);
    expect_event(h, &s, "ADDED", "i");
    struct str line = stream_line(h, &s);
    assert_true(str_starts(line, str_lit("{\"type\":\"BOOKMARK\",\"object\":{\"kind\":"
                                         "\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{"
                                         "\"resourceVersion\":\"")));
    assert_true(str_find(line, str_lit("\"annotations\":{\"k8s.io/initial-events-end\":"
                                       "\"true\"}")) > 0);
    (void)drop(h, "i");
    expect_event(h, &s, "DELETED", "i");
    stream_close(&s);
    struct reply r = harness_get(h, MAPS "?watch=true&sendInitialEvents=true");
    harness_expect(&r, 422);
    r = harness_get(h, MAPS "?watch=true&resourceVersionMatch=NotOlderThan");
    harness_expect(&r, 422);
    r = harness_get(h, MAPS "?watch=true&resourceVersion=x");
    harness_expect(&r, 400);
    r = harness_send(h, "GET", MAPS "?watch=true", "Accept: application/yaml\r\n", NULL);
    harness_expect(&r, 406);
}

static void test_table(void **state)
{
    struct harness *h = *state;
    struct stream s;
    struct str target =
        str_printf(&h->arena, MAPS "?watch=true&resourceVersion=%.*s", STR_ARG(newest(h)));
    stream_open(h, &s, target.data, table);
    (void)make(h, "t", "");
    struct str first = stream_line(h, &s);
    assert_true(str_find(first, str_lit("\"columnDefinitions\":[{\"name\":\"Name\"")) > 0);
    assert_true(str_find(first, str_lit("\"rows\":[{\"cells\":[\"t\",0,\"")) > 0);
    (void)drop(h, "t");
    struct str second = stream_line(h, &s);
    assert_true(str_starts(second, str_lit("{\"type\":\"DELETED\"")));
    assert_true(str_find(second, str_lit("\"columnDefinitions\":null")) > 0);
    stream_close(&s);
}

/* The server ends a watch in good order, with a bookmark shortly before where they are wanted. */
static void test_timeout(void **state)
{
    struct harness *h = *state;
    struct stream s;
    stream_open(h, &s,
                MAPS "?watch=true&resourceVersion=0&timeoutSeconds=1&fieldSelector="
                     "metadata.name%3Dnobody",
                NULL);
    assert_int_equal(stream_line(h, &s).len, 0);
    assert_true(s.ended);
    stream_close(&s);
    stream_open(h, &s,
                MAPS "?watch=true&resourceVersion=0&timeoutSeconds=3&allowWatchBookmarks=1&"
                     "fieldSelector=metadata.name%3Dnobody",
                NULL);
    struct str first = stream_line(h, &s); /* nothing is there: told at once */
    assert_true(str_starts(first, str_lit("{\"type\":\"BOOKMARK\"")));
    assert_true(str_find(first, str_lit("\"k8s.io/initial-events-end\":\"true\"")) > 0);
    struct str last = stream_line(h, &s);
    assert_true(str_starts(last, str_lit("{\"type\":\"BOOKMARK\"")));
    assert_true(str_find(last, str_lit("initial-events-end")) < 0);
    assert_int_equal(stream_line(h, &s).len, 0);
    stream_close(&s);
}

/* A place in the history that is gone is told in the stream, or by status for a list. */
static void test_expired(void **state)
{
    struct harness *h = *state;
    struct stream s;
    for (int i = 0; i < 3; i++) {
        (void)make(h, str_printf(&h->arena, "e%d", i).data, "");
    }
    struct reply page = harness_get(h, MAPS "?limit=1");
    harness_expect(&page, 200);
    (void)label(h, "e2", "\"x\":\"1\"");
    harness_compact(h);
    stream_open(h, &s, MAPS "?watch=true&resourceVersion=1", NULL);
    assert_int_equal(s.status, 200);
    struct str line = stream_line(h, &s);
    assert_true(str_starts(line, str_lit("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\","
                                         "\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                                         "\"Failure\",\"message\":\"too old resource version: 1 "
                                         "(")));
    assert_true(str_ends(line, str_lit("\"reason\":\"Expired\",\"code\":410}}")));
    assert_int_equal(stream_line(h, &s).len, 0);
    stream_close(&s);
    struct reply r = harness_get(h, MAPS "?resourceVersion=1&resourceVersionMatch=Exact");
    harness_expect(&r, 410);
    harness_contains(&r, "\"message\":\"The resourceVersion for the provided list is too old.\"");
    struct str next = str_printf(&h->arena, MAPS "?limit=1&continue=%.*s",
                                 STR_ARG(harness_member(h, &page, "continue")));
    r = harness_get(h, next.data);
    harness_expect(&r, 410);
    harness_contains(&r, "The provided continue parameter is too old to display a consistent list");
    next = str_printf(&h->arena, MAPS "?continue=%.*s", STR_ARG(harness_member(h, &r, "continue")));
    r = harness_get(h, next.data);
    harness_expect(&r, 200);
    harness_lacks(&r, "\"e0\"");
    harness_contains(&r, "\"e1\"");
    harness_contains(&r, "\"e2\"");
}

/* ---- watch = list + deltas ---- */

#define NAMES 12
#define STEPS 400

/* revision per name; 0: absent */
struct view {
    uint64_t revision[NAMES];
};

static uint64_t rv_of(struct harness *h, struct str text)
{
    struct reply r = { .body = text };
    uint64_t revision = 0;
    assert_int_equal(str_to_u64(harness_member(h, &r, "resourceVersion"), &revision), 0);
    return revision;
}

static int name_of(struct harness *h, struct str text)
{
    struct reply r = { .body = text };
    struct str name = harness_member(h, &r, "name");
    uint64_t n = 0;
    assert_int_equal(str_to_u64(str_slice(name, 1, name.len), &n), 0);
    return (int)n;
}

/* Applies one event; asserts that it makes sense after what came before. */
static uint64_t apply(struct harness *h, struct view *v, struct str line, uint64_t last)
{
    uint64_t revision = rv_of(h, line);
    int n = name_of(h, line);
    assert_true(revision > last);
    if (str_starts(line, str_lit("{\"type\":\"ADDED\""))) {
        assert_int_equal(v->revision[n], 0);
        v->revision[n] = revision;
    } else if (str_starts(line, str_lit("{\"type\":\"MODIFIED\""))) {
        assert_true(v->revision[n] > 0);
        v->revision[n] = revision;
    } else {
        assert_true(str_starts(line, str_lit("{\"type\":\"DELETED\"")));
        assert_true(v->revision[n] > 0);
        v->revision[n] = 0;
    }
    return revision;
}

static void list_view(struct harness *h, const char *selector, struct view *v)
{
    struct str target = str_printf(&h->arena, MAPS "?labelSelector=%s", selector);
    struct reply r = harness_get(h, target.data);
    harness_expect(&r, 200);
    memset(v, 0, sizeof(*v));
    struct str rest = r.body;
    ptrdiff_t at;
    while ((at = str_find(rest, str_lit("{\"metadata\":{\"name\""))) >= 0) {
        rest = str_slice(rest, (size_t)at, rest.len);
        v->revision[name_of(h, rest)] = rv_of(h, rest);
        rest = str_slice(rest, 1, rest.len);
    }
}

static void random_step(struct harness *h, uint64_t random, struct view *all)
{
    static const char *const groups[] = { "\"g\":\"0\"", "\"g\":\"1\"" };
    int n = (int)(random % NAMES);
    const char *group = groups[random / NAMES % 2];
    struct str name = str_printf(&h->arena, "n%d", n);
    if (all->revision[n] == 0) {
        (void)make(h, name.data, group);
        all->revision[n] = 1;
    } else if (random / 64 % 3 == 0) {
        (void)drop(h, name.data);
        all->revision[n] = 0;
    } else {
        struct str labels =
            str_printf(&h->arena, "%s,\"r\":\"%u\"", group, (unsigned)(random >> 20) % 100000);
        (void)label(h, name.data, labels.data);
    }
}

static void test_list_and_deltas(void **state)
{
    struct harness *h = *state;
    struct view all = { 0 };
    struct view seen = { 0 };
    struct view listed;
    struct stream s;
    uint64_t seed = 20261122;
    stream_open(h, &s, MAPS "?watch=true&labelSelector=g%3D1", NULL);
    for (int i = 0; i < STEPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        random_step(h, seed >> 16, &all);
    }
    /* One more event that is surely seen marks the end. */
    (void)make(h, "n999", "\"g\":\"1\"");
    uint64_t last = 0;
    for (;;) {
        struct str line = stream_line(h, &s);
        if (str_find(line, str_lit("\"n999\"")) > 0) {
            break;
        }
        last = apply(h, &seen, line, last);
    }
    stream_close(&s);
    (void)drop(h, "n999");
    list_view(h, "g%3D1", &listed);
    for (int n = 0; n < NAMES; n++) {
        assert_int_equal(seen.revision[n], listed.revision[n]);
    }
}

/* With initial events, a revision that does not come is told of in the stream. */
static void test_future_initial(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?watch=1&resourceVersion=1000000&sendInitialEvents=true&"
                                         "resourceVersionMatch=NotOlderThan");
    harness_expect(&r, 200);
    assert_true(str_starts(r.body, str_lit("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"")));
    harness_contains(&r, "Timeout: Too large resource version: 1000000, current: ");
    harness_contains(&r, "\"reason\":\"ResourceVersionTooLarge\"");
}

/* Without, the stream is open at once, and says what comes after that revision. A watch of what is
 * there, on the same loop, misses nothing for it. */
static void test_future(void **state)
{
    struct harness *h = *state;
    struct stream future;
    struct stream present;
    uint64_t from = 0;
    struct str now = newest(h);
    assert_int_equal(str_to_u64(now, &from), 0);
    struct str ahead = str_printf(&h->arena, MAPS "?watch=true&resourceVersion=%llu",
                                  (unsigned long long)from + 2);
    struct str here = str_printf(&h->arena, MAPS "?watch=true&resourceVersion=%.*s", STR_ARG(now));
    stream_open(h, &future, ahead.data, NULL);
    assert_int_equal(future.status, 200);
    stream_open(h, &present, here.data, NULL);
    (void)make(h, "f1", "");
    (void)make(h, "f2", "");
    struct reply third = make(h, "f3", "");
    uint64_t revision = 0;
    assert_int_equal(str_to_u64(harness_member(h, &third, "resourceVersion"), &revision), 0);
    assert_int_equal(revision, from + 3);
    expect_event(h, &present, "ADDED", "f1");
    expect_event(h, &future, "ADDED", "f3");
    stream_close(&present);
    stream_close(&future);
}

/* No bookmark names a revision that there is not; the timeout bounds the wait. */
static void test_far_future(void **state)
{
    struct harness *h = *state;
    struct reply r = harness_get(h, MAPS "?watch=1&resourceVersion=18446744073709551615&"
                                         "allowWatchBookmarks=true&timeoutSeconds=1");
    harness_expect(&r, 200);
    assert_int_equal(r.body.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_future),
        cmocka_unit_test(test_future_initial),
        cmocka_unit_test(test_far_future),
        cmocka_unit_test(test_from_revision),
        cmocka_unit_test(test_initial_and_selector),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_send_initial_events),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_list_and_deltas),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
