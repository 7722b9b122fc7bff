/* Flags by table: every form, what is wrong with them in pflag's words, and the help. */
#include <string.h>

#include "cli/flags.h"
#include "tests/unit/cli/cli_world.h"
#include "tests/unit/unit.h"

struct shared {
    int64_t pad;
    struct flag_texts labels;
};

struct options {
    const char *output;
    bool watch;
    bool all;
    int64_t chunk;
    int64_t wait;
    struct flag_texts files;
    struct shared shared;
    bool last;
};

/* A table that stands in another, its options in the other's. */
static const struct flag shared_rows[] = {
    { .name = "label", .letter = 'L', .type = FLAG_LIST, .at = offsetof(struct shared, labels) },
    { .name = "pad", .type = FLAG_INT, .at = offsetof(struct shared, pad), .value = "3" },
    { 0 }
};

static const struct flag table[] = {
    { .name = "output", .letter = 'o', .at = offsetof(struct options, output), .value = "x" },
    { .name = "watch", .letter = 'w', .type = FLAG_BOOL, .at = offsetof(struct options, watch) },
    { .name = "all", .letter = 'A', .type = FLAG_BOOL, .at = offsetof(struct options, all) },
    { .name = "chunk", .type = FLAG_INT, .at = offsetof(struct options, chunk), .value = "500" },
    { .name = "wait", .type = FLAG_DURATION, .at = offsetof(struct options, wait), .bare = "1s" },
    { .name = "file", .letter = 'f', .type = FLAG_TEXTS, .at = offsetof(struct options, files) },
    { .rows = shared_rows, .at = offsetof(struct options, shared) },
    { .name = "last", .type = FLAG_BOOL, .at = offsetof(struct options, last) },
    { 0 }
};

static int act(struct cli *c, const void *options, const struct words *w)
{
    const struct options *o = options;
    printf("%s %d %d %lld %lld %zu %zu dash %td ns %s:", o->output, o->watch, o->all,
           (long long)o->chunk, (long long)o->wait, o->files.count, o->shared.labels.count, w->dash,
           c->namespace != NULL ? c->namespace : "-");
    for (size_t i = 0; i < w->count; i++)
        printf(" %s", w->items[i]);
    printf("%s", flags_given(w, "watch") ? " watch given" : "");
    return CLI_OK;
}

static const struct verb verb = { .name = "v",
                                  .summary = "sums",
                                  .help = "v [flags]",
                                  .flags = table,
                                  .options_bytes = sizeof(struct options),
                                  .act = act };

static void test_good(void **state)
{
    static const struct {
        const char *words[8];
        const char *out;
    } cases[] = {
        { { "a", "b" }, "x 0 0 500 0 0 0 dash -1 ns -: a b" },
        { { "a", "-o", "y", "b" }, "y 0 0 500 0 0 0 dash -1 ns -: a b" },
        { { "-oy", "-Aw" }, "y 1 1 500 0 0 0 dash -1 ns -: watch given" },
        { { "-Awo=y" }, "y 1 1 500 0 0 0 dash -1 ns -: watch given" },
        { { "--output=y", "--watch=false" }, "y 0 0 500 0 0 0 dash -1 ns -: watch given" },
        { { "--chunk", "7", "--wait" }, "x 0 0 7 1000000000 0 0 dash -1 ns -:" },
        { { "-f", "a", "-f", "b,c", "-L", "d,e" }, "x 0 0 500 0 2 2 dash -1 ns -:" },
        { { "a", "--", "-w", "b" }, "x 0 0 500 0 0 0 dash 1 ns -: a -w b" },
        { { "-", "-n", "z" }, "x 0 0 500 0 0 0 dash -1 ns z: -" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        w->cli.namespace = NULL;
        assert_int_equal(cli_world_run(w, &verb, cases[i].words), CLI_OK);
        assert_string_equal(w->out, cases[i].out);
    }
}

/* Rows of a table in the table: their values, defaults and marks are those of their own. */
static void test_shared(void **state)
{
    static const char *const words[] = { "-L", "a,b", "--last" };
    struct cli_world *w = *state;
    struct words left;
    struct err e;
    void *options;
    char **argv = (char **)(uintptr_t)words;
    assert_int_equal(flags_parse(&w->cli, &verb, 3, argv, &options, &left, &e), 0);
    const struct options *o = options;
    assert_int_equal(o->shared.pad, 3);
    assert_int_equal(o->shared.labels.count, 2);
    assert_true(o->last);
    assert_true(flags_given(&left, "last"));
    assert_true(flags_given(&left, "label"));
    assert_false(flags_given(&left, "pad"));
}

static void test_wrong(void **state)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        { { "--foo" }, "unknown flag: --foo" },
        { { "--foo=1" }, "unknown flag: --foo" },
        { { "-wz" }, "unknown shorthand flag: 'z' in -z" },
        { { "--output" }, "flag needs an argument: --output" },
        { { "-o" }, "flag needs an argument: 'o' in -o" },
        { { "--watch=x" },
          "invalid argument \"x\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"x\": "
          "invalid syntax" },
        { { "--chunk=x" },
          "invalid argument \"x\" for \"--chunk\" flag: strconv.ParseInt: parsing \"x\": invalid "
          "syntax" },
        { { "--wait=x" },
          "invalid argument \"x\" for \"--wait\" flag: time: invalid duration \"x\"" },
    };
    struct cli_world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        assert_int_equal(cli_world_run(w, &verb, cases[i].words), CLI_FAILED);
        (void)snprintf(expected, sizeof expected, "error: %s\nSee 'gantry v --help' for usage.\n",
                       cases[i].says);
        assert_string_equal(w->errors, expected);
    }
}

static void test_help(void **state)
{
    static const char *const words[] = { "a", "--help", NULL };
    struct cli_world *w = *state;
    assert_int_equal(cli_world_run(w, &verb, words), CLI_OK);
    assert_non_null(strstr(w->out, "    -o, --output='x':\n"));
    assert_non_null(strstr(w->out, "    --wait=0s:\n"));
    assert_non_null(strstr(w->out, "Usage:\n  gantry v [flags]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_shared),
                                        cmocka_unit_test(test_help) };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
