/* What volumes hold, by their sources. */
#include <stdio.h>
#include <string.h>

#include "kubelet-lite/volumes.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const struct pod_facts facts = { "10.0.0.9", "10.0.0.1", 2000, 1 << 30 };

/* "path:mode=bytes path:mode=bytes" */
static const char *files_of(struct fixture *f, const struct volume *v)
{
    struct str text = { "", 0 };
    for (size_t i = 0; i < v->file_count; i++)
        text = str_printf(&f->a, "%.*s%s%s:%o=%.*s", STR_ARG(text), i > 0 ? " " : "",
                          v->files[i].path, v->files[i].mode, STR_ARG(v->files[i].bytes));
    return str_dup(&f->a, text);
}

static void test_volumes(void **state)
{
    static const struct {
        const char *volume;
        int rc;
        enum volume_kind kind;
        const char *files; /* or the message */
    } rows[] = {
        { "'emptyDir':{}", 0, VOLUME_EMPTY, "" },
        { "'emptyDir':{'medium':'Memory','sizeLimit':'1Mi'}", 0, VOLUME_MEMORY, "" },
        { "'hostPath':{'path':'/x','type':'Directory'}", 0, VOLUME_HOST, "" },
        { "'configMap':{'name':'cm'}", 0, VOLUME_FILES, "a:644=1 b:644=two bad-key:644=x" },
        { "'configMap':{'name':'cm','defaultMode':256,'items':[{'key':'b','path':'d/B','mode':448}"
          ",{'key':'a','path':'A'}]}",
          0, VOLUME_FILES, "d/B:700=two A:400=1" },
        { "'configMap':{'name':'cm','items':[{'key':'no','path':'x'}]}", -ERR_NOT_FOUND, 0,
          "MountVolume.SetUp failed for volume \"v\": configmap references non-existent config "
          "key: no" },
        { "'configMap':{'name':'cm','optional':true,'items':[{'key':'no','path':'x'}]}", 0,
          VOLUME_FILES, "" },
        { "'configMap':{'name':'none'}", -ERR_NOT_FOUND, 0,
          "MountVolume.SetUp failed for volume \"v\": configmap \"none\" not found" },
        { "'secret':{'secretName':'none','optional':true}", 0, VOLUME_FILES, "" },
        { "'secret':{'secretName':'sec'}", 0, VOLUME_FILES, "p:644=word" },
        { "'secret':{'secretName':'slow'}", -ERR_AGAIN, 0,
          "MountVolume.SetUp failed for volume \"v\": not read yet" },
        { "'downwardAPI':{'items':[{'path':'n','fieldRef':{'fieldPath':'metadata.name'}}]}", 0,
          VOLUME_FILES, "n:644=p" },
        { "'projected':{'sources':[{'configMap':{'name':'cm'}},{'secret':{'name':'sec','items':[{"
          "'key':'p','path':'a'}]}}]}",
          0, VOLUME_FILES, "a:644=word b:644=two bad-key:644=x" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        struct volume_set set;
        struct err e = { 0 };
        Pod *pod = fixture_pod(
            f, str_printf(&f->a,
                          "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c'}],'volumes':"
                          "[{'name':'v',%s}]}}",
                          rows[i].volume)
                   .data);
        int rc = volumes_resolve(&f->a, pod, &facts, fixture_source(), &set, &e);
        assert_int_equal(rc, rows[i].rc);
        if (rc != 0) {
            assert_string_equal(e.msg, rows[i].files);
            continue;
        }
        assert_int_equal(set.items[0].kind, rows[i].kind);
        assert_string_equal(files_of(f, &set.items[0]), rows[i].files);
        if (rows[i].kind == VOLUME_MEMORY)
            assert_int_equal(set.items[0].size_bytes, 1 << 20);
    }
}

static void count(void *ctx, enum kind kind, const char *name)
{
    struct str *text = ctx;
    static char all[256];
    size_t len = text->len;
    int n = snprintf(all + len, sizeof all - len, "%s/%s ", kind == KIND_SECRET ? "s" : "c", name);
    *text = str_of(all, len + (size_t)n);
}

static void test_sources(void **state)
{
    struct fixture *f = *state;
    struct str text = { "", 0 };
    Pod *pod = fixture_pod(
        f, "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','envFrom':[{'configMapRef':"
           "{'name':'e1'}},{'secretRef':{'name':'e2'}}],'env':[{'name':'A','valueFrom':{"
           "'secretKeyRef':{'name':'e3','key':'k'}}}]}],'volumes':[{'name':'v','configMap':{'name':"
           "'v1'}},{'name':'w','projected':{'sources':[{'secret':{'name':'v2'}}]}},{'name':'x',"
           "'secret':{'secretName':'v3'}}]}}");
    pod_sources(pod, count, &text);
    assert_true(str_eq_c(text, "c/v1 s/v2 s/v3 c/e1 s/e2 s/e3 "));
    assert_string_equal(volume_folder(&f->a, "/root/u", pod, "v"), "/root/u/volumes/v");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_volumes), T(test_sources) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
