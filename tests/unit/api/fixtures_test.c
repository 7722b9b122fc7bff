/*
 * Round-trip fixtures: files GROUP.VERSION.KIND.{json,yaml,pb} of one object, in the folder that
 * the environment's GANTRY_FIXTURES names. For every kind we have, each form must give the others
 * byte for byte. Without the folder the test says so and passes.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/unit/unit.h"

struct fixture {
    char name[256]; /* without the extension */
    const struct schema *schema;
    struct encoding encoding;
    struct arena arena;
    struct str json;
    struct str yaml;
    struct str pb;
};

static const struct schema *find_schema(const char *name)
{
    for (size_t i = 0; i < schema_all_count; i++) {
        if (strcmp(schema_all[i]->name, name) == 0)
            return schema_all[i];
    }
    return NULL;
}

static struct str read_file(struct arena *a, const char *folder, const char *name,
                            const char *extension)
{
    char path[1024];
    struct buf b;
    uint8_t chunk[4096];
    size_t n;
    buf_init(&b);
    (void)snprintf(path, sizeof(path), "%s/%s.%s", folder, name, extension);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_append(&b, chunk, n);
    (void)fclose(f);
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

/* "apps.v1.Deployment" against "apps/v1" and "Deployment". */
static bool is_kind(const char *name, const struct schema *s)
{
    char expected[256];
    const char *slash = strchr(s->api_version, '/');
    if (slash == NULL)
        (void)snprintf(expected, sizeof(expected), "core.%s.%s", s->api_version, s->name);
    else
        (void)snprintf(expected, sizeof(expected), "%.*s.%s.%s", (int)(slash - s->api_version),
                       s->api_version, slash + 1, s->name);
    return strcmp(expected, name) == 0;
}

static void assert_same(const struct fixture *f, const char *way, struct str got, struct str want)
{
    if (str_eq(got, want))
        return;
    size_t at = 0;
    while (at < got.len && at < want.len && got.data[at] == want.data[at])
        at++;
    size_t from = at < 60 ? 0 : at - 60;
    fail_msg("%s: %s differs at byte %zu\n got %.*s\nwant %.*s", f->name, way, at,
             STR_ARG(str_slice(got, from, at + 60)), STR_ARG(str_slice(want, from, at + 60)));
}

static void *decode(struct fixture *f, const struct json *j)
{
    struct err e = { 0 };
    void *message = NULL;
    int rc = schema_decode(&f->arena, f->schema, j, SCHEMA_STRICT, &message, NULL, &e);
    if (rc != 0)
        fail_msg("%s: decode: %s", f->name, e.msg);
    return message;
}

static void assert_pb(struct fixture *f, const char *way, const void *message)
{
    struct buf b;
    buf_init(&b);
    struct str stored = schema_pack_arena(&f->arena, f->schema, message);
    envelope_write(&b, f->schema, stored, &f->encoding);
    assert_same(f, way, buf_str(&b), f->pb);
    buf_deinit(&b);
}

static void assert_json(struct fixture *f, const char *way, struct str stored)
{
    struct buf compact;
    struct buf pretty;
    struct err e = { 0 };
    buf_init(&compact);
    buf_init(&pretty);
    if (schema_encode_json(&compact, f->schema, stored, &f->encoding, &e) != 0)
        fail_msg("%s: %s: %s", f->name, way, e.msg);
    json_indent(&pretty, buf_str(&compact));
    assert_same(f, way, buf_str(&pretty), f->json);
    buf_deinit(&compact);
    buf_deinit(&pretty);
}

static void assert_yaml(struct fixture *f, struct str stored)
{
    const struct json *tree;
    struct err e = { 0 };
    struct buf text;
    buf_init(&text);
    if (schema_to_dom(&f->arena, f->schema, stored, &f->encoding, &tree, &e) != 0 ||
        yaml_write(&text, tree, &e) != 0)
        fail_msg("%s: pb to yaml: %s", f->name, e.msg);
    assert_same(f, "pb to yaml", buf_str(&text), f->yaml);
    buf_deinit(&text);
}

static void check_fixture(struct fixture *f)
{
    struct err e = { 0 };
    const struct json *tree;
    struct envelope envelope;
    void *from_pb;
    if (json_parse(&f->arena, f->json, &tree, &e) != 0)
        fail_msg("%s: json: %s", f->name, e.msg);
    void *from_json = decode(f, tree);
    assert_pb(f, "json to pb", from_json);
    assert_json(f, "json to json", schema_pack_arena(&f->arena, f->schema, from_json));
    if (yaml_parse(&f->arena, f->yaml, &tree, &e) != 0)
        fail_msg("%s: yaml: %s", f->name, e.msg);
    void *from_yaml = decode(f, tree);
    assert_pb(f, "yaml to pb", from_yaml);
    assert_json(f, "yaml to json", schema_pack_arena(&f->arena, f->schema, from_yaml));
    if (envelope_open(f->pb, &envelope, &e) != 0 ||
        schema_unpack(&f->arena, f->schema, envelope.raw, &from_pb, &e) != 0)
        fail_msg("%s: pb: %s", f->name, e.msg);
    assert_true(str_eq(envelope.kind, f->encoding.kind));
    assert_pb(f, "pb to pb", from_pb);
    assert_json(f, "pb to json", envelope.raw);
    assert_yaml(f, envelope.raw);
    assert_true(schema_equal(f->schema, from_json, from_pb));
}

static bool run_fixture(const char *folder, const char *file)
{
    struct fixture f = { 0 };
    size_t len = strlen(file) - strlen(".json");
    (void)snprintf(f.name, sizeof(f.name), "%.*s", (int)len, file);
    const char *kind = strrchr(f.name, '.');
    f.schema = kind == NULL ? NULL : find_schema(kind + 1);
    if (f.schema == NULL || !is_kind(f.name, f.schema))
        return false;
    arena_init(&f.arena);
    if (f.schema->type_meta)
        f.encoding = (struct encoding){ .api_version = str_from(f.schema->api_version),
                                        .kind = str_from(f.schema->name) };
    f.json = read_file(&f.arena, folder, f.name, "json");
    f.yaml = read_file(&f.arena, folder, f.name, "yaml");
    f.pb = read_file(&f.arena, folder, f.name, "pb");
    check_fixture(&f);
    arena_deinit(&f.arena);
    return true;
}

static void fixtures_round_trip(void **state)
{
    (void)state;
    const char *folder = getenv("GANTRY_FIXTURES");
    size_t checked = 0;
    size_t skipped = 0;
    if (folder == NULL || *folder == '\0') {
        print_message("GANTRY_FIXTURES is not set: no fixtures checked\n");
        skip();
        return;
    }
    DIR *d = opendir(folder);
    if (d == NULL)
        fail_msg("GANTRY_FIXTURES: cannot open %s", folder);
    for (struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0)
            continue;
        if (run_fixture(folder, entry->d_name))
            checked++;
        else
            skipped++;
    }
    (void)closedir(d);
    print_message("fixtures checked=%zu skipped=%zu\n", checked, skipped);
    assert_true(checked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fixtures_round_trip) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
