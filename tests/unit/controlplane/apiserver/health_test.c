/* Named checks: what each says of a status, and the answers' form. */
#include <string.h>

#include "controlplane/apiserver/apiserver.h"
#include "controlplane/apiserver/health.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

/* ---- one status ---- */

struct status_case {
    bool (*check)(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);
    struct store_status status;
    bool good;
    const char *text; /* part of it; "": none at all */
};

#define MIB (1ull << 20)

static const struct status_case status_cases[] = {
    { health_of_group, { .member_id = 1, .leader_id = 2, .ready = true }, true, "" },
    { health_of_group, { .member_id = 1 }, false, "no leader is known" },
    { health_of_group, { .member_id = 1, .leader_id = 1 }, false, "taking over" },
    { health_of_group,
      { .member_id = 1, .leader_id = 2, .applied_index = 7, .commit_index = 9 },
      false,
      "7 of 9" },
    { health_of_group, { .member_id = 1, .leader_id = 2, .held = true }, false, "check log" },
    { health_of_group,
      { .leader_id = 2, .behind = true, .fetched_bytes = 5 << 20, .fetch_bytes = 20 << 20 },
      false,
      "being fetched, 25%" },
    { health_of_group, { .leader_id = 2, .behind = true }, false, "being fetched" },
    { health_of_log, { .held = false }, true, "" },
    { health_of_log, { .held = true }, false, "no space left" },
    { health_of_disk, { .disk_bytes = 0 }, true, "" },
    { health_of_disk, { .disk_bytes = 100 * MIB, .disk_free_bytes = 64 * MIB }, true, "" },
    { health_of_disk,
      { .disk_bytes = 100 * MIB, .disk_free_bytes = 64 * MIB - 1 },
      false,
      "63 MiB free of 100 MiB, needed are 64 MiB" },
    { health_of_alarm, { .alarm = 0 }, true, "" },
    { health_of_alarm, { .alarm = STORE_ALARM_QUOTA }, true, "quota" },
};

static void test_of_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(status_cases) / sizeof(status_cases[0]); i++) {
        const struct status_case *c = &status_cases[i];
        char text[HEALTH_TEXT_BYTES] = "";
        print_message("%zu: %s\n", i, c->text);
        assert_int_equal(c->check(&c->status, text), c->good);
        if (c->text[0] == '\0')
            assert_string_equal(text, "");
        else
            assert_non_null(strstr(text, c->text));
    }
}

/* ---- answers ---- */

struct answer_case {
    const char *target;
    int status;
    const char *body; /* whole */
};

#define ALL_BUT_SHUTDOWN                                                                           \
    "[+]ping ok\n[+]store-cluster ok\n[+]store-bus ok\n[+]log ok\n[+]disk ok\n[+]alarm ok\n"       \
    "[+]bootstrap ok\n"

static const struct answer_case answers[] = {
    { "/livez", 200, "ok" },
    { "/livez?verbose", 200, "[+]ping ok\nlivez check passed\n" },
    { "/healthz?verbose", 200, "[+]ping ok\nhealthz check passed\n" },
    { "/readyz", 200, "ok" },
    { "/readyz?verbose", 200, ALL_BUT_SHUTDOWN "[+]shutdown ok\nreadyz check passed\n" },
    { "/readyz/store-bus", 200, "ok" },
    { "/readyz/store-bus?verbose", 200, "[+]store-bus ok\nreadyz check passed\n" },
    { "/livez?verbose&exclude=ping&exclude=store-bus&exclude=x", 200,
      "[+]ping excluded: ok\nwarn: some health checks cannot be excluded: no matches for "
      "\"store-bus\",\"x\"\nlivez check passed\n" },
};

/* After apiserver_stopping. */
static const struct answer_case stopping[] = {
    { "/livez", 200, "ok" },
    { "/readyz", 500,
      ALL_BUT_SHUTDOWN "[-]shutdown failed: this member is stopping\nreadyz check failed\n" },
    { "/readyz/log", 200, "ok" },
    { "/readyz/shutdown", 500,
      "[-]shutdown failed: this member is stopping\nreadyz check failed\n" },
    { "/readyz?exclude=shutdown", 200, "ok" },
};

static void ask_all(struct harness *h, const struct answer_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct reply r = harness_get(h, cases[i].target);
        print_message("%s\n", cases[i].target);
        harness_expect(&r, cases[i].status);
        assert_string_equal(str_dup(&h->arena, r.body), cases[i].body);
    }
}

static void test_answers(void **state)
{
    struct harness *h = *state;
    struct reply unknown = harness_get(h, "/livez/store-bus");
    harness_expect(&unknown, 404);
    ask_all(h, answers, sizeof(answers) / sizeof(answers[0]));
    apiserver_stopping(h->server);
    ask_all(h, stopping, sizeof(stopping) / sizeof(stopping[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_status),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
