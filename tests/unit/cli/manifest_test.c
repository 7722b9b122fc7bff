/* Objects of texts and files, and what is said of bad ones. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/manifest.h"
#include "tests/unit/cli/act_world.h"
#include "tests/unit/unit.h"

#define MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n"
#define JSON_MAP(name)                                                                             \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name "\"}}"
#define LOUD "; if you choose to ignore these errors, turn validation off with --validate=false"

struct text_case {
    const char *text;
    const char *names; /* with commas between */
    const char *error; /* the only one; NULL: none */
    bool unchecked;
};

static void check(struct cli_world *w, const struct text_case *c)
{
    struct manifests m = { .arena = &w->cli.arena, .unchecked = c->unchecked };
    struct buf names;
    buf_init(&names);
    manifests_parse(&m, str_from(c->text), str_lit("x.yaml"));
    for (size_t i = 0; i < m.count; i++) {
        const struct json *metadata = json_get_c(m.items[i].object, "metadata");
        buf_printf(&names, "%s%.*s", i > 0 ? "," : "",
                   STR_ARG(json_str(json_get_c(metadata, "name"))));
    }
    assert_string_equal(str_dup(m.arena, buf_str(&names)), c->names);
    assert_int_equal(m.errors_count, c->error != NULL);
    if (c->error != NULL)
        assert_string_equal(m.errors[0], c->error);
    buf_deinit(&names);
}

static void test_texts(void **state)
{
    static const struct text_case cases[] = {
        { "", "", NULL, false },
        { "---\n# nothing\n---\n", "", NULL, false },
        { MAP("a"), "a", NULL, false },
        { "\xef\xbb\xbf" MAP("a"), "a", NULL, false },
        { MAP("a") "---\n" MAP("b") "--- # said\n\n---\n" MAP("c"), "a,b,c", NULL, false },
        { JSON_MAP("a") "\n" JSON_MAP("b"), "a,b", NULL, false },
        { JSON_MAP("a") "\n---\n" MAP("b"), "a,b", NULL, false },
        { "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"}\\\"{\"}}",
          "}\"{", NULL, false },
        { "apiVersion: v1\nkind: List\nitems:\n- " JSON_MAP("a") "\n- " JSON_MAP("b") "\n", "a,b",
          NULL, false },
        { "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n", "a", NULL,
          false },
        { MAP("a") "---\nfoo: [\n---\n" MAP("b"), "a",
          "error parsing x.yaml: error converting YAML to JSON: yaml: line 1: did not find "
          "expected node content",
          false },
        { "kind: ConfigMap\n", "",
          "error validating \"x.yaml\": error validating data: apiVersion not set" LOUD, false },
        { "apiVersion: v1\n", "",
          "error validating \"x.yaml\": error validating data: kind not set" LOUD, false },
        { "a: 1\n", "",
          "error validating \"x.yaml\": error validating data: [apiVersion not set, kind not "
          "set]" LOUD,
          false },
        { "apiVersion: v1\n", "",
          "unable to decode \"x.yaml\": Object 'Kind' is missing in '{\"apiVersion\":\"v1\"}'",
          true },
        { "[1]\n", "",
          "error validating \"x.yaml\": error validating data: invalid object to validate" LOUD,
          false },
        { "{\"apiVersion\":\"v1\",", "", "error parsing x.yaml: unexpected EOF", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(*state, &cases[i]);
}

static void test_lists_in_lists(void **state)
{
    struct cli_world *w = *state;
    struct manifests m = { .arena = &w->cli.arena };
    struct buf b;
    buf_init(&b);
    for (int i = 0; i <= MANIFEST_DEPTH_MAX; i++)
        buf_append_c(&b, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (int i = 0; i <= MANIFEST_DEPTH_MAX; i++)
        buf_append_c(&b, "]}");
    manifests_parse(&m, buf_str(&b), str_lit("x"));
    buf_deinit(&b);
    assert_int_equal(m.errors_count, 1);
    assert_string_equal(m.errors[0], "error parsing x: lists in lists nest deeper than 16");
}

static void read_one(struct cli_world *w, const char *path, bool recursive, struct manifests *out)
{
    struct manifest_flags f = { .files = { .items = { path }, .count = 1 },
                                .recursive = recursive };
    *out = (struct manifests){ 0 };
    assert_true(manifest_named(&f));
    manifests_read(&w->cli, &f, out);
}

static void test_files(void **state)
{
    struct cli_world *w = *state;
    struct manifests m;
    const char *a = act_world_file(w, "a.yaml", MAP("a"));
    const char *folder =
        str_printf(&w->cli.arena, "%.*s/folder", (int)(strrchr(a, '/') - a), a).data;
    (void)mkdir(folder, 0700);
    read_one(w, folder, false, &m);
    assert_int_equal(m.errors_count, 1);
    assert_non_null(strstr(m.errors[0], "recognized file extensions are [.json .yaml .yml]"));
    (void)mkdir(str_printf(&w->cli.arena, "%s/sub", folder).data, 0700);
    (void)act_world_file(w, "folder/b.yml", MAP("b"));
    (void)act_world_file(w, "folder/c.txt", "not read");
    (void)act_world_file(w, "folder/sub/d.json", JSON_MAP("d"));
    read_one(w, folder, false, &m);
    assert_int_equal(m.count, 1);
    read_one(w, folder, true, &m);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.errors_count, 0);
    read_one(w, a, false, &m);
    assert_int_equal(m.count, 1);
    assert_true(str_eq_c(m.items[0].source, a));
}

static void test_refused(void **state)
{
    static const struct {
        const char *path;
        const char *error;
    } cases[] = {
        { "/no/such/file", "the path \"/no/such/file\" does not exist" },
        { "", "the path \"\" does not exist" },
        { "http://x/y", "http://x/y: gantry fetches no manifests; download it and name the file "
                        "with -f" },
        { "https://x/y", "https://x/y: gantry fetches no manifests; download it and name the file "
                         "with -f" },
    };
    struct cli_world *w = *state;
    struct manifests m;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_one(w, cases[i].path, false, &m);
        assert_int_equal(m.errors_count, 1);
        assert_string_equal(m.errors[0], cases[i].error);
    }
    struct manifest_flags f = { .kustomize = "dir" };
    m = (struct manifests){ 0 };
    manifests_read(&w->cli, &f, &m);
    assert_non_null(strstr(m.errors[0], "gantry builds no kustomizations"));
}

static void test_pipe(void **state)
{
    struct cli_world *w = *state;
    struct str text;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    assert_int_equal(manifest_read_fd(&w->cli.arena, ends[0], &text, NULL), 0);
    assert_true(str_eq_c(text, "abc"));
    close(ends[0]);
    assert_int_equal(manifest_read_fd(&w->cli.arena, ends[0], &text, NULL), -ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts), cmocka_unit_test(test_lists_in_lists),
        cmocka_unit_test(test_files), cmocka_unit_test(test_refused), cmocka_unit_test(test_pipe)
    };
    return cmocka_run_group_tests(tests, cli_world_setup, cli_world_teardown);
}
